import test from 'ava'
import { createNonces } from '../../src/dpop/nonce.js'
import { createProver, generateProofKey } from '../../src/dpop/prover.js'
import { createProofVerifier } from '../../src/dpop/verifier.js'
import { generateTestKey, mintProof } from '../../src/dpop-validator/testing/test-issuer.js'

const key = generateTestKey()
const url = 'https://as.example/token'
const target = { method: 'POST', url: new URL(url) }
const clock = { now: () => 1_000_000, advance: () => undefined }
const verifyProof = createProofVerifier({ now: clock.now })
const proof = (more: Partial<Parameters<typeof mintProof>[0]> = {}) =>
  mintProof({ method: 'POST', url, key, ...more }, clock)

test('our own proofs hold, at a token endpoint and with an access token', (t) => {
  const prover = createProver(generateProofKey(), () => 1_000_000)
  t.is(verifyProof(prover.prove(target), target).jkt, prover.thumbprint)
  const withToken = { ...target, accessToken: 'token' }
  t.is(verifyProof(prover.prove(withToken), withToken).rememberUntil, 1_000_070)
  t.throws(() => verifyProof(prover.prove(target), withToken), { code: 'invalid_dpop_proof', message: /ath/ })
})

for (const algorithm of ['ES256', 'PS256', 'Ed25519'] as const)
  test(`a proof by ${algorithm} holds where it is accepted only`, (t) => {
    const own = generateTestKey(algorithm)
    t.is(verifyProof(proof({ key: own }), target).jkt, own.jkt)
    const others = (['ES256', 'PS256', 'Ed25519'] as const).filter((name) => name !== algorithm)
    t.throws(() => createProofVerifier({ now: clock.now, algorithms: others })(proof({ key: own }), target), {
      message: /alg/,
    })
  })

for (const [what, made, message] of [
  ['another method', proof({ method: 'GET' }), /htm/],
  ['another URI', proof({ url: 'https://as.example/par' }), /htu/],
  ['61 seconds old', proof({ claims: { iat: 1_000_000 - 61 } }), /too old/],
  ['11 seconds early', proof({ claims: { iat: 1_000_011 } }), /future/],
  ['signed by another key', proof({ signedBy: generateTestKey() }), /signature/],
  ['of a private key', proof({ header: { jwk: key.privateJwk } }), /jwk/],
  ['too long', proof({ claims: { x: 'y'.repeat(9_000) } }), /too long/],
] as const)
  test(`refuses a proof that is ${what}, in words that a header may carry`, (t) => {
    const error = t.throws(() => verifyProof(made, target), {
      name: 'ProtocolError',
      code: 'invalid_dpop_proof',
      message,
    })
    t.regex(error.message, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
  })

test('nonces: good in their step and the next, for their context, under any secret of the list', (t) => {
  let now = 6_000
  const [old, current] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const nonces = createNonces({ secret: old, now: () => now })
  const rotated = createNonces({ secret: [current, old], now: () => now })
  const nonce = nonces.issue('key')
  t.true(nonces.recognise(nonce, 'key'))
  t.false(nonces.recognise(nonce, 'other'))
  t.false(nonces.recognise(nonce))
  t.true(rotated.recognise(nonce, 'key'))
  t.false(createNonces({ secret: current, now: () => now }).recognise(nonce, 'key'))
  now += 60
  t.true(nonces.recognise(nonce, 'key') && nonces.isOutdated(nonce))
  now += 60
  t.false(nonces.recognise(nonce, 'key'))
  for (const odd of ['', 'x', '\u0141', nonce.slice(1), `${nonce}=`, 'A'.repeat(10_000)]) t.false(nonces.recognise(odd))
})
