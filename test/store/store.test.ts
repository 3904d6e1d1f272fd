import test from 'ava'
import { createMemoryStore, defaultMaxBytes } from '../../src/store/memory-store.js'
import type { Store } from '../../src/store/store.js'
import { eventually } from '../_eventually.js'
import { storeContract } from './_store-contract.js'

storeContract('the memory store', async () => createMemoryStore())

const text = 'x'.repeat(1000)

/** How many records of a thousand bytes fit. */
async function fill(store: Store, expiresAt: number): Promise<number> {
  for (let count = 0; ; count++) {
    try {
      await store.set(`${count}`, text, expiresAt)
    } catch {
      return count
    }
  }
}

test('the memory store counts bytes, refuses what is beyond its limit and keeps what is alive', async (t) => {
  const store = createMemoryStore({ maxBytes: 100_000 })
  const later = Date.now() / 1000 + 60
  const count = await fill(store, later)
  t.true(count > 75 && count < 100, `${count}`)
  await t.throwsAsync(store.addIfAbsent('one more', text, later), { code: 'store_unavailable' })
  await t.throwsAsync(store.addMember('a set', text, later), { code: 'store_unavailable' })
  for (let i = 0; i < count; i++) t.is(await store.get(`${i}`), text)
  const { records, bytes, maxBytes, refused } = store.usage()
  t.deepEqual({ records, maxBytes, refused }, { records: count, maxBytes: 100_000, refused: 3 })
  t.true(bytes > 90_000 && bytes <= 95_000)
})

test('what is in a full memory store is still written anew, lives on and ends: nobody is logged out by it', async (t) => {
  const store = createMemoryStore({ maxBytes: 10_000 })
  const later = Date.now() / 1000 + 60
  await fill(store, later)
  t.true(await store.extend('0', later + 60))
  t.true(await store.replace('0', text, `${text}${text}`, later))
  await store.set('1', `${text}${text}`, later)
  t.is(await store.take('1'), `${text}${text}`)
})

test('a store full of sessions has room for locks and marks of use, though not for any number of them', async (t) => {
  const store = createMemoryStore({ maxBytes: 100_000 })
  const later = Date.now() / 1000 + 60
  await fill(store, later)
  t.true(await store.addIfAbsent('lock', 'mine', later))
  await t.throwsAsync(
    async () => {
      for (let i = 0; i < 100; i++) await store.addIfAbsent(`lock ${i}`, 'mine', later)
    },
    { code: 'store_unavailable' },
  )
})

test('a set grows and shrinks by what its members take', async (t) => {
  const store = createMemoryStore({ maxBytes: 10_000 })
  const later = Date.now() / 1000 + 60
  await t.throwsAsync(
    async () => {
      for (let i = 0; i < 1000; i++) await store.addMember('a set', `member ${i}`, later)
    },
    { code: 'store_unavailable' },
  )
  const members = await store.members('a set')
  t.true(members.length > 50 && members.length < 100)
  for (const member of [...members, ...members]) await store.removeMember('a set', member)
  t.like(store.usage(), { records: 0, bytes: 0 })
})

test('a set of one becomes one of two and of one again, each member until its own end', async (t) => {
  let now = 1000
  const store = createMemoryStore({ now: () => now })
  await store.addMember('a set', 'one', 1010)
  await store.addMember('a set', 'one', 1005)
  now = 1006
  t.deepEqual(await store.members('a set'), ['one'])
  await store.addMember('a set', 'other', 1020)
  t.deepEqual(await store.members('a set'), ['one', 'other'])
  now = 1011
  t.deepEqual(await store.members('a set'), ['other'])
  await store.removeMember('a set', 'neither')
  await store.removeMember('a set', 'other')
  t.like(store.usage(), { records: 0, bytes: 0 })
})

test('the memory store makes room by what has expired', async (t) => {
  let now = 1000
  const store = createMemoryStore({ maxBytes: 10_000, now: () => now })
  await fill(store, 1010)
  now = 1011
  t.true(await store.addIfAbsent('b', '2', 1020))
  t.is(await store.get('0'), undefined)
})

test('what has expired is freed without anybody asking for it, and without one long pause', async (t) => {
  let now = 1000
  const store = createMemoryStore({ maxBytes: 1e9, now: () => now })
  for (let i = 0; i < 20_000; i++) await store.set(`${i}`, 'short', i % 2 ? 1010 : 2000)
  now = 1011
  await eventually(() => store.usage().records <= 10_000)
  t.is(await store.get('0'), 'short')
  now = 2001
  await eventually(() => store.usage().records === 0)
  t.is(store.usage().bytes, 0)
})

test('a refused write is cheap: a hundred thousand of them, with as many records, in no time', async (t) => {
  const store = createMemoryStore({ maxBytes: 20_000_000 })
  const later = Date.now() / 1000 + 600
  for (let i = 0; i < 100_000; i++) await store.set(`${i}`, 'x', later).catch(() => undefined)
  const before = process.cpuUsage()
  for (let i = 0; i < 100_000; i++) await store.set(`no ${i}`, text, later).catch(() => undefined)
  const { user, system } = process.cpuUsage(before)
  // A second each, it was, when each looked for something to purge.
  t.true(user + system < 10_000_000, `${user + system} µs`)
})

test('the limit leaves a small container room for the program', (t) => {
  const [small, large] = [defaultMaxBytes(48e6), defaultMaxBytes(2e9)]
  t.true(small <= 48e6 / 4, `${small}`)
  t.true(large > 9e8 && large < 1e9, `${large}`)
})
