import test from 'ava'
import { compactVerify, SignJWT } from 'jose'
import { createIssuerKeys, type Sender } from '../../../src/gateway/oauth/issuer-keys.js'
import { generateSigningJwk, type Jwk, publicHalf, signingKey } from '../../../src/jose/jwk.js'
import { aScriptedLogin } from '../_scripted-login.js'

const named = (kid: string): Jwk => ({ ...generateSigningJwk('ES256'), kid })
const tokenOf = (key: Jwk, kid = key.kid): Promise<string> =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) })
    .sign(signingKey(key).privateKey)

/** Keys of a server that answers as it is told, on a clock that stands. */
function setUp(...published: readonly Jwk[]) {
  const self = { published, down: false, time: 0, looks: 0, uri: 'https://as.example/jwks' }
  const keys = createIssuerKeys({
    jwksUri: async () => self.uri,
    elapsed: () => self.time,
    fetch: Object.assign(
      async () => {
        self.looks++
        if (self.down) return new Response('{}', { status: 503 })
        return Response.json({ keys: self.published.map(publicHalf) })
      },
      { nonceOf: () => undefined, close: async () => undefined },
    ),
  })()
  const check = async (token: string | Promise<string>, sender?: Sender): Promise<string> => {
    const jws = await token
    return keys
      .verify((find) => compactVerify(jws, find), sender)
      .then(
        () => 'holds',
        (error: { readonly code?: string }) => error.code ?? 'no code',
      )
  }
  return Object.assign(self, { keys, check })
}

const [unknown, broken] = ['ERR_JWKS_NO_MATCHING_KEY', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED']

test('keys are fetched once for all who need them', async (t) => {
  const key = named('a')
  const server = setUp(key)
  t.is(server.looks, 0)
  const results = await Promise.all(Array.from({ length: 20 }, () => server.check(tokenOf(key))))
  t.deepEqual(new Set(results), new Set(['holds']))
  t.is(server.looks, 1)
})

test('a key that the server has just begun to use is found by one look for all who come with it', async (t) => {
  const [old, next] = [named('a'), named('b')]
  const server = setUp(old)
  t.is(await server.check(tokenOf(old)), 'holds')
  Object.assign(server, { published: [old, next] })
  const results = await Promise.all(Array.from({ length: 20 }, () => server.check(tokenOf(next))))
  t.deepEqual(new Set(results), new Set(['holds']))
  t.is(server.looks, 2)
})

test('another key behind the same id is found by one look, and the old one is believed no more', async (t) => {
  const [old, next] = [named('same'), named('same')]
  const server = setUp(old)
  t.is(await server.check(tokenOf(old)), 'holds')
  Object.assign(server, { published: [next] })
  const results = await Promise.all(Array.from({ length: 20 }, () => server.check(tokenOf(next))))
  t.deepEqual(new Set(results), new Set(['holds']))
  t.is(server.looks, 2)
  t.is(await server.check(tokenOf(old)), broken)
})

test('tokens that fit no key make two looks in half a minute, whether their key id is known or not', async (t) => {
  const key = named('a')
  const server = setUp(key)
  t.is(await server.check(tokenOf(key)), 'holds')
  for (let n = 0; n < 50; n++) {
    t.is(await server.check(tokenOf(named('a'))), broken)
    t.is(await server.check(tokenOf(named(`unknown ${n}`))), n === 0 ? unknown : 'unreachable')
  }
  t.is(server.looks, 3)
  const looksBefore = server.looks
  for (let n = 0; n < 20; n++)
    t.is(await server.check(tokenOf(named('unknown')), { network: `net ${n}` }), n < 10 ? unknown : 'unreachable')
  t.is(server.looks, looksBefore + 10, 'each network of strangers has looks of its own, ten in all')
  Object.assign(server, { published: [named('a')], time: 29 })
  t.is(await server.check(tokenOf(key)), 'holds', 'what is known goes on')
  server.time = 31
  t.is(await server.check(tokenOf(named('a'))), broken)
  t.is(server.looks, 14)
  t.is(await server.check(tokenOf(key)), broken, 'that look has shown that it went')
})

test('while the server cannot be asked, an unknown key is neither, and a signature that does not hold does not', async (t) => {
  const key = named('a')
  const server = setUp(key)
  t.is(await server.check(tokenOf(key)), 'holds')
  server.down = true
  t.is(await server.check(tokenOf(named('b'))), 'ERR_JOSE_GENERIC')
  t.is(await server.check(tokenOf(named('a'))), broken)
  t.is(await server.check(tokenOf(key)), 'holds')
})

test('repeated and missing key ids: all keys that fit are tried (FAPI 2.0 §5.4.3)', async (t) => {
  const [a, b, c] = [named('same'), named('same'), named('same')]
  const server = setUp(a, b, c, { ...generateSigningJwk('Ed25519'), kid: 'same' })
  for (const key of [a, b, c]) {
    t.is(await server.check(tokenOf(key)), 'holds')
    const { kid: _, ...withoutKid } = key
    t.is(await server.check(tokenOf(withoutKid)), 'holds')
  }
  t.is(server.looks, 1)
  t.is(await server.check(tokenOf(named('same'))), broken)
  t.is(server.looks, 2, 'it may have been one of them that changed')
})

test('no more than eight of the keys that fit are tried', async (t) => {
  const keys = Array.from({ length: 20 }, () => named('same'))
  const server = setUp(...keys)
  t.is(await server.check(tokenOf(keys[7] ?? named('same'))), 'holds')
  t.is(await server.check(tokenOf(keys[8] ?? named('same'))), broken)
})

test('keys that moved are fetched where the metadata says they are', async (t) => {
  const [old, next] = [named('a'), named('a')]
  const server = setUp(old)
  t.is(await server.check(tokenOf(old)), 'holds')
  Object.assign(server, { published: [next], uri: 'https://as.example/new-keys' })
  t.is(await server.check(tokenOf(next)), 'holds')
  t.is(await server.check(tokenOf(old)), broken)
})

test('a login survives that the server changes its key behind the same id, by one more look', async (t) => {
  const login = await aScriptedLogin(t)
  login.issuer.answers.set('/userinfo', (_request, response) => response.end('{"sub":"alice"}'))
  t.like(await login.run(), { code: undefined, user: { authenticated: true } })
  const next = named('current')
  const jwks = JSON.stringify({ keys: [publicHalf(next)] })
  login.issuer.answers.set('/jwks', (_request, response) => response.end(jwks))
  login.idToken = (claims) => login.issuer.sign(claims, { typ: 'JWT' }, next)
  t.like(await login.run(), { code: undefined, user: { authenticated: true } })
  t.is(login.issuer.requests.filter((path) => path === '/jwks').length, 2)
  login.idToken = (claims) => login.issuer.sign(claims, { typ: 'JWT' }, named('current'))
  t.like(await login.run(), { code: 'bff.login.failed', user: { authenticated: false } })
})
