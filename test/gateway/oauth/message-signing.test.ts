import test from 'ava'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { clientPublicJwk } from '../_gateway.js'
import { callbackOnly, withSigning } from '../_signing.js'
import { aWorld, whoAmI } from '../_world.js'

/* node-oidc-provider, with JAR and with JARM, as the authority. */

test('a login by a signed request: nothing of it is outside but the client (RFC 9101, FAPI 2.0 Message Signing §5.3.2)', async (t) => {
  const world = await aWorld(t, withSigning({ requests: true }))
  const browser = await world.loggedIn()
  t.like(await whoAmI(browser, world.url), { authenticated: true, sub: 'alice' })

  const [pushed] = world.provider.posted.filter(({ path }) => path === '/request')
  t.deepEqual([...(pushed?.body.keys() ?? [])].sort(), [
    'client_assertion',
    'client_assertion_type',
    'client_id',
    'request',
  ])
  const request = pushed?.body.get('request') ?? ''
  const { payload, protectedHeader } = await jwtVerify(request, await importJWK({ ...clientPublicJwk }, 'ES256'), {
    issuer: 'my-bff',
    audience: world.provider.issuer,
    typ: 'oauth-authz-req+jwt',
  })
  t.is(protectedHeader.kid, clientPublicJwk.kid)
  t.is(payload.client_id, 'my-bff')
  t.is(payload.sub, undefined)
  t.is(typeof payload.jti, 'string')
  t.true(Number(payload.exp) - Number(payload.iat) <= 600)
  t.true(Number(payload.nbf) <= Number(payload.iat))
  for (const name of ['state', 'nonce', 'redirect_uri', 'code_challenge', 'dpop_jkt', 'scope'])
    t.is(typeof payload[name], 'string', name)
})

test('a signed request has parameters as JSON has them: max_age a number, claims an object', async (t) => {
  const { frontend, provider } = withSigning({ requests: true })
  const world = await aWorld(t, {
    provider,
    frontend: { ...frontend, authorizationParameters: { max_age: '600', claims: '{"id_token":{"acr":null}}' } },
  })
  await world.aBrowser().navigate(`${world.url}/bff/login`)
  const [pushed] = world.provider.posted.filter(({ path }) => path === '/request')
  t.like(decodeJwt(pushed?.body.get('request') ?? ''), { max_age: 600, claims: { id_token: { acr: null } } })
})

test('a login with a signed answer: it comes in one parameter (JARM)', async (t) => {
  const world = await aWorld(t, withSigning({ responses: 'PS256' }))
  const browser = world.aBrowser()
  const page = await browser.navigate(`${world.url}/bff/login`)
  const { url } = await browser.submit(page, { login: 'alice', password: 'x' }, callbackOnly)
  t.deepEqual([...url.searchParams.keys()], ['response'])
  t.is(decodeProtectedHeader(url.searchParams.get('response') ?? '').alg, 'PS256')
  t.is((await browser.navigate(url)).url.pathname, '/')
  t.like(await whoAmI(browser, world.url), { authenticated: true, sub: 'alice' })
})

test('both together, and a silent login that finds nobody', async (t) => {
  const signing = withSigning({ requests: true, responses: 'ES256' })
  const world = await aWorld(t, signing)
  const silent = await world.aBrowser().navigate(`${world.url}/bff/login?prompt=none&returnUrl=/there`)
  t.is(silent.url.pathname, '/there')
  t.true(silent.visited.some(({ searchParams }) => searchParams.has('response')))
  t.like(await whoAmI(await world.loggedIn(), world.url), { authenticated: true })
})

test('a server that does not take signed requests says so, and the log names the remedy', async (t) => {
  const world = await aWorld(t, { frontend: { signedRequests: true } })
  const landing = await world.aBrowser().navigate(`${world.url}/bff/login`)
  t.regex(landing.body, /bff\.login\.failed/)
  t.regex(landing.body, /request_not_supported/)
})
