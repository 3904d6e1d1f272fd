import { randomBytes } from 'node:crypto'
import { generateProofKey } from '../../dpop/prover.js'
import { fixedDetails } from '../../gateway/endpoints/login-details.js'
import { createFrontend } from '../../gateway/frontend/frontend.js'
import type { IssuerFetch } from '../../gateway/oauth/issuer-fetch.js'
import { createOAuthClient, type OAuthClient } from '../../gateway/oauth/oauth-client.js'
import { ServerRefusal } from '../../gateway/oauth/oauth-error.js'
import { type Registration, remedyFor } from '../../gateway/oauth/registration-remedy.js'
import { registrationOf } from '../../gateway/oauth/server-said.js'
import type { FrontendOptions } from '../../gateway/options.js'
import type { RouteOptions } from '../../gateway/route-options.js'
import type { IssuerMetadata } from './issuer.js'
import { tryMetadata } from './metadata.js'
import { adviceFor, failed, list, passed, reasonOf, type Trial } from './probe.js'

/** What an access token holds that the gateway got for itself. */
export interface TokenContent {
  readonly audience: readonly string[]
  /** Undefined: it does not say. */
  readonly scopes: readonly string[] | undefined
}

export interface ClientTrial {
  readonly trials: readonly Trial[]
  /** Of each `Client` route. A token that cannot be read is not here. */
  readonly tokens: ReadonlyMap<RouteOptions, TokenContent>
}

export interface ClientTrialOptions {
  readonly fetch: IssuerFetch
  /** Seconds one call may take. */
  readonly timeout: number
  /** Routes for which it gives the gateway's own tokens. */
  readonly ownTokens: readonly RouteOptions[]
}

/** Asks as the gateway would: a real push (key, client, redirect URI and scopes in one request), and the gateway's own tokens. */
export async function tryClient(
  options: FrontendOptions,
  metadata: IssuerMetadata,
  { fetch, timeout, ownTokens }: ClientTrialOptions,
): Promise<ClientTrial> {
  const frontend = createFrontend(options)
  const oauth = createOAuthClient({ frontend, fetch, timeout, now: () => Date.now() / 1000 })
  const trials: Trial[] = [...tryMetadata(metadata, options)]
  const tokens = new Map<RouteOptions, TokenContent>()
  const fits = trials.every(({ outcome }) => outcome !== 'failed')
  try {
    await oauth.metadata()
  } catch (error) {
    if (fits)
      trials.push(failed(`${options.name}: metadata`, reasonOf(error), 'Use a server with PAR, PKCE S256 and DPoP.'))
    return { trials, tokens }
  }
  const attempt = async (subject: string, success: string, work: () => Promise<unknown>, advice?: typeof remedyFor) => {
    try {
      await work()
      trials.push(passed(subject, success))
    } catch (error) {
      const { error: code, description } = error instanceof ServerRefusal ? error.said : {}
      const stated = [code, description].filter(Boolean)
      const remedy =
        error instanceof ServerRefusal
          ? (advice ?? remedyFor)({ code, description }, registrationOf(frontend))
          : connectionAdvice(error, options)
      trials.push(failed(subject, stated.join(': ') || reasonOf(error), remedy))
    }
  }
  if (options.pushedAuthorizationRequests)
    await attempt(
      `${options.name}: pushed authorization request`,
      `accepted, with client ${options.clientId} and redirect URI ${frontend.redirectUri}`,
      () => push(oauth, options),
    )
  for (const route of ownTokens) {
    const subject = `${options.name}: the gateway's own token for ${route.path}`
    await attempt(
      subject,
      'issued',
      async () => {
        const token = await ownToken(oauth, options, route)
        if (token !== undefined) tokens.set(route, token)
      },
      (said, registration) => ownTokenRemedy(said.code, registration, route) ?? remedyFor(said, registration),
    )
    const missing = route.scopes.filter((scope) => tokens.get(route)?.scopes?.includes(scope) === false)
    if (missing.length > 0)
      trials.push(
        failed(
          subject,
          `the token lacks the scopes ${list(missing)}`,
          `Allow client ${options.clientId} these scopes there for the client credentials grant.`,
        ),
      )
  }
  return { trials, tokens }
}

function push(oauth: OAuthClient, options: FrontendOptions): Promise<URL> {
  const { scopes, dpop } = options
  const details = fixedDetails(options)
  return oauth.pushAuthorizationRequest({
    state: random(),
    nonce: scopes.includes('openid') ? random() : undefined,
    codeVerifier: random(),
    proofKey: dpop ? generateProofKey() : undefined,
    parameters: details.length > 0 ? { authorization_details: JSON.stringify(details) } : {},
  })
}

/** A real one, given back at once. */
async function ownToken(
  oauth: OAuthClient,
  { dpop }: FrontendOptions,
  route: RouteOptions,
): Promise<TokenContent | undefined> {
  const proofKey = dpop ? generateProofKey() : undefined
  const { accessToken } = await oauth.clientCredentials(proofKey, route)
  await oauth.revoke(accessToken.value, 'access_token', proofKey).catch(() => undefined)
  const [, body = '', signature] = accessToken.value.split('.')
  if (signature === undefined) return undefined
  try {
    const {
      aud = [],
      scope,
      scp,
    } = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Record<string, unknown>
    const said = scope ?? scp
    return {
      audience: [aud].flat().map(String),
      scopes: Array.isArray(said) ? said.map(String) : typeof said === 'string' ? said.split(' ') : undefined,
    }
  } catch {
    // Opaque: for introspection only.
    return undefined
  }
}

function ownTokenRemedy(
  code: string | undefined,
  { clientId }: Registration,
  { scopes }: RouteOptions,
): string | undefined {
  if (code === 'unauthorized_client' || code === 'unsupported_grant_type')
    return `Allow client ${clientId} the client credentials grant there (gt:client_credentials; in Keycloak: service accounts), for the route has "TokenType": "Client".`
  if (code === 'invalid_scope')
    return `Allow client ${clientId} these scopes there: ${scopes.join(' ') || 'the route names none'}.`
  return undefined
}

/** It did not refuse: it did not answer, or not as it should. */
function connectionAdvice(error: unknown, { clientId }: FrontendOptions): string {
  if (/not bound to our certificate/.test(reasonOf(error)))
    return `Have the server bind the tokens of client ${clientId} to its certificate (tls_client_certificate_bound_access_tokens).`
  return /token type/.test(reasonOf(error))
    ? `Let client ${clientId} use DPoP there: the server has bound the token to no key.`
    : adviceFor(error, { certificates: 'Bff.AuthorityCaFile' })
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
