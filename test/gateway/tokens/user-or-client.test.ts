import test from 'ava'
import { aRoute, listen } from '../_gateway.js'
import { anIssuer } from '../_issuer.js'
import { aPlantedGateway, ownPage } from '../_planted.js'

/* `TokenType` "UserOrClient": the user's token, and for callers without a session the gateway's own. */

test('a caller with a session is forwarded with the user’s token, one without, or with an ended one, with the gateway’s', async (t) => {
  const issuer = await anIssuer(t)
  issuer.refreshed = (form) => ({
    access_token: `${form.get('grant_type')}-${form.get('scope')}-${issuer.refreshes.length}`,
    token_type: 'DPoP',
    expires_in: 300,
  })
  const seen: string[] = []
  const api = await listen((request, response) => {
    const [, token = ''] = (request.headers.authorization ?? '').split(' ')
    seen.push(token)
    if (token === 'client_credentials-orders-1' && seen.length === 4)
      response.writeHead(401, { 'WWW-Authenticate': 'DPoP error="invalid_token"' })
    response.end()
  })
  t.teardown(() => api.close())
  const route = aRoute({ upstreams: [new URL(api.url)], tokenType: 'UserOrClient', scopes: ['orders'] })
  const world = await aPlantedGateway(t, { authority: issuer.issuer, frontends: [{ name: 'app', routes: [route] }] })
  const accessTokens = { '["","orders"]': { value: 'of-alice', expiresAt: Date.now() / 1000 + 3000 } }
  const { cookie } = await world.plant('app', { accessTokens })
  const status = async (more: Record<string, string> = {}) =>
    (await world.call('/api/x', { headers: { ...ownPage, ...more } })).status

  t.is(await status({ Cookie: cookie }), 200)
  t.is(await status(), 200)
  t.is(await status({ Cookie: `${cookie.slice(0, -4)}AAAA` }), 200)
  // Refused by the API: the gateway's own token is got anew as well, once.
  t.is(await status(), 200)
  t.deepEqual(seen, [
    'of-alice',
    'client_credentials-orders-1',
    'client_credentials-orders-1',
    'client_credentials-orders-1',
    'client_credentials-orders-2',
  ])
  t.is(issuer.refreshes.length, 2)
})
