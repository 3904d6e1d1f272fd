import { randomBytes } from 'node:crypto'
import { generateProofKey } from '../dpop/prover.js'
import { ProtocolError } from '../errors.js'
import { createFrontend, type Frontend } from '../gateway/frontend.js'
import type { IssuerFetch } from '../gateway/issuer-fetch.js'
import { createOAuthClient, type OAuthClient } from '../gateway/oauth/oauth-client.js'
import { type Registration, remedyFor } from '../gateway/oauth/registration-remedy.js'
import type { FrontendOptions, RouteOptions } from '../gateway/options.js'
import { adviceFor, failed, list, passed, printable, reasonOf, type Trial } from './trial.js'
import { askedFor, type IssuerMetadata, tryMetadata } from './try-issuer.js'

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

/** Asks as the gateway would: a real push (key, client, redirect URI and scopes in one request), and the gateway's own tokens. */
export async function tryClient(
  options: FrontendOptions,
  metadata: IssuerMetadata,
  fetch: IssuerFetch,
  timeout: number,
): Promise<ClientTrial> {
  const frontend = createFrontend(options)
  const { watched, refusal } = watchRefusals(fetch)
  const oauth = createOAuthClient({ frontend, fetch: watched, timeout, now: () => Date.now() / 1000 })
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
      const { code = error instanceof ProtocolError ? error.code : undefined, description } = refusal()
      const stated = [code, description].filter(Boolean)
      const remedy =
        stated.length === 0
          ? connectionAdvice(error, options)
          : (advice ?? remedyFor)({ code, description }, registrationOf(frontend))
      trials.push(failed(subject, stated.join(': ') || reasonOf(error), remedy))
    }
  }
  if (options.pushedAuthorizationRequests)
    await attempt(
      `${options.name}: pushed authorization request`,
      `accepted, with client ${options.clientId} and redirect URI ${frontend.redirectUri}`,
      () => push(oauth, options),
    )
  for (const route of options.routes)
    if (route.tokenType === 'Client') {
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

function push(oauth: OAuthClient, { scopes, dpop }: FrontendOptions): Promise<URL> {
  return oauth.pushAuthorizationRequest({
    state: random(),
    nonce: scopes.includes('openid') ? random() : undefined,
    codeVerifier: random(),
    proofKey: dpop ? generateProofKey() : undefined,
    parameters: {},
  })
}

/** A real one, given back at once. */
async function ownToken(
  oauth: OAuthClient,
  { dpop }: FrontendOptions,
  route: RouteOptions,
): Promise<TokenContent | undefined> {
  const { accessToken } = await oauth.clientCredentials(dpop ? generateProofKey() : undefined, route)
  await oauth.revoke(accessToken.value, 'access_token').catch(() => undefined)
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

function registrationOf({ options, redirectUri }: Frontend): Registration {
  const { clientId, clientAuthentication: authentication, routes } = options
  const [key] = authentication.method === 'private_key_jwt' ? authentication.keys : []
  return {
    clientId,
    redirectUri,
    scopes: askedFor(options),
    resources: [...new Set(routes.flatMap(({ resource }) => resource ?? []))],
    algorithm: key?.algorithm,
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
  return /token type/.test(reasonOf(error))
    ? `Let client ${clientId} use DPoP there: the server has bound the token to no key.`
    : adviceFor(error, { certificates: 'Bff.AuthorityCaFile' })
}

/** What the last refusal said: for an operator's eyes, which the gateway itself never lets it reach. */
function watchRefusals(fetch: IssuerFetch) {
  let last: { readonly code?: string; readonly description?: string } = {}
  const watched: IssuerFetch = Object.assign(
    async (...[url, options]: Parameters<IssuerFetch>) => {
      const response = await fetch(url, options)
      if (response.status < 400) last = {}
      else {
        const body: unknown = await response
          .clone()
          .json()
          .catch(() => undefined)
        const { error, error_description: description } = (body ?? {}) as Record<string, unknown>
        last = {
          ...(typeof error === 'string' && { code: printable(error) }),
          ...(typeof description === 'string' && { description: printable(description) }),
        }
      }
      return response
    },
    { nonceOf: fetch.nonceOf, close: fetch.close },
  )
  return { watched, refusal: () => last }
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
