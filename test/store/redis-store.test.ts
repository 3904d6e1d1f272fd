import test from 'ava'
import { createRedisStore } from '../../src/store/redis-store.js'
import { startRedis } from './_redis.js'
import { storeContract } from './_store-contract.js'

const redis = await startRedis()
const cluster = await startRedis('cluster')
test.after.always(async () => {
  await redis?.stop()
  await cluster?.stop()
})

if (redis === undefined || cluster === undefined) {
  test.skip('the Redis store: no redis-server is installed', () => {})
} else {
  storeContract('the Redis store', () => createRedisStore({ url: redis.url, timeout: 30 }))
  storeContract('the Redis store on a cluster', () =>
    createRedisStore({ url: cluster.url, topology: 'cluster', timeout: 30 }),
  )

  test('the Redis store says that it is unavailable when Redis has gone', async (t) => {
    const own = await startRedis()
    const store = await createRedisStore({ url: own?.url ?? '', timeout: 0.5 })
    await own?.stop()
    await t.throwsAsync(store.get('key'), { code: 'store_unavailable' })
    await store.close()
  })
}
