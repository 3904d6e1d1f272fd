import cluster from 'node:cluster'
import type { Environment } from '../config/environment.js'
import { type ConfigurationFiles, createFiles } from '../config/files.js'
import { type Configuration, readConfiguration } from '../config/load.js'
import { auditOf } from '../server/audit-of.js'
import { createGenerations, type Generations } from '../server/generations.js'
import { announceCertificates, createReload } from '../server/reload.js'
import { run } from '../server/run.js'
import { hearHangUps } from '../server/signals.js'
import { listenForStop, type StopSignals } from '../server/stop-signals.js'
import { serveAsWorker } from '../server/worker.js'
import { type RunningWorkers, runWorkers } from '../server/workers.js'
import { createLog, type EventLog, logEvents, logRecords } from '../telemetry/log.js'
import { createLogLevel, type LogLevelControl } from '../telemetry/log-level.js'
import { describeError, type Style, styleFor } from './report.js'

export interface StartOptions {
  readonly file: string
  /** Default: the environment of the process. */
  readonly environment?: Environment
}

/** `sallyport start`: runs until SIGTERM or SIGINT, and takes another configuration over when its files change or at SIGHUP. */
export async function start({ file, environment = process.env }: StartOptions): Promise<void> {
  if (cluster.isWorker) return serveAsWorker({ file, environment, ...createEventLog() })
  const stopSignals = stopOnSignal()
  const hangUps = hearHangUps()
  const files = createFiles()
  const configuration = readConfiguration({ file, environment, files })
  const log = createEventLog()
  const onTaken = (taken: Configuration): void => {
    log.onTaken(taken)
    announceCertificates(taken)
  }
  onTaken(configuration)
  const generations = createGenerations(configuration, { onTaken })
  const audit = await auditOf(configuration, log.logRecord)
  const { prepare, stop } = await running(configuration, { generations, files, logLevel: log.logLevel() })
  const reload = createReload({ file, environment, files, generations, prepare })
  hangUps.on(reload.request)
  stopSignals.stops({
    stop(manner) {
      reload.stop()
      return stop(manner).then(() => audit?.close())
    },
  })
  if (process.stderr.isTTY) process.stderr.write(banner(configuration, styleFor(process.stderr)))
}

interface StartedWith {
  readonly generations: Generations
  readonly files: ConfigurationFiles
  readonly logLevel: LogLevelControl
}

/** One process, or several. */
async function running(
  configuration: Configuration,
  { generations, files, logLevel }: StartedWith,
): Promise<Pick<RunningWorkers, 'prepare' | 'stop'>> {
  if (configuration.server.workers > 1) return runWorkers(configuration, { generations, snapshot: files.snapshot() })
  const { prepare, stop } = await run(configuration, { generations, logLevel })
  return { prepare: (candidate) => prepare(candidate.configuration), stop }
}

/** Writes events as each configuration says, the first one from its first event on. */
function createEventLog() {
  const log = createLog({ level: 'info' })
  const logLevel = createLogLevel(log.logger)
  let events: EventLog | undefined
  return {
    logLevel: () => logLevel,
    logRecord: logRecords(log.logger),
    onTaken({ server: { logLevel: level, accessLog } }: Configuration): void {
      events ??= logEvents(log, { accessLog })
      events.change({ accessLog })
      logLevel.configure(level)
    },
  }
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
