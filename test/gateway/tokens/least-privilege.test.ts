import test from 'ava'
import type { Configuration } from 'oidc-provider'
import { aWorld, problemOf, type World } from '../_world.js'

/* What the token of a route may do: its own scopes, or the frontend's, never those of other routes. */

const own = ['openid', 'profile', 'offline_access']
const routes = [
  { path: '/orders', scopes: ['orders'] },
  { path: '/stock', scopes: ['stock'] },
]

/** A server that knows the scopes of the APIs, and grants these at every login; without a consent no `offline_access`. */
const granting = (granted: string, rejected = ''): Configuration => ({
  scopes: ['openid', 'profile', 'email', 'offline_access', 'orders', 'stock'],
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc
    if (client === undefined || session?.accountId === undefined) return undefined
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope(granted)
    grant.rejectOIDCScope(rejected)
    await grant.save()
    return grant
  },
})

async function scopesAtTheApi({ provider, api }: World): Promise<Record<string, string>> {
  const seen: Record<string, string> = {}
  for (const { url, headers } of api.calls) {
    const [, token = ''] = (headers.authorization ?? '').split(' ')
    const found = await provider.instance().AccessToken.find(token)
    seen[url] = (found?.scope ?? '').split(' ').sort().join(' ')
  }
  return seen
}

test('a route without scopes gets the frontend’s own, also where others ask for more, however often tokens rotate', async (t) => {
  const world = await aWorld(t, {
    provider: { configuration: granting('openid profile offline_access orders stock') },
    frontend: { scopes: own },
    routes,
  })
  const browser = await world.loggedIn()
  for (const path of ['/api/1', '/orders/1', '/stock/1', '/api/2', '/orders/2'])
    t.is((await browser.call(world.url + path)).status, 200, path)
  t.deepEqual(await scopesAtTheApi(world), {
    '/api/1': 'openid profile',
    '/orders/1': 'orders',
    '/stock/1': 'stock',
    '/api/2': 'openid profile',
    '/orders/2': 'orders',
  })
  const refreshes = world.provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token')
  t.is(new Set(refreshes.map(({ body }) => body.get('refresh_token'))).size, 3, 'one for each kind of token')
})

test('what the user or the server did not grant is not asked for again', async (t) => {
  const world = await aWorld(t, {
    provider: { configuration: granting('openid offline_access orders', 'profile stock') },
    frontend: { scopes: own },
    routes,
  })
  const browser = await world.loggedIn()
  t.is((await browser.call(`${world.url}/api/1`)).status, 200)
  t.deepEqual(await scopesAtTheApi(world), { '/api/1': 'openid' })
  const refused = await browser.call(`${world.url}/stock/1`)
  t.is(refused.status, 502)
  t.is((await problemOf(refused)).code, 'bff.token.refused')
})

test('where no route asks for more than the frontend, the token of the login serves them all', async (t) => {
  const world = await aWorld(t, { frontend: { scopes: own }, routes: [{ path: '/other', scopes: [] }] })
  const browser = await world.loggedIn()
  for (const path of ['/api/1', '/other/1']) t.is((await browser.call(world.url + path)).status, 200)
  t.is(world.provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token').length, 0)
  t.is(new Set(world.api.calls.map(({ headers }) => headers.authorization)).size, 1)
})

test('without a refresh token no token with fewer scopes can be had, and none with more is given', async (t) => {
  const world = await aWorld(t, {
    provider: { configuration: { ...granting('openid orders stock'), issueRefreshToken: async () => false } },
    frontend: { scopes: ['openid'] },
    routes,
  })
  const browser = await world.loggedIn()
  const refused = await browser.call(`${world.url}/api/1`)
  t.is(refused.status, 502)
  t.is((await problemOf(refused)).code, 'bff.token.refused')
  t.deepEqual(world.api.calls, [])
})
