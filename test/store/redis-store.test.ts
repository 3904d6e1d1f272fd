import { createClient } from '@redis/client'
import test from 'ava'
import { createRedisStore } from '../../src/store/redis-store.js'
import { startRedis } from './_redis.js'
import { storeContract } from './_store-contract.js'

const redis = await startRedis()
test.after.always(async () => {
  await redis?.stop()
})

if (redis === undefined) {
  test.skip('the Redis store: no redis-server is installed', () => {})
} else {
  storeContract('the Redis store', () => createRedisStore({ url: redis.url, timeout: 30 }))

  test('the Redis store says that it is unavailable when Redis has gone', async (t) => {
    const own = await startRedis()
    const store = await createRedisStore({ url: own?.url ?? '', timeout: 0.5 })
    await own?.stop()
    await t.throwsAsync(store.get('key'), { code: 'store_unavailable' })
    await store.close()
  })

  test('a Redis that hangs, or refuses to write, does not hold a request: the reason is told in its own word', async (t) => {
    const own = await startRedis()
    t.teardown(async () => own?.stop())
    const told: string[] = []
    const outage = { failed: (cause: string) => void told.push(cause), worked: () => void told.push('worked') }
    const store = await createRedisStore({ url: own?.url ?? '', timeout: 0.5, outage })
    t.teardown(store.close)
    const operator = await createClient({ url: own?.url ?? '' })
      .on('error', () => undefined)
      .connect()
    t.teardown(() => operator.destroy())
    const soon = Date.now() / 1000 + 60

    await operator.sendCommand(['CONFIG', 'SET', 'maxmemory', '1'])
    await t.throwsAsync(store.set('key', 'value', soon), { code: 'store_unavailable' })
    await operator.sendCommand(['CONFIG', 'SET', 'maxmemory', '0'])
    await operator.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
    await t.throwsAsync(store.set('key', 'value', soon), { code: 'store_unavailable' })
    await operator.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await operator.sendCommand(['CLIENT', 'PAUSE', '600000', 'ALL'])
    await t.throwsAsync(store.get('key'), { code: 'store_unavailable' })
    t.deepEqual(told, ['OOM', 'READONLY', 'TimeoutError'])
  })
}
