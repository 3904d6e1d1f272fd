import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError } from '../../errors.js'
import type { Store } from '../../store/store.js'

/** Seconds for which a lock outlives a process that died with it. Its owner renews it three times as often. */
const lifetime = 6
/** Seconds to wait for another process's refresh. */
const patience = 30

/** Keeps the refreshes of one session apart, in all processes and replicas. */
export interface RefreshLock {
  /**
   * @param served asked while another process holds the lock, and once more with the lock in hand: what makes `refresh`
   * unnecessary
   * @throws UpstreamError `timeout` when another process does not finish
   */
  with<Result>(
    sessionKey: string,
    served: () => Promise<Result | undefined>,
    refresh: () => Promise<Result>,
  ): Promise<Result>
}

export function createRefreshLock(store: Store, now: () => number): RefreshLock {
  return {
    async with(sessionKey, served, refresh) {
      const lock = `refresh:${sessionKey}`
      const owner = randomUUID()
      const deadline = now() + patience
      while (!(await store.addIfAbsent(lock, owner, now() + lifetime))) {
        if (now() > deadline) throw new UpstreamError('timeout', 'another process did not finish its refresh')
        await delay(50)
        const result = await served()
        if (result !== undefined) return result
      }
      const renewal = setInterval(
        () => void store.replace(lock, owner, owner, now() + lifetime).catch(() => undefined),
        (lifetime * 1000) / 3,
      )
      try {
        return (await served()) ?? (await refresh())
      } finally {
        clearInterval(renewal)
        await store.deleteIf(lock, owner).catch(() => undefined)
      }
    },
  }
}
