import { setTimeout as delay } from 'node:timers/promises'
import { certificateProblems } from '../config/certificate-problems.js'
import type { Environment } from '../config/environment.js'
import { type ConfigurationFiles, createFiles, fingerprintOf, type Snapshot } from '../config/files.js'
import { type Configuration, readingConfiguration } from '../config/load.js'
import { ConfigurationError, type ConfigurationProblem } from '../errors.js'
import type { FrontendChanges } from '../gateway/gateway.js'
import { inSlices } from '../slices.js'
import { publish } from '../telemetry/events.js'
import type { Generations } from './generations.js'
import { createWatch } from './watch.js'

/** A configuration that was read and is in order, with what it was read from. */
export interface Candidate {
  readonly configuration: Configuration
  readonly snapshot: Snapshot
}

/** One of the two, once. */
export interface Prepared {
  readonly changes: FrontendChanges
  swap(): void | Promise<void>
  discard(): void
}

export interface ReloadOptions {
  readonly file: string
  readonly environment: Environment
  /** What the running configuration was read from. */
  readonly files: ConfigurationFiles
  readonly generations: Generations
  /** Makes it ready, beside what is served. @throws for one that does not work */
  readonly prepare: (candidate: Candidate) => Promise<Prepared>
  /** Seconds. Default: 30. */
  readonly timeout?: number
}

export interface Reload {
  /** As soon as the one under way is over, if there is one. Several requests are one. */
  request(): void
  /** What is being prepared is given up. */
  stop(): void
}

/** Seconds after which a change that failed for no fault of the file is tried again. */
const nextTry = 10

/** Takes another configuration over as a whole, or not at all. */
export function createReload({ file, environment, files, generations, prepare, timeout = 30 }: ReloadOptions): Reload {
  let fingerprint = fingerprintOf(files.snapshot())
  let isUnderway = false
  let requested: 'no' | 'changed' | 'asked' = 'no'
  const stopped = new AbortController()
  const watch = createWatch(() => void begin('changed'))
  const follow = (read: ConfigurationFiles): void => {
    if (stopped.signal.aborted) return
    if (generations.current().server.watch) watch.follow(read.stamps())
    else watch.stop()
  }

  const attempt = async (why: 'changed' | 'asked'): Promise<void> => {
    const read = createFiles()
    try {
      const running = generations.current()
      const configuration = await inSlices(readingConfiguration({ file, environment, files: read, running }))
      if (stopped.signal.aborted) return
      const snapshot = read.snapshot()
      // A file that was touched, or that says again what it did before a mistake was in it.
      const isSame = fingerprintOf(snapshot) === fingerprint
      if (isSame && why === 'changed' && generations.status().refused === undefined) return
      const { changes, swap, discard } = await within(timeout, prepare({ configuration, snapshot }), stopped.signal)
      if (stopped.signal.aborted) return discard()
      await swap()
      fingerprint = fingerprintOf(snapshot)
      generations.took(configuration, changes)
    } catch (error) {
      if (stopped.signal.aborted) return
      generations.refuse(problemsOf(error))
      if (!(error instanceof ConfigurationError)) void tryAgain()
    } finally {
      follow(read)
    }
  }
  const tryAgain = async (): Promise<void> => {
    await delay(nextTry * 1000, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined)
    if (!stopped.signal.aborted && generations.status().refused !== undefined) await begin('asked')
  }
  const begin = async (why: 'changed' | 'asked'): Promise<void> => {
    requested = requested === 'asked' ? 'asked' : why
    if (isUnderway) return
    isUnderway = true
    while (requested !== 'no' && !stopped.signal.aborted) {
      const reason = requested
      requested = 'no'
      await attempt(reason)
    }
    isUnderway = false
  }

  follow(files)
  return {
    request: () => void begin('asked'),
    stop() {
      stopped.abort()
      watch.stop()
    },
  }
}

/** What comes too late is given up as soon as it comes. */
async function within(seconds: number, preparing: Promise<Prepared>, signal: AbortSignal): Promise<Prepared> {
  const over = new AbortController()
  const late = delay(seconds * 1000, undefined, { ref: false, signal: AbortSignal.any([over.signal, signal]) }).then(
    () => new ReloadTimeout(seconds),
    () => new ReloadTimeout(seconds),
  )
  try {
    const first = await Promise.race([preparing, late])
    if (!(first instanceof ReloadTimeout)) return first
    preparing.then(({ discard }) => discard()).catch(() => undefined)
    throw first
  } finally {
    over.abort()
  }
}

class ReloadTimeout extends Error {
  constructor(seconds: number) {
    super(`it was not ready within ${seconds} seconds`)
  }
}

/** A cause may quote what must not be quoted; the messages of our own errors do not. */
function problemsOf(error: unknown): readonly ConfigurationProblem[] {
  if (error instanceof ConfigurationError) return error.problems
  const message = error instanceof Error ? error.message : 'unknown'
  return [{ pointer: '', problem: `could not be made ready: ${message}`, remedy: 'It is tried again by itself.' }]
}

/** Says what browsers will have against the certificates of a configuration that is served from now on. */
export function announceCertificates(configuration: Configuration): void {
  for (const { pointer, problem } of certificateProblems(configuration))
    publish({ type: 'server.certificate.unfit', pointer, problem })
}
