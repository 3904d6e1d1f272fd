import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type Algorithm, bareJwk, type Claims, compactJws, type KeyPair, replaced } from '../_jose.js'
import type { Parameters, ServerUnderTest, SuiteClient } from './_server-under-test.js'

/** Every knob of a DPoP proof. */
export interface ProofKnobs {
  readonly key?: KeyPair
  readonly algorithm?: Algorithm
  readonly header?: Claims
  readonly claims?: Claims
  /** What to do to the finished proof. */
  readonly spoil?: (proof: string) => string
}

/** Every knob of a client assertion. */
export interface AssertionKnobs {
  readonly key?: KeyPair
  readonly algorithm?: Algorithm
  readonly claims?: Claims
}

/** Every knob of a request object. */
export interface RequestObjectKnobs extends AssertionKnobs {
  /** What to do to the finished one. */
  readonly spoil?: (object: string) => string
}

export interface ProofTarget {
  readonly method: string
  readonly url: string
  readonly nonce: string | undefined
  readonly accessToken?: string
}

export interface Credentials {
  /** A client assertion as the suite makes it, but for what the knobs say. */
  assertion(client: SuiteClient, knobs: AssertionKnobs): string
  /** A request object as the suite makes it, but for what the knobs say. */
  requestObject(client: SuiteClient, parameters: Parameters, knobs: RequestObjectKnobs): string
  /** A DPoP proof as the suite makes it, but for what the knobs say. */
  prove(client: SuiteClient, target: ProofTarget, knobs: ProofKnobs): string
}

export function createCredentials({ issuer, now }: ServerUnderTest): Credentials {
  return {
    assertion(client, { key = client.key, algorithm = key.algorithm, claims = {} }) {
      const time = now()
      const usual = {
        iss: client.id,
        sub: client.id,
        aud: issuer,
        jti: randomBytes(10).toString('hex'),
        iat: time,
        nbf: time,
        exp: time + 60,
      }
      const header = { alg: algorithm, kid: client.key.kid, typ: 'JWT' }
      return compactJws(header, replaced(usual, claims), key.privateKey, algorithm)
    },

    requestObject(
      client,
      parameters,
      { key = client.key, algorithm = key.algorithm, claims = {}, spoil = (jws) => jws },
    ) {
      const time = now()
      const { claims: asked, ...texts } = parameters
      const usual = {
        ...texts,
        ...(asked !== undefined && { claims: JSON.parse(asked) }),
        iss: client.id,
        client_id: client.id,
        aud: issuer,
        nbf: time,
        exp: time + 300,
        ...(client.which === 2 && { iat: time }),
      }
      const typ = client.which === 2 ? { typ: 'oAuth-Authz-Req+JWT' } : {}
      const header = { alg: algorithm, kid: client.key.kid, ...typ }
      return spoil(compactJws(header, replaced(usual, claims), key.privateKey, algorithm))
    },

    prove(client, { method, url, nonce, accessToken }, knobs) {
      const { key = client.proofKey, header = {}, claims = {}, spoil = (proof) => proof } = knobs
      const { algorithm = key.algorithm } = knobs
      const usual = {
        jti: randomUUID(),
        htm: method,
        htu: url.replace(/[?#].*$/, ''),
        iat: now(),
        nonce,
        ath: accessToken && createHash('sha256').update(accessToken).digest('base64url'),
      }
      const usualHeader = { typ: 'dpop+jwt', alg: algorithm, jwk: bareJwk(key) }
      return spoil(compactJws(replaced(usualHeader, header), replaced(usual, claims), key.privateKey, algorithm))
    },
  }
}
