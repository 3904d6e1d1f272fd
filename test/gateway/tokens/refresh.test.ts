import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { UpstreamError } from '../../../src/errors.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import type { Store } from '../../../src/store/store.js'
import { eventually } from '../../_eventually.js'
import { aClock } from '../_clock.js'
import { aWorld, problemOf, type World, whoAmI } from '../_world.js'

const refreshesOf = ({ provider }: World) =>
  provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token')
const usedTokens = (world: World) => new Set(refreshesOf(world).map(({ body }) => body.get('refresh_token')))

/** A store that can go away. */
function aStore() {
  let isAway = false
  const memory = createMemoryStore()
  const store = Object.fromEntries(
    Object.entries(memory).map(([name, operation]) => [
      name,
      typeof operation !== 'function'
        ? operation
        : async (...parameters: unknown[]) => {
            if (isAway && name !== 'close') throw new UpstreamError('store_unavailable', 'away')
            return (operation as (...parameters: unknown[]) => unknown)(...parameters)
          },
    ]),
  ) as unknown as Store
  return {
    store,
    setAway(away: boolean) {
      isAway = away
    },
  }
}

/** One who is logged in, and whose first call has been made. */
async function aUser(t: ExecutionContext, gateway: { readonly store?: Store } = {}) {
  const time = aClock()
  const world = await aWorld(t, { gateway: { now: time.now, ...gateway } })
  const browser = await world.loggedIn()
  const call = () => browser.call(`${world.url}/api/x`)
  t.is((await call()).status, 200)
  return { time, world, browser, call }
}

test('a server that takes long costs no caller anything while the token lives: it is refreshed beside the calls', async (t) => {
  const { time, world, call } = await aUser(t)
  time.advance(280)
  world.provider.tokenDelay = 2500
  const before = performance.now()
  for (let i = 0; i < 10; i++) t.is((await call()).status, 200)
  t.true(performance.now() - before < 2500)
  const authorizations = () => new Set(world.api.calls.map(({ headers }) => headers.authorization))
  t.is(authorizations().size, 1)
  await eventually(async () => (await call()).status === 200 && authorizations().size === 2)
  t.is(usedTokens(world).size, 1, 'one refresh for all of them')
})

test('a rotated refresh token is not lost while the store is away: what waits is answered, and the session goes on', async (t) => {
  const { store, setAway } = aStore()
  const { time, world, browser, call } = await aUser(t, { store })
  time.advance(301)
  world.provider.tokenDelay = 300
  const waiting = [call(), call()]
  await eventually(() => refreshesOf(world).length > 0)
  setAway(true)
  for (const answer of waiting) t.is((await answer).status, 200)
  const refused = await call()
  t.is(refused.status, 503)
  t.is((await problemOf(refused)).code, 'bff.store.unavailable')
  // Longer than a lock lasts when its owner cannot renew it.
  await delay(3000)
  setAway(false)
  await eventually(async () => (await call()).status === 200)
  t.like(await whoAmI(browser, world.url), { authenticated: true })
  t.is(usedTokens(world).size, 1)
  // The rotating server ends a session whose former refresh token is used again.
  time.advance(301)
  t.is((await call()).status, 200)
  t.is(usedTokens(world).size, 2)
})

test('a session that ended while the store was away stays ended, and what was issued meanwhile is revoked', async (t) => {
  const { store, setAway } = aStore()
  const { time, world, call } = await aUser(t, { store })
  time.advance(301)
  world.provider.tokenDelay = 300
  const waiting = call()
  await eventually(() => refreshesOf(world).length > 0)
  const [key] = [...new Set(await sessionKeys(world))]
  setAway(true)
  t.is((await waiting).status, 200)
  setAway(false)
  await world.store.delete(key ?? '')
  await eventually(() => world.provider.posted.some(({ path }) => path === '/token/revocation'))
  t.is((await call()).status, 401)
})

/** Where the sessions of the one user rest. */
async function sessionKeys({ options, frontend }: World): Promise<readonly string[]> {
  const { authority, clientId } = frontend
  const [index] = options.seal.blindIndexes(JSON.stringify(['sub', authority, clientId, 'alice']))
  return options.store.members(`sessions:${index}`)
}

test('who finds a refresh begun and not ended waits for what its owner has still to write down', async (t) => {
  const { time, world, call } = await aUser(t)
  const [key = ''] = await sessionKeys(world)
  await world.store.set(`refresh:${key} begun`, 'another replica', time.now() + 600)
  time.advance(301)
  const before = performance.now()
  t.is((await call()).status, 200, 'nothing came: its owner has died')
  t.true(performance.now() - before >= 1900)
  t.is(await world.store.get(`refresh:${key} begun`), undefined)
  t.is(usedTokens(world).size, 1)
})
