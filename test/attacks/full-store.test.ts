import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { logIn } from '../gateway/_provider.js'
import { aWorld, whoAmI } from '../gateway/_world.js'

test('a store without room is an outage to who comes, and nothing to who is there', async (t) => {
  const store = createMemoryStore({ maxBytes: 200_000 })
  const { url, provider, ...world } = await aWorld(t, { gateway: { store } })
  provider.accessTokenLifetime = 30 // less than the grace period: every call refreshes
  const [alice, bob] = [await world.loggedIn('alice'), world.aBrowser()]
  const later = Date.now() / 1000 + 600
  for (const size of [900, 1]) {
    let isFull = false
    for (let i = 0; !isFull; i++)
      await store.set(`${size} ${i}`, 'x'.repeat(size), later).catch(() => {
        isFull = true
      })
  }
  // Room for the marks of a few calls, as the last twentieth leaves it.
  for (let i = 0; i < 10; i++) await store.delete(`1 ${i}`)

  const landing = await logIn(bob, `${url}/bff/login`, 'bob')
  t.is(landing.status, 503, landing.body)
  t.deepEqual(await whoAmI(bob, url), { authenticated: false })

  t.is((await alice.call(`${url}/api/orders`)).status, 200)
  t.like(await whoAmI(alice, url), { authenticated: true, sub: 'alice' })

  for (let i = 0; i < 200; i++) await store.delete(`900 ${i}`)
  await logIn(bob, `${url}/bff/login`, 'bob')
  t.like(await whoAmI(bob, url), { authenticated: true, sub: 'bob' })
})
