import cluster from 'node:cluster'
import type { Environment } from '../config/environment.js'
import { loadConfiguration } from '../config/load.js'
import { createLogger, logEvents } from '../telemetry/log.js'
import { describeError, styleFor } from './report.js'
import { type Running, run } from './run.js'
import { runWorkers, serveAsWorker } from './workers.js'

export interface StartOptions {
  readonly file: string
  /** Default: the environment of the process. */
  readonly environment?: Environment
}

/** `sallyport start`: runs until SIGTERM or SIGINT. */
export async function start({ file, environment = process.env }: StartOptions): Promise<void> {
  const configuration = loadConfiguration({ file, environment })
  logEvents(createLogger({ level: configuration.server.logLevel }))
  if (cluster.isWorker) return serveAsWorker(configuration)
  stopOnSignal(configuration.server.workers > 1 ? await runWorkers(configuration) : await run(configuration))
}

/** Once means drain; a second time means now. */
export function stopOnSignal(running: Pick<Running, 'stop'>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      process.once(signal, () => process.exit(1))
      running.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(describeError(error, styleFor(process.stderr)))
          process.exit(1)
        },
      )
    })
}
