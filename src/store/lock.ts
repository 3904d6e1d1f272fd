import { randomUUID } from 'node:crypto'
import { UpstreamError } from '../errors.js'
import type { Signals, Store } from './store.js'

/** Seconds for which a lock stays, beyond the longest call that it guards, when its owner does not renew it any more. */
const margin = 5
/** Seconds between two renewals. */
const renewalInterval = 2
/** Seconds to wait for another process. */
const patience = 40
/** Seconds before the first look at a lock that another process holds, each further one after twice as long. */
const looks = { told: { first: 0.25, longest: 2 }, untold: { first: 0.05, longest: 1 } }

/** Keeps works of one name apart, in all processes and replicas. */
export interface Lock {
  /**
   * @param served asked while another process holds the lock, and once more with the lock in hand: what makes the work
   * unnecessary
   * @throws UpstreamError `timeout` when another process does not finish
   */
  with<Result>(
    name: string,
    served: () => Promise<Result | undefined>,
    work: (hold: Hold) => Promise<Result>,
    options?: LockOptions,
  ): Promise<Result>
}

/** Keeps the lock until this has settled, whatever the work has answered by then. */
export type Hold = (until: Promise<unknown>) => void

export interface LockOptions {
  /**
   * Seconds that the longest single call of the work may take. A process that is stopped and goes on later finishes such a
   * call as if nothing had been: until then no other one may begin. Default: 1.
   */
  readonly longestCall?: number
}

export const lockDefaults = { longestCall: 1 } as const satisfies LockOptions

const topic = 'lock'

/** Ends by the store's own clock: those of replicas differ. */
export function createLock(store: Store): Lock {
  const { signals } = store

  const release = async (name: string, owner: string): Promise<void> => {
    await store.deleteIf(name, owner)
    await signals?.send(topic, name)
  }
  /** Undefined: the lock is ours. */
  const turn = async <Result>(
    name: string,
    acquire: () => Promise<boolean>,
    served: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> => {
    if (await acquire()) return undefined
    const deadline = performance.now() + patience * 1000
    const news = createNews(signals, name)
    try {
      do {
        if (performance.now() > deadline)
          throw new UpstreamError('timeout', 'another process did not finish its work on the same thing')
        await news.next()
        const result = await served()
        if (result !== undefined) return result
      } while (!(await acquire()))
      return undefined
    } finally {
      news.stop()
    }
  }

  return {
    async with(name, served, work, { longestCall = lockDefaults.longestCall } = {}) {
      const owner = randomUUID()
      const lasts = longestCall + margin
      const answered = await turn(name, () => store.addIfAbsent(name, owner, { lasts }), served)
      if (answered !== undefined) return answered
      const renewal = setInterval(
        () => void store.replace(name, owner, owner, { lasts }).catch(() => undefined),
        renewalInterval * 1000,
      ).unref()
      const held: Promise<unknown>[] = []
      const end = async (): Promise<void> => {
        clearInterval(renewal)
        await release(name, owner).catch(() => undefined)
      }
      try {
        return (await served()) ?? (await work((until) => held.push(until)))
      } finally {
        if (held.length === 0) await end()
        else void Promise.allSettled(held).then(end)
      }
    },
  }
}

/** Comes when the lock was let go of, or after a while: its owner may have died, and messages may be lost. */
function createNews(signals: Signals | undefined, name: string) {
  const { first, longest } = signals === undefined ? looks.untold : looks.told
  let seconds = first
  let wake = (): void => undefined
  const stop = signals?.listen(topic, (message) => {
    if (message === name) wake()
  })
  return {
    async next(): Promise<void> {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      seconds = Math.min(seconds * 2, longest)
    },
    stop: () => stop?.(),
  }
}
