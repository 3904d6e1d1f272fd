import type { Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { Snapshot } from '../config/files.js'
import { ConfigurationError } from '../errors.js'
import type { Prepared } from './reload.js'
import { type FromWorker, isFromWorker, type ToWorker } from './worker-messages.js'

/** Seconds that are waited for workers to say that they have swapped. */
const swapping = 10

type Answer = Extract<FromWorker, { readonly type: 'prepared' | 'refused' }>

/**
 * Asks all workers to make a configuration ready. They swap when all of them are; when one is not, none does.
 * @throws ConfigurationError with what a worker has against it
 */
export async function prepareWorkers(
  workers: ReadonlySet<Worker>,
  attempt: number,
  snapshot: Snapshot,
): Promise<Prepared> {
  const asked = [...workers]
  const discard = (): void => {
    for (const worker of asked) tell(worker, { type: 'discard', attempt })
  }
  const answers = await Promise.all(
    asked.map((worker) => {
      const answer = heard(worker, attempt, ['prepared', 'refused'])
      tell(worker, { type: 'prepare', attempt, snapshot })
      return answer as Promise<Answer | undefined>
    }),
  )
  const refused = answers.find((answer) => answer?.type === 'refused')
  if (refused?.type === 'refused') {
    discard()
    throw refused.problems.length > 0 ? new ConfigurationError(refused.problems) : new Error(refused.reason)
  }
  const ready = answers.find((answer) => answer?.type === 'prepared')
  if (ready?.type !== 'prepared') throw new Error('no worker is there to make it ready')
  return {
    changes: ready.changes,
    async swap() {
      const swapped = asked.map((worker) => heard(worker, attempt, ['swapped']))
      for (const worker of asked) tell(worker, { type: 'swap', attempt })
      // One that hangs is noticed elsewhere: its next message is to swap.
      await Promise.race([Promise.all(swapped), delay(swapping * 1000, undefined, { ref: false })])
    },
    discard,
  }
}

export function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}

/** Undefined when the worker has died: the one that takes its place serves what the others do. */
function heard(worker: Worker, attempt: number, types: readonly FromWorker['type'][]): Promise<FromWorker | undefined> {
  return new Promise((resolve) => {
    const settle = (answer?: FromWorker): void => {
      worker.off('message', hear).off('exit', gone)
      resolve(answer)
    }
    const gone = (): void => settle()
    const hear = (message: unknown): void => {
      if (isFromWorker(message) && 'attempt' in message && message.attempt === attempt && types.includes(message.type))
        settle(message)
    }
    if (worker.isDead()) settle()
    else worker.on('message', hear).on('exit', gone)
  })
}
