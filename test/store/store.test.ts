import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { storeContract } from './_store-contract.js'

storeContract('the memory store', async () => createMemoryStore())

test('the memory store refuses what is beyond its limit and keeps what is alive', async (t) => {
  const store = createMemoryStore({ maxRecords: 2 })
  const later = Date.now() / 1000 + 60
  await store.set('a', '1', later)
  await store.set('b', '2', later)
  await t.throwsAsync(store.set('c', '3', later), { code: 'store_unavailable' })
  t.is(await store.get('a'), '1')
  t.is(await store.get('b'), '2')
})

test('the memory store makes room by what has expired', async (t) => {
  let now = 1000
  const store = createMemoryStore({ maxRecords: 1, now: () => now })
  await store.set('a', '1', 1010)
  now = 1011
  t.true(await store.addIfAbsent('b', '2', 1020))
  t.is(await store.get('a'), undefined)
})
