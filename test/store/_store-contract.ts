import test from 'ava'
import type { Store } from '../../src/store/store.js'
import { storeContract as checks } from '../../src/store/testing/store-contract.js'

/** What every store must do. A new store passes this or is not one. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  for (const { title, run } of checks) {
    test(`${name} ${title}`, async (t) => {
      const store = await open()
      try {
        await t.notThrowsAsync(run(store))
      } finally {
        await store.close()
      }
    })
  }
}
