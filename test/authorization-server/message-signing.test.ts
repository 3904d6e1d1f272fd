import test from 'ava'
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { signingKey } from '../../src/jose/jwk.js'
import { aBrowser } from './_browser.js'
import { aProtocolClient, codeChallenge, jwt, type ProtocolClient } from './_client.js'
import { aClient, callbackUri, type RunningServer, startServer, type TestClient } from './_running.js'

let server: RunningServer
test.before(async () => {
  const client = aClient('client-1', { requireSignedRequests: true, requireSignedResponses: true })
  server = await startServer({ client })
})
test.after.always(() => server.stop())

type Members = Readonly<Record<string, unknown>>

/** A request object of a client, as it should be but for these claims. */
function requestObject({ options, privateJwk }: TestClient, claims: Members = {}, header: Members = {}): string {
  const key = signingKey(privateJwk)
  const now = Math.floor(Date.now() / 1000)
  return jwt(
    key,
    { kid: key.kid, typ: 'oauth-authz-req+jwt', ...header },
    {
      iss: options.clientId,
      client_id: options.clientId,
      aud: server.url,
      nbf: now,
      exp: now + 300,
      response_type: 'code',
      response_mode: 'jwt',
      redirect_uri: callbackUri,
      scope: 'openid profile offline_access',
      code_challenge: codeChallenge,
      code_challenge_method: 'S256',
      state: 'the state',
      ...claims,
    },
  )
}

const push = (client: ProtocolClient, request: string, beside: Readonly<Record<string, string>> = {}) =>
  client.post('par', { request, ...beside })

/** The claims of what the server has signed, once its published keys have verified it. */
async function signedBy(issuer: string, text: string, audience: string): Promise<JWTPayload> {
  const keys = (await (await fetch(`${issuer}/connect/jwks`)).json()) as Parameters<typeof createLocalJWKSet>[0]
  const { payload, protectedHeader } = await jwtVerify(text, createLocalJWKSet(keys), { issuer, audience })
  return { ...payload, typ: protectedHeader.typ, kid: protectedHeader.kid }
}

test('takes a signed request, and answers with a signed response: code, state and nothing beside (JARM §2.3.1)', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const pushed = await push(client, requestObject(server.client))
  t.is(pushed.status, 201, JSON.stringify(pushed.body))
  const signIn = await browser.follow(await browser.get(client.authorizationUrl(pushed)))
  const consent = await browser.follow(
    await browser.submit(signIn, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  const { location = '' } = await browser.submit(consent, 'allow')
  const callback = new URL(location)
  t.deepEqual([...callback.searchParams.keys()], ['response'])
  const claims = await signedBy(server.url, callback.searchParams.get('response') ?? '', 'client-1')
  t.deepEqual(Object.keys(claims).sort(), ['aud', 'code', 'exp', 'iss', 'kid', 'state', 'typ'])
  t.is(claims.state, 'the state')
  t.is(claims.typ, undefined)
  t.truthy(claims.kid)
  t.true(Number(claims.exp) - Date.now() / 1000 > 60)
  t.is((await client.redeem(String(claims.code))).status, 200)
})

test('signs a refusal by the user, and an error that nobody was asked about, too', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await push(client, requestObject(server.client))))
  const cancelled = new URL((await browser.submit(page, 'cancel')).location ?? '')
  const silent = await push(client, requestObject(server.client, { prompt: 'none' }))
  const refused = new URL((await aBrowser().get(client.authorizationUrl(silent))).location ?? '')
  for (const [url, error] of [
    [cancelled, 'access_denied'],
    [refused, 'login_required'],
  ] as const) {
    t.deepEqual([...url.searchParams.keys()], ['response'])
    const claims = await signedBy(server.url, url.searchParams.get('response') ?? '', 'client-1')
    t.like(claims, { error, state: 'the state' })
    t.is(claims.code, undefined)
  }
})

test('signs the error of a reference that is none, for a client that takes signed answers only', async (t) => {
  const query = new URLSearchParams({ client_id: 'client-1', request_uri: 'urn:x', redirect_uri: callbackUri })
  const { location = '' } = await aBrowser().get(`${server.url}/connect/authorize?${query}`)
  const url = new URL(location)
  t.deepEqual([...url.searchParams.keys()], ['response'])
  const claims = await signedBy(server.url, url.searchParams.get('response') ?? '', 'client-1')
  t.like(claims, { error: 'invalid_request_uri' })
})

test('answers in plain to a client that asked for nothing else', async (t) => {
  const client = aProtocolClient(server, server.other)
  const url = await client.authorize()
  t.deepEqual([...url.searchParams.keys()].sort(), ['code', 'iss', 'state'])
})

test('signs for a client that asked for it, in a plain request too', async (t) => {
  const client = aProtocolClient(server, server.other)
  for (const response_mode of ['jwt', 'query.jwt']) {
    const url = await client.authorize({ response_mode })
    t.deepEqual([...url.searchParams.keys()], ['response'])
  }
})

test('a client that has to sign its requests, or to take signed answers, is refused with less', async (t) => {
  const client = aProtocolClient(server)
  const unsigned = await client.push({ response_mode: 'jwt' })
  t.is(unsigned.status, 400)
  t.is(unsigned.body.error, 'invalid_request')
  t.regex(String(unsigned.body.error_description), /signed request object/)
  for (const response_mode of ['query', undefined, 'fragment.jwt']) {
    const plain = await push(client, requestObject(server.client, { response_mode }))
    t.is(plain.status, 400)
    t.is(plain.body.error, 'invalid_request')
  }
})

test('parameters beside a request object do not count, none of them (RFC 9101 §6.3)', async (t) => {
  const client = aProtocolClient(server)
  const without = await push(client, requestObject(server.client, { redirect_uri: undefined }), {
    redirect_uri: callbackUri,
  })
  t.is(without.status, 400)
  t.is(without.body.error, 'invalid_request')
  const beside = { scope: 'openid payments', state: 'another', code_challenge: 'x', response_type: 'token' }
  t.is((await push(client, requestObject(server.client), beside)).status, 201)
})

test('a parameter that is wrong is an invalid request, wherever it came from', async (t) => {
  const client = aProtocolClient(server)
  for (const [claims, code] of [
    [{ code_challenge: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ state: 5 }, 'invalid_request'],
    [{ max_age: '10' }, 'invalid_request'],
    [{ max_age: -1 }, 'invalid_request'],
    [{ scope: ['openid'] }, 'invalid_request'],
    [{ resource: [5] }, 'invalid_request'],
    [{ redirect_uri: 'https://evil.example/' }, 'invalid_request'],
    [{ scope: 'openid payments' }, 'invalid_scope'],
    [{ resource: ['https://unknown.example/'] }, 'invalid_target'],
    [{ dpop_jkt: 'A'.repeat(43) }, 'invalid_dpop_proof'],
  ] as const) {
    const { status, body } = await push(client, requestObject(server.client, claims))
    t.is(status, 400, JSON.stringify(claims))
    t.is(body.error, code, JSON.stringify(claims))
  }
})

test('takes numbers, objects and lists as JSON has them, and what it does not know', async (t) => {
  const claims = { max_age: 300, claims: { id_token: {} }, login_hint: '', hello: { world: true }, jti: 'x', iat: 1 }
  t.is((await push(aProtocolClient(server), requestObject(server.client, claims))).status, 201)
})

test('after a nonce challenge the same request object is taken, with a fresh proof (RFC 9449 §8)', async (t) => {
  const client = aProtocolClient(server)
  const request = requestObject(server.client, { jti: 'once' })
  const challenged = await client.post('par', { request }, { retry: false })
  t.is(challenged.body.error, 'use_dpop_nonce')
  t.is((await push(client, request)).status, 201)
})

test('says what it signs and takes in its metadata', async (t) => {
  const document = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()
  t.like(document, {
    request_parameter_supported: true,
    request_uri_parameter_supported: false,
    require_signed_request_object: false,
    request_object_signing_alg_values_supported: ['ES256', 'PS256', 'Ed25519', 'EdDSA'],
    response_modes_supported: ['query', 'jwt', 'query.jwt'],
    authorization_signing_alg_values_supported: ['ES256'],
    introspection_signing_alg_values_supported: ['ES256'],
  })
})

test('introspection is signed for who asks for it so, and for no other (RFC 9701 §4 and §5)', async (t) => {
  const other = aProtocolClient(server, server.other)
  const { access_token } = await other.tokens()
  const ask = async (token: string, accept: string): Promise<Response> =>
    fetch(`${server.url}/connect/introspect`, {
      method: 'POST',
      headers: { accept },
      body: new URLSearchParams({
        token,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: other.assertion(),
      }),
    })
  const type = 'application/token-introspection+jwt'
  const plain = (await (await ask(access_token, 'application/json')).json()) as Members
  t.like(plain, { active: true, sub: 'user-alice' })
  for (const accept of ['*/*', 'application/jwt', `application/json, ${type};q=0.5`])
    t.regex((await ask(access_token, accept)).headers.get('content-type') ?? '', /^application\/json/, accept)

  for (const [token, expected] of [
    [access_token, plain],
    ['of nobody', { active: false }],
  ] as const) {
    const answer = await ask(token, type)
    t.is(answer.status, 200)
    t.is(answer.headers.get('content-type'), type)
    t.is(answer.headers.get('cache-control'), 'no-store')
    const { token_introspection, ...outer } = await signedBy(server.url, await answer.text(), 'client-2')
    t.deepEqual(token_introspection, expected)
    t.deepEqual(Object.keys(outer).sort(), ['aud', 'iat', 'iss', 'kid', 'typ'])
    t.is(outer.typ, 'token-introspection+jwt')
  }
  const refused = await fetch(`${server.url}/connect/introspect`, { method: 'POST', headers: { accept: type } })
  t.regex(refused.headers.get('content-type') ?? '', /^application\/json/)
})

test('what introspection has signed is neither an access token nor a hint', async (t) => {
  const other = aProtocolClient(server, server.other)
  const url = await other.authorize({ response_mode: 'jwt' })
  const response = url.searchParams.get('response') ?? ''
  t.is((await other.userinfo(response)).status, 401)
  t.is((await other.push({ id_token_hint: response })).status, 400)
})

test('a server that requires it of all says so, and a client may be excepted', async (t) => {
  const excepted = aClient('excepted', { requireSignedRequests: false, requireSignedResponses: false })
  const strict = await startServer({ other: excepted, requireSignedRequests: true, requireSignedResponses: true })
  t.teardown(() => strict.stop())
  const document = await (await fetch(`${strict.url}/.well-known/oauth-authorization-server`)).json()
  t.like(document, { require_signed_request_object: true })
  t.is((await aProtocolClient(strict).push()).status, 400)
  t.is((await aProtocolClient(strict, excepted).push()).status, 201)
})
