import type { Environment } from '../config/environment.js'
import { createFiles, type Snapshot } from '../config/files.js'
import { type Configuration, readingConfiguration } from '../config/load.js'
import { ConfigurationError } from '../errors.js'
import { atOnce, inSlices } from '../slices.js'
import type { LogLevelControl } from '../telemetry/log-level.js'
import { auditOf } from './audit-of.js'
import { run, type StopManner } from './run.js'
import type { PreparedServing } from './serving.js'
import { answerLifeSigns } from './worker-life.js'
import { type FromWorker, isToWorker, type ToWorker } from './worker-messages.js'

export interface WorkerOptions {
  readonly file: string
  readonly environment: Environment
  /** Told of every configuration that is served, the first one included. */
  readonly onTaken: (configuration: Configuration) => void
  /** Of the log, for the administration. */
  readonly logLevel: () => LogLevelControl
  /** Writes an audit record into the log. */
  readonly logRecord: (record: object) => void
}

/** Those that reach a whole group of processes: only the primary process decides. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/** One of several: told by the primary process what to serve, what to serve next and when to stop. */
export async function serveAsWorker({ file, environment, onTaken, logLevel, logRecord }: WorkerOptions): Promise<void> {
  for (const signal of signals) process.on(signal, () => undefined)
  let isServing = false
  let stop = (_manner: StopManner): void => {}
  const told = new Promise<StopManner>((resolve) => {
    stop = resolve
    // A primary that has died cannot say so.
    process.once('disconnect', () => {
      if (isServing) resolve('at once')
      else process.exit(0)
    })
  })
  answerLifeSigns()
  const read = (snapshot: Snapshot, running?: Configuration) =>
    readingConfiguration({ file, environment, files: createFiles(snapshot), ...(running && { running }) })

  const { first, now } = await firstMessage()
  const start = atOnce(read(first))
  let current = atOnce(read(now, start))
  onTaken(current)
  const audit = await auditOf(current, logRecord)
  const running = await run(current, { adminListener: 'elsewhere', logLevel: logLevel() })
  const prepared = new Map<number, { readonly configuration: Configuration; readonly serving: PreparedServing }>()
  const hear = async (message: ToWorker): Promise<void> => {
    switch (message.type) {
      case 'prepare': {
        const configuration = await inSlices(read(message.snapshot, current))
        const serving = await running.prepare(configuration)
        prepared.set(message.attempt, { configuration, serving })
        return say({ type: 'prepared', attempt: message.attempt, changes: serving.changes })
      }
      case 'swap': {
        const next = prepared.get(message.attempt)
        prepared.delete(message.attempt)
        if (next === undefined) return
        next.serving.swap()
        current = next.configuration
        onTaken(current)
        return say({ type: 'swapped', attempt: message.attempt })
      }
      case 'discard':
        prepared.get(message.attempt)?.serving.discard()
        prepared.delete(message.attempt)
        return
      case 'stop':
        return stop(message.manner)
      case 'serve':
        return
    }
  }
  process.on('message', (message) => {
    if (isToWorker(message)) hear(message).catch((error: unknown) => refuse(message, error))
  })
  isServing = true
  say({ type: 'ready' })
  await running.stop(await told)
  await audit?.close()
  process.exit(0)
}

function firstMessage(): Promise<Extract<ToWorker, { readonly type: 'serve' }>> {
  return new Promise((resolve) => {
    const hear = (message: unknown): void => {
      if (!isToWorker(message) || message.type !== 'serve') return
      process.off('message', hear)
      resolve(message)
    }
    process.on('message', hear)
    say({ type: 'hears' })
  })
}

function refuse(message: ToWorker, error: unknown): void {
  if (!('attempt' in message)) throw error
  const problems = error instanceof ConfigurationError ? error.problems : []
  const reason = error instanceof Error ? error.message : 'unknown'
  say({ type: 'refused', attempt: message.attempt, problems, reason })
}

function say(message: FromWorker): void {
  process.send?.(message)
}
