import { isResourceIndicator } from '../../http/resource-indicator.js'
import { isScope } from '../../http/scope.js'

/** What a client may do: the parsed form of OpenIddict's permission strings. */
export interface ClientPermissions {
  /** Endpoints the client may call. */
  readonly endpoints: readonly ClientEndpoint[]
  /** Grants the client may use at the token endpoint. */
  readonly grants: readonly GrantType[]
  /** Names of scopes the client may ask for. */
  readonly scopes: readonly string[]
  /** What the client may name as `resource` (RFC 8707), whatever its scopes are declared for. */
  readonly resources: readonly string[]
}

/** Endpoints that need a permission. A client may always revoke its own tokens and ask for its user's claims. */
export type ClientEndpoint = 'authorization' | 'pushed_authorization' | 'token' | 'introspection' | 'end_session'

/** RFC 6749 §4.1, §6 and §4.4; RFC 8693. */
export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials' | 'token_exchange'

/** As `grant_type` spells them. */
export const grantTypes: Readonly<Record<string, GrantType>> = {
  authorization_code: 'authorization_code',
  refresh_token: 'refresh_token',
  client_credentials: 'client_credentials',
  'urn:ietf:params:oauth:grant-type:token-exchange': 'token_exchange',
}

/** Why a permission cannot be given. */
export interface PermissionProblem {
  /** Which of the strings. */
  readonly index: number
  /** What is wrong, as the end of a sentence. */
  readonly problem: string
  /** What to write instead. */
  readonly remedy: string
}

/** What a list of permissions comes to. */
export interface ParsedPermissions {
  /** Of those that are understood. */
  readonly permissions: ClientPermissions
  /** Of those that are not. */
  readonly problems: readonly PermissionProblem[]
}

const endpoints: Readonly<Record<string, ClientEndpoint | 'revocation'>> = {
  authorization: 'authorization',
  pushed_authorization: 'pushed_authorization',
  token: 'token',
  introspection: 'introspection',
  revocation: 'revocation',
  // Both of OpenIddict's names for it.
  logout: 'end_session',
  end_session: 'end_session',
}

/** As permissions spell them. */
const grants: Readonly<Record<string, GrantType>> = { ...grantTypes, token_exchange: 'token_exchange' }

/** Everything else that OpenIddict knows, so that the refusal can say why. */
const outsideTheProfile: readonly string[] = [
  'ept:device',
  'ept:device_authorization',
  'ept:verification',
  'gt:implicit',
  'gt:password',
  'gt:device_code',
  'gt:urn:ietf:params:oauth:grant-type:device_code',
  'rst:none',
  'rst:token',
  'rst:id_token',
  'rst:id_token token',
  'rst:code id_token',
  'rst:code token',
  'rst:code id_token token',
]

/**
 * Whether a client may have a scope. As in OpenIddict, `openid` needs no permission of its own, and `offline_access` none
 * besides that for refresh tokens.
 */
export function mayHaveScope({ scopes, grants }: ClientPermissions, name: string): boolean {
  return name === 'openid' || (name === 'offline_access' && grants.includes('refresh_token')) || scopes.includes(name)
}

/**
 * Parses `ept:` (endpoint), `gt:` (grant type), `rst:` (response type), `scp:` (scope) and `rsrc:` (resource) permissions.
 * It does not throw: what is not understood is among the `problems`.
 * @example
 * ```ts
 * import { parsePermissions } from 'sallyport/authorization-server'
 *
 * const { permissions, problems } = parsePermissions(['ept:token', 'gt:client_credentials', 'scp:orders'])
 * if (problems.length > 0) throw new TypeError(problems.map(({ index, problem }) => `${index} ${problem}`).join())
 * console.assert(permissions.scopes.includes('orders'))
 * ```
 */
export function parsePermissions(texts: readonly string[]): ParsedPermissions {
  const parsed = {
    endpoints: new Set<ClientEndpoint>(),
    grants: new Set<GrantType>(),
    scopes: new Set<string>(),
    resources: new Set<string>(),
  }
  const problems: PermissionProblem[] = []

  for (const [index, text] of texts.entries()) {
    const separator = text.indexOf(':')
    const [kind, name] = [text.slice(0, separator), text.slice(separator + 1)]
    const endpoint = kind === 'ept' && Object.hasOwn(endpoints, name) ? endpoints[name] : undefined
    const grant = kind === 'gt' && Object.hasOwn(grants, name) ? grants[name] : undefined
    if (endpoint !== undefined) {
      if (endpoint !== 'revocation') parsed.endpoints.add(endpoint)
    } else if (grant !== undefined) parsed.grants.add(grant)
    else if (kind === 'scp' && isScope(name)) parsed.scopes.add(name)
    else if (kind === 'rsrc' && isResourceIndicator(name)) parsed.resources.add(name)
    else if (text !== 'rst:code') problems.push({ index, ...problemOf(text) })
  }
  return {
    permissions: {
      endpoints: [...parsed.endpoints],
      grants: [...parsed.grants],
      scopes: [...parsed.scopes],
      resources: [...parsed.resources],
    },
    problems,
  }
}

function problemOf(text: string): Omit<PermissionProblem, 'index'> {
  if (outsideTheProfile.includes(text))
    return { problem: 'is outside the FAPI 2.0 Security Profile', remedy: 'Remove it: this server does not offer it.' }
  if (text.startsWith('rsrc:'))
    return {
      problem: 'is not an absolute URI without fragment (RFC 8707 §2)',
      remedy: 'Write it as in "rsrc:https://orders.example.com". Other names belong into the Resources of a scope.',
    }
  return {
    problem: 'is not a known permission',
    remedy: `Write one of ${Object.keys(endpoints)
      .map((name) => `ept:${name}`)
      .join(', ')}, ${Object.values(grantTypes)
      .map((name) => `gt:${name}`)
      .join(', ')}, rst:code, scp: and the name of a scope, or rsrc: and a resource.`,
  }
}
