import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError } from '../errors.js'
import type { Store } from './store.js'

/** Seconds for which a lock outlives a process that died with it. Its owner renews it three times as often. */
const lifetime = 6
/** Seconds to wait for another process. */
const patience = 30

/** Keeps works of one name apart, in all processes and replicas. */
export interface Lock {
  /**
   * @param served asked while another process holds the lock, and once more with the lock in hand: what makes the work
   * unnecessary
   * @throws UpstreamError `timeout` when another process does not finish
   */
  with<Result>(name: string, served: () => Promise<Result | undefined>, work: () => Promise<Result>): Promise<Result>
}

/** @param now Seconds since the epoch. */
export function createLock(store: Store, now: () => number): Lock {
  return {
    async with(lock, served, work) {
      const owner = randomUUID()
      const deadline = now() + patience
      while (!(await store.addIfAbsent(lock, owner, now() + lifetime))) {
        if (now() > deadline)
          throw new UpstreamError('timeout', 'another process did not finish its work on the same thing')
        await delay(50)
        const result = await served()
        if (result !== undefined) return result
      }
      const renewal = setInterval(
        () => void store.replace(lock, owner, owner, now() + lifetime).catch(() => undefined),
        (lifetime * 1000) / 3,
      )
      try {
        return (await served()) ?? (await work())
      } finally {
        clearInterval(renewal)
        await store.deleteIf(lock, owner).catch(() => undefined)
      }
    },
  }
}
