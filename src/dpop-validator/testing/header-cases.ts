import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { type Jwk, thumbprint } from '../../jose/jwk.js'
import { type AttackCase, type AttackKit, attackCase, attackCases, type RequestParts } from './attack-case.js'
import { generateTestKey, segment, signJws } from './test-issuer.js'

const bad = 'invalid_dpop_proof'

interface ForeignKey {
  readonly label: string
  readonly alg: string
  readonly make: () => { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  readonly signature: (data: Buffer, key: KeyObject) => Buffer
}

const p1363 = (digest: string) => (data: Buffer, key: KeyObject) =>
  sign(digest, data, { key, dsaEncoding: 'ieee-p1363' as const })
const pkcs1 = (digest: string) => (data: Buffer, key: KeyObject) => sign(digest, data, { key, padding: 1 })
const curve = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve })
const rsaKeys = new Map<number, ReturnType<ForeignKey['make']>>()
/** Made once: it takes longer than all the other cases together. */
const rsa = (modulusLength: number) => () => {
  const keys = rsaKeys.get(modulusLength) ?? generateKeyPairSync('rsa', { modulusLength })
  rsaKeys.set(modulusLength, keys)
  return keys
}
const pss = (data: Buffer, key: KeyObject) => sign('sha256', data, { key, padding: 6, saltLength: 32 })
const plain = (data: Buffer, key: KeyObject) => sign(null, data, key)

/** Keys and algorithms that FAPI 2.0 does not know, each proof truly signed. */
const foreignKeys: readonly ForeignKey[] = [
  { label: 'RS256', alg: 'RS256', make: rsa(2048), signature: pkcs1('sha256') },
  { label: 'RS512', alg: 'RS512', make: rsa(2048), signature: pkcs1('sha512') },
  { label: 'PS256 with 1024 bits', alg: 'PS256', make: rsa(1024), signature: pss },
  { label: 'ES256 with P-384', alg: 'ES256', make: curve('P-384'), signature: p1363('sha256') },
  { label: 'ES256 with P-521', alg: 'ES256', make: curve('P-521'), signature: p1363('sha256') },
  { label: 'ES256 with secp256k1', alg: 'ES256', make: curve('secp256k1'), signature: p1363('sha256') },
  { label: 'ES384', alg: 'ES384', make: curve('P-384'), signature: p1363('sha384') },
  { label: 'EdDSA with Ed448', alg: 'EdDSA', make: () => generateKeyPairSync('ed448'), signature: plain },
  { label: 'PS256 with an EC key', alg: 'PS256', make: curve('P-256'), signature: p1363('sha256') },
  { label: 'ES256 with an RSA key', alg: 'ES256', make: rsa(2048), signature: pss },
]

/** The JOSE header of the proof. */
export const headerCases: readonly AttackCase[] = [
  ...attackCases(
    '75',
    'typ',
    bad,
    [
      undefined,
      'JWT',
      'at+jwt',
      'dpop+jwt+x',
      'application/',
      'application/application/dpop+jwt',
      'text/dpop+jwt',
      'dpop+jwt;v=1',
      1,
      null,
      ['dpop+jwt'],
    ],
    (kit, typ) => ({
      proof: kit.proof({ header: { typ } }),
    }),
  ),
  // Media types have no case, and `application/` may be left out (RFC 7515 §4.1.9).
  ...attackCases('76', 'typ', 'accepted', ['application/dpop+jwt', 'DPoP+JWT'], (kit, typ) => ({
    proof: kit.proof({ header: { typ } }),
  })),
  ...attackCases(
    '77',
    'alg',
    bad,
    ['none', 'None', 'NONE', '', undefined, 256, null, ['ES256'], 'es256', 'toString', '__proto__'],
    (kit, alg) => ({
      proof: kit.proof({ header: { alg } }),
    }),
  ),
  attackCase('77x', 'alg none without a signature', bad, (kit) => ({
    proof: `${kit
      .proof({ header: { alg: 'none' } })
      .split('.')
      .slice(0, 2)
      .join('.')}.`,
  })),
  attackCase('78', 'HS256 keyed with the text of the jwk', bad, (kit) => {
    const { header, payload } = kit.goodTexts()
    const signed = `${segment(JSON.stringify({ ...header, alg: 'HS256' }))}.${segment(JSON.stringify(payload))}`
    const mac = createHmac('sha256', JSON.stringify(header.jwk)).update(signed).digest('base64url')
    return { proof: `${signed}.${mac}` }
  }),
  attackCase('78b', 'HS256 with a symmetric jwk', bad, (kit) => ({
    proof: kit.proof({ header: { alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } } }),
  })),
  ...foreignKeys.map((foreign, index) =>
    attackCase(`79${String.fromCharCode(97 + index)}`, foreign.label, bad, (kit) => foreignProof(kit, foreign)),
  ),
  attackCase('82', 'EdDSA with an X25519 key', bad, (kit) => ({
    proof: kit.proof({
      header: { alg: 'EdDSA', jwk: generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }) },
    }),
  })),
  ...attackCases('83', 'an Ed25519 key with alg', 'accepted', ['EdDSA', 'Ed25519'], (kit, alg) =>
    withOwnKey(kit, 'Ed25519', alg),
  ),
  attackCase('83x', 'a PS256 key', 'accepted', (kit) => withOwnKey(kit, 'PS256', 'PS256')),
  ...attackCases('85', 'jwk', bad, [undefined, null, 'x', [], {}, 1, true], (kit, jwk) => ({
    proof: kit.proof({ header: { jwk } }),
  })),
  attackCase('86', 'a private jwk', bad, (kit) => {
    const { kty, crv, x, y, d } = kit.key.privateJwk
    return { proof: kit.proof({ header: { jwk: { kty, crv, x, y, d } } }) }
  }),
  ...attackCases('87', 'a jwk with the member', bad, ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'], (kit, member) =>
    withJwk(kit, { [member]: 'AA' }),
  ),
  attackCase('89', 'a jwk of type oct', bad, (kit) => ({ proof: kit.proof({ header: { jwk: { kty: 'oct' } } }) })),
  attackCase('90', 'a jwk with further members', 'accepted', (kit) =>
    withJwk(kit, { kid: 'k', use: 'sig', alg: 'ES256', ext: true, key_ops: ['verify'], x5c: ['AA=='] }),
  ),
  ...attackCases(
    '91',
    'a jwk for something else',
    bad,
    [{ use: 'enc' }, { key_ops: ['sign'] }, { key_ops: 'verify' }, { alg: 'ES384' }, { crv: 'P-384' }, { kty: 'RSA' }],
    withJwk,
  ),
  ...attackCases(
    '93',
    'a point that is none',
    bad,
    [{ y: undefined }, { x: undefined }, { y: 'A'.repeat(43) }, { x: 'A'.repeat(43) }, { x: 1 }, { x: null }],
    withJwk,
  ),
  ...attackCases('94', 'a coordinate', bad, [leadingZero, oneShort, padded, strayBits], (kit, change) =>
    withJwk(kit, { x: change(kit.key.publicJwk.x ?? '') }),
  ),
  ...attackCases('95', 'instead of a jwk', bad, ['kid', 'jku', 'x5u', 'x5c'], (kit, name) => ({
    proof: kit.proof({ header: { jwk: undefined, [name]: name === 'x5c' ? ['AA=='] : `${kit.issuer.issuer}/jwks` } }),
  })),
  ...attackCases(
    '97',
    'critical',
    bad,
    [{ crit: ['foo'], foo: 1 }, { crit: [] }, { crit: ['b64'], b64: false }, { crit: 'x' }, { b64: false }],
    (kit, header) => ({
      proof: kit.proof({ header }),
    }),
  ),
  ...attackCases(
    '98',
    'control characters in',
    bad,
    [
      { alg: 'ES256\n' },
      { alg: 'x\r\nSet-Cookie: a=b' },
      { crit: ['\r\nX: y'] },
      { alg: '\u2028' },
      { typ: 'dpop+jwt\u0000' },
    ],
    (kit, header) => ({
      proof: kit.proof({ header }),
    }),
  ),
  attackCase('99', 'cty', 'accepted', (kit) => ({ proof: kit.proof({ header: { cty: 'JWT' } }) })),
  attackCase('99b', 'zip', bad, (kit) => ({ proof: kit.proof({ header: { zip: 'DEF' } }) })),
  attackCase('101', 'signed with another key', bad, (kit) => ({ proof: kit.proof({ signedBy: kit.otherKey }) })),
  attackCase('101b', 'the signature of another proof', bad, (kit) => ({
    proof: [...kit.proof().split('.').slice(0, 2), kit.proof().split('.')[2]].join('.'),
  })),
]

function withJwk(kit: AttackKit, members: Readonly<Record<string, unknown>>): RequestParts {
  const { header } = kit.goodTexts()
  const jwk: Jwk = { ...(header.jwk as Jwk), ...members }
  // Bound to just this key, as far as one can be to what is no key: nothing but the key is wrong.
  const token = jwk.kty === 'EC' ? kit.mintToken({ claims: { cnf: { jkt: thumbprint(jwk) } } }) : kit.token
  return { token, proof: kit.proof({ token, header: { jwk } }) }
}

function withOwnKey(kit: AttackKit, algorithm: 'Ed25519' | 'PS256', alg: string): RequestParts {
  const key = generateTestKey(algorithm)
  const token = kit.mintToken({ claims: { cnf: { jkt: key.jkt } } })
  return { token, proof: kit.proof({ key, token, header: { alg } }) }
}

function foreignProof(kit: AttackKit, { alg, make, signature }: ForeignKey): RequestParts {
  const { privateKey, publicKey } = make()
  const { header, payload } = kit.goodTexts()
  const jwk = publicKey.export({ format: 'jwk' })
  const signed = signJws({ ...header, alg, jwk }, payload, kit.key)
    .split('.')
    .slice(0, 2)
    .join('.')
  return { proof: `${signed}.${signature(Buffer.from(signed), privateKey).toString('base64url')}` }
}

function leadingZero(x: string): string {
  return Buffer.concat([Buffer.alloc(1), Buffer.from(x, 'base64url')]).toString('base64url')
}

function oneShort(x: string): string {
  return Buffer.from(x, 'base64url').subarray(0, 31).toString('base64url')
}

function padded(x: string): string {
  return `${x}=`
}

function strayBits(x: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return `${x.slice(0, -1)}${alphabet[alphabet.indexOf(x.at(-1) ?? 'A') + 1]}`
}
