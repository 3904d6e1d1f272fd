import test from 'ava'
import { createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import {
  createTestClock,
  generateTestKey,
  type MintedToken,
  mintProof,
  signJws,
  type TestKey,
} from '../../src/dpop-validator/testing/test-issuer.js'
import type { Jwk } from '../../src/keys.js'
import { adapters } from './_apis.js'
import { type FaultyServer, json, startFaultyServer } from './_authorization-server.js'
import { headerOf, outcome, publicUrl } from './_requests.js'

const key = generateTestKey()

async function setUp(t: import('ava').ExecutionContext, options: Partial<VerifierOptions> = {}, keys?: readonly Jwk[]) {
  const signer = generateTestKey()
  const server = await startFaultyServer(keys ?? [signer.publicJwk])
  t.teardown(() => server.close())
  const clock = createTestClock()
  const verifier = createVerifier({
    issuer: server.issuer,
    audience: publicUrl,
    publicUrl,
    now: clock.now,
    jwks: { timeout: 20 },
    ...options,
  })
  const tokenFor = (by: TestKey = signer, { header, claims }: MintedToken = {}) =>
    mint(server, by, clock.now(), header, claims)
  const request = (token = tokenFor()) => ({
    method: 'GET',
    target: '/orders',
    rawHeaders: [
      ...['Host', 'api.example', 'Authorization', `DPoP ${token}`],
      ...['DPoP', mintProof({ method: 'GET', url: `${publicUrl}/orders`, key, token }, clock)],
    ],
    peer: undefined,
  })
  const send = async (token?: string) => verifier.verify(request(token))
  const fetches = () => server.asked.get('/jwks') ?? 0
  return { signer, server, clock, verifier, tokenFor, request, send, fetches }
}

function mint({ issuer }: FaultyServer, by: TestKey, now: number, header = {}, claims = {}): string {
  const iat = Math.floor(now)
  return signJws(
    { typ: 'at+jwt', alg: by.algorithm, kid: by.publicJwk.kid, ...header },
    {
      iss: issuer,
      aud: publicUrl,
      sub: 'a',
      client_id: 'c',
      iat,
      exp: iat + 90_000,
      jti: `${Math.random()}`,
      cnf: { jkt: key.jkt },
      ...claims,
    },
    by,
  )
}

test.serial('50 requests at a cold start cause one fetch', async (t) => {
  const { send, fetches } = await setUp(t)
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => send()))
  t.deepEqual(new Set(verdicts.map(outcome)), new Set(['accepted']))
  t.is(fetches(), 1)
})

test.serial('1,000 unknown key ids cause at most two fetches, and are refused', async (t) => {
  const { send, fetches, tokenFor } = await setUp(t)
  await send()
  const unknown = (n: number) => tokenFor(undefined, { header: { kid: `unknown ${n}` } })
  const verdicts = []
  for (let n = 0; n < 1_000; n++) verdicts.push(outcome(await send(unknown(n))))
  t.deepEqual(new Set(verdicts), new Set(['invalid_token']))
  t.is(fetches(), 3)
})

test.serial('a key that the issuer has just begun to use is found at once', async (t) => {
  const { send, server, signer, tokenFor, fetches } = await setUp(t)
  await send()
  const next = generateTestKey()
  server.paths['/jwks'] = json({ keys: [next.publicJwk, signer.publicJwk] })
  t.is(outcome(await send(tokenFor(next))), 'accepted')
  t.is(outcome(await send()), 'accepted')
  t.is(fetches(), 2)
})

test.serial('a key that the issuer takes back takes its cached tokens along', async (t) => {
  const { send, server, tokenFor, clock } = await setUp(t, { token: { cache: { ttl: 3600 } } })
  const token = tokenFor()
  t.is(outcome(await send(token)), 'accepted')
  const next = generateTestKey()
  server.paths['/jwks'] = json({ keys: [next.publicJwk] })
  clock.advance(5)
  t.is(outcome(await send(tokenFor(next))), 'accepted')
  t.is(outcome(await send(token)), 'invalid_token')
})

for (const [what, answer] of [
  ['500', (response: import('node:http').ServerResponse) => void response.writeHead(500).end()],
  ['404', (response: import('node:http').ServerResponse) => void response.writeHead(404).end()],
  [
    'a redirect',
    (response: import('node:http').ServerResponse) =>
      void response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end(),
  ],
  ['HTML', (response: import('node:http').ServerResponse) => void response.end('<html>')],
  ['half a document', (response: import('node:http').ServerResponse) => void response.end('{"keys":[')],
  [
    'a broken connection',
    (response: import('node:http').ServerResponse) =>
      void response.writeHead(200, { 'Content-Length': '100' }).write('{', () => response.destroy()),
  ],
  ['no keys', json({ keys: [] })],
  ['no list', json({ keys: {} })],
  ['a list', json([])],
  ['symmetric keys', json({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'x' }] })],
  ['private keys', json({ keys: [generateTestKey().privateJwk] })],
  ['encryption keys', json({ keys: [{ ...generateTestKey().publicJwk, use: 'enc' }] })],
  [
    'keys that are none',
    json({ keys: [null, 1, 'x', [], { kty: 'EC' }, { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] }),
  ],
] as const)
  test.serial(`keys that are ${what}: 503 at a cold start, and cached keys stay in use`, async (t) => {
    const { send, server, clock, signer, fetches, tokenFor } = await setUp(t)
    const good = json({ keys: [signer.publicJwk] })
    server.paths['/jwks'] = answer
    const refusal = await send()
    t.is(outcome(refusal), what === 'keys that are none' ? 'invalid_token' : 'temporarily_unavailable')
    if (what === 'keys that are none') return
    t.is(headerOf(refusal, 'Retry-After'), '5')
    t.is(headerOf(refusal, 'WWW-Authenticate'), undefined)
    // Within the pause nobody asks again.
    const asked = fetches()
    await Promise.all(Array.from({ length: 20 }, () => send()))
    t.is(fetches(), asked)
    server.paths['/jwks'] = good
    clock.advance(3)
    t.is(outcome(await send()), 'accepted')
    server.paths['/jwks'] = answer
    clock.advance(3_600)
    t.is(outcome(await send(tokenFor())), 'accepted')
    t.is(outcome(await send(tokenFor())), 'accepted')
  })

test.serial('50 MB of keys are not read to their end', async (t) => {
  const { send, server } = await setUp(t)
  let written = 0
  server.paths['/jwks'] = (response) => {
    const chunk = Buffer.alloc(1_000_000, 'x')
    const write = (): void => {
      while (written < 50_000_000 && !response.destroyed) {
        written += chunk.length
        if (!response.write(chunk)) return void response.once('drain', write)
      }
      response.end()
    }
    write()
  }
  t.is(outcome(await send()), 'temporarily_unavailable')
  t.true(written < 50_000_000)
})

test.serial('keys that never come: 503 after the timeout, at once for all who follow', async (t) => {
  const { send, server, fetches } = await setUp(t, { jwks: { timeout: 1 } })
  server.paths['/jwks'] = () => undefined
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => send()))
  t.deepEqual(new Set(verdicts.map(outcome)), new Set(['temporarily_unavailable']))
  t.is(fetches(), 1)
  t.is(outcome(await send()), 'temporarily_unavailable')
  t.is(fetches(), 1)
})

test.serial('old keys serve while the issuer cannot be reached, but not for ever', async (t) => {
  const { send, server, clock, tokenFor } = await setUp(t, { jwks: { maxAge: 600, maxStale: 7_200, timeout: 20 } })
  t.is(outcome(await send()), 'accepted')
  server.paths['/jwks'] = (response) => void response.destroy()
  clock.advance(7_000)
  t.is(outcome(await send(tokenFor())), 'accepted')
  clock.advance(300)
  t.is(outcome(await send(tokenFor())), 'temporarily_unavailable')
})

test.serial('an unknown key id while the issuer cannot be reached is 503: it may be a new key', async (t) => {
  const { send, server, tokenFor } = await setUp(t)
  await send()
  server.paths['/jwks'] = (response) => void response.writeHead(500).end()
  const next = generateTestKey()
  t.is(outcome(await send(tokenFor(next))), 'temporarily_unavailable')
  t.is(outcome(await send(tokenFor(next))), 'temporarily_unavailable')
  t.is(outcome(await send()), 'accepted')
})

test.serial('the pauses after failures grow, up to the cool-down', async (t) => {
  const { send, server, clock, fetches } = await setUp(t, { jwks: { cooldown: 8, timeout: 20 } })
  server.paths['/jwks'] = (response) => void response.writeHead(500).end()
  for (let second = 0; second < 60; second++) {
    await send()
    clock.advance(1)
  }
  t.true(fetches() <= 12, String(fetches()))
})

test.serial('keys rotated while a request waits for them: it is decided by the new ones', async (t) => {
  const { send, server, tokenFor } = await setUp(t)
  const next = generateTestKey()
  server.paths['/jwks'] = (response) => {
    server.paths['/jwks'] = json({ keys: [next.publicJwk] })
    json({ keys: [next.publicJwk] })(response)
  }
  const [old, fresh] = await Promise.all([send(), send(tokenFor(next))])
  t.deepEqual([outcome(old), outcome(fresh)], ['invalid_token', 'accepted'])
})

test.serial(
  'a repeated key id is told apart by type and use, then all that fit are tried (FAPI 2.0 §5.4.3)',
  async (t) => {
    const [wanted, other, rsa, ed] = [
      generateTestKey(),
      generateTestKey(),
      generateTestKey('PS256'),
      generateTestKey('Ed25519'),
    ]
    const named = (one: TestKey, more = {}): Jwk => ({ ...one.publicJwk, kid: 'same', ...more })
    const keys = [named(other, { use: 'enc' }), named(rsa), named(ed), named(other), named(wanted)]
    const { send, tokenFor } = await setUp(t, {}, keys)
    for (const by of [wanted, other, rsa, ed])
      t.is(outcome(await send(tokenFor(by, { header: { kid: 'same' } }))), 'accepted')
    t.is(outcome(await send(tokenFor(generateTestKey(), { header: { kid: 'same' } }))), 'invalid_token')
  },
)

test.serial('a token without a key id is tried with the keys that fit', async (t) => {
  const [a, b] = [generateTestKey(), generateTestKey()]
  const { send, tokenFor } = await setUp(t, {}, [a.publicJwk, b.publicJwk])
  t.is(outcome(await send(tokenFor(b, { header: { kid: undefined } }))), 'accepted')
})

test.serial('metadata of another issuer is none: ready() rejects, requests get 503', async (t) => {
  const { verifier, server, send } = await setUp(t)
  server.paths['/.well-known/openid-configuration'] = json({
    issuer: `${server.issuer}/`,
    jwks_uri: `${server.issuer}/jwks`,
  })
  await t.throwsAsync(verifier.ready(), { name: 'UpstreamError', message: /names another issuer/ })
  t.is(outcome(await send()), 'temporarily_unavailable')
})

test.serial('metadata at the address of RFC 8414 will do', async (t) => {
  const { verifier, server, send } = await setUp(t)
  const { '/.well-known/openid-configuration': metadata } = server.paths
  delete server.paths['/.well-known/openid-configuration']
  if (metadata) server.paths['/.well-known/oauth-authorization-server'] = metadata
  await verifier.ready()
  t.is(outcome(await send()), 'accepted')
})

test.serial('keys at a plain http address that is not this machine are not fetched', async (t) => {
  const { server, send } = await setUp(t)
  server.paths['/.well-known/openid-configuration'] = json({
    issuer: server.issuer,
    jwks_uri: 'http://as.example/jwks',
  })
  t.is(outcome(await send()), 'temporarily_unavailable')
})

test.serial('no header of token or proof makes us fetch anything', async (t) => {
  const { send, server, tokenFor, fetches } = await setUp(t)
  await send()
  const stranger = generateTestKey()
  for (const name of ['jku', 'x5u']) {
    const header = { [name]: `${server.issuer}/elsewhere`, jwk: stranger.publicJwk }
    t.is(outcome(await send(tokenFor(stranger, { header: { ...header, kid: undefined } }))), 'invalid_token')
  }
  t.is(server.asked.get('/elsewhere'), undefined)
  t.true(fetches() <= 3)
})

test.serial('every adapter answers 503 with Retry-After and no challenge', async (t) => {
  const { server, verifier, request } = await setUp(t)
  server.paths['/jwks'] = (response) => void response.writeHead(500).end()
  for (const [name, startApi] of Object.entries(adapters)) {
    const api = await startApi(verifier)
    const { rawHeaders } = request()
    const response = await fetch(`${api.origin}/orders`, {
      headers: { Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' },
    })
    t.is(response.status, 503, name)
    t.is(response.headers.get('Retry-After'), '5', name)
    t.is(response.headers.get('WWW-Authenticate'), null, name)
    await api.close()
  }
})
