import { generateKeyPairSync, sign, verify } from 'node:crypto'
import test from 'ava'
import {
  signatureHolds,
  signatureHoldsInPool,
  signatureKey,
  signatureOf,
  signatureOfInPool,
} from '../../src/jose/algorithm.js'
import { toDer } from '../../src/jose/ecdsa.js'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const [signing, verifying] = [signatureKey('ES256', privateKey), signatureKey('ES256', publicKey)]
const dsaEncoding = 'ieee-p1363'

/** 2,000 of them hold numbers that begin with zeros (one in 256), and ones that would be negative (every second). */
const messages = Array.from({ length: 2_000 }, (_, n) => Buffer.from(`message ${n}`))

test('a signature is what Node.js makes of it, for numbers of every length (RFC 7518 §3.4)', (t) => {
  t.true(
    messages.every((data) => {
      const signature = signatureOf(signing, data)
      return signature.length === 64 && verify('sha256', data, { key: publicKey, dsaEncoding }, signature)
    }),
  )
  t.true(
    messages.every((data) => signatureHolds(verifying, data, sign('sha256', data, { key: privateKey, dsaEncoding }))),
  )
})

for (const [curve, digest] of [
  ['P-384', 'sha384'],
  ['P-521', 'sha512'],
] as const)
  test(`a signature with ${curve} is understood by OpenSSL`, (t) => {
    const pair = generateKeyPairSync('ec', { namedCurve: curve })
    t.true(
      messages
        .slice(0, 600)
        .every((data) =>
          verify(digest, data, pair.publicKey, toDer(sign(digest, data, { key: pair.privateKey, dsaEncoding }))),
        ),
    )
  })

for (const [bytes, der] of [
  ['01 01', '3006 020101 020101'],
  ['00 00', '3006 020100 020100'],
  ['7f 80', '3007 02017f 02020080'],
  ['0001 0080', '3007 020101 02020080'],
  ['ffff 0100', '3009 020300ffff 02020100'],
] as const)
  test(`${bytes} is ${der}: no zeros in front, but for one that says it is not negative (X.690 §8.3)`, (t) => {
    const hex = (text: string): string => text.replaceAll(' ', '')
    t.is(toDer(Buffer.from(hex(bytes), 'hex')).toString('hex'), hex(der))
  })

test('a length that needs two bytes has them', (t) => {
  const der = toDer(Buffer.alloc(132, 0x41))
  t.is(der.subarray(0, 3).toString('hex'), '308188')
  t.is(der.length, 3 + 0x88)
})

test('one signature has one spelling: another length, zeros and other halves do not hold', (t) => {
  const data = Buffer.from('data')
  const signature = signatureOf(signing, data)
  t.true(signatureHolds(verifying, data, signature))
  const zero = Buffer.alloc(1)
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
  for (const other of [
    Buffer.concat([zero, r, zero, s]),
    Buffer.concat([signature, zero]),
    signature.subarray(1),
    Buffer.alloc(0),
    toDer(signature),
    Buffer.alloc(64),
    Buffer.alloc(64, 0xff),
    Buffer.concat([s, r]),
    Buffer.concat([r, Buffer.alloc(32)]),
  ])
    t.false(signatureHolds(verifying, data, other))
})

for (const [algorithm, pair] of [
  ['ES256', { privateKey, publicKey }],
  ['PS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['Ed25519', generateKeyPairSync('ed25519')],
] as const)
  test(`${algorithm}: this thread and the pool make and check the same signatures`, async (t) => {
    const data = Buffer.from('data')
    const [own, other] = [signatureKey(algorithm, pair.privateKey), signatureKey(algorithm, pair.publicKey)]
    for (const signature of [signatureOf(own, data), await signatureOfInPool(own, data)]) {
      t.true(signatureHolds(other, data, signature))
      t.true(await signatureHoldsInPool(other, data, signature))
      t.false(signatureHolds(other, Buffer.from('datum'), signature))
      t.false(await signatureHoldsInPool(other, Buffer.from('datum'), signature))
    }
  })
