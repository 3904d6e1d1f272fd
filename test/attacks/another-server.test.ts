import test from 'ava'
import { createUserAgent } from '../flows/_user-agent.js'
import { watchEvents } from '../gateway/_events.js'
import { aPlantedGateway, ownPage } from '../gateway/_planted.js'
import { logIn } from '../gateway/_provider.js'
import { problemOf, whoAmI } from '../gateway/_world.js'
import { twoServers } from '../gateway/authorities/_two-servers.js'

/* What one authorization server has given is nothing to another: neither its tokens nor its users. */

test('where a frontend has another server from now on, that one never sees what the former has given', async (t) => {
  const { url, frontend, options, gateway, bank, city } = await twoServers(t)
  const { authorities: _, ...atBank } = frontend
  const first = await gateway.prepare({ ...options, frontends: [atBank] })
  first.swap({ drain: 1 })
  const [caller, leaver] = [createUserAgent(), createUserAgent()]
  for (const browser of [caller, leaver]) await logIn(browser, `${url}/bff/login`)
  t.is((await caller.call(`${url}/api/orders`)).status, 200)

  const events = watchEvents(t)
  const second = await gateway.prepare({ ...options, frontends: [{ ...atBank, authority: city.issuer }] })
  second.swap({ drain: 1 })
  const refused = await caller.call(`${url}/api/orders`)
  t.is(refused.status, 401)
  t.is((await problemOf(refused)).code, 'bff.session.ended')
  t.like(await whoAmI(leaver, url), { authenticated: false })
  t.true(events.some((event) => event.type === 'gateway.session.ended' && event.cause === 'authority-removed'))
  t.deepEqual(city.posted, [])
  t.true(bank.posted.length > 0)
})

test('a login that was begun at the former server brings the new one no code, where answers do not say whose they are', async (t) => {
  const { url, frontend, options, gateway, city } = await twoServers(t)
  const { authorities: _, ...strict } = frontend
  const atBank = { ...strict, profile: 'Baseline', requireIssuer: false } as const
  const first = await gateway.prepare({ ...options, frontends: [atBank] })
  first.swap({ drain: 1 })
  const browser = createUserAgent()
  const page = await browser.navigate(`${url}/bff/login`)
  const toCallback = { stopAt: ({ pathname }: URL) => pathname === '/bff/callback' }
  const answer = (await browser.submit(page, { login: 'alice', password: 'any' }, toCallback)).url
  answer.searchParams.delete('iss')
  const second = await gateway.prepare({ ...options, frontends: [{ ...atBank, authority: city.issuer }] })
  second.swap({ drain: 1 })
  const refused = await browser.navigate(answer)
  t.is(refused.status, 400)
  t.true(refused.body.includes('bff.login.transaction_absent'))
  t.deepEqual(city.posted, [])
})

test('a session that says its server by its ID token alone is of that one, too', async (t) => {
  const { call, plant } = await aPlantedGateway(t, { authority: 'http://127.0.0.1:9' })
  const [here, elsewhere] = [
    await plant('app', { claims: { sub: 'alice', iss: 'http://127.0.0.1:9' } }),
    await plant('app', { claims: { sub: 'alice', iss: 'http://127.0.0.1:7' } }),
  ]
  t.is((await call('/api/x', { headers: { ...ownPage, Cookie: here.cookie } })).status, 200)
  t.is((await call('/api/x', { headers: { ...ownPage, Cookie: elsewhere.cookie } })).status, 401)
})

test('in a session from before there were several, a user sees and ends none of who has the same name at another', async (t) => {
  const bank = 'http://127.0.0.1:9'
  const city = { authority: 'http://127.0.0.1:7', clientId: 'of-the-city' }
  const { call, plant } = await aPlantedGateway(t, {
    authority: bank,
    frontends: [{ name: 'app', authorities: [{ name: 'bank' }, { name: 'city', ...city }] }],
  })
  const old = await plant('app', { claims: { sub: 'alice', iss: bank } })
  const other = await plant('app', { server: { name: 'city', ...city } })
  const headers = { ...ownPage, Cookie: old.cookie }
  const { sessions } = JSON.parse((await call('/bff/sessions', { headers })).text) as { readonly sessions: unknown[] }
  t.is(sessions.length, 1)
  t.is((await call('/bff/sessions', { method: 'DELETE', headers })).status, 204)
  t.is((await call('/api/x', { headers: { ...ownPage, Cookie: other.cookie } })).status, 200)
})
