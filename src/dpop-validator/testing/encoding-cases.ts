import { toDer } from '../../jose/ecdsa.js'
import { type AttackCase, type AttackKit, attackCase, attackCases } from './attack-case.js'
import { segment, signSegments } from './test-issuer.js'

const bad = 'invalid_dpop_proof'

/** Shape and encoding of the proof. */
export const encodingCases: readonly AttackCase[] = [
  ...attackCases('50', 'parts', bad, [1, 2, 4, 5], (kit, parts) => ({
    proof: [...kit.proof().split('.'), 'e30', 'e30'].slice(0, parts).join('.'),
  })),
  attackCase('53', 'a padded signature', bad, (kit) => ({ proof: `${kit.proof()}=` })),
  attackCase('53b', 'a padded header', bad, (kit) => ({ proof: withSegment(kit.proof(), 0, (s) => `${s}==`) })),
  attackCase('54', 'a signature in the other alphabet', bad, (kit) => ({
    proof: otherAlphabet(kit),
  })),
  attackCase('55', 'stray bits at the end of the signature', bad, (kit) => ({
    proof: withSegment(kit.proof(), 2, withStrayBits),
  })),
  attackCase('55b', 'white space in a segment', bad, (kit) => ({
    proof: withSegment(kit.proof(), 1, (s) => `${s.slice(0, 8)} ${s.slice(8)}`),
  })),
  attackCase('57', 'a DER signature', bad, (kit) => ({ proof: withSegment(kit.proof(), 2, derSignature) })),
  ...attackCases('58', 'signature bytes', bad, [1, 63, 65, 66, 128], (kit, length) => ({
    proof: withSegment(kit.proof(), 2, (s) =>
      Buffer.concat([Buffer.from(s, 'base64url'), Buffer.alloc(64)])
        .subarray(0, length)
        .toString('base64url'),
    ),
  })),
  ...attackCases('59', 'a signature of', bad, [0x00, 0xff], (kit, octet) => ({
    proof: withSegment(kit.proof(), 2, () => Buffer.alloc(64, octet).toString('base64url')),
  })),
  attackCase('61', 'an empty signature', bad, (kit) => ({ proof: withSegment(kit.proof(), 2, () => '') })),
  ...attackCases('62', 'the header', bad, ['', '{', '[]', 'null', '"x"', '1', '{}x', '\ufeff{}'], (kit, text) => ({
    proof: kit.rawProof(text, JSON.stringify(kit.goodTexts().payload)),
  })),
  ...attackCases('63', 'the payload', bad, ['', '[]', 'null', '1', '"x"', 'undefined', '{"a":1,}'], (kit, text) => ({
    proof: kit.rawProof(JSON.stringify(kit.goodTexts().header), text),
  })),
  attackCase('65', 'a payload with a byte order mark', bad, (kit) => {
    const { header, payload } = kit.goodTexts()
    return { proof: kit.rawProof(JSON.stringify(header), `\ufeff${JSON.stringify(payload)}`) }
  }),
  attackCase('65b', 'a payload that is not UTF-8', bad, (kit) => {
    const { header, payload } = kit.goodTexts()
    const bytes = Buffer.concat([
      Buffer.from(`{"x":"`),
      Buffer.from([0xff]),
      Buffer.from(`",${JSON.stringify(payload).slice(1)}`),
    ])
    return { proof: signSegments(segment(JSON.stringify(header)), segment(bytes), kit.key) }
  }),
  ...attackCases('66', 'repeated in the header', bad, ['alg', 'typ', 'jwk', '\\u0061lg'], (kit, name) => {
    const { header, payload } = kit.goodTexts()
    return { proof: kit.rawProof(repeated(header, name), JSON.stringify(payload)) }
  }),
  ...attackCases(
    '66x',
    'repeated in the payload',
    bad,
    ['htm', 'htu', 'ath', 'jti', 'iat', 'h\\u0074m'],
    (kit, name) => {
      const { header, payload } = kit.goodTexts()
      return { proof: kit.rawProof(JSON.stringify(header), repeated(payload, name)) }
    },
  ),
  attackCase('66y', 'repeated in the jwk', bad, (kit) => {
    const { header, payload } = kit.goodTexts()
    const text = JSON.stringify(header).replace('"jwk":{', '"jwk":{"x":"AA",')
    return { proof: kit.rawProof(text, JSON.stringify(payload)) }
  }),
  attackCase('67', 'a member named __proto__', 'accepted', (kit) => {
    const { header, payload } = kit.goodTexts()
    return {
      proof: kit.rawProof(
        `{"__proto__":{"alg":"none","polluted":true},${JSON.stringify(header).slice(1)}`,
        `{"__proto__":{"htm":"X","polluted":true},${JSON.stringify(payload).slice(1)}`,
      ),
    }
  }),
  attackCase('69', 'claims named constructor and toString', 'accepted', (kit) => ({
    proof: kit.proof({ claims: { constructor: 'x', toString: 1, hasOwnProperty: null } }),
  })),
  attackCase('70', 'nesting', bad, (kit) => {
    const { header, payload } = kit.goodTexts()
    const nested = `${'['.repeat(3_000)}${']'.repeat(3_000)}`
    return { proof: kit.rawProof(JSON.stringify(header), `{"x":${nested},${JSON.stringify(payload).slice(1)}`) }
  }),
  attackCase('70b', 'nesting below the size limit, with a space', bad, (kit) => {
    const { header, payload } = kit.goodTexts()
    const nested = `${'['.repeat(1_500)}${']'.repeat(1_500)}`
    return { proof: kit.rawProof(JSON.stringify(header), `{ "x":${nested},${JSON.stringify(payload).slice(1)}`) }
  }),
  attackCase('71', 'very many members', bad, (kit) => ({
    proof: kit.proof({ claims: Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`m${i}`, 1])) }),
  })),
  attackCase('73', 'unknown members', 'accepted', (kit) => ({
    proof: kit.proof({ header: { x: [1, { y: 2 }] }, claims: { z: { y: [null] } } }),
  })),
  attackCase('73b', 'JSON with white space and escapes', 'accepted', (kit) => {
    const { header, payload } = kit.goodTexts()
    return { proof: kit.rawProof(JSON.stringify(header, null, 2), JSON.stringify(payload).replaceAll('/', '\\/')) }
  }),
  ...attackCases('74', 'iat', bad, ['1e400', '-0', '9007199254740993', '-1e400'], (kit, number) => {
    const { header, payload } = kit.goodTexts()
    return {
      proof: kit.rawProof(JSON.stringify(header), JSON.stringify(payload).replace(/"iat":\d+/, `"iat":${number}`)),
    }
  }),
]

function withSegment(proof: string, index: number, change: (segment: string) => string): string {
  return proof
    .split('.')
    .map((one, at) => (at === index ? change(one) : one))
    .join('.')
}

function repeated(members: Record<string, unknown>, name: string): string {
  const plain = JSON.parse(`"${name}"`) as string
  return `{"${name}":${JSON.stringify(members[plain])},${JSON.stringify(members).slice(1)}`
}

/** Signs until the signature has a character in which the two alphabets differ. */
function otherAlphabet(kit: AttackKit): string {
  for (;;) {
    const proof = kit.proof()
    const changed = withSegment(proof, 2, (s) => s.replaceAll('-', '+').replaceAll('_', '/'))
    if (changed !== proof) return changed
  }
}

/** 64 bytes end in four bits that mean nothing, and have to be zero. */
function withStrayBits(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return `${signature.slice(0, -1)}${alphabet[alphabet.indexOf(signature.at(-1) ?? 'A') + 1]}`
}

function derSignature(signature: string): string {
  return toDer(Buffer.from(signature, 'base64url')).toString('base64url')
}
