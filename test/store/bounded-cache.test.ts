import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { createAgingCache } from '../../src/store/bounded-cache.js'
import { eventually } from '../_eventually.js'

test('what is used least goes first when all together would be larger than the cache', (t) => {
  const cache = createAgingCache<Buffer>({ max: 100, maxBytes: 50, bytesOf: ({ length }) => length, ttlMs: 60_000 })
  for (let index = 0; index < 5; index++) cache.set(`${index}`, Buffer.alloc(10))
  cache.get('0')
  cache.set('5', Buffer.alloc(20))
  t.deepEqual(
    ['0', '1', '2', '3', '4', '5'].filter((key) => cache.get(key) !== undefined),
    ['0', '3', '4', '5'],
  )
})

test('what is too old is let go although its place is not needed', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const cache = createAgingCache<object>({ max: 100, maxBytes: 100, bytesOf: () => 1, ttlMs: 50 })
  const fill = (): WeakRef<object> => {
    const value = { large: true }
    cache.set('key', value)
    return new WeakRef(value)
  }
  const old = fill()
  await eventually(() => {
    collect()
    return old.deref() === undefined
  })
  cache.set('key', { large: true })
  t.not(cache.get('key'), undefined)
})
