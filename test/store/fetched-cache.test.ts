import test from 'ava'
import { createFetchedCache } from '../../src/store/fetched-cache.js'

interface Fetched {
  readonly edition: number
}

/** A cache before a server that answers with the number of its answers, on a clock of the test's. */
function aCache(lifetime = 60) {
  const server = { asked: [] as string[], isDown: false }
  const clock = { seconds: 1_700_000_000 }
  const cache = createFetchedCache<Fetched, string>({
    max: 2,
    async fetch(about) {
      server.asked.push(about)
      if (server.isDown) throw new Error('down')
      return { edition: server.asked.length }
    },
    lifetime: () => lifetime,
    now: () => clock.seconds,
  })
  return { cache, server, clock }
}

test('it is fetched once for all who ask at the same time, and again when it is too old', async (t) => {
  const { cache, server, clock } = aCache()
  const first = await Promise.all([
    cache.fetch('a', 'about a'),
    cache.fetch('a', 'about a'),
    cache.fetch('b', 'about b'),
  ])
  t.deepEqual(first, [{ edition: 1 }, { edition: 1 }, { edition: 2 }])
  t.deepEqual(server.asked, ['about a', 'about b'])
  clock.seconds += 59
  t.is((await cache.fetch('a', 'about a')).edition, 1)
  clock.seconds += 2
  t.is((await cache.fetch('a', 'about a')).edition, 3)
})

test('a failure reaches all who asked, and the next to ask has it fetched again; what was there last stays to be had', async (t) => {
  const { cache, server, clock } = aCache()
  server.isDown = true
  const failed = await Promise.allSettled([cache.fetch('a', 'about a'), cache.fetch('a', 'about a')])
  t.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.is(server.asked.length, 1)
  t.is(cache.last('a'), undefined)

  server.isDown = false
  t.is((await cache.fetch('a', 'about a')).edition, 2)
  clock.seconds += 61
  server.isDown = true
  await t.throwsAsync(cache.fetch('a', 'about a'), { message: 'down' })
  await t.throwsAsync(cache.fetch('a', 'about a'), { message: 'down' })
  t.is(server.asked.length, 4)
  t.is(cache.last('a')?.edition, 2)
  server.isDown = false
  t.is((await cache.fetch('a', 'about a')).edition, 5)
})

test('what is too old when it comes serves who asked, and no other; what has no end has none', async (t) => {
  const late = aCache(-1)
  t.is((await late.cache.fetch('a', '')).edition, 1)
  late.clock.seconds += 1
  t.is((await late.cache.fetch('a', '')).edition, 2)
  const endless = aCache(Number.POSITIVE_INFINITY)
  await endless.cache.fetch('a', '')
  endless.clock.seconds += 1e9
  t.is((await endless.cache.fetch('a', '')).edition, 1)
})
