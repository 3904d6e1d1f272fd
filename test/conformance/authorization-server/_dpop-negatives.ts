import { generateKeyPairSync } from 'node:crypto'
import type { KeyPair } from '../_jose.js'
import { compactJws, withBadSignature } from '../_jose.js'
import type { ProofKnobs } from './_credentials.js'

/** One way of making a proof, and what has to come of it. */
export interface ProofCase {
  readonly title: string
  readonly expect: 'accepted' | 'refused'
  readonly knobs: ProofKnobs
  /** Meaningful only where the request carries an access token. */
  readonly needsAccessToken?: true
  /** Not in the suite: forms that a JWT library tends to let through, and tighter times. */
  readonly beyond?: true
  /** Refused for its age, unless the server asks for a nonce first, which then stands for the age (RFC 9449 §11.1). */
  readonly unlessNonce?: true
  readonly headers?: (proof: string, another: () => string) => readonly string[]
}

/**
 * What the suite sends to the resource in `dpop-negative-tests`, in its order, and between them what it does not send.
 * `url` is the URL that is called.
 */
export function proofCases(url: string, mine: KeyPair, stranger: KeyPair, now: () => number): readonly ProofCase[] {
  const refused = (title: string, knobs: ProofKnobs): ProofCase => ({ title, expect: 'refused', knobs })
  const accepted = (title: string, knobs: ProofKnobs): ProofCase => ({ title, expect: 'accepted', knobs })
  const { protocol, host, port, pathname } = new URL(url)
  const rsa = mine.algorithm === 'PS256' ? mine.privateKey : undefined
  const rs256 = rsa ?? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const rs256Jwk = { kty: 'RSA', ...publicRsa(rs256) }
  const otherHost = `${protocol}//other.example${pathname}`

  return [
    { ...accepted('header name in capitals', {}), headers: (proof) => ['DPOP', proof] },
    { ...refused('two proofs', {}), headers: (proof, another) => ['dpop', proof, 'dpop', another()] },
    {
      ...refused('two proofs in one header', {}),
      headers: (proof, another) => ['dpop', `${proof}, ${another()}`],
      beyond: true,
    },
    refused('not a JWT', { spoil: (proof) => proof.split('.').slice(0, 2).join('.') }),
    { ...refused('not base64url', { spoil: (proof) => `!${proof}` }), beyond: true },
    { ...refused('an empty header', { spoil: () => '' }), beyond: true },
    refused('typ missing', { header: { typ: undefined } }),
    refused('alg missing', { header: { alg: undefined } }),
    refused('jwk missing', { header: { jwk: undefined } }),
    refused('jti missing', { claims: { jti: undefined } }),
    refused('htm missing', { claims: { htm: undefined } }),
    refused('htu missing', { claims: { htu: undefined } }),
    refused('iat missing', { claims: { iat: undefined } }),
    { ...refused('ath missing', { claims: { ath: undefined } }), needsAccessToken: true },
    refused('typ is JWT', { header: { typ: 'JWT' } }),
    { ...refused('typ is an array', { header: { typ: ['dpop+jwt'] } }), beyond: true },
    refused('RS256', {
      spoil: (proof) => {
        const claims: unknown = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString())
        return compactJws({ typ: 'dpop+jwt', alg: 'RS256', jwk: rs256Jwk }, claims as object as Claims, rs256, 'RS256')
      },
    }),
    refused('alg none', { header: { alg: 'none' }, algorithm: 'none' }),
    { ...refused('HS256', { header: { alg: 'HS256' } }), beyond: true },
    refused('the signature does not hold', { spoil: withBadSignature }),
    {
      ...refused('the signature is missing', { spoil: (proof) => `${proof.split('.').slice(0, 2).join('.')}.` }),
      beyond: true,
    },
    refused('jwk holds the private key', { header: { jwk: mine.privateJwk } }),
    { ...refused('jwk is a symmetric key', { header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }), beyond: true },
    { ...refused('a critical header parameter', { header: { crit: ['unknown'], unknown: true } }), beyond: true },
    refused('htm is PUT', { claims: { htm: 'PUT' } }),
    refused('htu of another path', { claims: { htu: `${protocol}//${host}${pathname}/other` } }),
    { ...refused('htu of another host', { claims: { htu: otherHost } }), beyond: true },
    { ...refused('htu of another scheme', { claims: { htu: `http://${host}${pathname}` } }), beyond: true },
    {
      ...refused('htu with the path in capitals', { claims: { htu: `${protocol}//${host}${pathname.toUpperCase()}` } }),
      beyond: true,
    },
    {
      ...refused('htu with user information', { claims: { htu: `${protocol}//${host}@${host}${pathname}` } }),
      beyond: true,
    },
    accepted('htu with query and fragment', { claims: { htu: `${url}?query=1#fragment` } }),
    { ...refused('iat an hour ahead', { claims: { iat: now() + 3600 } }), unlessNonce: true },
    { ...refused('iat more than a minute ahead', { claims: { iat: now() + 62 } }), unlessNonce: true, beyond: true },
    { ...refused('iat an hour ago', { claims: { iat: now() - 3600 } }), unlessNonce: true },
    { ...refused('iat is a string', { claims: { iat: String(now()) } }), beyond: true },
    { ...refused('jti is empty', { claims: { jti: '' } }), beyond: true },
    { ...refused('ath of another token', { claims: { ath: 'A'.repeat(43) } }), needsAccessToken: true },
    accepted('unknown header parameters and claims', {
      header: { extra: 'header' },
      claims: { extra: 'claim', sub: 'someone' },
    }),
    accepted('htu with scheme and host in capitals', {
      claims: { htu: `${protocol.toUpperCase()}//${host.toUpperCase()}${pathname}` },
    }),
    // Only where the port is the scheme's own can it be left out.
    ...(port === ''
      ? [accepted('htu with the default port', { claims: { htu: `${protocol}//${host}:443${pathname}` } })]
      : []),
    { ...refused('another key', { key: stranger }), needsAccessToken: true },
  ]
}

type Claims = Readonly<Record<string, unknown>>

function publicRsa(key: ReturnType<typeof generateKeyPairSync>['privateKey']): { n: string; e: string } {
  const { n = '', e = '' } = key.export({ format: 'jwk' })
  return { n, e }
}
