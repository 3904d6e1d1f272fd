import test, { type ExecutionContext } from 'ava'
import { UpstreamError } from '../../../src/errors.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import type { Store } from '../../../src/store/store.js'
import { aClock } from '../_clock.js'
import { aWorld, problemOf } from '../_world.js'

const session = { idle: 600, absolute: 28_800, sliding: true, refreshGracePeriod: 60 }

/** A user of a gateway whose store can be made one that only reads: its disk is full, or it is a copy. */
async function aUser(t: ExecutionContext, { accessTokenLifetime = 28_800 } = {}) {
  const time = aClock()
  const memory = createMemoryStore({ now: time.now })
  let onlyReads = false
  let refused = 0
  const unless =
    <Parameters extends unknown[], Reply>(write: (...parameters: Parameters) => Promise<Reply>) =>
    async (...parameters: Parameters): Promise<Reply> => {
      if (!onlyReads) return write(...parameters)
      refused++
      throw new UpstreamError('store_unavailable', 'there is no room')
    }
  const store: Store = {
    ...memory,
    set: unless(memory.set),
    addIfAbsent: unless(memory.addIfAbsent),
    replace: unless(memory.replace),
    extend: unless(memory.extend),
    addMember: unless(memory.addMember),
  }
  const world = await aWorld(t, { gateway: { now: time.now, store }, frontend: { session } })
  world.provider.accessTokenLifetime = accessTokenLifetime
  const browser = await world.loggedIn()
  return {
    time,
    setOnlyReads: (next: boolean) => (onlyReads = next),
    refused: () => refused,
    refreshes: () => world.provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token').length,
    call: () => browser.call(`${world.url}/api/orders`),
  }
}

test('a store that can only be read costs a signed-in user nothing until the idle time is over, as long as the token lives', async (t) => {
  const { time, setOnlyReads, refused, call } = await aUser(t)
  t.is((await call()).status, 200)
  setOnlyReads(true)
  time.advance(61)
  const served = await call()
  t.is(served.status, 200)
  t.is(served.headers.get('set-cookie'), null, 'the browser does not keep its cookie for longer than the session lives')
  for (let second = 0; second < 4; second++, time.advance(1)) t.is((await call()).status, 200)
  t.is(refused(), 1, 'it is not tried at each call')
  time.advance(530)
  t.is((await call()).status, 200)
  time.advance(10)
  t.is((await call()).status, 401, 'what could not be written down does not count')
})

test('once the store can be written again, a use counts again', async (t) => {
  const { time, setOnlyReads, call } = await aUser(t)
  setOnlyReads(true)
  time.advance(500)
  t.is((await call()).status, 200)
  setOnlyReads(false)
  time.advance(6)
  const extended = await call()
  t.is(extended.status, 200)
  t.truthy(extended.headers.get('set-cookie'))
  time.advance(590)
  t.is((await call()).status, 200)
})

test('a refresh is not begun that could not be written down: 503, and the session goes on once it can be', async (t) => {
  const { time, setOnlyReads, refreshes, call } = await aUser(t, { accessTokenLifetime: 300 })
  t.is((await call()).status, 200)
  setOnlyReads(true)
  time.advance(301)
  const refused = await call()
  t.is(refused.status, 503)
  t.like(await problemOf(refused), { code: 'bff.store.unavailable' })
  t.is(refreshes(), 0)
  setOnlyReads(false)
  t.is((await call()).status, 200)
  t.is(refreshes(), 1)
})
