import test from 'ava'
import { CompactEncrypt, importJWK } from 'jose'
import { createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import { generateTestKey, startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { json, startFaultyServer } from './_authorization-server.js'
import { createClient, headerOf, outcome, publicUrl } from './_requests.js'

const issuer = await startTestIssuer({ audience: publicUrl })
const trusted = { issuer: issuer.issuer, jwks: { keys: [issuer.key.publicJwk] } }
test.after.always(() => issuer.close())

function setUp(options: Partial<VerifierOptions> = {}) {
  const events: { readonly type: string; readonly hint?: string }[] = []
  const verifier = createVerifier({
    issuer: trusted,
    audience: publicUrl,
    publicUrl,
    now: issuer.clock.now,
    onEvent: (event) => events.push(event),
    ...options,
  })
  const client = createClient(issuer, verifier)
  const tokenWith = (claims: Record<string, unknown>) => issuer.mintToken(client.key.jkt, { claims })
  return { verifier, client, tokenWith, hint: () => events.at(-1)?.hint }
}

const remedy = 'Have clients ask for that one (behind the gateway: Resource of the route), or write the other here'

for (const [aud, received] of [
  ['https://other.example', '"https://other.example"'],
  [['https://a.example', 'https://b.example'], '"https://a.example", "https://b.example"'],
  [`${publicUrl}/`, `"${publicUrl}/"`],
  [undefined, 'absent'],
  [null, 'no text'],
  [7, 'no text'],
  [[], 'none'],
  [{ a: 1 }, 'no text'],
] as const)
  test(`a token for the audience ${JSON.stringify(aud)} is refused with an event that names it and ours`, async (t) => {
    const { client, tokenWith, hint } = setUp()
    t.is(outcome(await client.send({ token: tokenWith({ aud }) })), 'invalid_token')
    t.is(hint(), `aud is ${received}, and audience says "${publicUrl}". ${remedy}`)
  })

test('what a client wrote into aud is cut and cleaned in the event, and not in the answer at all', async (t) => {
  const { client, tokenWith, hint } = setUp()
  const aud = ['a\r\n\u001b[31mb\u2028', 'x'.repeat(5_000), client.token, ...Array.from({ length: 50 }, () => 'more')]
  const verdict = await client.send({ token: tokenWith({ aud }) })
  t.regex(hint() ?? '', /^aud is "a\?\?\?\[31mb\?", "x{100}", "\[token\]", "more", "more" and 48 more, and audience/)
  t.is(outcome(verdict), 'invalid_token')
  t.notRegex(JSON.stringify(verdict.kind === 'refused' && verdict.answer), /31mb|xxx|more/)
})

test('the audience of the issuer that a token is of is the one that is named, as that issuer’s tokens have it', async (t) => {
  const { client, tokenWith, hint } = setUp({ issuer: { ...trusted, audience: ['one', 'two'], profile: 'cognito' } })
  t.is(outcome(await client.send({ token: tokenWith({ aud: undefined, client_id: 'three' }) })), 'invalid_token')
  t.is(hint(), `aud is "three", and audience says "one", "two". ${remedy}`)
})

test('what an encrypted token is for is named as well', async (t) => {
  const own = generateTestKey('PS256')
  const { client, tokenWith, hint } = setUp({ token: { decrypt: own.privateJwk } })
  const { alg, use, ...publicJwk } = own.publicJwk
  const encrypted = await new CompactEncrypt(Buffer.from(tokenWith({ aud: 'https://other.example' })))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
    .encrypt(await importJWK({ ...publicJwk, kty: 'RSA' }, 'RSA-OAEP-256'))
  t.is(outcome(await client.send({ token: encrypted })), 'invalid_token')
  t.is(hint(), `aud is "https://other.example", and audience says "${publicUrl}". ${remedy}`)
})

test('what an introspected token is for, or of, is named as well, also while its refusal is repeated', async (t) => {
  const server = await startFaultyServer([])
  t.teardown(() => server.close())
  const { client, hint } = setUp({
    issuer: { issuer: server.issuer, introspection: { clientId: 'api', clientSecret: 'secret' } },
  })
  const answer = { active: true, aud: 'https://other.example', cnf: { jkt: client.key.jkt }, token_type: 'DPoP' }
  server.paths['/introspect'] = json(answer)
  for (let n = 0; n < 2; n++) {
    t.is(outcome(await client.send({ token: 'opaque' })), 'invalid_token')
    t.is(hint(), `aud is "https://other.example", and audience says "${publicUrl}". ${remedy}`)
  }
  server.paths['/introspect'] = json({ ...answer, aud: publicUrl, iss: 'https://else.example' })
  t.is(outcome(await client.send({ token: 'another' })), 'invalid_token')
  t.regex(hint() ?? '', /^iss is "https:\/\/else\.example", and issuer says "http:/)
})

test('a token of another issuer is refused with an event that names both: a slash is a difference', async (t) => {
  const { client, tokenWith, hint } = setUp()
  t.is(outcome(await client.send({ token: tokenWith({ iss: `${issuer.issuer}/` }) })), 'invalid_token')
  t.is(
    hint(),
    `iss is "${issuer.issuer}/", and issuer says "${issuer.issuer}": they are compared character by character`,
  )
})

const challengeOf = (answer: { readonly headers: Readonly<Record<string, unknown>> } | undefined) =>
  String(answer?.headers['WWW-Authenticate']).replace(/, algs=.*/, '')

test('a 403 names all scopes that the request needs, and its event those that are missing (RFC 6750 §3.1)', async (t) => {
  const { verifier, client, tokenWith, hint } = setUp({ scopes: ['api'] })
  const token = tokenWith({ scope: 'api other' })
  const verdict = await verifier.verify(client.request({ token }), { scopes: ['orders', 'api'] })
  t.is(outcome(verdict), 'insufficient_scope')
  t.regex(headerOf(verdict, 'WWW-Authenticate') ?? '', /^DPoP error="insufficient_scope", scope="api orders", algs/)
  t.is(hint(), 'the scopes "orders" are needed, and the token has "api", "other"')
})

test('a handler that wants more names what the request needed before as well', async (t) => {
  const { verifier, client, tokenWith, hint } = setUp({ scopes: ['api'] })
  const verdict = await verifier.verify(client.request({ token: tokenWith({ scope: 'api orders' }) }), {
    scopes: ['orders'],
  })
  if (verdict.kind !== 'accepted') return t.fail(outcome(verdict))
  t.is(
    challengeOf(verdict.auth.lacks({ scopes: ['admin', 'orders'] })),
    'DPoP error="insufficient_scope", scope="api orders admin"',
  )
  t.is(hint(), 'the scopes "admin" are needed, and the token has "api", "orders"')
  t.is(verdict.auth.lacks({ scopes: ['orders'] }), undefined)
})

test('a token without any scope, and a request that lacks something else than a scope', async (t) => {
  const { verifier, client, tokenWith, hint } = setUp()
  await verifier.verify(client.request({ token: tokenWith({ scope: undefined }) }), { scopes: ['a', 'b'] })
  t.is(hint(), 'the scopes "a", "b" are needed, and the token has none')
  const verdict = await verifier.verify(client.request(), { authorizationDetails: { type: 'payment' } })
  t.regex(headerOf(verdict, 'WWW-Authenticate') ?? '', /^DPoP error="insufficient_scope", algs/, 'no empty scope')
})

test('a step-up is asked for with an event that names what was there and what will do (RFC 9470 §3)', async (t) => {
  const { verifier, client, tokenWith, hint } = setUp()
  const token = tokenWith({ acr: 'silver', auth_time: Math.floor(issuer.clock.now()) - 100 })
  await verifier.verify(client.request({ token }), { acr: ['gold', 'platinum'] })
  t.is(hint(), 'acr is "silver", and "gold", "platinum" will do')
  await verifier.verify(client.request({ token }), { maxAge: 50 })
  t.regex(hint() ?? '', /^the user signed in 10\d seconds ago, and 50 seconds are the most$/)
  await verifier.verify(client.request(), { maxAge: 50 })
  t.is(hint(), 'the user signed in at a time that auth_time does not say, and 50 seconds are the most')
})

test.serial(
  'without a listener the first of each kind is a warning of the process, and the others are not',
  async (t) => {
    const warnings: { readonly code: string | undefined; readonly message: string }[] = []
    const listen = (warning: Error & { readonly code?: string }) =>
      warnings.push({ code: warning.code, message: warning.message })
    process.on('warning', listen)
    t.teardown(() => process.off('warning', listen))
    const verifier = createVerifier({ issuer: trusted, audience: publicUrl, publicUrl, now: issuer.clock.now })
    const client = createClient(issuer, verifier)
    const token = (claims: Record<string, unknown>) => issuer.mintToken(client.key.jkt, { claims })
    for (let n = 0; n < 3; n++) {
      await client.send({ htu: 'http://api.example/orders' })
      await client.send({ token: token({ aud: 'https://other.example' }) })
      await client.send({ token: token({ iss: 'https://else.example' }) })
      await client.send({ key: issuer.generateKey() })
    }
    await new Promise((resolve) => setImmediate(resolve))
    t.deepEqual(
      warnings.map(({ code }) => code),
      ['SALLYPORT_HTU', 'SALLYPORT_AUDIENCE', 'SALLYPORT_ISSUER'],
    )
    t.regex(
      warnings[1]?.message ?? '',
      /^aud is "https:\/\/other\.example", and audience says "https:\/\/api\.example"/,
    )
  },
)
