import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { createLock } from '../../src/store/lock.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import type { Store } from '../../src/store/store.js'
import { eventually } from '../_eventually.js'

const nothing = async () => undefined

/** Counts what is asked of a store. */
function counted(store: Store): { readonly store: Store; readonly asked: () => number } {
  let asked = 0
  const addIfAbsent: Store['addIfAbsent'] = (...parameters) => {
    asked++
    return store.addIfAbsent(...parameters)
  }
  return { store: { ...store, addIfAbsent }, asked: () => asked }
}

test('whoever waits for a lock is told when it is free, and hardly asks for it before', async (t) => {
  const memory = createMemoryStore()
  const { store, asked } = counted(memory)
  const order: string[] = []
  const holder = createLock(memory).with('a', nothing, async () => {
    await delay(1000)
    order.push('held')
  })
  const waiters = Array.from({ length: 20 }, () => createLock(store).with('a', nothing, async () => order.push('next')))
  await Promise.all([holder, ...waiters])
  t.deepEqual([order[0], order.length], ['held', 21])
  // Every 50 ms it was: 400 times before the lock was free, and as often again until the last had it.
  t.true(asked() <= 20 + 20 * 3 + (20 * 21) / 2 + 20, `${asked()}`)
})

test('a store without signals is asked again, at growing intervals', async (t) => {
  const { signals: _, ...memory } = createMemoryStore()
  const { store, asked } = counted(memory)
  const holder = createLock(memory).with('a', nothing, () => delay(800))
  t.is(await createLock(store).with('a', nothing, async () => 'done'), 'done')
  await holder
  t.true(asked() >= 3 && asked() <= 7, `${asked()}`)
})

test('a lock outlives the longest call that it guards, by the clock of the store', async (t) => {
  let now = 1000
  const store = createMemoryStore({ now: () => now })
  let finish = (): void => undefined
  const holder = createLock(store).with('a', nothing, () => new Promise<void>((resolve) => (finish = resolve)), {
    longestCall: 10,
  })
  await eventually(async () => (await store.get('a')) !== undefined)
  now += 14
  t.false(await store.addIfAbsent('a', 'other', { lasts: 1 }), 'its owner was stopped and may go on')
  now += 2
  t.true(await store.addIfAbsent('a', 'other', { lasts: 1 }), 'its owner has died')
  finish()
  await holder
  t.is(await store.get('a'), 'other', 'and does not take away what is not its own any more')
})

test('what is held on to keeps the lock after the work has answered', async (t) => {
  const store = createMemoryStore()
  let finish = (): void => undefined
  const until = new Promise<void>((resolve) => (finish = resolve))
  const answer = await createLock(store).with('a', nothing, async (hold) => {
    hold(until)
    return 'answer'
  })
  t.is(answer, 'answer')
  t.false(await store.addIfAbsent('a', 'other', { lasts: 1 }))
  finish()
  t.is(await createLock(store).with('a', nothing, async () => 'next'), 'next')
})

test('what another process has done meanwhile is taken from it', async (t) => {
  const { store, asked } = counted(createMemoryStore())
  let result: string | undefined
  const holder = createLock(store).with('a', nothing, async () => {
    await eventually(() => asked() > 1)
    result = 'theirs'
  })
  t.is(
    await createLock(store).with(
      'a',
      async () => result,
      async () => 'mine',
    ),
    'theirs',
  )
  await holder
})
