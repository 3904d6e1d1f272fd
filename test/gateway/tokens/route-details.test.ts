import test from 'ava'
import { publicHalf, verificationKey } from '../../../src/jose/jwk.js'
import { claimsOf } from '../../authorization-server/_client.js'
import { aClient, startServer } from '../../authorization-server/_running.js'
import { createUserAgent } from '../../flows/_user-agent.js'
import { aFrontend, aRoute, clientJwk, gatewayOptions, listen, serveGateway, startApi } from '../_gateway.js'

const accounts = { type: 'accounts', actions: ['list'] }
const payment = { type: 'payment', amount: '12.50' }

test('the token of each route has its own details, and those of the frontend where it has none (RFC 9396 §6)', async (t) => {
  const [on, api] = await Promise.all([listen(), startApi()])
  const server = await startServer({
    client: aClient('my-bff', {
      redirectUris: [`${on.url}/bff/callback`],
      keys: [verificationKey(publicHalf(clientJwk))],
      authorizationDetailTypes: ['accounts', 'payment'],
    }),
    authorizationDetailTypes: [
      { type: 'accounts', schema: {} },
      { type: 'payment', schema: {} },
    ],
  })
  const upstreams = [new URL(api.url)]
  const frontend = aFrontend({
    publicUrl: new URL(on.url),
    authority: server.url,
    authorizationDetails: [accounts],
    routes: [
      aRoute({ upstreams }),
      aRoute({ upstreams, path: '/payments', authorizationDetails: [payment] }),
      aRoute({ upstreams, path: '/both', authorizationDetails: [payment, accounts] }),
      aRoute({ upstreams, path: '/none', authorizationDetails: [] }),
    ],
  })
  const gateway = await serveGateway(on, gatewayOptions([frontend]))
  t.teardown(async () => {
    await on.close()
    await Promise.all([gateway.close(), api.close(), server.stop()])
  })

  const browser = createUserAgent()
  const signIn = await browser.navigate(`${on.url}/bff/login`)
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  for (const { type } of [accounts, payment]) t.is(consent.body.split(`&quot;${type}&quot;`).length, 2, 'each once')
  t.is((await browser.submit(consent, {}, { button: 'allow' })).url.pathname, '/')

  for (const path of ['/api/1', '/payments/1', '/both/1', '/none/1', '/api/2', '/payments/2'])
    t.is((await browser.call(on.url + path)).status, 200, path)
  const tokens = new Map(api.calls.map(({ url, headers }) => [url, (headers.authorization ?? '').split(' ')[1] ?? '']))
  const seen = [...tokens].map(([path, token]) => [path, claimsOf(token).authorization_details])
  t.deepEqual(Object.fromEntries(seen), {
    '/api/1': [accounts],
    '/payments/1': [payment],
    '/both/1': [payment, accounts],
    '/none/1': undefined,
    '/api/2': [accounts],
    '/payments/2': [payment],
  })
  t.is(tokens.get('/api/1'), tokens.get('/api/2'), 'one token for all calls of a kind')
})
