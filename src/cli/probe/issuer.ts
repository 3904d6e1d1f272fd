import type { IssuerFetch } from '../../gateway/oauth/issuer-fetch.js'
import type { FrontendOptions } from '../../gateway/options.js'
import { mayBeOfUser } from '../../gateway/tokens/token-audience.js'
import { adviceFor, failed, list, noted, passed, reasonOf, type Trial } from './probe.js'

/** What an authorization server says of itself (RFC 8414), as it was sent. */
export type IssuerMetadata = Readonly<Record<string, unknown>>

export interface IssuerTrial {
  readonly trials: readonly Trial[]
  /** Undefined: it could not be read, or is another server's. */
  readonly metadata: IssuerMetadata | undefined
}

export async function tryIssuer(authority: string, fetch: IssuerFetch): Promise<IssuerTrial> {
  const subject = `${authority}: discovery`
  const url = `${authority.replace(/\/$/, '')}/.well-known/openid-configuration`
  const wrong = (result: string, remedy: string): IssuerTrial => ({
    trials: [failed(subject, result, remedy)],
    metadata: undefined,
  })
  const asked = Date.now()
  let response: Response
  let metadata: IssuerMetadata
  try {
    response = await fetch(url, {})
    if (response.status !== 200) {
      // RFC 8414 §5: a server without OpenID Connect may have its own document only.
      const { origin, pathname } = new URL(authority)
      const plain = await fetch(`${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`, {})
      if (plain.status === 200) response = plain
    }
    if (response.status !== 200)
      return wrong(`${url} answers ${response.status}`, 'Is Authority the issuer identifier, with its whole path?')
    const value: unknown = await response.json()
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return wrong(`${url} is not a JSON object`, 'Is Authority the issuer identifier, with its whole path?')
    metadata = value as IssuerMetadata
  } catch (error) {
    return wrong(`${url} cannot be read: ${reasonOf(error)}`, adviceFor(error, { certificates: 'Bff.AuthorityCaFile' }))
  }
  if (metadata.issuer !== authority)
    return wrong(
      `the server calls itself ${JSON.stringify(metadata.issuer)}`,
      'Write exactly that as Authority: issuers are compared character by character.',
    )
  const keys = await tryKeys(authority, metadata, fetch)
  return {
    trials: [
      passed(subject, 'found, and the issuer is the configured one'),
      clockTrial(authority, response, asked),
      ...keys,
    ],
    metadata,
  }
}

/** Assertions and proofs live for about a minute: so far clocks may be apart, not further. */
function clockTrial(authority: string, response: Response, asked: number): Trial {
  const subject = `${authority}: clock`
  const theirs = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return noted(subject, 'it does not say what time it is')
  // The header has whole seconds, and the answer took its time.
  const ours = (asked + Date.now()) / 2
  const skew = Math.round(Math.abs(theirs + 500 - ours) / 1000)
  if (skew < 5) return passed(subject, 'agrees with ours')
  const result = `${skew} seconds ${theirs < ours ? 'behind' : 'ahead of'} ours`
  const remedy = 'Synchronise both machines by NTP.'
  return skew < 10 ? noted(subject, result, remedy) : failed(subject, result, remedy)
}

/** Silent when all is well: that keys come is part of discovery. */
async function tryKeys(authority: string, { jwks_uri: url }: IssuerMetadata, fetch: IssuerFetch): Promise<Trial[]> {
  const subject = `${authority}: keys`
  if (typeof url !== 'string')
    return [
      failed(subject, 'its metadata has no jwks_uri', 'Nothing that it signs can be verified: use another server.'),
    ]
  try {
    const response = await fetch(url, {})
    const value = (await response.json()) as { readonly keys?: unknown }
    if (response.status === 200 && Array.isArray(value.keys) && value.keys.length > 0) return []
    return [
      failed(subject, `${list([url])} answers ${response.status} and no keys`, 'Look into the log of that server.'),
    ]
  } catch (error) {
    const remedy = adviceFor(error, { certificates: 'Bff.AuthorityCaFile' })
    return [failed(subject, `${list([url])} cannot be read: ${reasonOf(error)}`, remedy)]
  }
}

/** FAPI 2.0 §5.4.1, and what only the Baseline profile takes. */
const idTokenAlgorithms = ['PS256', 'ES256', 'Ed25519', 'EdDSA']

/** Whether the server offers what this frontend needs: each thing for which the first login would fail. */
export function tryMetadata(metadata: IssuerMetadata, frontend: FrontendOptions): readonly Trial[] {
  const subject = `${frontend.name}: metadata`
  const trials: Trial[] = []
  const wrong = (result: string, remedy: string) => trials.push(failed(subject, result, remedy))
  const note = (result: string, remedy: string) => trials.push(noted(subject, result, remedy))
  const listed = (name: string): readonly string[] | undefined => {
    const value = metadata[name]
    return Array.isArray(value) ? value.map(String) : undefined
  }
  const authentication = frontend.clientAuthentication
  const client = `client ${frontend.clientId}`

  for (const name of ['authorization_endpoint', 'token_endpoint', 'pushed_authorization_request_endpoint'] as const) {
    if (name === 'pushed_authorization_request_endpoint' && !frontend.pushedAuthorizationRequests) continue
    if (typeof metadata[name] !== 'string')
      wrong(`it has no ${name}`, 'Switch it on there, or use a server with PAR, PKCE S256 and DPoP.')
  }
  if (frontend.requireIssuer && metadata.authorization_response_iss_parameter_supported !== true)
    wrong(
      'it does not announce that callbacks carry `iss` (authorization_response_iss_parameter_supported, RFC 9207): every login would be refused',
      'Switch it on there. With a server that cannot: "Profile": "Baseline" and "RequireIssuerValidation": false, which gives up the defence against mix-up.',
    )
  if (listed('code_challenge_methods_supported')?.includes('S256') === false)
    wrong('it does not take PKCE with S256', 'Switch it on there.')
  if (frontend.dpop) {
    const algorithms = listed('dpop_signing_alg_values_supported')
    if (algorithms === undefined)
      wrong(
        'it does not announce DPoP (dpop_signing_alg_values_supported, RFC 9449 §5.1): its tokens would be bound to no key, and be refused',
        'Switch DPoP on there. With a server that cannot: "Profile": "Baseline" and "UseDPoP": false.',
      )
    else if (!algorithms.includes('ES256'))
      wrong(`it takes DPoP proofs with ${list(algorithms)}, and ours are made with ES256`, 'Allow ES256 there.')
  }
  const method = authentication.method
  if (listed('token_endpoint_auth_methods_supported')?.includes(method) === false)
    wrong(
      `it authenticates clients by ${list(listed('token_endpoint_auth_methods_supported') ?? [])}, and ${client} does so by ${method}`,
      method === 'private_key_jwt'
        ? 'Switch private_key_jwt on there.'
        : 'Write "ClientAuthenticationMethod": "PrivateKeyJwt".',
    )
  const [key] = authentication.method === 'private_key_jwt' ? authentication.keys : []
  const taken = listed('token_endpoint_auth_signing_alg_values_supported')
  if (key !== undefined && taken !== undefined && !namesOf(key.algorithm).some((name) => taken.includes(name)))
    wrong(
      `it takes client assertions with ${list(taken)}, and the key of ${client} is for ${key.algorithm}`,
      `Make a key for one of those: \`npx --no-install sallyport keygen --alg ${taken.includes('PS256') ? 'PS256' : 'ES256'}\`.`,
    )
  if (frontend.scopes.includes('openid')) {
    const accepted = frontend.profile === 'Baseline' ? [...idTokenAlgorithms, 'RS256'] : idTokenAlgorithms
    const offered = listed('id_token_signing_alg_values_supported') ?? []
    const usable = offered.filter((name) => accepted.includes(name))
    if (offered.length > 0 && usable.length === 0)
      wrong(
        `it signs ID tokens with ${list(offered)}, and FAPI 2.0 takes ${accepted.join(', ')}`,
        'Give it a key for ES256 or PS256. With a server that cannot: "Profile": "Baseline", which takes RS256.',
      )
    else if (offered.some((name) => !accepted.includes(name)))
      note(
        `it can sign ID tokens with ${list(offered)}, of which ${list(usable)} are taken`,
        `Have it sign those of ${client} with one of these (id_token_signed_response_alg): many servers begin with RS256.`,
      )
  }
  const known = listed('scopes_supported')
  const unknown = known === undefined ? [] : askedFor(frontend).filter((scope) => !known.includes(scope))
  if (unknown.length > 0)
    note(
      `it does not list these scopes: ${list(unknown)}`,
      'Some servers do not list all of them; others refuse. The next line tells.',
    )
  if (metadata.require_signed_request_object === true)
    wrong(
      'it wants signed request objects (RFC 9101)',
      `Do not require them of ${client}: requests are pushed, not signed.`,
    )
  if (
    frontend.scopes.includes('offline_access') &&
    listed('grant_types_supported')?.includes('refresh_token') === false
  )
    note(
      'it issues no refresh tokens: sessions end with their first access token',
      'Allow the refresh token grant there.',
    )

  // What a server makes of offline_access is in no metadata; Keycloak is known by its addresses.
  if (
    frontend.scopes.includes('offline_access') &&
    /\/protocol\/openid-connect\//.test(String(metadata.token_endpoint))
  )
    note(
      'Scopes asks for offline_access: Keycloak then keeps a session that no sign-out at Keycloak ends, not even an administrator’s',
      'Leave offline_access out: Keycloak gives refresh tokens without it.',
    )

  const isFine = trials.every(({ outcome }) => outcome !== 'failed')
  return isFine ? [passed(subject, 'the authorization server offers what this frontend needs'), ...trials] : trials
}

/** The scopes of one login. */
export function askedFor({ scopes, routes }: FrontendOptions): readonly string[] {
  const ofUser = routes.filter(({ tokenType }) => mayBeOfUser(tokenType))
  return [...new Set([...scopes, ...ofUser.flatMap((route) => route.scopes)])]
}

/** RFC 9864 gave EdDSA with Ed25519 a name of its own. */
function namesOf(algorithm: string): readonly string[] {
  return algorithm === 'Ed25519' ? ['Ed25519', 'EdDSA'] : [algorithm]
}
