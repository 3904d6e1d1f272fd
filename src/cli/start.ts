import cluster from 'node:cluster'
import type { Environment } from '../config/environment.js'
import { type Configuration, readConfiguration } from '../config/load.js'
import { run } from '../server/run.js'
import { listenForStop, type StopSignals } from '../server/stop-signals.js'
import { runWorkers, serveAsWorker } from '../server/workers.js'
import { createLogger, logEvents } from '../telemetry/log.js'
import { createLogLevel } from '../telemetry/log-level.js'
import { describeError, type Style, styleFor } from './report.js'

export interface StartOptions {
  readonly file: string
  /** Default: the environment of the process. */
  readonly environment?: Environment
}

/** `sallyport start`: runs until SIGTERM or SIGINT. */
export async function start({ file, environment = process.env }: StartOptions): Promise<void> {
  // Workers are told by their primary process.
  const stopSignals = cluster.isWorker ? undefined : stopOnSignal()
  const configuration = readConfiguration({ file, environment })
  const { logLevel: level, accessLog } = configuration.server
  const logger = createLogger({ level })
  logEvents(logger, { accessLog })
  const logLevel = createLogLevel(logger)
  if (cluster.isWorker) return serveAsWorker(configuration, logLevel)
  stopSignals?.stops(
    configuration.server.workers > 1 ? await runWorkers(configuration) : await run(configuration, { logLevel }),
  )
  if (process.stderr.isTTY) process.stderr.write(banner(configuration, styleFor(process.stderr)))
}

/** For people at a terminal; the log says the same to programs. */
function banner({ gateway, authorizationServer }: Configuration, { bold, green, soft }: Style): string {
  const frontends = gateway?.frontends ?? []
  return [
    '',
    `  ${bold('Sallyport')} is up.`,
    ...frontends
      .slice(0, 10)
      .map(({ name, publicUrl, pathPrefix }) => `  ${name.padEnd(8)} ${green(`${publicUrl.origin}${pathPrefix}/`)}`),
    ...(frontends.length > 10 ? [`  and ${frontends.length - 10} more`] : []),
    ...(frontends.length > 0 ? [soft('  Other host names are answered 421.')] : []),
    ...(authorizationServer === undefined
      ? []
      : [soft(`  Authorization server ${authorizationServer.options.issuer.href}`)]),
    soft('  Press Ctrl+C to stop.'),
    '',
    '',
  ].join('\n')
}

/** Once means drain; a second time means now. */
export function stopOnSignal(): StopSignals {
  return listenForStop((error) => process.stderr.write(describeError(error, styleFor(process.stderr))))
}
