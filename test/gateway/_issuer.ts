import type { RequestListener } from 'node:http'
import type { ExecutionContext } from 'ava'
import { SignJWT } from 'jose'
import { generateSigningJwk, type Jwk, publicHalf, signingKey } from '../../src/jose/jwk.js'
import { listen } from './_gateway.js'

// A key pair of RSA would take seconds on a busy machine.
const decoy = generateSigningJwk('Ed25519')

/** The least of an authorization server that can name its keys: metadata and a key set, and a pen for its tokens. */
export interface Issuer {
  readonly issuer: string
  /** Paths that were asked for. */
  readonly requests: string[]
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>, key?: Jwk): Promise<string>
  /** Answers with an error until it is told otherwise. */
  down: boolean
  /** What the token endpoint says to a refresh. */
  refreshed(form: URLSearchParams): Promise<Record<string, unknown>> | Record<string, unknown>
  /** Forms that came to the token endpoint. */
  readonly refreshes: URLSearchParams[]
  /** More of its metadata, or other. */
  metadata: Record<string, unknown>
  /** Answers of other endpoints, by path. */
  readonly answers: Map<string, RequestListener>
  /** What it publishes as its keys besides the current one. */
  moreKeys: unknown[]
}

export async function anIssuer(t: ExecutionContext): Promise<Issuer> {
  const requests: string[] = []
  const jwk = { ...generateSigningJwk('ES256'), kid: 'current' }
  const on = await listen()
  const refreshes: URLSearchParams[] = []
  const self = {
    issuer: on.url,
    requests,
    refreshes,
    down: false,
    metadata: {} as Record<string, unknown>,
    answers: new Map<string, RequestListener>(),
    // A decoy with the same name, as the FAPI suite has it.
    moreKeys: [{ ...publicHalf(decoy), kid: 'current' }] as unknown[],
    refreshed: (_form: URLSearchParams): Promise<Record<string, unknown>> | Record<string, unknown> => ({}),
  }
  on.handle(async (request, response) => {
    requests.push(request.url ?? '')
    response.setHeader('Content-Type', 'application/json')
    const own = self.answers.get((request.url ?? '').split('?')[0] ?? '')
    if (self.down) response.writeHead(503).end('{}')
    else if (own !== undefined) own(request, response)
    else if (request.url?.startsWith('/.well-known/'))
      response.end(
        JSON.stringify({
          issuer: on.url,
          jwks_uri: `${on.url}/jwks`,
          authorization_endpoint: `${on.url}/authorize`,
          token_endpoint: `${on.url}/token`,
          pushed_authorization_request_endpoint: `${on.url}/par`,
          end_session_endpoint: `${on.url}/end`,
          ...self.metadata,
        }),
      )
    else if (request.url === '/token') {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      refreshes.push(form)
      const answer = await self.refreshed(form)
      response.writeHead('error' in answer ? 400 : 200).end(JSON.stringify(answer))
    } else response.end(JSON.stringify({ keys: [...self.moreKeys, publicHalf(jwk)] }))
  })
  t.teardown(() => on.close())
  return Object.assign(self, {
    sign: (claims: Record<string, unknown>, header: Record<string, unknown> = {}, key: Jwk = jwk) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: key.kid ?? '', typ: 'logout+jwt', ...header })
        .sign(signingKey(key).privateKey),
  })
}
