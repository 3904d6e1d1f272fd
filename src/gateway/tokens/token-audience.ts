import { Refusal } from '../refusal.js'

/** What an access token is for: a resource (RFC 8707), scopes, both, or what the login was for. */
export interface TokenAudience {
  readonly resource?: string
  readonly scopes: readonly string[]
}

export function audienceKey({ resource, scopes }: TokenAudience): string {
  return resource === undefined && scopes.length === 0 ? '' : JSON.stringify([resource ?? '', ...[...scopes].sort()])
}

export function refusedToken(cause?: unknown): Refusal {
  return new Refusal('bff.token.refused', 'the authorization server gave no token for this route', { cause })
}
