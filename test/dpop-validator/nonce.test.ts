import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createNonces } from '../../src/dpop/nonce.js'
import { createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import { createTestClock, startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { altered } from '../_altered.js'
import { adapters } from './_apis.js'
import { createClient, headerOf, outcome, publicUrl } from './_requests.js'

const issuer = await startTestIssuer({ audience: publicUrl })
/** With its keys at hand: what is tested here is not how they are fetched. */
const trusted = { issuer: issuer.issuer, jwks: { keys: [issuer.key.publicJwk] } }
test.after.always(() => issuer.close())

function verifierWith(nonce: NonNullable<VerifierOptions['nonce']>, more: Partial<VerifierOptions> = {}) {
  return createVerifier({ issuer: trusted, audience: publicUrl, publicUrl, nonce, ...more })
}

test('a proof without a nonce gets one, and is let through with it (RFC 9449 §9)', async (t) => {
  // A clock that stands: no new nonce begins in the middle of the test.
  const clock = createTestClock()
  const own = await startTestIssuer({ audience: publicUrl, clock })
  t.teardown(() => own.close())
  const issuerOptions = { issuer: own.issuer, jwks: { keys: [own.key.publicJwk] } }
  const client = createClient(own, verifierWith(true, { issuer: issuerOptions, now: clock.now }))
  const challenge = await client.send()
  t.is(outcome(challenge), 'use_dpop_nonce')
  t.regex(headerOf(challenge, 'WWW-Authenticate') ?? '', /^DPoP error="use_dpop_nonce", error_description=".*", algs="/)
  t.is(headerOf(challenge, 'Cache-Control'), 'no-store')
  const nonce = headerOf(challenge, 'DPoP-Nonce') ?? ''
  t.is(outcome(await client.send({ nonce })), 'accepted')
  t.is(outcome(await client.send({ nonce })), 'accepted')
  t.is(headerOf(await client.send({ nonce }), 'DPoP-Nonce'), undefined)
})

test('where the proof is missing the nonce comes along at once', async (t) => {
  const client = createClient(issuer, verifierWith(true))
  const refusal = await client.send({ proof: undefined })
  t.is(outcome(refusal), 'invalid_dpop_proof')
  t.is(outcome(await client.send({ nonce: headerOf(refusal, 'DPoP-Nonce') ?? '' })), 'accepted')
})

test('a nonce that is tampered with, cut or made up is none', async (t) => {
  const client = createClient(issuer, verifierWith(true))
  const nonce = headerOf(await client.send(), 'DPoP-Nonce') ?? ''
  for (const wrong of [
    altered(nonce),
    nonce.slice(0, -4),
    `${nonce}A`,
    '',
    'x',
    nonce.toLowerCase(),
    'A'.repeat(5_000),
  ])
    t.is(outcome(await client.send({ nonce: wrong })), 'use_dpop_nonce')
})

test('a nonce is good for the key that it was issued to', async (t) => {
  const verifier = verifierWith(true)
  const [alice, mallory] = [createClient(issuer, verifier), createClient(issuer, verifier)]
  const nonce = headerOf(await alice.send(), 'DPoP-Nonce') ?? ''
  t.is(outcome(await mallory.send({ nonce })), 'use_dpop_nonce')
  t.is(outcome(await alice.send({ nonce })), 'accepted')
})

test('a nonce of another process is none, so one process remembers for all', async (t) => {
  const [here, there] = [verifierWith(true), verifierWith(true)]
  const client = createClient(issuer, here)
  const nonce = headerOf(await client.send(), 'DPoP-Nonce') ?? ''
  const request = client.request({ nonce })
  t.is(outcome(await here.verify(request)), 'accepted')
  t.is(outcome(await there.verify(request)), 'use_dpop_nonce')
})

test("an authorization server's nonce with the same secret is none", async (t) => {
  const secret = randomBytes(32)
  const client = createClient(issuer, verifierWith({ secret }))
  const nonces = createNonces({ secret })
  t.is(outcome(await client.send({ nonce: nonces.issue() })), 'use_dpop_nonce')
  t.is(outcome(await client.send({ nonce: nonces.issue(client.key.jkt) })), 'use_dpop_nonce')
})

test('a nonce lives for its time step and the next, and one from a clock a step ahead is good', async (t) => {
  const clock = createTestClock()
  const own = await startTestIssuer({ audience: publicUrl, clock })
  const secret = randomBytes(32)
  const options = {
    issuer: { issuer: own.issuer, jwks: { keys: [own.key.publicJwk] } },
    audience: publicUrl,
    publicUrl,
    nonce: { secret },
  } as const
  const client = createClient(own, createVerifier({ ...options, now: clock.now }))
  const nonce = headerOf(await client.send(), 'DPoP-Nonce') ?? ''
  const later = createClient(own, createVerifier({ ...options, now: () => clock.now() + 60 }), client.key)
  const ahead = headerOf(await later.send({ claims: { iat: clock.now() + 60 } }), 'DPoP-Nonce') ?? ''
  t.is(outcome(await client.send({ nonce: ahead })), 'accepted')
  clock.advance(60)
  t.is(outcome(await client.send({ nonce })), 'accepted')
  t.is(headerOf(await client.send({ nonce }), 'DPoP-Nonce')?.length, nonce.length)
  clock.advance(60)
  t.is(outcome(await client.send({ nonce })), 'use_dpop_nonce')
  await own.close()
})

test('after a change of the secret the old nonces are good until they expire', async (t) => {
  const [old, current] = [randomBytes(32), randomBytes(32)]
  const before = createClient(issuer, verifierWith({ secret: old }))
  const nonce = headerOf(await before.send(), 'DPoP-Nonce') ?? ''
  const after = createClient(issuer, verifierWith({ secret: [current, old] }), before.key)
  t.is(outcome(await after.send({ nonce })), 'accepted')
  const without = createClient(issuer, verifierWith({ secret: current }), before.key)
  t.is(outcome(await without.send({ nonce })), 'use_dpop_nonce')
})

test('suspicious: quiet clients send none, and get one ahead with a good response', async (t) => {
  const client = createClient(issuer, verifierWith({ when: 'suspicious' }))
  const first = await client.send()
  t.is(outcome(first), 'accepted')
  const nonce = headerOf(first, 'DPoP-Nonce') ?? ''
  t.is(outcome(await client.send({ nonce })), 'accepted')
  t.is(outcome(await client.send({ nonce: 'not ours' })), 'accepted')
})

test('suspicious: after a replay the key needs a nonce, and there is no way back (RFC 9449 §11.3)', async (t) => {
  const client = createClient(issuer, verifierWith({ when: 'suspicious' }))
  const request = client.request()
  const verifier = verifierWith({ when: 'suspicious' })
  t.is(outcome(await verifier.verify(request)), 'accepted')
  t.is(outcome(await verifier.verify(request)), 'invalid_dpop_proof')
  const challenge = await verifier.verify(client.request())
  t.is(outcome(challenge), 'use_dpop_nonce')
  const nonce = headerOf(challenge, 'DPoP-Nonce') ?? ''
  t.is(outcome(await verifier.verify(client.request({ nonce }))), 'accepted')
  t.is(outcome(await verifier.verify(client.request())), 'use_dpop_nonce')
})

test('suspicious: a clock that is far off needs a nonce', async (t) => {
  const client = createClient(issuer, verifierWith({ when: 'suspicious' }))
  t.is(outcome(await client.send({ claims: { iat: Date.now() / 1000 - 45 } })), 'use_dpop_nonce')
})

test('a function decides who needs a nonce', async (t) => {
  const verifier = createClient(issuer, verifierWith({ when: ({ age }) => age > 20 }))
  t.is(outcome(await verifier.send()), 'accepted')
  t.is(outcome(await verifier.send({ claims: { iat: Date.now() / 1000 - 30 } })), 'use_dpop_nonce')
  t.is(outcome(await verifier.send()), 'use_dpop_nonce')
})

test('a refused nonce burns no jti', async (t) => {
  const client = createClient(issuer, verifierWith(true))
  const challenge = await client.send({ claims: { jti: 'kept' } })
  const nonce = headerOf(challenge, 'DPoP-Nonce') ?? ''
  t.is(outcome(await client.send({ nonce, claims: { jti: 'kept' } })), 'accepted')
})

const apis = Object.entries(adapters)
test('every adapter hands nonces out, with challenges and ahead', async (t) => {
  for (const [name, startApi] of apis) {
    const api = await startApi(verifierWith({ step: 1000 }))
    const client = createClient(issuer, verifierWith(true))
    const call = (nonce?: string) => {
      const url = `${publicUrl}/orders`
      const proof = issuer.mintProof({
        method: 'GET',
        url,
        key: client.key,
        token: client.token,
        ...(nonce !== undefined && { nonce }),
      })
      return fetch(`${api.origin}/orders`, { headers: { Authorization: `DPoP ${client.token}`, DPoP: proof } })
    }
    const challenge = await call()
    t.is(challenge.status, 401, name)
    t.regex(challenge.headers.get('WWW-Authenticate') ?? '', /^DPoP error="use_dpop_nonce"/, name)
    const nonce = challenge.headers.get('DPoP-Nonce') ?? ''
    t.regex(nonce, /^[\w-]+$/, name)
    t.is((await call(nonce)).status, 200, name)
    await api.close()

    const quiet = await startApi(verifierWith({ when: 'suspicious' }))
    const proof = issuer.mintProof({ method: 'GET', url: `${publicUrl}/x`, key: client.key, token: client.token })
    const ahead = await fetch(`${quiet.origin}/x`, { headers: { Authorization: `DPoP ${client.token}`, DPoP: proof } })
    t.is(ahead.status, 200, name)
    t.regex(ahead.headers.get('DPoP-Nonce') ?? '', /^[\w-]+$/, name)
    await quiet.close()
  }
})
