import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createProver, generateProofKey, type Prover } from '../../../../dpop/prover.js'
import type { SigningKey } from '../../../../jose/jwk.js'
import { signJws } from '../../../../jose/sign-jws.js'
import type { Fetch } from './lab-browser.js'

/** The gateway's client in the hands of who tries an attack: with its real key, and step by step. */
export interface LabClient {
  /** A new key, that only this client has. */
  newKey(): Prover
  newVerifier(): string
  assertion(): Promise<string>
  /** A pushed request, to be opened in a browser. */
  push(request: PushedRequest): Promise<URL>
  /** A token request. */
  redeem(code: string, redemption: CodeRedemption): Promise<Response>
  readonly redirectUri: string
}

export interface PushedRequest {
  readonly verifier: string
  readonly prover: Prover
}

export interface CodeRedemption extends PushedRequest {
  /** Default: a fresh one. */
  readonly assertion?: string
}

export interface LabClientOptions {
  readonly fetch: Fetch
  readonly issuer: string
  readonly clientId: string
  readonly key: SigningKey
  readonly redirectUri: string
  readonly scopes: readonly string[]
}

export function createLabClient({ fetch, issuer, clientId, key, redirectUri, scopes }: LabClientOptions): LabClient {
  const assertion = (): Promise<string> => {
    const now = Math.floor(Date.now() / 1000)
    const header = { alg: key.alg, kid: key.kid, typ: 'JWT' }
    return signJws(key, header, {
      iss: clientId,
      sub: clientId,
      aud: issuer,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
    })
  }

  /** Once more with the server's nonce, where it wants one. */
  const post = async (path: string, prover: Prover, form: Readonly<Record<string, string>>, own?: string) => {
    const url = new URL(`${issuer}${path}`)
    for (let attempt = 0; ; attempt++) {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { DPoP: prover.prove({ method: 'POST', url }) },
        body: new URLSearchParams({
          ...form,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: own ?? (await assertion()),
        }),
        signal: AbortSignal.timeout(10_000),
      })
      const nonce = answer.headers.get('dpop-nonce')
      if (attempt > 0 || nonce === null || prover.recallNonce(url.origin) === nonce || answer.ok) return answer
      const { error } = (await answer.clone().json()) as { error?: string }
      if (error !== 'use_dpop_nonce') return answer
      prover.rememberNonce(url.origin, nonce)
    }
  }

  return {
    redirectUri,
    newKey: () => createProver(generateProofKey()),
    newVerifier: () => randomBytes(32).toString('base64url'),
    assertion,
    async push({ verifier, prover }) {
      const answer = await post('/connect/par', prover, {
        client_id: clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: scopes.join(' '),
        state: randomUUID(),
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      })
      const { request_uri: requestUri } = (await answer.json()) as { request_uri?: string }
      if (requestUri === undefined) throw new Error(`the request was not accepted: ${answer.status}`)
      const url = new URL(`${issuer}/connect/authorize`)
      url.search = new URLSearchParams({ client_id: clientId, request_uri: requestUri }).toString()
      return url
    },
    redeem: (code, { verifier, prover, assertion: own }) =>
      post(
        '/connect/token',
        prover,
        { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
        own,
      ),
  }
}
