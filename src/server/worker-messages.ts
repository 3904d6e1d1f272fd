import type { Snapshot } from '../config/files.js'
import type { ConfigurationProblem } from '../errors.js'
import type { FrontendChanges } from '../gateway/gateway.js'
import type { StopManner } from './run.js'

/** What the primary process says to a worker. */
export type ToWorker =
  /** What the process started with, and what is served by now: a worker that comes later cannot change more than the others. */
  | { readonly type: 'serve'; readonly first: Snapshot; readonly now: Snapshot }
  | { readonly type: 'prepare'; readonly attempt: number; readonly snapshot: Snapshot }
  | { readonly type: 'swap'; readonly attempt: number }
  | { readonly type: 'discard'; readonly attempt: number }
  | { readonly type: 'stop'; readonly manner: StopManner }

/** What a worker says to the primary process. */
export type FromWorker =
  /** It hears: what is said before is lost. */
  | { readonly type: 'hears' }
  | { readonly type: 'ready' }
  | { readonly type: 'prepared'; readonly attempt: number; readonly changes: FrontendChanges }
  /** With problems where it is the configuration that does not work. */
  | {
      readonly type: 'refused'
      readonly attempt: number
      readonly problems: readonly ConfigurationProblem[]
      readonly reason: string
    }
  | { readonly type: 'swapped'; readonly attempt: number }

/** Others speak over the same pipe: the collection of metrics does. */
export function isFromWorker(message: unknown): message is FromWorker {
  return ['hears', 'ready', 'prepared', 'refused', 'swapped'].includes(typeOf(message))
}

export function isToWorker(message: unknown): message is ToWorker {
  return ['serve', 'prepare', 'swap', 'discard', 'stop'].includes(typeOf(message))
}

function typeOf(message: unknown): string {
  return typeof message === 'object' && message !== null ? String((message as { type?: unknown }).type) : ''
}
