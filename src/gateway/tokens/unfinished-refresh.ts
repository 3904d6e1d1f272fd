import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../../store/store.js'

/** Seconds for which a mark stays that is not taken away: as long as a store may be away. */
const lifetime = 600
/** Seconds that the next one waits where a mark was left: enough for its owner to write down what it has. */
const settling = 2
/** Seconds between two looks meanwhile. */
const interval = 0.25

/**
 * Marks that a refresh has begun. One that was left belongs to a process that has died, or that has got new tokens while
 * the store was away and has not written them down yet: the lock may have ended by then, and to use the old refresh token
 * would make a rotating server end the session.
 */
export function createUnfinishedRefreshes(store: Store) {
  return {
    /**
     * Begins, with the lock in hand.
     * @param served what the former owner has written down meanwhile
     */
    async begin<Result>(
      name: string,
      served: () => Promise<Result | undefined>,
    ): Promise<{ readonly served: Result | undefined; end(): Promise<void> }> {
      const [mark, owner] = [`${name} begun`, randomUUID()]
      const end = async (): Promise<void> => {
        await store.deleteIf(mark, owner).catch(() => undefined)
      }
      if (await store.addIfAbsent(mark, owner, { lasts: lifetime })) return { served: undefined, end }
      for (let waited = 0; waited < settling; waited += interval) {
        await delay(interval * 1000)
        const result = await served()
        if (result !== undefined) return { served: result, end }
      }
      await store.delete(mark)
      await store.addIfAbsent(mark, owner, { lasts: lifetime })
      return { served: undefined, end }
    },
  }
}
