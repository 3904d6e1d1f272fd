import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import test from 'ava'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import * as forExpress from '../../src/dpop-validator/adapters/express.js'
import * as forFastify from '../../src/dpop-validator/adapters/fastify.js'
import { verifyRequest } from '../../src/dpop-validator/adapters/fetch.js'
import * as forKoa from '../../src/dpop-validator/adapters/koa.js'
import { protect, protectUpgrade } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import { sendRaw } from '../../src/dpop-validator/testing/raw-request.js'
import { generateTestKey, signJws, startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { altered } from '../_altered.js'
import { adapters, listening } from './_apis.js'
import { createClient, headerOf, outcome, publicUrl } from './_requests.js'

const issuer = await startTestIssuer({ audience: publicUrl })
/** With its keys at hand: what is tested here is not how they are fetched. */
const trusted = { issuer: issuer.issuer, jwks: { keys: [issuer.key.publicJwk] } }
test.after.always(() => issuer.close())

const verifierWith = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({ issuer: trusted, audience: publicUrl, publicUrl, now: issuer.clock.now, ...options })

test('no audience, no start; unknown options and bad values are named, all at once', (t) => {
  const error = t.throws(
    () =>
      // @ts-expect-error what a user without types may write
      createVerifier({ issuer: 'http://as.example', publicURL: 'x', proof: { maxAge: -1, maxage: 1 }, mode: 'open' }),
    { name: 'ConfigurationError' },
  )
  for (const pointer of ['/audience', '/issuer', '/publicURL', '/proof/maxAge', '/proof/maxage', '/mode'])
    t.true(error?.message.includes(`${pointer}: `), pointer)
})

for (const [pointer, options] of [
  ['/issuer', { issuer: [] }],
  ['/issuer', { issuer: ['https://a.example', 'https://a.example'] }],
  ['/issuer/introspection', { issuer: { issuer: 'https://a.example', introspection: { clientId: 'x' } } }],
  ['/nonce/secret', { nonce: { secret: Buffer.from('short') } }],
  ['/proof/futureSkew', { proof: { futureSkew: 61 } }],
  ['/proof/algs', { proof: { algs: [] } }],
  ['/publicUrl/0', { publicUrl: 'api.example' }],
  ['/scopes', { scopes: ['a"b'] }],
  ['/challenge/realm', { challenge: { realm: 'a"b' } }],
] as const satisfies readonly (readonly [string, Partial<VerifierOptions>])[])
  test(`refuses ${JSON.stringify(options)} by ${pointer}`, (t) => {
    const error = t.throws(() => verifierWith(options), { name: 'ConfigurationError' })
    t.true(error?.message.startsWith(`${pointer}: `), error?.message)
  })

test('says who called', async (t) => {
  const client = createClient(issuer, verifierWith())
  const verdict = await client.send()
  if (verdict.kind !== 'accepted') return t.fail(outcome(verdict))
  const { auth } = verdict
  t.like(auth, {
    scheme: 'DPoP',
    subject: 'alice',
    clientId: 'client',
    jkt: client.key.jkt,
    issuer: issuer.issuer,
    cached: false,
  })
  t.deepEqual([...auth.scopes], ['read', 'write'])
  t.is(auth.token, client.token)
  t.false(JSON.stringify(auth).includes(client.token))
  t.true(Math.abs(auth.proof?.age ?? 99) < 2)
})

test('mixed mode: an unbound token with Bearer passes; a bound one, or a stray proof, does not', async (t) => {
  const client = createClient(issuer, verifierWith({ mode: 'mixed' }))
  const token = issuer.mintToken(undefined)
  t.is(outcome(await client.send({ scheme: 'Bearer', token, proof: undefined })), 'accepted')
  t.is(outcome(await client.send({ scheme: 'Bearer', token })), 'invalid_request')
  t.is(outcome(await client.send({ scheme: 'Bearer', proof: undefined })), 'invalid_token')
  t.is(outcome(await client.send({ scheme: 'Bearer' })), 'invalid_token')
  t.is(outcome(await client.send({ token })), 'invalid_token')
  t.is(outcome(await client.send()), 'accepted')
  const forged = issuer.mintToken(undefined, { claims: { cnf: {} } })
  t.is(outcome(await client.send({ scheme: 'Bearer', token: forged, proof: undefined })), 'invalid_token')
})

test('mixed mode: the Bearer challenge comes first, then DPoP', async (t) => {
  const verifier = verifierWith({ mode: 'mixed', challenge: { resourceMetadata: false, realm: 'orders' } })
  const verdict = await verifier.verify({
    method: 'GET',
    target: '/',
    rawHeaders: ['Host', 'x'],
    peer: undefined,
  })
  t.is(headerOf(verdict, 'WWW-Authenticate'), 'Bearer realm="orders" | DPoP algs="ES256 EdDSA PS256", realm="orders"')
})

test('bearer mode takes no DPoP', async (t) => {
  const client = createClient(issuer, verifierWith({ mode: 'bearer' }))
  t.is(outcome(await client.send()), 'invalid_token')
  t.is(
    outcome(await client.send({ scheme: 'Bearer', token: issuer.mintToken(undefined), proof: undefined })),
    'accepted',
  )
})

test('any-bound mode: a certificate-bound token needs its certificate (RFC 8705 §3)', async (t) => {
  const { createHash } = await import('node:crypto')
  const certificate = Buffer.from('certificate')
  const x5t = createHash('sha256').update(certificate).digest('base64url')
  const verifier = verifierWith({ mode: 'any-bound' })
  const client = createClient(issuer, verifier)
  const token = issuer.mintToken(undefined, { claims: { cnf: { 'x5t#S256': x5t } } })
  const request = client.request({ scheme: 'Bearer', token, proof: undefined })
  const shown = (bytes: Buffer | undefined) =>
    Promise.resolve(verifier.verify({ ...request, clientCertificate: () => bytes }))
  t.is(outcome(await shown(certificate)), 'accepted')
  t.is(outcome(await shown(undefined)), 'invalid_token')
  t.is(outcome(await shown(Buffer.from('other'))), 'invalid_token')
  t.is(
    outcome(await client.send({ scheme: 'Bearer', token: issuer.mintToken(undefined), proof: undefined })),
    'invalid_token',
  )
  const both = issuer.mintToken(client.key.jkt, { claims: { cnf: { jkt: client.key.jkt, 'x5t#S256': x5t } } })
  const proven = client.request({ token: both })
  t.is(outcome(await Promise.resolve(verifier.verify({ ...proven, clientCertificate: () => certificate }))), 'accepted')
})

test('several issuers: a token of one, signed with the key of another under its key id, is refused', async (t) => {
  const other = await startTestIssuer({ audience: publicUrl })
  const verifier = verifierWith({
    issuer: [
      trusted,
      { issuer: other.issuer, audience: 'https://only.example', jwks: { keys: [other.key.publicJwk] } },
    ],
  })
  const client = createClient(issuer, verifier)
  t.is(outcome(await client.send()), 'accepted')
  const crossed = issuer.mintToken(client.key.jkt, { key: other.key, header: { kid: issuer.key.publicJwk.kid } })
  t.is(outcome(await client.send({ token: crossed })), 'invalid_token')
  const foreignKid = issuer.mintToken(client.key.jkt, { key: other.key })
  t.is(outcome(await client.send({ token: foreignKid })), 'invalid_token')
  t.is(outcome(await client.send({ token: other.mintToken(client.key.jkt) })), 'invalid_token')
  const own = other.mintToken(client.key.jkt, { claims: { aud: 'https://only.example' } })
  t.is(outcome(await client.send({ token: own })), 'accepted')
  await other.close()
})

test('scopes are compared whole, as text or as a list', async (t) => {
  const client = createClient(issuer, verifierWith({ scopes: ['read'] }))
  for (const [scope, expected] of [
    ['read', 'accepted'],
    ['write read', 'accepted'],
    [['read'], 'accepted'],
    ['read:all', 'insufficient_scope'],
    ['READ', 'insufficient_scope'],
    ['', 'insufficient_scope'],
    [undefined, 'insufficient_scope'],
    [{ read: true }, 'insufficient_scope'],
    ['read read', 'accepted'],
  ] as const)
    t.is(
      outcome(await client.send({ token: issuer.mintToken(client.key.jkt, { claims: { scope } }) })),
      expected,
      String(scope),
    )
  const refusal = await client.send({ token: issuer.mintToken(client.key.jkt, { claims: { scope: 'x' } }) })
  t.is(
    headerOf(refusal, 'WWW-Authenticate')?.replace(/, resource.*/, ''),
    'DPoP error="insufficient_scope", scope="read", algs="ES256 EdDSA PS256"',
  )
})

test('a refused scope burns no jti', async (t) => {
  const client = createClient(issuer, verifierWith())
  const verifier = verifierWith()
  const request = client.request()
  t.is(outcome(await verifier.verify(request, { scopes: ['admin'] })), 'insufficient_scope')
  t.is(outcome(await verifier.verify(request, { scopes: ['read'] })), 'accepted')
})

test('step-up: acr and the age of the sign-in (RFC 9470), authorization details (RFC 9396)', async (t) => {
  const verifier = verifierWith()
  const client = createClient(issuer, verifier)
  const now = Math.floor(issuer.clock.now())
  const details = [{ type: 'payment', currency: 'EUR', amount: 5 }, { type: 'account' }]
  const token = issuer.mintToken(client.key.jkt, {
    claims: { acr: 'gold', auth_time: now - 100, authorization_details: details },
  })
  const send = async (requirements: object) => verifier.verify(client.request({ token }), requirements)
  t.is(outcome(await send({ acr: ['silver', 'gold'] })), 'accepted')
  t.is(outcome(await send({ maxAge: 200 })), 'accepted')
  t.is(outcome(await send({ authorizationDetails: { type: 'payment', currency: 'EUR' } })), 'accepted')
  t.is(outcome(await send({ authorizationDetails: { type: 'payment', currency: 'USD' } })), 'insufficient_scope')
  t.is(outcome(await send({ authorizationDetails: (d: { amount?: unknown }) => d.amount === 5 })), 'accepted')
  const weak = await send({ acr: ['platinum'] })
  t.regex(
    headerOf(weak, 'WWW-Authenticate') ?? '',
    /^DPoP error="insufficient_user_authentication".*acr_values="platinum"/,
  )
  const old = await send({ maxAge: 50 })
  t.regex(headerOf(old, 'WWW-Authenticate') ?? '', /^DPoP error="insufficient_user_authentication".*max_age="50"/)
})

test('a revoked token is refused, known or not', async (t) => {
  const revoked = new Set<unknown>()
  const client = createClient(issuer, verifierWith({ isRevoked: async ({ claims }) => revoked.has(claims.jti) }))
  const verdict = await client.send()
  if (verdict.kind !== 'accepted') return t.fail(outcome(verdict))
  revoked.add(verdict.auth.claims.jti)
  t.is(outcome(await client.send()), 'invalid_token')
})

test('a revocation list that cannot tell is 503 and burns nothing; one that is asked like a promise is waited for', async (t) => {
  const likeAPromise = (revoked: boolean) =>
    Object.defineProperty({}, 'then', { value: (resolve: (value: boolean) => void) => resolve(revoked) })
  const answers: readonly (() => unknown)[] = [
    () => {
      throw new Error('list')
    },
    () => Promise.reject(new Error('list')),
    () => likeAPromise(true),
    () => likeAPromise(false),
  ]
  let asked = 0
  const verifier = verifierWith({ isRevoked: () => answers[asked++]?.() as boolean })
  const request = createClient(issuer, verifier).request()
  const outcomes = []
  for (const _ of answers) outcomes.push(outcome(await verifier.verify(request)))
  t.deepEqual(outcomes, ['temporarily_unavailable', 'temporarily_unavailable', 'invalid_token', 'accepted'])
})

test('an option that throws is a 500 in every framework, and the process goes on', async (t) => {
  const verifier = verifierWith({
    nonce: {
      when() {
        throw new Error('an option of the test')
      },
    },
  })
  const client = createClient(issuer, verifier)
  for (const [name, startApi] of Object.entries(adapters).filter(([one]) => !one.startsWith('fetch'))) {
    const api = await startApi(verifier)
    const { rawHeaders } = client.request()
    const headers = { Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' }
    t.is((await fetch(`${api.origin}/orders`, { headers })).status, 500, name)
    t.is((await fetch(`${api.origin}/orders`)).status, 401, name)
    await api.close()
  }
})

test.serial('a listener that throws does not decide', async (t) => {
  const warnings: Error[] = []
  const hear = (warning: Error): number => warnings.push(warning)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const client = createClient(
    issuer,
    verifierWith({
      onEvent() {
        throw new Error('a listener of the test')
      },
    }),
  )
  t.is(outcome(await client.send()), 'accepted')
  t.is(outcome(await client.send({ proof: 'x' })), 'invalid_dpop_proof')
  await new Promise(setImmediate)
  t.true(warnings.some(({ message }) => message === 'a listener of the test'))
})

test('a proof is good from 60 seconds after its iat to 10 seconds before it, and not a moment longer', async (t) => {
  const now = Math.floor(issuer.clock.now())
  const client = createClient(issuer, verifierWith({ now: () => now }))
  for (const [ahead, expected] of [
    [10, 'accepted'],
    [10.001, 'invalid_dpop_proof'],
    [11, 'invalid_dpop_proof'],
    [-10, 'accepted'],
    [-60, 'accepted'],
    [-60.001, 'invalid_dpop_proof'],
    [-61, 'invalid_dpop_proof'],
  ] as const)
    t.is(outcome(await client.send({ claims: { iat: now + ahead } })), expected, `${ahead} s`)
})

test('what a handler writes into the claims is refused, and not there for the next request', async (t) => {
  const client = createClient(issuer, verifierWith())
  const nested = `${'['.repeat(3_000)}${']'.repeat(3_000)}`
  const token = issuer.mintToken(client.key.jkt, { claims: { roles: ['reader'], nested: JSON.parse(nested) } })
  const verdict = await client.send({ token })
  if (verdict.kind !== 'accepted') return t.fail(outcome(verdict))
  const { claims, header } = verdict.auth
  t.throws(() => (claims.roles as string[]).push('admin'), { instanceOf: TypeError })
  t.throws(() => Object.assign(claims, { sub: 'root' }), { instanceOf: TypeError })
  t.throws(() => Object.assign(header, { kid: 'x' }), { instanceOf: TypeError })
})

test('a token that differs from a known one in its spelling only is another token', async (t) => {
  const client = createClient(issuer, verifierWith())
  t.is(outcome(await client.send()), 'accepted')
  const [head, body, signature = ''] = client.token.split('.')
  for (const token of [`${client.token}=`, altered(client.token), `${head}.${body}.${signature}AAAA`])
    t.is(outcome(await client.send({ token })), 'invalid_token', token.slice(-10))
  t.is(outcome(await client.send()), 'accepted')
})

test('two credentials: the same error in both challenges (RFC 9449 §7.2)', async (t) => {
  const verifier = verifierWith({ challenge: { resourceMetadata: false } })
  const client = createClient(issuer, verifier)
  const challenges = headerOf(await client.send({ headers: ['Authorization', 'Bearer x'] }), 'WWW-Authenticate')
  const [bearer, dpop] = challenges?.split(' | ') ?? []
  t.regex(bearer ?? '', /^Bearer error="invalid_request", error_description="/)
  t.regex(dpop ?? '', /^DPoP error="invalid_request", error_description="[^"]+", algs="ES256 EdDSA PS256"$/)
})

test('a megabyte of proof or token is refused by its length, where the server lets one in', async (t) => {
  const verifier = verifierWith()
  const client = createClient(issuer, verifier)
  const guard = protect(verifier)
  const api = await listening(
    async (request, response) => {
      if (await guard(request, response)) response.end()
    },
    { maxHeaderSize: 4_000_000 },
  )
  t.teardown(() => api.close())
  const megabyte = 'e'.repeat(1_000_000)
  for (const [authorization, proof, error] of [
    [`DPoP ${client.token}`, megabyte, 'invalid_dpop_proof'],
    [`DPoP ${client.token}`, `${megabyte}.${megabyte}.${megabyte}`, 'invalid_dpop_proof'],
    [`DPoP ${megabyte}`, 'a.b.c', 'invalid_token'],
  ] as const) {
    const headers = [
      ['Host', 'api.example'],
      ['Authorization', authorization],
      ['DPoP', proof],
    ] as const
    const { status, headers: answered } = await sendRaw(api.origin, { method: 'GET', target: '/', headers })
    t.is(status, 401)
    t.regex(answered.find(([name]) => name === 'www-authenticate')?.[1] ?? '', new RegExp(`^DPoP error="${error}"`))
  }
})

test('a path that Request has cleaned up is refused where the server hands out the request it was made of', async (t) => {
  const verifier = verifierWith()
  const client = createClient(issuer, verifier)
  const target = '/public/../orders'
  const statusAt = async (name: 'fetch' | 'fetch on Node') => {
    const api = await adapters[name]?.(verifier)
    const { rawHeaders } = client.request({ target, htu: `${publicUrl}/orders` })
    const headers = [
      ['Host', 'api.example'],
      ['Authorization', rawHeaders[3] ?? ''],
      ['DPoP', rawHeaders[5] ?? ''],
    ] as const
    const { status } = await sendRaw(api?.origin ?? '', { method: 'GET', target, headers })
    await api?.close()
    return status
  }
  t.is(await statusAt('fetch on Node'), 400)
  // Here validator and handler are both told `/orders`, so the proof is for what is done.
  t.is(await statusAt('fetch'), 200)
})

for (const [what, url, expected] of [
  ['dot segments, as Deno hands them out', 'http://api.example/public/../orders', 'invalid_request'],
  ['a backslash, as Deno hands it out', 'http://api.example/public\\orders', 'invalid_request'],
  ['no host, as Bun has it where Host is unusable', '/orders', 'accepted'],
  ['a host that is none', 'http://x:99999/orders', 'accepted'],
  ['nothing in it', '', 'invalid_dpop_proof'],
] as const)
  test(`a Request whose URL has ${what}: ${expected}, and no 500`, async (t) => {
    const verifier = verifierWith()
    const { rawHeaders } = createClient(issuer, verifier).request()
    const headers = { Host: 'api.example', Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' }
    const request = Object.defineProperty(new Request('http://api.example/', { headers }), 'url', { value: url })
    const verdict = await verifyRequest(verifier, request)
    t.is(verdict.ok ? 'accepted' : verdict.error?.code, expected)
  })

test('below a prefix of Fastify the outer URL counts', async (t) => {
  const verifier = verifierWith()
  const client = createClient(issuer, verifier)
  const app = Fastify()
  await app.register(
    async (inner) => {
      await inner.register(forFastify.protect(verifier))
      inner.get('/open', async (request) => ({ subject: request.auth?.subject }))
    },
    { prefix: '/orders' },
  )
  app.get('/public', async () => 'open to all')
  t.teardown(() => app.close())
  const { rawHeaders } = client.request({ target: '/orders/open' })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = { Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' }
  t.deepEqual(await (await fetch(`${origin}/orders/open`, { headers })).json(), { subject: 'alice' })
  t.is((await fetch(`${origin}/orders/open`)).status, 401)
  t.is(await (await fetch(`${origin}/public`)).text(), 'open to all')
})

test('several public URLs, prefixes that a proxy takes off, and an absolute target (RFC 9112 §3.2.2)', async (t) => {
  const client = createClient(
    issuer,
    verifierWith({ publicUrl: ['https://api.example/v1', 'https://xn--bcher-kva.example'] }),
  )
  t.is(outcome(await client.send({ htu: 'https://api.example/v1/orders' })), 'accepted')
  t.is(outcome(await client.send({ htu: 'https://XN--BCHER-KVA.example/orders' })), 'accepted')
  t.is(outcome(await client.send({ htu: 'https://api.example/orders' })), 'invalid_dpop_proof')
  t.is(outcome(await client.send({ htu: 'https://bücher.example/orders' })), 'invalid_dpop_proof')
  const absolute = { target: 'http://api.example/orders', host: 'other.example' }
  t.is(outcome(await client.send({ ...absolute, htu: 'https://api.example/v1/orders' })), 'accepted')
  t.is(outcome(await client.send({ ...absolute, htu: 'https://xn--bcher-kva.example/orders' })), 'invalid_dpop_proof')
})

test('paths count as they are: empty is a slash, encodings in any case, parameters and doubled slashes stay', async (t) => {
  const client = createClient(issuer, verifierWith())
  for (const [target, htu] of [
    ['/', publicUrl],
    ['/?a=b', `${publicUrl}?c=d`],
    ['/a%2fb', `${publicUrl}/a%2Fb`],
    ['/a%2Fb', `${publicUrl}/a%2fb`],
    ['/a;v=1', `${publicUrl}/a;v=1`],
    ['//a', `${publicUrl}//a`],
    ["/!$&'()*+,;=:@-._~[]|^", `${publicUrl}/!$&'()*+,;=:@-._~[]|^`],
  ] as const)
    t.is(outcome(await client.send({ target, htu })), 'accepted', target)
  t.is(outcome(await client.send({ target: '//a', htu: `${publicUrl}/a` })), 'invalid_dpop_proof')
})

test('there is no start without what clients call this API by: its own origin is not the sender’s to say', (t) => {
  for (const none of [undefined, null, [], ''])
    t.throws(
      // @ts-expect-error what a user without types may write
      () => createVerifier({ issuer: trusted, audience: publicUrl, publicUrl: none }),
      { name: 'ConfigurationError', message: /^\/publicUrl(?:\/0)?: is / },
    )
})

for (const [what, sent] of [
  ['Host', { host: 'bad.example' }],
  ['an absolute-form target', { target: 'https://bad.example/orders' }],
  ['an absolute-form target and Host', { target: 'https://bad.example/orders', host: 'bad.example' }],
  [':authority', { headers: [':authority', 'bad.example'] }],
  ['X-Forwarded-Host', { headers: ['X-Forwarded-Host', 'bad.example', 'X-Forwarded-Proto', 'https'] }],
  ['Forwarded', { headers: ['Forwarded', 'host=bad.example;proto=https'] }],
  ['X-Original-Host', { headers: ['X-Original-Host', 'bad.example', 'X-Host', 'bad.example'] }],
] as const)
  test(`a proof made for another host does not pass by ${what}`, async (t) => {
    const client = createClient(issuer, verifierWith())
    t.is(outcome(await client.send({ ...sent, htu: 'https://bad.example/orders' })), 'invalid_dpop_proof')
  })

test('Host may be what a proxy makes of it, but has to be one', async (t) => {
  const client = createClient(issuer, verifierWith())
  for (const host of ['api.example', 'orders.internal:8080', '10.0.0.7:65535', '[::1]:80'])
    t.is(outcome(await client.send({ host })), 'accepted', host)
  for (const host of ['api.example:99999', 'api.example:65536', '[::1]:70000', 'api.example:', 'a b', '', '[::1'])
    t.is(outcome(await client.send({ host })), 'invalid_request', host)
})

test('HTTP/2: :authority has to be one host as well', async (t) => {
  const client = createClient(issuer, verifierWith())
  t.is(outcome(await client.send({ headers: [':authority', 'api.example'] })), 'accepted')
  t.is(outcome(await client.send({ headers: [':authority', 'api.example:99999'] })), 'invalid_request')
})

test('an absolute-form target names one of our names, in any spelling', async (t) => {
  const client = createClient(issuer, verifierWith({ publicUrl: [publicUrl, 'http://orders.example:8080/v1/'] }))
  for (const target of ['https://api.example/orders', 'HTTPS://API.example:443/orders'])
    t.is(outcome(await client.send({ target, htu: `${publicUrl}/orders` })), 'accepted', target)
  const other = { target: 'http://orders.example:8080/orders', htu: 'http://orders.example:8080/v1/orders' }
  t.is(outcome(await client.send(other)), 'accepted')
  t.is(outcome(await client.send({ ...other, htu: `${publicUrl}/orders` })), 'invalid_dpop_proof')
  t.is(outcome(await client.send({ ...other, target: 'http://orders.example/orders' })), 'invalid_dpop_proof')
})

test('one IPv6 address, one port, one host: whatever its spelling', async (t) => {
  const client = createClient(issuer, verifierWith({ publicUrl: 'https://[2001:DB8:0:0:0:0:0:1]' }))
  for (const host of [
    '[2001:db8::1]',
    '[2001:0db8::0001]',
    '[2001:DB8::0.0.0.1]:443',
    '[2001:db8:0::1]:',
    '[2001:db8::1]:0443',
  ])
    t.is(outcome(await client.send({ htu: `https://${host}/orders` })), 'accepted', host)
  for (const host of ['[2001:db8::2]', '[2001:db8::1]:80', '[2001:db8::1', '2001:db8::1', '[2001:db8::1%25eth0]'])
    t.is(outcome(await client.send({ htu: `https://${host}/orders` })), 'invalid_dpop_proof', host)
})

test('with cors a preflight passes, and pages may read the challenge; nothing else passes', async (t) => {
  const verifier = verifierWith({ cors: true })
  const send = async (method: string, ...headers: string[]) =>
    verifier.verify({
      method,
      target: '/orders',
      rawHeaders: ['Host', 'api.example', ...headers],
      peer: undefined,
    })
  const preflight = ['Origin', 'https://spa.example', 'Access-Control-Request-Method', 'GET']
  t.is(outcome(await send('OPTIONS', ...preflight)), 'preflight')
  t.is(outcome(await send('OPTIONS')), 'missing_credentials')
  t.is(outcome(await send('OPTIONS', ...preflight, 'Authorization', 'DPoP x')), 'invalid_dpop_proof')
  const refusal = await send('GET', ...preflight)
  t.is(outcome(refusal), 'missing_credentials')
  t.is(headerOf(refusal, 'Access-Control-Expose-Headers'), 'WWW-Authenticate, DPoP-Nonce')
  t.is(
    outcome(
      await verifierWith().verify({
        method: 'OPTIONS',
        target: '/',
        rawHeaders: ['Host', 'a', ...preflight],
        peer: undefined,
      }),
    ),
    'missing_credentials',
  )
})

test('metadata of this API is public, and challenges name it (RFC 9728)', async (t) => {
  const verifier = verifierWith({ resource: { name: 'Orders', scopes: ['read', 'write'] } })
  const target = '/.well-known/oauth-protected-resource'
  const verdict = await verifier.verify({
    method: 'GET',
    target,
    rawHeaders: ['Host', 'api.example'],
    peer: undefined,
  })
  if (verdict.kind !== 'public') return t.fail(outcome(verdict))
  t.deepEqual(JSON.parse(verdict.answer.body), {
    resource: publicUrl,
    authorization_servers: [issuer.issuer],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'PS256'],
    dpop_bound_access_tokens_required: true,
    scopes_supported: ['read', 'write'],
    resource_name: 'Orders',
    accepted_audiences: [publicUrl],
  })
  t.is(
    outcome(await verifier.verify({ method: 'POST', target, rawHeaders: ['Host', 'a'], peer: undefined })),
    'missing_credentials',
  )
})

for (const [profile, header, claims] of [
  ['keycloak', { typ: 'JWT' }, { typ: 'DPoP', client_id: undefined, azp: 'spa', sid: 'x' }],
  ['auth0', { typ: 'JWT' }, { client_id: undefined, azp: 'spa', jti: undefined }],
  [
    'entra',
    { typ: 'JWT' },
    { client_id: undefined, azp: 'spa', jti: undefined, scope: undefined, scp: 'read', ver: '2.0' },
  ],
] as const) {
  test(`takes the access tokens of ${profile}, and not its ID tokens`, async (t) => {
    const client = createClient(issuer, verifierWith({ profile, scopes: ['read'] }))
    const verdict = await client.send({ token: issuer.mintToken(client.key.jkt, { header, claims }) })
    if (verdict.kind !== 'accepted') return t.fail(outcome(verdict))
    t.is(verdict.auth.clientId, 'spa')
    const idToken = { ...claims, typ: 'ID', nonce: 'n', at_hash: 'x' }
    t.is(
      outcome(await client.send({ token: issuer.mintToken(client.key.jkt, { header, claims: idToken }) })),
      'invalid_token',
    )
    const extras = { ...claims, cnf: { jkt: client.key.jkt, kid: 'k', xms_ksl: 'sw' } }
    t.is(
      outcome(await client.send({ token: issuer.mintToken(client.key.jkt, { header, claims: extras }) })),
      'accepted',
    )
  })
}

test('an encrypted token is opened with our key, and refused without one (RFC 7516)', async (t) => {
  const { CompactEncrypt, importJWK } = await import('jose')
  const own = generateTestKey('PS256')
  const client = createClient(issuer, verifierWith({ token: { decrypt: own.privateJwk } }))
  const { alg, use, ...publicJwk } = own.publicJwk
  const key = await importJWK({ ...publicJwk, kty: 'RSA' }, 'RSA-OAEP-256')
  const encrypted = await new CompactEncrypt(Buffer.from(client.token))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
    .encrypt(key)
  t.is(outcome(await client.send({ token: encrypted })), 'accepted')
  t.is(outcome(await client.send({ token: encrypted })), 'accepted')
  t.is(outcome(await client.send({ token: altered(encrypted) })), 'invalid_token')
  t.is(outcome(await createClient(issuer, verifierWith()).send({ token: encrypted })), 'invalid_token')
})

test('crypto: pool decides the same', async (t) => {
  const client = createClient(issuer, verifierWith({ crypto: 'pool' }))
  t.is(outcome(await client.send()), 'accepted')
  t.is(outcome(await client.send()), 'accepted')
  t.is(outcome(await client.send({ key: issuer.generateKey() })), 'invalid_token')
  const [head, body] = (client.request().rawHeaders.at(-1) ?? '').split('.')
  t.is(
    outcome(await client.send({ proof: `${head}.${body}.${Buffer.alloc(64).toString('base64url')}` })),
    'invalid_dpop_proof',
  )
})

test('events say what happened, without a secret; metrics count it', async (t) => {
  const events: object[] = []
  const verifier = verifierWith({ onEvent: (event) => events.push(event) })
  const client = createClient(issuer, verifier)
  await client.send({ headers: ['X-Request-Id', 'the-call-1'] })
  t.like(
    events.find((event) => 'token' in event),
    { requestId: 'the-call-1' },
  )
  await client.send({
    htu: 'http://api.example/orders',
    headers: ['X-Request-Id', 'the-call-2'],
    peer: '192.0.2.7',
  })
  t.like(
    events.find((event) => 'hint' in event),
    {
      type: 'validator.request.refused',
      claimedRequestId: 'the-call-2',
      address: '192.0.2.x',
      code: 'invalid_dpop_proof',
      check: 'RFC9449-4.3-9',
      beforeCrypto: true,
      hint: 'htu begins with http://, and publicUrl says https://api.example. Write there what clients call this API by',
    },
  )
  t.false(JSON.stringify(events).includes(client.token.split('.')[2] ?? ''))
  const metrics = verifier.metrics()
  t.regex(metrics, /sallyport_validator_accepted_total\{token="new"\} 1/)
  t.regex(
    metrics,
    /sallyport_validator_refused_total\{check="RFC9449-4.3-9",code="invalid_dpop_proof",crypto="before"\} 1/,
  )
  t.regex(metrics, /sallyport_validator_proof_age_seconds_count 1/)
})

test('an id that comes twice, or has no place in a line of a log, is none; a scope that lacks is told with its address', async (t) => {
  const events: object[] = []
  const verifier = verifierWith({ onEvent: (event) => events.push(event) })
  const client = createClient(issuer, verifier)
  await client.send({ headers: ['X-Request-Id', 'one', 'x-request-id', 'two'] })
  const verdict = await client.send({ headers: ['X-Request-Id', 'a\u001b[31m'], peer: '192.0.2.7' })
  t.is(verdict.kind, 'accepted')
  if (verdict.kind === 'accepted') verdict.auth.lacks({ scopes: ['admin'] })
  const [twice, unfit, lacks] = events.filter((event) => !('issuer' in event))
  t.false('requestId' in (twice ?? {}))
  t.false('requestId' in (unfit ?? {}))
  t.like(lacks, { type: 'validator.request.refused', code: 'insufficient_scope', address: '192.0.2.x' })
  t.false('claimedRequestId' in (lacks ?? {}))
})

test('explain shows each check with what was expected and what was there', (t) => {
  const verifier = verifierWith()
  const client = createClient(issuer, verifier)
  t.deepEqual(
    verifier.explain(client.request()).filter(({ holds }) => !holds),
    [],
  )
  const [failed, ...others] = verifier
    .explain(client.request({ htu: 'http://api.example/orders' }))
    .filter(({ holds }) => !holds)
  t.deepEqual(others, [])
  t.like(failed, { check: 'RFC9449-4.3-9', expected: 'https://api.example/orders', got: 'http://api.example/orders' })
})

test('mounted below a path, the outer URL counts: koa-router style, Express routers', async (t) => {
  const verifier = verifierWith()
  const client = createClient(issuer, verifier)
  const outer = express()
  const inner = express.Router()
  inner.use(forExpress.protect(verifier))
  inner.get('/open', (req, res) => void res.json({ subject: req.auth?.subject }))
  outer.use('/orders', inner)
  const koa = new Koa()
  koa.use((ctx, next) => {
    ctx.path = ctx.path.replace('/orders', '')
    return next()
  })
  koa.use(forKoa.protect(verifier))
  koa.use((ctx) => {
    ctx.body = { subject: ctx.state.auth.subject }
  })
  for (const api of [await listening(outer), await listening(koa.callback())]) {
    const { rawHeaders } = client.request({ target: '/orders/open' })
    const headers = { Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' }
    const response = await fetch(`${api.origin}/orders/open`, { headers })
    t.deepEqual(await response.json(), { subject: 'alice' })
    await api.close()
  }
})

test('every adapter refuses a scope with 403, and requireScopes without protect is a mistake', async (t) => {
  const verifier = verifierWith()
  const client = createClient(issuer, verifier)
  for (const [name, startApi] of Object.entries(adapters)) {
    const api = await startApi(verifier)
    for (const path of name === 'fastify' ? ['/scoped', '/configured'] : ['/scoped'])
      for (const [scope, status] of [
        ['admin', 200],
        ['admins', 403],
      ] as const) {
        const token = issuer.mintToken(client.key.jkt, { claims: { scope } })
        const { rawHeaders } = client.request({ target: path, token })
        const response = await fetch(`${api.origin}${path}`, {
          headers: { Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' },
        })
        t.is(response.status, status, `${name} ${path} ${scope}`)
        if (status === 403)
          t.regex(
            response.headers.get('WWW-Authenticate') ?? '',
            /^DPoP error="insufficient_scope", scope="admin", algs="/,
            name,
          )
      }
    await api.close()
  }
  const app = new Koa()
  app.silent = true
  app.use(forKoa.requireScopes('x'))
  const api = await listening(app.callback())
  t.is((await fetch(api.origin)).status, 500)
  t.is((await fetch(api.origin, { method: 'OPTIONS' })).status, 401)
  await api.close()
})

test('a WebSocket upgrade is guarded before it is opened', async (t) => {
  const verifier = verifierWith()
  const guard = protectUpgrade(verifier)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('upgrade', async (request, socket) => {
    const auth = await guard(request, socket)
    if (auth !== undefined) socket.end(`HTTP/1.1 101 Switching Protocols\r\nX-Subject: ${auth.subject}\r\n\r\n`)
  })
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const client = createClient(issuer, verifier)
  const open = (htu: string) => {
    const { rawHeaders } = client.request({ target: '/socket', htu })
    const headers = [
      ['Host', 'api.example'],
      ['Upgrade', 'websocket'],
      ['Authorization', rawHeaders[3] ?? ''],
      ['DPoP', rawHeaders[5] ?? ''],
    ] as const
    return sendUpgrade(origin, '/socket', headers)
  }
  t.regex(await open('https://api.example/socket'), /^HTTP\/1\.1 101 .*X-Subject: alice/s)
  t.regex(await open('wss://api.example/socket'), /^HTTP\/1\.1 101 /)
  t.regex(
    await open('wss://other.example/socket'),
    /^HTTP\/1\.1 401 .*WWW-Authenticate: DPoP error="invalid_dpop_proof"/s,
  )
  server.close()
})

test('a client that goes away while its token is checked harms nobody', async (t) => {
  const slow = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const address = slow.address()
  const port = typeof address === 'object' ? address?.port : 0
  const verifier = verifierWith({
    issuer: { issuer: issuer.issuer, jwksUri: `http://127.0.0.1:${port}/jwks` },
    jwks: { timeout: 0.3 },
  })
  const client = createClient(issuer, verifier)
  for (const [name, startApi] of Object.entries(adapters)) {
    const api = await startApi(verifier)
    const { rawHeaders } = client.request({ target: '/orders' })
    const socket = connect(Number(new URL(api.origin).port), '127.0.0.1')
    socket.write(
      `GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: ${rawHeaders[3]}\r\nDPoP: ${rawHeaders[5]}\r\n\r\n`,
      () => socket.destroy(),
    )
    await once(socket, 'close')
    const headers = [
      ['Host', 'api.example'],
      ['Authorization', rawHeaders[3] ?? ''],
      ['DPoP', rawHeaders[5] ?? ''],
    ] as const
    const response = await sendRaw(api.origin, { method: 'GET', target: '/orders', headers })
    t.is(response.status, 503, name)
    await api.close()
  }
  slow.closeAllConnections()
  slow.close()
})

test('the signature of every algorithm is checked with its own key only', async (t) => {
  for (const algorithm of ['ES256', 'PS256', 'Ed25519'] as const) {
    const own = await startTestIssuer({ audience: publicUrl, algorithm })
    const client = createClient(
      own,
      verifierWith({ issuer: { issuer: own.issuer, jwks: { keys: [own.key.publicJwk] } } }),
      own.generateKey(algorithm),
    )
    t.is(outcome(await client.send()), 'accepted', algorithm)
    const forged = signJws(
      { typ: 'at+jwt', alg: own.key.algorithm, kid: own.key.publicJwk.kid },
      JSON.parse(Buffer.from(client.token.split('.')[1] ?? '', 'base64url').toString()),
      generateTestKey(algorithm),
    )
    t.is(outcome(await client.send({ token: forged })), 'invalid_token', algorithm)
    await own.close()
  }
})

function sendUpgrade(origin: string, target: string, headers: readonly (readonly [string, string])[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () =>
      socket.write(
        `GET ${target} HTTP/1.1\r\nConnection: Upgrade\r\n${headers.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n`,
      ),
    )
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()))
  })
}
