import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { observedStore } from '../../src/store/observed-store.js'

test('an operation of the store is timed as answered or as failed, and its answer or error is the caller’s', async (t) => {
  const seen: string[] = []
  const broken = { ...createMemoryStore(), take: (_key: string) => Promise.reject(new Error('away')) }
  const store = observedStore(broken, (operation, outcome) => (seconds) => {
    seen.push(`${operation} ${outcome} ${seconds >= 0 && seconds < 60}`)
  })
  t.teardown(() => store.close())
  await store.set('key', 'text', Date.now() / 1000 + 60)
  t.is(await store.get('key'), 'text')
  await t.throwsAsync(store.take('key'), { message: 'away' })
  t.deepEqual(seen, ['set answered true', 'get answered true', 'take failed true'])
})
