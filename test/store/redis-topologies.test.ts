import test, { type ExecutionContext } from 'ava'
import { createRedisStore } from '../../src/store/redis-store.js'
import type { Store } from '../../src/store/store.js'
import { type RedisTopology, startRedisCluster, startRedisSentinel } from './_redis-topologies.js'
import { storeContract } from './_store-contract.js'

const [cluster, sentinel] = await Promise.all([startRedisCluster(), startRedisSentinel()])
test.after.always(async () => {
  await cluster?.stop()
  await sentinel?.stop()
})

if (cluster === undefined || sentinel === undefined) {
  test.skip('Redis of several processes: no redis-server is installed', () => {})
} else {
  const onCluster = (timeout: number): Promise<Store> =>
    createRedisStore({ nodes: cluster.urls.slice(0, 2), topology: 'cluster', timeout })
  const onSentinel = (timeout: number): Promise<Store> =>
    createRedisStore({
      nodes: sentinel.urls,
      topology: 'sentinel',
      password: 'of-the-data',
      sentinel: { name: 'sallyport', password: 'of-the-sentinel' },
      timeout,
    })
  storeContract('the Redis store on a cluster of three', () => onCluster(30))
  storeContract('the Redis store behind a Sentinel', () => onSentinel(30))

  test.after('the primaries die last', async (t) => {
    await survives(t, cluster, onCluster)
    await survives(t, sentinel, onSentinel)
  })
}

/** Records that were replicated are there still, writes go on and signals come, in the same process. */
async function survives(
  t: ExecutionContext,
  topology: RedisTopology,
  open: (timeout: number) => Promise<Store>,
): Promise<void> {
  const store = await open(1)
  const soon = Date.now() / 1000 + 600
  let heard = ''
  store.signals?.listen('topic', (message) => {
    heard = message
  })
  const keys = Array.from({ length: 50 }, (_, index) => `before ${index}`)
  for (const key of keys) await store.set(key, key, soon)
  // Replicas are asked to have them by a later round trip of each slot.
  await new Promise((resolve) => setTimeout(resolve, 500))
  await topology.killPrimary()
  const deadline = Date.now() + 20_000
  const again = async (key: string): Promise<string | undefined> => {
    for (;;) {
      try {
        await store.set(`${key} after`, 'written', soon)
        return await store.get(key)
      } catch (error) {
        if (Date.now() > deadline) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  for (const key of keys) t.is(await again(key), key)
  while (heard !== 'after' && Date.now() < deadline) {
    await store.signals?.send('topic', 'after').catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  t.is(heard, 'after')
  await store.close()
}
