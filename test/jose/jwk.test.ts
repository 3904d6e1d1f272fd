import { generateKeyPairSync, sign, verify } from 'node:crypto'
import test from 'ava'
import { calculateJwkThumbprint } from 'jose'
import {
  generatePrivateJwk,
  generateSigningJwk,
  type Jwk,
  p256PrivateJwk,
  publicHalf,
  signatureAlgorithms,
  signingKey,
  thumbprint,
  verificationKey,
} from '../../src/jose/jwk.js'

for (const algorithm of signatureAlgorithms) {
  test(`makes an ${algorithm} key that it takes back, whose public half holds nothing private`, (t) => {
    const jwk = generateSigningJwk(algorithm)
    const key = signingKey(jwk)
    t.is(key.algorithm, algorithm)
    t.is(key.kid, jwk.kid ?? 'none')
    t.notThrows(() => verificationKey(key.publicJwk))
    t.notThrows(() => verificationKey(publicHalf(jwk)))
    t.is(verificationKey(publicHalf(jwk)).kid, key.kid)
  })

  test(`agrees with jose on the thumbprint of an ${algorithm} key (RFC 7638)`, async (t) => {
    const jwk = generateSigningJwk(algorithm)
    t.is(thumbprint(jwk), await calculateJwkThumbprint({ ...publicHalf(jwk) }))
  })
}

test('an ES256 key has all 32 bytes of its numbers, also where they begin with zeros (RFC 7518 §6.2.2.1)', (t) => {
  const smallest = Buffer.alloc(32)
  smallest[31] = 1
  const keys = [p256PrivateJwk(smallest), ...Array.from({ length: 1500 }, () => generatePrivateJwk('ES256'))]
  const lengths = keys.flatMap(({ d = '', x = '', y = '' }) => [d, x, y].map(({ length }) => length))
  t.deepEqual([...new Set(lengths)], [43])
  t.is(new Set(keys.map(({ d }) => d)).size, keys.length)
  for (const jwk of keys.filter(({ d }) => d?.startsWith('AA'))) {
    const { privateKey, publicJwk } = signingKey(jwk)
    const signature = sign('sha256', Buffer.from('text'), privateKey)
    t.true(verify('sha256', Buffer.from('text'), verificationKey(publicJwk).publicKey, signature))
  }
})

test('takes EdDSA as the older name of Ed25519 (RFC 9864)', (t) => {
  t.is(signingKey({ ...generateSigningJwk('Ed25519'), alg: 'EdDSA' }).algorithm, 'Ed25519')
})

test('names a key without a kid by its thumbprint', (t) => {
  const { kid: _, ...jwk } = generateSigningJwk('ES256')
  t.is(signingKey(jwk).kid, thumbprint(jwk))
})

const refusesToSignWith = test.macro((t, jwk: () => Jwk, message: RegExp) => {
  const error = t.throws(() => signingKey(jwk()), { instanceOf: TypeError, message })
  t.is(error?.cause, undefined)
})
const refusesToVerifyWith = test.macro((t, jwk: () => Jwk, message: RegExp) => {
  t.throws(() => verificationKey(jwk()), { instanceOf: TypeError, message })
})
const exported = (pair: { privateKey: import('node:crypto').KeyObject }): Jwk =>
  pair.privateKey.export({ format: 'jwk' }) as Jwk

test(
  'refuses a public key for signing',
  refusesToSignWith,
  () => publicHalf(generateSigningJwk('ES256')),
  /not a private key/,
)
test(
  'refuses P-384',
  refusesToSignWith,
  () => exported(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
  /not an EC P-256/,
)
test(
  'refuses RSA of 1024 bits (FAPI 2.0 §5.4.1)',
  refusesToSignWith,
  () => exported(generateKeyPairSync('rsa', { modulusLength: 1024 })),
  /less than 2048 bits/,
)
test('refuses RS256', refusesToSignWith, () => ({ ...generateSigningJwk('PS256'), alg: 'RS256' }), /not an EC P-256/)
test(
  'refuses an algorithm that does not fit the key',
  refusesToSignWith,
  () => ({ ...generateSigningJwk('ES256'), alg: 'PS256' }),
  /not an EC P-256/,
)
test(
  'refuses a point that is not on the curve',
  refusesToVerifyWith,
  () => ({ ...publicHalf(generateSigningJwk('ES256')), y: 'A'.repeat(43) }),
  /not a usable key/,
)
test(
  'refuses a private key for verifying',
  refusesToVerifyWith,
  () => generateSigningJwk('ES256'),
  /private member "d"/,
)
test('refuses a symmetric key', refusesToVerifyWith, () => ({ kty: 'oct', k: 'AAAA' }), /private member "k"/)
