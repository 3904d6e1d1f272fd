import { createHmac } from 'node:crypto'
import test from 'ava'
import { generateSigningJwk, signingKey } from '../../src/jose/jwk.js'
import { aProtocolClient, codeChallenge, jwt } from '../authorization-server/_client.js'
import { aClient, callbackUri, type RunningServer, startServer } from '../authorization-server/_running.js'

/* Request objects that are not the client's own, not for this server, or not of now (RFC 9101 §10, FAPI 2.0 Message Signing §5.3.1). */

let server: RunningServer
test.before(async () => {
  server = await startServer({ requireSignedRequests: true, client: aClient('client-1') })
})
test.after.always(() => server.stop())

type Members = Readonly<Record<string, unknown>>

const now = (): number => Math.floor(Date.now() / 1000)

function claimsOf(changes: Members = {}): Members {
  return {
    iss: 'client-1',
    client_id: 'client-1',
    aud: server.url,
    nbf: now(),
    exp: now() + 300,
    response_type: 'code',
    redirect_uri: callbackUri,
    scope: 'openid',
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    ...changes,
  }
}

const ownKey = () => signingKey(server.client.privateJwk)

function signed(changes: Members = {}, header: Members = {}, key = ownKey()): string {
  return jwt(key, { kid: ownKey().kid, typ: 'oauth-authz-req+jwt', ...header }, claimsOf(changes))
}

/** Three segments, with any header and any signature. */
function made(header: Members, signature: (data: string) => string, text = JSON.stringify(claimsOf())): string {
  const data = [JSON.stringify(header), text].map((part) => Buffer.from(part).toString('base64url')).join('.')
  return `${data}.${signature(data)}`
}

const push = (request: string, form: Readonly<Record<string, string>> = {}) =>
  aProtocolClient(server).post('par', { request, ...form })

test('the right one is taken, so that each of the others is refused for one thing alone', async (t) => {
  t.is((await push(signed())).status, 201)
  t.is((await push(signed({ aud: ['https://other.example', server.url] }))).status, 201)
  t.is((await push(signed({}, { typ: undefined }))).status, 201)
  t.is((await push(signed({}, { typ: 'OAuth-Authz-Req+JWT' }))).status, 201)
  t.is((await push(signed({ nbf: now() + 8 }))).status, 201)
})

const forgeries: readonly (readonly [string, () => string])[] = [
  ['not a JWS', () => 'eyJ.eyJ.x'],
  ['encrypted, or something like it', () => 'a.b.c.d.e'],
  ['without a signature', () => `${signed().split('.').slice(0, 2).join('.')}.`],
  ['signed with none', () => made({ alg: 'none', kid: ownKey().kid }, () => '')],
  ['with alg none and the signature of another', () => made({ alg: 'none' }, () => 'AAAA')],
  [
    'signed by HS256 with the public key for a secret',
    () =>
      made({ alg: 'HS256', kid: ownKey().kid }, (data) =>
        createHmac('sha256', JSON.stringify(ownKey().publicJwk)).update(data).digest('base64url'),
      ),
  ],
  ['signed with the key of another client', () => signed({}, {}, signingKey(server.other.privateJwk))],
  [
    'signed with a key of nobody, which its header brings along',
    () => {
      const key = signingKey(generateSigningJwk('ES256'))
      return signed({}, { kid: key.kid, jwk: key.publicJwk }, key)
    },
  ],
  ['under another algorithm of the profile', () => signed({}, { alg: 'PS256' })],
  ['with a critical extension', () => signed({}, { crit: ['exp'] })],
  ['of another kind of JWT', () => signed({}, { typ: 'dpop+jwt' })],
  [
    'with a member that comes twice',
    () => {
      const text = JSON.stringify(claimsOf()).replace('{', '{"redirect_uri":"https://evil.example/",')
      return made({ alg: 'ES256', kid: ownKey().kid }, () => 'AAAA', text)
    },
  ],
  ['of another client, by its own iss', () => signed({ iss: 'client-2' })],
  ['without iss', () => signed({ iss: undefined })],
  ['that asks for another client', () => signed({ client_id: 'client-2' })],
  ['without client_id', () => signed({ client_id: undefined })],
  ['for another server', () => signed({ aud: 'https://other.example' })],
  ['for other servers', () => signed({ aud: ['https://other.example'] })],
  ['for the endpoint instead of the issuer', () => signed({ aud: `${server.url}/connect/par` })],
  ['for an issuer that only begins alike', () => signed({ aud: `${server.url}/` })],
  ['without aud', () => signed({ aud: undefined })],
  ['without exp', () => signed({ exp: undefined })],
  ['with an exp that is a text', () => signed({ exp: String(now() + 300) })],
  ['that has expired', () => signed({ exp: now() - 1, nbf: now() - 60 })],
  ['that lives 70 minutes', () => signed({ exp: now() + 4200 })],
  ['without nbf', () => signed({ nbf: undefined })],
  ['of 70 minutes ago', () => signed({ nbf: now() - 4200, exp: now() + 60 })],
  ['of a minute from now', () => signed({ nbf: now() + 61, exp: now() + 120 })],
  ['issued tomorrow', () => signed({ iat: now() + 86_400 })],
  ['with a request inside', () => signed({ request: 'x' })],
  ['with a request_uri inside', () => signed({ request_uri: 'urn:ietf:params:oauth:request_uri:x' })],
  ['with a jti that is no text', () => signed({ jti: 5 })],
  ['too long to be read', () => signed({ state: 'x'.repeat(40_000) })],
]

for (const [what, forge] of forgeries)
  test(`a request object ${what} is refused when it is pushed`, async (t) => {
    const { status, body } = await push(forge())
    t.is(status, 400)
    t.is(body.error, 'invalid_request_object')
    t.regex(String(body.error_description), /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
    t.notRegex(String(body.error_description), /eyJ|evil/)
  })

test('a client assertion is no request object, nor the other way round (RFC 9101 §10.8)', async (t) => {
  const client = aProtocolClient(server)
  const parameters = { ...claimsOf(), sub: 'client-1', jti: 'x' }
  const assertion = client.assertion({ claims: parameters })
  t.is((await push(assertion)).body.error, 'invalid_request_object')
  const { status, body } = await client.post(
    'par',
    { request: signed() },
    { assertion: signed({ jti: 'y', sub: 'client-1' }) },
  )
  t.is(status, 401)
  t.is(body.error, 'invalid_client')
})

test('one client cannot push what another has signed', async (t) => {
  const { status, body } = await aProtocolClient(server, server.other).post('par', { request: signed() })
  t.is(status, 400)
  t.is(body.error, 'invalid_request_object')
})

test('nor can who has read one: pushing it again takes an assertion of the client, which counts once', async (t) => {
  const client = aProtocolClient(server)
  const request = signed({ jti: 'read on the way' })
  const assertion = client.assertion()
  const first = await client.post('par', { request }, { assertion })
  t.is(first.status, 201)
  t.is((await client.post('par', { request }, { assertion })).body.error, 'invalid_client')
  t.is((await client.post('par', { request }, { assertion: false })).body.error, 'invalid_client')
  // The client itself may: each push is a request of its own.
  const again = await client.post('par', { request })
  t.is(again.status, 201)
  t.not(again.body.request_uri, first.body.request_uri)
})

test('a request that is not signed, and one by reference, are refused', async (t) => {
  const client = aProtocolClient(server)
  t.like((await client.push()).body, { error: 'invalid_request' })
  t.like((await push(signed(), { request_uri: 'https://evil.example/request.jwt' })).body, { error: 'invalid_request' })
  const query = new URLSearchParams({
    client_id: 'client-1',
    request: signed(),
    scope: 'openid',
    response_type: 'code',
  })
  const response = await fetch(`${server.url}/connect/authorize?${query}`, { redirect: 'manual' })
  t.is(response.status, 400)
})

test('its times are looked at when it is pushed, not again when the browser comes', async (t) => {
  const { status, body } = await push(signed({ nbf: now() - 60, exp: now() + 30 }))
  t.is(status, 201)
  t.is(body.expires_in, 60)
})
