import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { WebSocket } from 'ws'
import { ConfigurationError } from '../../../src/errors.js'
import { checkOptions } from '../../../src/gateway/check-options.js'
import type { FrontendOptions } from '../../../src/gateway/options.js'
import type { RouteOptions } from '../../../src/gateway/route-options.js'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import { atOnce } from '../../../src/slices.js'
import { aStandingClock } from '../_clock.js'
import { aFrontend, aRoute, clientJwk, listen } from '../_gateway.js'
import { anIssuer } from '../_issuer.js'
import { aPlantedGateway, codeOf, ownPage } from '../_planted.js'
import { webSocketUpstream } from '../_web-socket-upstream.js'
import { aWorld } from '../_world.js'

const assertionKeys = [signingKey(generateSigningJwk('ES256')), signingKey(generateSigningJwk('Ed25519'))]
const audience = 'https://reports.internal'
const identityAssertion = { audience, claims: ['email', 'roles', 'not_there'] }
const field = 'x-identity-assertion'

/** A gateway with sessions and an authorization server that refreshes, in front of an API that takes no tokens. */
async function reports(
  t: ExecutionContext,
  route: Partial<RouteOptions> = {},
  frontend: Partial<FrontendOptions> = {},
) {
  const time = aStandingClock()
  const issuer = await anIssuer(t)
  const seen: (string | undefined)[] = []
  const api = await listen((request, response) => {
    seen.push(request.headers[field] as string | undefined)
    response.end()
  })
  t.teardown(() => api.close())
  const planted = await aPlantedGateway(t, {
    authority: issuer.issuer,
    gateway: { now: time.now },
    frontends: [
      {
        name: 'app',
        pathPrefix: '/app',
        assertionKeys,
        routes: [aRoute({ upstreams: [new URL(api.url)], identityAssertion, ...route })],
        ...frontend,
      },
    ],
  })
  const get = (headers: Record<string, string> = {}) =>
    planted.call('/app/api/x', { headers: { ...ownPage, ...headers } })
  return { ...planted, time, issuer, seen, get }
}

test('an API learns who calls from a JWT that it checks with the published keys, and gets no token', async (t) => {
  const world = await aWorld(t, {
    frontend: { assertionKeys },
    route: { identityAssertion: { audience, claims: ['email'] } },
  })
  const browser = await world.loggedIn()
  const forged = { [field]: 'forged', x_identity_assertion: 'forged', Authorization: 'Bearer forged' }
  t.is((await browser.call(`${world.url}/api/x`, { headers: forged })).status, 200)
  const headers: IncomingHttpHeaders = world.api.calls[0]?.headers ?? {}
  t.deepEqual([headers.authorization, headers.dpop, headers.x_identity_assertion], [undefined, undefined, undefined])
  const keys = createRemoteJWKSet(new URL(`${world.url}/bff/assertion-jwks`))
  const { payload, protectedHeader } = await jwtVerify(String(headers[field]), keys, { audience, issuer: world.url })
  t.like(payload, { sub: 'alice', idp: world.provider.issuer, email: 'alice@example.com' })
  t.is(Number(payload.exp) - Number(payload.iat), 60)
  t.truthy(payload.jti)
  t.like(protectedHeader, { alg: 'ES256', typ: 'JWT', kid: assertionKeys[0]?.kid })
})

test('of several servers an assertion names the one that knows the user, also in a session from before there were several', async (t) => {
  const city = { authority: 'https://city.example', clientId: 'of-the-city' }
  const { plant, get, seen } = await reports(t, {}, { authorities: [{ name: 'bank' }, { name: 'city', ...city }] })
  const now = await plant('app', { server: { name: 'city', ...city } })
  const before = await plant('app', { claims: { sub: 'alice', iss: city.authority } })
  for (const { cookie } of [now, before]) await get({ Cookie: cookie })
  t.deepEqual(
    seen.map((assertion) => decodeJwt(assertion ?? '').idp),
    [city.authority, city.authority],
  )
})

test('of several servers the opening of a WebSocket carries the assertion of the one that knows the user', async (t) => {
  const upstream = await webSocketUpstream()
  t.teardown(() => upstream.close())
  const city = { authority: 'https://city.example', clientId: 'of-the-city' }
  const routes = [aRoute({ upstreams: [upstream.url], identityAssertion })]
  const { plant, on } = await aPlantedGateway(t, {
    frontends: [{ name: 'app', assertionKeys, routes, authorities: [{ name: 'bank' }, { name: 'city', ...city }] }],
  })
  const { cookie } = await plant('app', { server: { name: 'city', ...city } })
  const opened = { headers: { Cookie: cookie, Origin: on.url, [field]: 'forged' } }
  const socket = new WebSocket(`${on.url.replace('http', 'ws')}/api/socket`, opened)
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  const headers: IncomingHttpHeaders = upstream.seen[0]?.headers ?? {}
  t.deepEqual([headers.authorization, headers.dpop], [undefined, undefined])
  t.like(decodeJwt(String(headers[field])), { sub: 'alice', idp: city.authority, aud: audience })
})

test('one signature serves a session for half a minute, and no other session', async (t) => {
  const { plant, get, seen, time } = await reports(t)
  const [alice, bob] = [await plant(), await plant('app', { subject: 'bob', claims: { sub: 'bob', roles: ['staff'] } })]
  // A process keeps a session opened from its second use on.
  await get({ Cookie: alice.cookie })
  seen.length = 0
  await get({ Cookie: alice.cookie })
  await get({ Cookie: alice.cookie })
  await get({ Cookie: bob.cookie })
  time.advance(29)
  await get({ Cookie: alice.cookie })
  time.advance(2)
  await get({ Cookie: alice.cookie })
  const [first = '', second = '', other = '', third = '', last = ''] = seen
  t.is(first, second)
  t.is(first, third)
  t.not(first, last)
  t.is(Number(decodeJwt(last).iat) - Number(decodeJwt(first).iat), 31)
  t.like(decodeJwt(first), { sub: 'alice', iss: decodeJwt(other).iss })
  t.regex(String(decodeJwt(first).iss), /^http:\/\/127\.0\.0\.1:\d+\/app$/)
  t.like(decodeJwt(other), { sub: 'bob', roles: ['staff'] })
  t.false('not_there' in decodeJwt(other))
})

test('an assertion is as current as the token: a refresh that fails for good ends the session', async (t) => {
  const { plant, get, seen, time, issuer } = await reports(t)
  const { cookie } = await plant()
  t.is((await get({ Cookie: cookie })).status, 200)
  time.advance(3001)
  issuer.answers.set('/token', (_request, response) => {
    response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"invalid_grant"}')
  })
  const answer = await get({ Cookie: cookie })
  t.is(answer.status, 401)
  t.is(codeOf(answer), 'bff.session.ended')
  t.is(seen.length, 1)
})

test('a session from before the scope "openid" names no user: it is refused, and the page signs in', async (t) => {
  for (const tokenType of ['User', 'UserOrNone'] as const) {
    const { plant, get, seen } = await reports(t, { tokenType })
    const { cookie } = await plant('app', { subject: undefined as never, claims: {} })
    const answer = await get({ Cookie: cookie })
    t.is(answer.status, 401)
    t.is(codeOf(answer), 'bff.session.ended')
    t.deepEqual(seen, [])
  }
})

test('without a session a route refuses, or says nothing where it may be used without one', async (t) => {
  const { get, seen } = await reports(t)
  t.is(codeOf(await get()), 'bff.session.absent')
  const open = await reports(t, { tokenType: 'UserOrNone' })
  t.is((await open.get({ [field]: 'forged' })).status, 200)
  const { cookie } = await open.plant()
  t.is((await open.get({ Cookie: cookie })).status, 200)
  t.is(seen.length, 0)
  t.is(open.seen[0], undefined)
  t.is(decodeJwt(open.seen[1] ?? '').sub, 'alice')
})

test('an API that refuses an assertion is not called again, and its answer reaches the page', async (t) => {
  let calls = 0
  const api = await listen((_request, response) => {
    calls++
    response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end('who are you?')
  })
  t.teardown(() => api.close())
  const { plant, get } = await reports(t, { upstreams: [new URL(api.url)] })
  const { cookie } = await plant()
  const answer = await get({ Cookie: cookie })
  t.deepEqual([answer.status, answer.text, calls], [401, 'who are you?', 1])
})

test('all keys are published, the first one signs, and without keys there is no such endpoint', async (t) => {
  const { call } = await reports(t)
  const answer = await call('/app/bff/assertion-jwks')
  const { keys } = JSON.parse(answer.text) as JSONWebKeySet
  t.deepEqual(
    keys.map(({ kid }) => kid),
    assertionKeys.map(({ kid }) => kid),
  )
  t.false(answer.text.includes('"d"'))
  t.is(answer.headers['cache-control'], 'public, max-age=300')
  const without = await aPlantedGateway(t)
  t.is(codeOf(await without.call('/bff/assertion-jwks')), 'bff.endpoint.unknown')
})

test('a route has a header of its own name: a proxy that asks is told it, and no client may send it', async (t) => {
  const header = 'X-Pomerium-Jwt-Assertion'
  const upstreams = [new URL('http://a.internal')]
  const planted = await aPlantedGateway(t, {
    frontends: [
      {
        name: 'app',
        publicUrl: new URL('https://app.example'),
        assertionKeys,
        routes: [
          aRoute({ upstreams, identityAssertion: { audience, header } }),
          aRoute({ path: '/maybe', upstreams, tokenType: 'UserOrNone', identityAssertion: { audience, header } }),
        ],
      },
    ],
  })
  const on = await listen(await planted.gateway.forwardAuth({}))
  t.teardown(on.close)
  const { cookie } = await planted.plant()
  const ask = (more: Record<string, string>, path = '/api/x') =>
    fetch(`${on.url}/nginx`, {
      headers: {
        ...ownPage,
        'X-Original-URL': `https://app.example${path}`,
        'X-Original-Method': 'POST',
        'X-Forwarded-For': '192.0.2.7',
        ...more,
      },
    })
  const answer = await ask({ Cookie: cookie })
  t.is(answer.status, 200)
  t.is(answer.headers.get('authorization'), '')
  const assertion = answer.headers.get(header) ?? ''
  t.is(decodeProtectedHeader(assertion).kid, assertionKeys[0]?.kid)
  t.like(decodeJwt(assertion), { sub: 'alice', aud: audience })

  // nginx and Caddy pass on what a client has written, where the answer has nothing for its place.
  for (const name of [header, header.replaceAll('-', '_')])
    for (const more of [{ Cookie: cookie }, {}]) {
      const refused = await ask({ [name]: assertion, ...more }, '/maybe')
      t.is(refused.status, 403, name)
      t.regex(await refused.text(), /bff\.forward_auth\.forged_field/)
    }
  t.is((await ask({}, '/maybe')).status, 200)
})

const refuses = test.macro<[Partial<FrontendOptions>, Partial<RouteOptions>, string, RegExp]>({
  title: (given, _frontend, _route, pointer, problem) => `refuses ${pointer} ${given ?? ''}: ${problem.source}`,
  exec(t, frontend, route, pointer, problem) {
    const options = aFrontend({
      publicUrl: new URL('https://app.example'),
      authority: 'https://as.example',
      assertionKeys,
      routes: [aRoute({ upstreams: [new URL('http://a.internal')], identityAssertion, ...route })],
      ...frontend,
    })
    const error = t.throws(() => atOnce(checkOptions({ frontends: [options] })), { instanceOf: ConfigurationError })
    t.deepEqual(
      error?.problems.map(({ pointer: at }) => at),
      [`/frontends/0${pointer}`],
    )
    t.regex(error?.problems[0]?.problem ?? '', problem)
  },
})

const at = '/routes/0/identityAssertion'
test(refuses, { assertionKeys: [] }, {}, '/assertionKeys', /is empty/)
test(refuses, { assertionKeys: [signingKey(clientJwk)] }, {}, '/assertionKeys', /a key of the client/)
test(refuses, { assertionKeys: [...assertionKeys, ...assertionKeys] }, {}, '/assertionKeys', /one "kid"/)
test(refuses, { scopes: ['profile'] }, {}, at, /no user to name/)
test(refuses, {}, { tokenType: 'None' }, at, /TokenType is "None"/)
test(refuses, {}, { tokenType: 'UserOrClient' }, at, /TokenType is "UserOrClient"/)
test(refuses, {}, { scopes: ['orders'] }, '/routes/0/scopes', /in its place/)
test(refuses, {}, { resource: 'https://a.example' }, '/routes/0/resource', /in its place/)
test(refuses, {}, { tokenExchange: { audience: 'x' } }, '/routes/0/tokenExchange', /in its place/)
test(refuses, {}, { identityAssertion: { audience: '' } }, `${at}/audience`, /empty/)
test(refuses, {}, { identityAssertion: { audience, claims: ['sub'] } }, `${at}/claims/0`, /by itself/)
test(refuses, {}, { identityAssertion: { audience, claims: ['name', 'sid'] } }, `${at}/claims/1`, /by itself/)
for (const header of ['Authorization', 'X-User', 'Cookie', 'X Assertion', '-Assertion', 'X-Assertion\r\nA'])
  test(JSON.stringify(header), refuses, {}, { identityAssertion: { audience, header } }, `${at}/header`, /does not end/)
