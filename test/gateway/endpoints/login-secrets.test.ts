import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createProver, deriveProofKey } from '../../../src/dpop/prover.js'
import { createProofVerifier } from '../../../src/dpop/verifier.js'
import { deriveLoginSecrets } from '../../../src/gateway/endpoints/login-secrets.js'
import { aFrontend } from '../_gateway.js'

const options = aFrontend({ publicUrl: new URL('https://app.example'), authority: 'https://as.example' })
const seed = () => randomBytes(32).toString('base64url')

test('one seed gives the same secrets again, another seed others, and no two of them are alike', (t) => {
  const [first, second] = [seed(), seed()]
  t.deepEqual(deriveLoginSecrets(first, options), deriveLoginSecrets(first, options))
  const all = [first, second].flatMap((one) => {
    const { nonce, codeVerifier, proofKey } = deriveLoginSecrets(one, options)
    return [one, nonce, codeVerifier, proofKey?.d]
  })
  t.is(new Set(all).size, 8)
  t.true(
    all.every((one) => /^[\w-]{43}$/.test(one ?? '')),
    'RFC 7636 §4.1 asks for 43 characters at least',
  )
})

test('what is not used is not made', (t) => {
  t.like(deriveLoginSecrets(seed(), { ...options, scopes: ['orders'], dpop: false }), {
    nonce: undefined,
    proofKey: undefined,
  })
})

test('a derived key makes proofs that hold, also at the ends of its range', async (t) => {
  const target = { method: 'POST', url: new URL('https://as.example/token') }
  const verify = createProofVerifier()
  for (const secret of [randomBytes(48), Buffer.alloc(48), Buffer.alloc(48, 0xff)]) {
    const prover = createProver(deriveProofKey(secret))
    t.is(verify(prover.prove(target), target).jkt, prover.thumbprint)
  }
})
