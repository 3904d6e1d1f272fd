import test from 'ava'
import { createFairQueue } from '../../../src/http/limits/fair-queue.js'

/** Tasks that end when they are told to. */
function aQueue(options: { readonly concurrency: number; readonly maxWaiting: number }) {
  const queue = createFairQueue(options)
  const started: string[] = []
  const ends: (() => void)[] = []
  return {
    started,
    enter: (network: string) =>
      queue.run(network, () => {
        started.push(network)
        return new Promise<void>((resolve) => ends.push(resolve))
      }),
    async endOne() {
      ends.shift()?.()
      await new Promise(setImmediate)
    },
  }
}

test('runs as many at once as it may, and the rest in turn', async (t) => {
  const { started, enter, endOne } = aQueue({ concurrency: 2, maxWaiting: 9 })
  const turns = Array.from({ length: 4 }, () => enter('a'))
  t.is(started.length, 2)
  for (let i = 0; i < 4; i++) await endOne()
  t.is(started.length, 4)
  t.true((await Promise.all(turns)).every(({ kind }) => kind === 'done'))
})

test('networks take turns: who comes last waits for one of each, not for all', async (t) => {
  const { started, enter, endOne } = aQueue({ concurrency: 1, maxWaiting: 99 })
  for (let i = 0; i < 50; i++) void enter('flood')
  void enter('alice')
  void enter('bob')
  for (let i = 0; i < 4; i++) await endOne()
  t.deepEqual(started, ['flood', 'flood', 'alice', 'bob', 'flood'])
})

test('a full line is full for the one who fills it, not for another', async (t) => {
  const { started, enter, endOne } = aQueue({ concurrency: 1, maxWaiting: 5 })
  const flood = Array.from({ length: 9 }, () => enter('flood'))
  t.deepEqual(await flood.at(-1), { kind: 'full' })
  void enter('alice')
  // The newest of the flood has made place for her.
  t.deepEqual(await flood[5], { kind: 'full' })
  await endOne()
  await endOne()
  t.deepEqual(started, ['flood', 'flood', 'alice'])
})

test('where everybody waits alone, the one who comes last is turned away', async (t) => {
  const { enter } = aQueue({ concurrency: 1, maxWaiting: 2 })
  for (const network of ['a', 'b', 'c']) void enter(network)
  t.deepEqual(await enter('d'), { kind: 'full' })
})

test('a task that fails makes place for the next', async (t) => {
  const queue = createFairQueue({ concurrency: 1, maxWaiting: 2 })
  const failing = queue.run('a', () => Promise.reject(new Error('no')))
  const next = queue.run('a', async () => 'yes')
  await t.throwsAsync(failing, { message: 'no' })
  t.deepEqual(await next, { kind: 'done', result: 'yes' })
})
