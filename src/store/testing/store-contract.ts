import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { signalChecks } from './signal-checks.js'
import type { StoreCheck } from './store-check.js'

export type { StoreCheck } from './store-check.js'

const later = (seconds = 60): number => Date.now() / 1000 + seconds
const parallel = <Result>(count: number, attempt: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => attempt(index)))

/**
 * What a store has to pass to be one: run each check with any test runner, on a store of its own or on a shared one (every
 * check uses keys of its own). What finds first and saves afterwards, in two steps, fails here.
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { createMemoryStore } from 'sallyport'
 * import { storeContract } from 'sallyport/testing/store'
 *
 * for (const { title, run } of storeContract) test(`my store ${title}`, () => run(createMemoryStore()))
 * ```
 */
export const storeContract: readonly StoreCheck[] = [
  {
    title: 'gives back what was set, whole, and the last of it',
    async run(store) {
      const key = randomUUID()
      assert.equal(await store.get(key), undefined)
      for (const value of ['value', '', 'ä 💥 \0 \n', 'x'.repeat(100_000)]) {
        await store.set(key, value, later())
        assert.equal(await store.get(key), value)
      }
    },
  },
  {
    title: 'forgets what has expired',
    async run(store) {
      const key = randomUUID()
      await store.set(key, 'value', later(-1))
      assert.equal(await store.get(key), undefined)
      assert.equal(await store.take(key), undefined)
      assert.equal(await store.extend(key, later()), false)
      await store.set(key, 'value', later(0.05))
      await new Promise((resolve) => setTimeout(resolve, 120))
      assert.equal(await store.get(key), undefined)
      assert.equal(await store.addIfAbsent(key, 'next', later()), true)
    },
  },
  {
    title: 'adds to an absence exactly once in 200 parallel tries',
    async run(store) {
      const key = randomUUID()
      const tries = await parallel(200, (index) => store.addIfAbsent(key, String(index), later()))
      assert.equal(tries.filter(Boolean).length, 1)
      assert.equal(await store.get(key), String(tries.indexOf(true)))
    },
  },
  {
    title: 'gives a taken value to exactly one of 200 takers',
    async run(store) {
      const key = randomUUID()
      await store.set(key, 'once', later())
      const taken = await parallel(200, () => store.take(key))
      assert.deepEqual(
        taken.filter((value) => value !== undefined),
        ['once'],
      )
      assert.equal(await store.get(key), undefined)
    },
  },
  {
    title: 'replaces only what is still as expected, once in 200 parallel tries',
    async run(store) {
      const key = randomUUID()
      await store.set(key, 'first', later())
      const tries = await parallel(200, (index) => store.replace(key, 'first', `second ${index}`, later()))
      assert.equal(tries.filter(Boolean).length, 1)
      assert.equal(await store.get(key), `second ${tries.indexOf(true)}`)
      assert.equal(await store.replace(key, 'first', 'third', later()), false)
      assert.equal(await store.replace(randomUUID(), 'first', 'third', later()), false)
    },
  },
  {
    title: 'never brings a deleted record back, in 200 races of delete, replace and extend',
    async run(store) {
      const keys = Array.from({ length: 200 }, () => randomUUID())
      await Promise.all(
        keys.map(async (key) => {
          await store.set(key, 'dead', later())
          await Promise.all([
            store.extend(key, later()),
            store.replace(key, 'dead', 'alive', later()),
            store.delete(key),
            store.replace(key, 'dead', 'alive', later()),
            store.extend(key, later()),
          ])
          assert.equal(await store.replace(key, 'dead', 'alive', later()), false)
          assert.equal(await store.extend(key, later()), false)
          assert.equal(await store.get(key), undefined)
          assert.equal(await store.delete(key), false)
        }),
      )
    },
  },
  {
    title: 'moves an expiry in both directions and keeps the value',
    async run(store) {
      const key = randomUUID()
      await store.set(key, 'value', later(2))
      assert.equal(await store.extend(key, later()), true)
      await new Promise((resolve) => setTimeout(resolve, 2100))
      assert.equal(await store.get(key), 'value')
      assert.equal(await store.extend(key, later(0.4)), true)
      await new Promise((resolve) => setTimeout(resolve, 450))
      assert.equal(await store.get(key), undefined)
    },
  },
  {
    title: 'replaces a value without making its life shorter, where that is asked for',
    async run(store) {
      const key = randomUUID()
      await store.set(key, 'first', later())
      assert.equal(await store.replace(key, 'first', 'second', { atLeast: later(0.05) }), true)
      await new Promise((resolve) => setTimeout(resolve, 120))
      assert.equal(await store.get(key), 'second')
      assert.equal(await store.replace(key, 'second', 'third', later(2)), true)
      assert.equal(await store.replace(key, 'third', 'fourth', { atLeast: later() }), true)
      await new Promise((resolve) => setTimeout(resolve, 2100))
      assert.equal(await store.get(key), 'fourth')
      assert.equal(await store.replace(key, 'third', 'fifth', { atLeast: later() }), false)
    },
  },
  {
    title: 'ends a record so many seconds from now, by its own clock, where that is asked for',
    async run(store) {
      const key = randomUUID()
      assert.equal(await store.addIfAbsent(key, 'mine', { lasts: 60 }), true)
      assert.equal(await store.addIfAbsent(key, 'theirs', { lasts: 60 }), false)
      assert.equal(await store.replace(key, 'mine', 'still mine', { lasts: 60 }), true)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(await store.get(key), 'still mine')
      assert.equal(await store.replace(key, 'still mine', 'mine', { lasts: 0.1 }), true)
      await new Promise((resolve) => setTimeout(resolve, 200))
      assert.equal(await store.addIfAbsent(key, 'theirs', { lasts: 60 }), true)
    },
  },
  {
    title: 'counts to the limit and no further, in 200 parallel tries',
    async run(store) {
      const key = randomUUID()
      const tries = await parallel(200, () => store.count(key, 1, { limit: 50, window: 60 }))
      assert.equal(tries.filter(({ counted }) => counted).length, 50)
      assert.equal(Math.min(...tries.map(({ left }) => left)), 0)
      const { reset } = await store.count(key, 0, { limit: 50, window: 60 })
      assert.ok(reset > 40 && reset <= 63, `${reset}`)
      assert.equal((await store.count(randomUUID(), 1, { limit: 50, window: 60 })).left, 49)
    },
  },
  {
    title: 'gives back what was counted, looks without counting, and never goes below nothing',
    async run(store) {
      const key = randomUUID()
      const quota = { limit: 2, window: 60 }
      assert.deepEqual(await store.count(key, 0, quota), { counted: true, left: 2, reset: 0 })
      await store.count(key, -1, quota)
      assert.equal((await store.count(key, 1, quota)).left, 1)
      assert.equal((await store.count(key, 1, quota)).left, 0)
      assert.equal((await store.count(key, 0, quota)).left, 0)
      assert.equal((await store.count(key, 1, quota)).counted, false)
      assert.equal((await store.count(key, -1, quota)).left, 1)
      assert.equal((await store.count(key, 1, quota)).counted, true)
    },
  },
  {
    title: 'never counts more than the limit within any span as long as the window, and forgets soon after it',
    async run(store) {
      const key = randomUUID()
      const [limit, window] = [5, 1]
      const counted: { readonly asked: number; readonly answered: number }[] = []
      while (counted.length < 3 * limit) {
        const asked = performance.now()
        const { counted: more, reset } = await store.count(key, 1, { limit, window })
        if (more) counted.push({ asked, answered: performance.now() })
        else assert.ok(reset > 0 && reset <= window * 1.05 + 0.001, `${reset}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      for (const [index, { asked }] of counted.entries()) {
        const sixth = counted[index + limit]
        if (sixth !== undefined) assert.ok(sixth.answered - asked > window * 1000, `${sixth.answered - asked} ms`)
      }
    },
  },
  {
    title: 'deletes only what is still as expected',
    async run(store) {
      const key = randomUUID()
      await store.set(key, 'mine', later())
      assert.equal(await store.deleteIf(key, 'theirs'), false)
      assert.equal(await store.get(key), 'mine')
      assert.equal(await store.deleteIf(key, 'mine'), true)
      assert.equal(await store.get(key), undefined)
      assert.equal(await store.deleteIf(key, 'mine'), false)
    },
  },
  {
    title: 'keeps the members of a set through 100 parallel additions, each until its own latest expiry',
    async run(store) {
      const key = randomUUID()
      assert.deepEqual(await store.members(key), [])
      await parallel(100, (index) => store.addMember(key, String(index), later()))
      assert.equal((await store.members(key)).length, 100)
      await store.removeMember(key, '1')
      await store.removeMember(key, '1')
      assert.equal((await store.members(key)).length, 99)
      // Neither is shortened by being added again, nor does the short one live as long as the others.
      await store.addMember(key, '0', later(0.05))
      await store.addMember(key, 'short', later(0.05))
      await new Promise((resolve) => setTimeout(resolve, 120))
      const members = await store.members(key)
      assert.equal(members.length, 99)
      assert.equal(members.includes('0'), true)
      assert.equal(members.includes('short'), false)
    },
  },
  ...signalChecks,
]
