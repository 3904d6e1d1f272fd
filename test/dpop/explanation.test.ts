import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { explainPasted } from '../../src/cli/dpop-explain.js'
import { createProofVerifier } from '../../src/dpop/verifier.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import {
  generateTestKey,
  mintProof,
  startTestIssuer,
  type TestKey,
} from '../../src/dpop-validator/testing/test-issuer.js'

const url = 'https://api.example/o'
const now = Math.floor(Date.now() / 1000)
const clock = { now: () => now, advance: () => undefined }
const issuer = await startTestIssuer({ audience: 'https://api.example', clock })
test.after.always(() => issuer.close())
const verifier = createVerifier({
  issuer: { issuer: issuer.issuer, jwks: { keys: [issuer.key.publicJwk] } },
  audience: 'https://api.example',
  publicUrl: 'https://api.example',
  now: clock.now,
})
const verifyProof = createProofVerifier({ now: clock.now })
const keys = (['ES256', 'PS256', 'Ed25519'] as const).map((algorithm) => generateTestKey(algorithm))
const [key, another] = [keys[0], generateTestKey()] as readonly [TestKey, TestKey]

/** Mostly what is right, so that proofs with one fault, and with none, come up often. */
const mostly = <T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: wrong })
const oneOf = (...values: readonly unknown[]) => fc.constantFrom(...values)

const attempts = fc.record({
  header: fc.record({
    typ: mostly(fc.constantFrom('dpop+jwt', 'DPoP+JWT', 'application/dpop+jwt'), oneOf('JWT', undefined, 1)),
    alg: mostly(fc.constant('ES256'), oneOf('none', 'RS256', 'ES384', undefined, 'EdDSA')),
    crit: mostly(fc.constant(undefined), oneOf(['exp'], [])),
    b64: mostly(fc.constant(undefined), oneOf(true, false)),
    zip: mostly(fc.constant(undefined), oneOf('DEF')),
    jwk: mostly(
      fc.constant(key.publicJwk),
      oneOf(
        undefined,
        {},
        key.privateJwk,
        another.publicJwk,
        { ...key.publicJwk, x: another.publicJwk.x },
        keys[1]?.publicJwk,
      ),
    ),
  }),
  claims: fc.record({
    jti: mostly(fc.constant(true), oneOf(undefined, 7, '', 'long', 'longest')),
    htm: mostly(fc.constant('GET'), oneOf('get', 'POST', undefined)),
    htu: mostly(
      oneOf(url, 'HTTPS://API.example:443/o', `${url}?q=1#f`),
      oneOf('https://api.example/O', 'http://api.example/o', undefined, 7, ['x']),
    ),
    iat: mostly(fc.integer({ min: -60, max: 10 }), oneOf(-61, 11, 'x', undefined)),
    exp: mostly(fc.constant(undefined), oneOf(-10, -9, 5, 'x')),
    nbf: mostly(fc.constant(undefined), oneOf(10, 11, -5, 'x')),
    nonce: mostly(fc.constant(undefined), oneOf('fine', 7)),
    ath: mostly(fc.constant('right'), oneOf('wrong', undefined)),
    padding: mostly(fc.constant(undefined), oneOf('x'.repeat(9_000))),
  }),
  signer: mostly(fc.constant(key), oneOf(another, keys[2])) as fc.Arbitrary<TestKey>,
  broken: mostly(fc.constant(undefined), oneOf('two segments', 'no base64url', 'four segments')),
  bound: mostly(fc.constant(key.jkt), oneOf(another.jkt, undefined)) as fc.Arbitrary<string | undefined>,
})

type Attempt = typeof attempts extends fc.Arbitrary<infer T> ? T : never

function madeOf({ header, claims, signer, broken, bound }: Attempt): {
  readonly proof: string
  readonly token: string
} {
  const { jti, iat, exp, nbf, ath, ...others } = claims
  const at = (value: unknown) => (typeof value === 'number' ? now + value : value)
  const jtis = new Map<unknown, unknown>([
    [true, randomUUID()],
    ['long', randomBytes(128).toString('hex')],
    ['longest', randomBytes(150).toString('hex')],
  ])
  const token = issuer.mintToken(bound)
  const proof = mintProof(
    {
      method: 'GET',
      url,
      key,
      token,
      signedBy: signer,
      header,
      claims: {
        ...others,
        jti: jtis.has(jti) ? jtis.get(jti) : jti,
        iat: at(iat),
        exp: at(exp),
        nbf: at(nbf),
        ...(ath !== 'right' && { ath }),
      },
    },
    clock,
  )
  const [head = '', body = '', signature = ''] = proof.split('.')
  const spellings = new Map<unknown, string>([
    ['two segments', `${head}.${body}`],
    ['no base64url', `${head}=.${body}.${signature}`],
    ['four segments', `${proof}.${signature}`],
  ])
  return { proof: spellings.get(broken) ?? proof, token }
}

/** The key of a proof that the server's verifier accepts. */
function acceptedKey(proof: string, token: string): string | undefined {
  try {
    return verifyProof(proof, { method: 'GET', url: new URL(url), accessToken: token }).jkt
  } catch {
    return undefined
  }
}

const numRuns = 2_000

test('the verdicts of the verifiers, of an explanation and of the command line agree on any proof', async (t) => {
  const seen = { good: 0, bad: 0 }
  await fc.assert(
    fc.asyncProperty(attempts, async (attempt) => {
      const { proof, token } = madeOf(attempt)
      const rawHeaders = ['Host', 'api.example', 'Authorization', `DPoP ${token}`, 'DPoP', proof]
      const request = { method: 'GET', target: '/o', rawHeaders, peer: '127.0.0.1' }
      const isAccepted = (await verifier.verify(request)).kind === 'accepted'
      const explanation = verifier.explain(request)
      const printed: string[] = []
      const isGood = explainPasted({
        method: 'GET',
        url,
        text: `> DPoP: ${proof}\r\n> Authorization: DPoP ${token}\r\n`,
        output: { write: (piece) => printed.push(piece) },
        now: clock.now,
      })
      seen[isAccepted ? 'good' : 'bad']++
      const verdicts = {
        validator: isAccepted,
        explanation: explanation.every(({ holds }) => holds),
        server: attempt.bound !== undefined && acceptedKey(proof, token) === attempt.bound,
        commandLine: isGood,
      }
      const expected = { validator: isAccepted, explanation: isAccepted, server: isAccepted, commandLine: isAccepted }
      t.deepEqual(verdicts, expected, printed.join(''))
    }),
    { numRuns },
  )
  t.true(seen.good > numRuns / 8 && seen.bad > numRuns / 8, JSON.stringify(seen))
})

test('a proof that two fields carry is refused and explained as that', (t) => {
  const proof = mintProof({ method: 'GET', url, key }, clock)
  const printed: string[] = []
  const isGood = explainPasted({
    method: 'GET',
    url,
    text: `DPoP: ${proof}\nDPoP: ${proof}\n`,
    output: { write: (piece) => printed.push(piece) },
    now: clock.now,
  })
  t.false(isGood)
  t.regex(printed.join(''), /^error one DPoP header field +2; expected 1$/m)
})
