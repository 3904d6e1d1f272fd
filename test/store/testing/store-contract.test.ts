import test from 'ava'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import type { Expiry, Store } from '../../../src/store/store.js'
import { storeContract } from '../../../src/store/testing/store-contract.js'

const pause = () => new Promise((resolve) => setImmediate(resolve))

function endOf(expiry: Expiry): number {
  if (typeof expiry === 'number') return expiry
  return 'lasts' in expiry ? Date.now() / 1000 + expiry.lasts : expiry.atLeast
}

/** What most adapters do at first: look, then write. */
function findThenSave(): Store {
  const store = createMemoryStore()
  return {
    ...store,
    async addIfAbsent(key, value, expiresAt) {
      const found = await store.get(key)
      await pause()
      if (found !== undefined) return false
      await store.set(key, value, endOf(expiresAt))
      return true
    },
    async replace(key, expected, value, expiresAt) {
      const found = await store.get(key)
      await pause()
      if (found !== expected) return false
      await store.set(key, value, endOf(expiresAt))
      return true
    },
    async count(key, cost, quota) {
      const { left, reset } = await store.count(key, 0, quota)
      await pause()
      if (cost > left) return { counted: false, left, reset }
      return store.count(key, cost, { ...quota, limit: Number.MAX_SAFE_INTEGER })
    },
    async take(key) {
      const found = await store.get(key)
      await pause()
      await store.delete(key)
      return found
    },
  }
}

test('the contract catches a store that finds first and saves afterwards', async (t) => {
  const failed: string[] = []
  for (const { title, run } of storeContract) {
    const store = findThenSave()
    await run(store).catch(() => failed.push(title))
    await store.close()
  }
  t.deepEqual(failed, [
    'adds to an absence exactly once in 200 parallel tries',
    'gives a taken value to exactly one of 200 takers',
    'replaces only what is still as expected, once in 200 parallel tries',
    'never brings a deleted record back, in 200 races of delete, replace and extend',
    'replaces a value without making its life shorter, where that is asked for',
    'counts to the limit and no further, in 200 parallel tries',
    'gives back what was counted, looks without counting, and never goes below nothing',
  ])
})
