import { once } from 'node:events'
import { createServer as createSecureServer } from 'node:https'
import { setImmediate as turn } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import test from 'ava'
import { createVerifier, type VerifierOptions } from '../../../src/dpop-validator/dpop-validator.js'
import { createIssuerKeys } from '../../../src/dpop-validator/issuer/issuer-keys.js'
import {
  createTestClock,
  generateTestKey,
  type MintedToken,
  mintProof,
  signJws,
  type TestKey,
} from '../../../src/dpop-validator/testing/test-issuer.js'
import type { Jwk } from '../../../src/jose/jwk.js'
import { selfSigned } from '../../http/_self-signed.js'
import { adapters } from '../_apis.js'
import { type FaultyServer, json, startFaultyServer } from '../_authorization-server.js'
import { headerOf, outcome, publicUrl } from '../_requests.js'

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

function mint({ issuer }: Pick<FaultyServer, 'issuer'>, by: TestKey, now: number, header = {}, claims = {}): string {
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

test.serial('1,000 unknown key ids cause at most two fetches; after these, one may be new, which is 503', async (t) => {
  const { send, fetches, tokenFor } = await setUp(t)
  await send()
  const unknown = (n: number) => tokenFor(undefined, { header: { kid: `unknown ${n}` } })
  const verdicts = []
  for (let n = 0; n < 1_000; n++) verdicts.push(outcome(await send(unknown(n))))
  t.deepEqual(verdicts.slice(0, 2), ['invalid_token', 'invalid_token'])
  t.deepEqual(new Set(verdicts.slice(2)), new Set(['temporarily_unavailable']))
  t.is(fetches(), 3)
})

test.serial('strangers who use up the looks for unknown keys turn no good token away for good', async (t) => {
  const { send, server, signer, tokenFor, clock } = await setUp(t)
  await send()
  for (let n = 0; n < 3; n++) await send(tokenFor(generateTestKey(), { header: { kid: `forged ${n}` } }))
  const next = generateTestKey()
  server.paths['/jwks'] = json({ keys: [next.publicJwk, signer.publicJwk] })
  t.is(outcome(await send(tokenFor(next))), 'temporarily_unavailable')
  t.is(outcome(await send()), 'accepted')
  clock.advance(31)
  t.is(outcome(await send(tokenFor(next))), 'accepted')
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

test.serial('what is no key among the keys is passed over, however much of it there is', async (t) => {
  const { send, server, signer } = await setUp(t)
  const junk = [null, 'text', 1, [], {}, { kty: 'EC' }, { kty: 'oct', k: 'AAAA' }, { ...signer.publicJwk, kid: 7 }]
  server.paths['/jwks'] = json({ keys: [...Array.from({ length: 30 }, () => junk).flat(), signer.publicJwk, null] })
  t.is(outcome(await send()), 'accepted')
})

test.serial('another key behind the same id is found at once, by one fetch that a flood cannot multiply', async (t) => {
  const named = (one: TestKey): Jwk => ({ ...one.publicJwk, kid: 'same' })
  const [old, next] = [generateTestKey(), generateTestKey()]
  const { send, server, tokenFor, fetches, clock } = await setUp(t, {}, [named(old)])
  const by = (one: TestKey) => tokenFor(one, { header: { kid: 'same' } })
  const oldToken = by(old)
  t.is(outcome(await send(oldToken)), 'accepted')
  server.paths['/jwks'] = json({ keys: [named(next)] })
  const verdicts = await Promise.all(Array.from({ length: 20 }, () => send(by(next))))
  t.deepEqual(new Set(verdicts.map(outcome)), new Set(['accepted']))
  t.is(fetches(), 2)
  t.is(outcome(await send(oldToken)), 'invalid_token', 'the old key went')
  clock.advance(31)
  for (let n = 0; n < 100; n++) t.is(outcome(await send(by(generateTestKey()))), 'invalid_token')
  t.is(fetches(), 5, 'one for the old token, and two more in the next half minute')
  server.paths['/jwks'] = (response) => void response.writeHead(500).end()
  clock.advance(31)
  t.is(outcome(await send(by(generateTestKey()))), 'invalid_token', 'an outage does not make it better')
  t.is(outcome(await send(by(next))), 'accepted')
})

test('keys that were replaced while a signature was checked with the old ones are had without another look', async (t) => {
  const named = (): Jwk => ({ ...generateTestKey().publicJwk, kid: 'same' })
  let published = named()
  let fetches = 0
  const keys = createIssuerKeys({
    async fetchKeySet() {
      fetches++
      return { keys: [published] }
    },
    ...{ maxAge: 600, maxStale: 600, cooldown: 30, burst: 1, now: () => 0 },
  })
  const old = await keys.find('ES256', 'same')
  published = named()
  const [next] = (await keys.findAnew('ES256', 'same', old)) ?? []
  t.is(next?.jwk.x, published.x)
  t.deepEqual(await keys.findAnew('ES256', 'same', old), [next], 'for those who come late as well')
  t.is(keys.findAnew('ES256', 'same', next === undefined ? [] : [next]), undefined, 'and no more looks')
  t.is(fetches, 2)
})

test.serial('a token in constant use does not outlive its key', async (t) => {
  const { send, server, tokenFor, clock, fetches } = await setUp(t, { token: { cache: { ttl: 3600 } } })
  const token = tokenFor()
  t.is(outcome(await send(token)), 'accepted')
  server.paths['/jwks'] = json({ keys: [generateTestKey().publicJwk] })
  clock.advance(601)
  const verdicts: string[] = []
  // Each of these is answered with what is known; one of them has had the keys fetched again.
  while (fetches() < 2 || verdicts.at(-1) === 'accepted') {
    verdicts.push(outcome(await send(token)))
    await turn()
  }
  t.is(verdicts.at(-1), 'invalid_token')
})

test.serial('a token in constant use does not outlive keys that cannot be fetched any more', async (t) => {
  const { send, server, tokenFor, clock } = await setUp(t, {
    token: { cache: { ttl: 3600 } },
    jwks: { maxAge: 600, maxStale: 1_200, timeout: 20 },
  })
  const token = tokenFor()
  t.is(outcome(await send(token)), 'accepted')
  server.paths['/jwks'] = (response) => void response.destroy()
  clock.advance(1_190)
  t.is(outcome(await send(token)), 'accepted')
  clock.advance(20)
  t.is(outcome(await send(token)), 'temporarily_unavailable')
})

test.serial('a clock that is set back keeps nobody from fetching keys', async (t) => {
  const { send, server, tokenFor, clock, fetches } = await setUp(t)
  server.paths['/jwks'] = (response) => void response.writeHead(500).end()
  t.is(outcome(await send()), 'temporarily_unavailable')
  clock.advance(-7_200)
  const next = generateTestKey()
  server.paths['/jwks'] = json({ keys: [next.publicJwk] })
  t.is(outcome(await send(tokenFor(next))), 'accepted')
  const before = fetches()
  clock.advance(-7_200)
  while (fetches() === before) {
    await send(tokenFor(next))
    await turn()
  }
  t.pass()
})

for (const [encoding, encode] of [
  ['gzip', gzipSync],
  ['GZIP', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['identity', (body: Buffer) => body],
] as const)
  test.serial(`metadata and keys that come as ${encoding} are read`, async (t) => {
    const { send, server, signer } = await setUp(t)
    const encoded = (value: unknown) => (response: import('node:http').ServerResponse) =>
      void response.setHeader('Content-Encoding', encoding).end(encode(Buffer.from(JSON.stringify(value))))
    server.paths['/.well-known/openid-configuration'] = encoded({
      issuer: server.issuer,
      jwks_uri: `${server.issuer}/jwks`,
    })
    server.paths['/jwks'] = encoded({ keys: [signer.publicJwk] })
    t.is(outcome(await send()), 'accepted')
  })

for (const [what, encoding, body] of [
  ['50 MB in a few KB', 'gzip', gzipSync(Buffer.alloc(50_000_000, ' '))],
  ['50 MB in a few KB', 'br', brotliCompressSync(Buffer.alloc(50_000_000, ' '))],
  ['no gzip', 'gzip', Buffer.from('{"keys":[]}')],
  ['half of it', 'gzip', gzipSync('{"keys":[]}').subarray(0, 20)],
  ['an unknown encoding', 'rot13', Buffer.from('{}')],
  ['two encodings', 'gzip, gzip', gzipSync(gzipSync('{}'))],
  ['no UTF-8', 'identity', Buffer.from('{"keys":[],"a":"\xff"}', 'latin1')],
] as const)
  test.serial(`keys that are ${what} (${encoding}): 503`, async (t) => {
    const { send, server } = await setUp(t)
    server.paths['/jwks'] = (response) => void response.setHeader('Content-Encoding', encoding).end(body)
    t.is(outcome(await send()), 'temporarily_unavailable')
  })

test.serial('metadata and keys may begin with a byte order mark', async (t) => {
  const { send, server, signer } = await setUp(t)
  const marked = (value: unknown) => (response: import('node:http').ServerResponse) =>
    void response.end(`\ufeff${JSON.stringify(value)}`)
  server.paths['/.well-known/openid-configuration'] = marked({
    issuer: server.issuer,
    jwks_uri: `${server.issuer}/jwks`,
  })
  server.paths['/jwks'] = marked({ keys: [signer.publicJwk] })
  t.is(outcome(await send()), 'accepted')
})

test.serial('an authorization server with a certificate of a private authority needs its certificate', async (t) => {
  const { key: tlsKey, cert } = await selfSigned()
  const signer = generateTestKey()
  const server = createSecureServer({ key: tlsKey, cert }, (request, response) => {
    const paths: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer,
        jwks_uri: `${issuer}/jwks`,
        introspection_endpoint: `${issuer}/introspect`,
      },
      '/jwks': { keys: [signer.publicJwk] },
      '/introspect': { active: true, aud: publicUrl, cnf: { jkt: key.jkt }, token_type: 'DPoP' },
    }
    response.end(JSON.stringify(paths[request.url ?? '']))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const issuer = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const introspection = { clientId: 'api', clientSecret: 'secret' }
  const token = mint({ issuer }, signer, Date.now() / 1000)
  for (const [options, expected] of [
    [{ issuer: { issuer, introspection } }, 'temporarily_unavailable'],
    [{ issuer: { issuer, introspection, ca: cert } }, 'accepted'],
    [{ issuer: { issuer, introspection }, ca: cert }, 'accepted'],
  ] as const)
    for (const sent of [token, 'opaque']) {
      const verifier = createVerifier({ audience: publicUrl, publicUrl, jwks: { timeout: 20 }, ...options })
      const proof = mintProof({ method: 'GET', url: `${publicUrl}/orders`, key, token: sent }, createTestClock())
      const rawHeaders = ['Host', 'api.example', 'Authorization', `DPoP ${sent}`, 'DPoP', proof]
      t.is(outcome(await verifier.verify({ method: 'GET', target: '/orders', rawHeaders, peer: undefined })), expected)
    }
  for (const ca of ['', 'not PEM'])
    t.throws(() => createVerifier({ issuer, audience: publicUrl, publicUrl, ca }), { message: /^\/ca: / })
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
