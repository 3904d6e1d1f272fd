import { createHmac } from 'node:crypto'
import { type AttackCase, type AttackKit, attackCase, attackCases, type RequestParts } from './attack-case.js'
import { type MintedToken, segment, signSegments } from './test-issuer.js'

const bad = 'invalid_token'

/** The access token. */
export const accessTokenCases: readonly AttackCase[] = [
  ...attackCases('169', 'seconds from now, nbf', bad, [3600, 61], (kit, seconds) =>
    claims(kit, { nbf: kit.issuer.clock.now() + seconds }),
  ),
  attackCase('169x', 'nbf as text', bad, (kit) => claims(kit, { nbf: 'x' })),
  ...attackCases('169y', 'seconds from now, exp', bad, [-3600, -10], (kit, seconds) =>
    claims(kit, { exp: Math.floor(kit.issuer.clock.now()) + seconds }),
  ),
  ...attackCases('169z', 'exp', bad, [undefined, 'x', null, '9999999999'], (kit, exp) => claims(kit, { exp })),
  ...attackCases('170', 'iat', bad, [undefined, 'x', null, 9_999_999_999], (kit, iat) => claims(kit, { iat })),
  attackCase('170x', 'iat 8 seconds ahead', 'accepted', (kit) =>
    claims(kit, { iat: Math.floor(kit.issuer.clock.now()) + 8 }),
  ),
  attackCase('171', 'aud as a list with us', 'accepted', (kit) =>
    claims(kit, { aud: ['https://other.example', audOf(kit)] }),
  ),
  ...attackCases('171x', 'aud', bad, [undefined, 'https://other.example', [], ['x'], null, 1, {}], (kit, aud) =>
    claims(kit, { aud }),
  ),
  attackCase('171z', 'aud as a list of us and what is no text', bad, (kit) => claims(kit, { aud: [audOf(kit), true] })),
  attackCase('171y', 'aud with more at its end', bad, (kit) => claims(kit, { aud: `${audOf(kit)}.evil` })),
  ...attackCases('173', 'iss', bad, [undefined, 'https://other.example', ['x'], null, 1, ''], (kit, iss) =>
    claims(kit, { iss }),
  ),
  attackCase('173x', 'iss with a slash more', bad, (kit) => claims(kit, { iss: `${kit.issuer.issuer}/` })),
  attackCase('173y', 'iss in capitals', bad, (kit) => claims(kit, { iss: kit.issuer.issuer.toUpperCase() })),
  ...attackCases('175', 'typ', bad, ['JWT', undefined, 'dpop+jwt', 'id_token', 1, null, 'logout+jwt'], (kit, typ) =>
    header(kit, { typ }),
  ),
  ...attackCases('175x', 'typ', 'accepted', ['at+jwt', 'application/at+jwt', 'AT+JWT'], (kit, typ) =>
    header(kit, { typ }),
  ),
  ...attackCases('177', 'without', bad, ['sub', 'client_id', 'jti'], (kit, name) => claims(kit, { [name]: undefined })),
  ...attackCases('177x', 'sub', bad, ['', 1, ['x'], null], (kit, sub) => claims(kit, { sub })),
  attackCase('178', 'a token that is not bound', bad, (kit) => claims(kit, { cnf: undefined })),
  ...attackCases(
    '179',
    'cnf',
    bad,
    ['x', ['x'], {}, null, 1, true, { jkt: '' }, { jkt: 1 }, { jkt: null }, { jkt: ['x'] }, { jwk: {} }, { kid: 'x' }],
    (kit, cnf) => claims(kit, { cnf }),
  ),
  attackCase('181', 'cnf with a member that we do not know', 'accepted', (kit) =>
    claims(kit, { cnf: { jkt: kit.key.jkt, x: 1 } }),
  ),
  attackCase('182', 'cnf with a certificate that was not shown', bad, (kit) =>
    claims(kit, { cnf: { jkt: kit.key.jkt, 'x5t#S256': 'A'.repeat(43) } }),
  ),
  attackCase('183', 'cnf of another key', bad, (kit) => claims(kit, { cnf: { jkt: kit.otherKey.jkt } })),
  attackCase('183b', 'cnf in another case', bad, (kit) => claims(kit, { cnf: { jkt: swapCase(kit.key.jkt) } })),
  attackCase('183c', "a proof of another key with another user's token", bad, (kit) => ({
    proof: kit.proof({ key: kit.otherKey }),
  })),
  ...attackCases('185', 'alg', bad, ['PS256', 'EdDSA', 'ES384', 'RS256', 'none', '', undefined, 'HS256'], (kit, alg) =>
    header(kit, { alg }),
  ),
  attackCase('185x', 'HS256 keyed with the public key', bad, (kit) => {
    const { publicJwk } = kit.issuer.key
    const [, payload] = kit.token.split('.')
    const signed = `${segment(JSON.stringify({ typ: 'at+jwt', alg: 'HS256', kid: publicJwk.kid }))}.${payload}`
    return withToken(
      kit,
      `${signed}.${createHmac('sha256', JSON.stringify(publicJwk)).update(signed).digest('base64url')}`,
    )
  }),
  attackCase('185y', 'no signature at all', bad, (kit) => {
    const [, payload] = kit.token.split('.')
    return withToken(kit, `${segment('{"typ":"at+jwt","alg":"none"}')}.${payload}.`)
  }),
  attackCase('186', 'a key id that the issuer does not have', bad, (kit) => header(kit, { kid: 'unknown' })),
  ...attackCases('186x', 'kid', bad, [1, null, ['x'], '../../etc/passwd', "' OR 1=1"], (kit, kid) =>
    header(kit, { kid }),
  ),
  attackCase('187', 'no key id', 'accepted', (kit) => header(kit, { kid: undefined })),
  attackCase('188', "signed with another party's key under the issuer's key id", bad, (kit) =>
    minted(kit, { key: kit.otherKey, header: { kid: kit.issuer.key.publicJwk.kid } }),
  ),
  attackCase('189', 'a key in the header', bad, (kit) =>
    minted(kit, { key: kit.otherKey, header: { kid: undefined, jwk: kit.otherKey.publicJwk } }),
  ),
  ...attackCases('189x', 'an address of keys in the header', bad, ['jku', 'x5u'], (kit, name) =>
    minted(kit, { key: kit.otherKey, header: { [name]: `${kit.issuer.issuer}/elsewhere` } }),
  ),
  ...attackCases('190', 'critical', bad, [{ crit: ['x'], x: 1 }, { crit: [] }, { zip: 'DEF' }, { b64: false }], header),
  attackCase('191', 'another payload', bad, (kit) => {
    const [head, , signature] = kit.token.split('.')
    const [, payload] = kit.mintToken({ claims: { sub: 'root' } }).split('.')
    return withToken(kit, [head, payload, signature].join('.'))
  }),
  attackCase('191b', 'the proof as the token', bad, (kit) => withToken(kit, kit.proof())),
  attackCase('191c', 'a repeated claim', bad, (kit) => {
    const [head = '', payload = ''] = kit.token.split('.')
    const text = Buffer.from(payload, 'base64url').toString().replace('{', '{"sub":"root",')
    return withToken(kit, rawToken(kit, head, text))
  }),
  attackCase('191d', 'a signature with stray bits', bad, (kit) =>
    withToken(kit, `${kit.token.slice(0, -1)}${next(kit.token.at(-1))}`),
  ),
  attackCase('191e', 'a padded signature', bad, (kit) => withToken(kit, `${kit.token}==`)),
  ...attackCases(
    '193',
    'an opaque token',
    bad,
    ['x', 'opaque-token', 'a.b', 'a.b.c', 'a.b.c.d.e', '...', 'eyJ.eyJ.x'],
    withToken,
  ),
  ...attackCases('193x', 'a payload of', bad, ['null', '[]', '1', '"x"', ''], (kit, text) =>
    withToken(kit, rawToken(kit, kit.token.split('.')[0] ?? '', text)),
  ),
]

function minted(kit: AttackKit, token: MintedToken): RequestParts {
  return withToken(kit, kit.mintToken(token))
}

function claims(kit: AttackKit, members: Readonly<Record<string, unknown>>): RequestParts {
  return minted(kit, { claims: members })
}

function header(kit: AttackKit, members: Readonly<Record<string, unknown>>): RequestParts {
  return minted(kit, { header: members })
}

/** With the hash of this very token in the proof: only the token is wrong. */
function withToken(kit: AttackKit, token: string): RequestParts {
  return { token, proof: kit.proof({ token }) }
}

function rawToken({ issuer }: AttackKit, head: string, payload: string): string {
  return signSegments(head, segment(payload), issuer.key)
}

function audOf({ token }: AttackKit): unknown {
  return decoded(token.split('.')[1] ?? '').aud
}

function decoded(text: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
}

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()))
}

function next(character = 'A'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) + 1] ?? 'A'
}
