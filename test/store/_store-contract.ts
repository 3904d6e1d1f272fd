import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { Store } from '../../src/store/store.js'

/** What every store must do. A new store passes this or is not one. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  const later = (): number => Date.now() / 1000 + 60

  const withStore = (
    title: string,
    body: (t: import('ava').ExecutionContext, store: Store, key: string) => Promise<void>,
  ) =>
    test(`${name} ${title}`, async (t) => {
      const store = await open()
      try {
        await body(t, store, randomUUID())
      } finally {
        await store.close()
      }
    })

  withStore('gives back what was set', async (t, store, key) => {
    t.is(await store.get(key), undefined)
    await store.set(key, 'value', later())
    t.is(await store.get(key), 'value')
  })

  withStore('forgets what has expired', async (t, store, key) => {
    await store.set(key, 'value', Date.now() / 1000 - 1)
    t.is(await store.get(key), undefined)
    t.is(await store.take(key), undefined)
    t.false(await store.extend(key, later()))
  })

  withStore('adds to an absence exactly once in 200 parallel tries', async (t, store, key) => {
    const tries = await Promise.all(Array.from({ length: 200 }, (_, i) => store.addIfAbsent(key, String(i), later())))
    t.is(tries.filter(Boolean).length, 1)
  })

  withStore('gives a taken value to exactly one of 200 takers', async (t, store, key) => {
    await store.set(key, 'once', later())
    const taken = await Promise.all(Array.from({ length: 200 }, () => store.take(key)))
    t.deepEqual(
      taken.filter((value) => value !== undefined),
      ['once'],
    )
    t.is(await store.get(key), undefined)
  })

  withStore('replaces only what is still as expected, once in 200 parallel tries', async (t, store, key) => {
    await store.set(key, 'first', later())
    const tries = await Promise.all(
      Array.from({ length: 200 }, (_, i) => store.replace(key, 'first', `second ${i}`, later())),
    )
    t.is(tries.filter(Boolean).length, 1)
    t.false(await store.replace(key, 'first', 'third', later()))
    t.regex((await store.get(key)) ?? '', /^second /)
  })

  withStore('never brings a deleted record back by replace or extend', async (t, store, key) => {
    await store.set(key, 'dead', later())
    t.true(await store.delete(key))
    t.false(await store.delete(key))
    t.false(await store.replace(key, 'dead', 'alive', later()))
    t.false(await store.extend(key, later()))
    t.is(await store.get(key), undefined)
  })

  withStore('deletes only what is still as expected', async (t, store, key) => {
    await store.set(key, 'mine', later())
    t.false(await store.deleteIf(key, 'theirs'))
    t.is(await store.get(key), 'mine')
    t.true(await store.deleteIf(key, 'mine'))
    t.is(await store.get(key), undefined)
  })

  withStore('keeps the members of a set', async (t, store, key) => {
    t.deepEqual(await store.members(key), [])
    await store.addMember(key, 'a', later())
    await store.addMember(key, 'b', later() - 30)
    await store.addMember(key, 'a', later())
    t.deepEqual([...(await store.members(key))].sort(), ['a', 'b'])
    await store.removeMember(key, 'a')
    t.deepEqual(await store.members(key), ['b'])
  })
}
