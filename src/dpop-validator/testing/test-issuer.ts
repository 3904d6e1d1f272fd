import { createHash, type KeyObject, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { signatureKey, signatureOf } from '../../jose/algorithm.js'
import {
  generateSigningJwk,
  importPrivateKey,
  type Jwk,
  publicHalf,
  type SignatureAlgorithm,
  thumbprint,
} from '../../jose/jwk.js'

/** A clock that tests move. */
export interface TestClock {
  /** Seconds since the epoch: what `createVerifier` takes as `now`. */
  readonly now: () => number
  /** Moves it ahead. */
  advance(seconds: number): void
}

/**
 * Starts at the real time, and follows it, plus what it was advanced by.
 * @example
 * ```ts
 * import { createTestClock } from 'sallyport/dpop-validator/testing'
 *
 * const clock = createTestClock()
 * clock.advance(3600)
 * console.assert(clock.now() > Date.now() / 1000 + 3599)
 * ```
 */
export function createTestClock(): TestClock {
  let ahead = 0
  return {
    now: () => Date.now() / 1000 + ahead,
    advance(seconds) {
      ahead += seconds
    },
  }
}

/** A key pair, in the forms that tests need. */
export interface TestKey {
  /** What it signs with. */
  readonly algorithm: SignatureAlgorithm
  /** With `d`. */
  readonly privateJwk: Jwk
  /** Without. */
  readonly publicJwk: Jwk
  /** For `node:crypto`. */
  readonly privateKey: KeyObject
  /** Its thumbprint (RFC 7638), as in `cnf.jkt`. */
  readonly jkt: string
}

/**
 * Makes a key pair.
 * @param algorithm Default: ES256.
 * @example
 * ```ts
 * import { generateTestKey } from 'sallyport/dpop-validator/testing'
 *
 * console.assert(generateTestKey('PS256').jkt.length === 43)
 * ```
 */
export function generateTestKey(algorithm: SignatureAlgorithm = 'ES256'): TestKey {
  const privateJwk = generateSigningJwk(algorithm)
  return {
    algorithm,
    privateJwk,
    publicJwk: publicHalf(privateJwk),
    privateKey: importPrivateKey(privateJwk),
    jkt: thumbprint(privateJwk),
  }
}

type Members = Readonly<Record<string, unknown>>

/** How an access token differs from a good one. */
export interface MintedToken {
  /** Merged over a good header; `undefined` takes a member out. */
  readonly header?: Members
  /** Merged over good claims; `undefined` takes a claim out. */
  readonly claims?: Members
  /** What it is signed with. Default: the issuer's own key. */
  readonly key?: TestKey
}

/** What a proof is for, and how it differs from a good one. */
export interface MintedProof {
  /** For `htm`. */
  readonly method: string
  /** For `htu`; query and fragment are cut off. */
  readonly url: string
  /** Its `jwk`. */
  readonly key: TestKey
  /** For `ath`. Default: no `ath`. */
  readonly token?: string
  /** Default: none. */
  readonly nonce?: string
  /** Merged over a good header; `undefined` takes a member out. */
  readonly header?: Members
  /** Merged over good claims; `undefined` takes a claim out. */
  readonly claims?: Members
  /** What it is signed with. Default: `key`. */
  readonly signedBy?: TestKey
}

/** An authorization server that gives any caller any token. For tests. */
export interface TestIssuer {
  /** Its identifier, and where it listens. */
  readonly issuer: string
  /** What its tokens and proofs are dated by. */
  readonly clock: TestClock
  /** What it signs with. */
  readonly key: TestKey
  /** How often its keys were fetched. */
  readonly keyFetches: () => number
  /** A key to present tokens with. */
  generateKey(algorithm?: SignatureAlgorithm): TestKey
  /** An access token bound to `jkt` (RFC 9068, RFC 9449 §6). */
  mintToken(jkt: string | undefined, minted?: MintedToken): string
  /** A proof that holds (RFC 9449 §4.2), but for what is said. */
  mintProof(minted: MintedProof): string
  /** Stops listening. */
  close(): Promise<void>
}

/** What a test issuer is made of. */
export interface TestIssuerOptions {
  /** `aud` of its tokens. */
  readonly audience: string
  /** What its tokens are signed with. Default: ES256. */
  readonly algorithm?: SignatureAlgorithm
  /** Default: one of its own. */
  readonly clock?: TestClock
}

/**
 * Listens on a free port of 127.0.0.1, with metadata and keys, and gives any token to any caller.
 * @example
 * ```ts
 * import { generateTestKey, startTestIssuer } from 'sallyport/dpop-validator/testing'
 *
 * const issuer = await startTestIssuer({ audience: 'https://orders.example.com' })
 * const key = generateTestKey()
 * const token = issuer.mintToken(key.jkt, { claims: { scope: 'orders' } })
 * const proof = issuer.mintProof({ method: 'GET', url: 'https://orders.example.com/orders', key, token })
 * console.log({ Authorization: `DPoP ${token}`, DPoP: proof })
 * await issuer.close()
 * ```
 */
export async function startTestIssuer({
  audience,
  algorithm = 'ES256',
  clock = createTestClock(),
}: TestIssuerOptions): Promise<TestIssuer> {
  const key = generateTestKey(algorithm)
  let fetches = 0
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    if (request.url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` }))
    } else if (request.url === '/jwks') {
      fetches++
      response.end(JSON.stringify({ keys: [key.publicJwk] }))
    } else {
      response.writeHead(404).end()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the test issuer has no port')
  const issuer = `http://127.0.0.1:${address.port}`

  return {
    issuer,
    clock,
    key,
    keyFetches: () => fetches,
    generateKey: generateTestKey,
    mintToken(jkt, { header, claims, key: signer = key } = {}) {
      const now = Math.floor(clock.now())
      return signJws(
        { typ: 'at+jwt', alg: signer.algorithm, kid: signer.publicJwk.kid, ...header },
        {
          iss: issuer,
          aud: audience,
          sub: 'alice',
          client_id: 'client',
          iat: now,
          exp: now + 300,
          jti: randomUUID(),
          scope: 'read write',
          ...(jkt !== undefined && { cnf: { jkt } }),
          ...claims,
        },
        signer,
      )
    },
    mintProof: (minted) => mintProof(minted, clock),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

export function mintProof(
  { method, url, key, token, nonce, header, claims, signedBy = key }: MintedProof,
  clock: TestClock,
): string {
  return signJws(
    { typ: 'dpop+jwt', alg: key.algorithm, jwk: withoutNames(key.publicJwk), ...header },
    {
      jti: randomUUID(),
      htm: method,
      htu: url.replace(/[?#].*$/, ''),
      iat: Math.floor(clock.now()),
      ...(token !== undefined && { ath: createHash('sha256').update(token).digest('base64url') }),
      ...(nonce !== undefined && { nonce }),
      ...claims,
    },
    signedBy,
  )
}

/** Any header and any payload, signed with the key in the algorithm of the key. */
export function signJws(header: Members, payload: Members, key: TestKey): string {
  return signSegments(segment(JSON.stringify(header)), segment(JSON.stringify(payload)), key)
}

export function signSegments(header: string, payload: string, key: TestKey): string {
  const signed = `${header}.${payload}`
  return `${signed}.${signatureOf(signatureKey(key.algorithm, key.privateKey), Buffer.from(signed)).toString('base64url')}`
}

export function segment(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url')
}

function withoutNames({ kid, alg, use, ...jwk }: Jwk): Jwk {
  return jwk
}
