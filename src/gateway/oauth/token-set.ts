import type * as openid from 'openid-client'
import type { AccessToken } from '../session/session-record.js'
import type { Claims } from './user-info.js'

/** An accepted token response: the token type is what we asked for and the ID token, if there is one, is genuine. */
export interface TokenSet {
  readonly accessToken: AccessToken
  readonly refreshToken?: string
  /** As the response says; where it says nothing, it is what was asked for (RFC 6749 §5.1). */
  readonly grantedScopes?: readonly string[]
  readonly refreshTokenExpiresAt?: number
  /** When a session in use asks for new tokens, so that the refresh token does not end under its hands. */
  readonly refreshTokenRenewAt?: number
  readonly idToken?: string
  /** Of the validated ID token. */
  readonly claims?: Claims
}

export type TokenResponse = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers

export interface TokenCircumstances {
  /** Seconds since the epoch. */
  readonly now: number
  /** Thumbprint of the certificate that we have. */
  readonly boundTo: string | undefined
}

export function tokenSetOf(response: TokenResponse, { now, boundTo }: TokenCircumstances): TokenSet {
  const claims = response.claims()
  return {
    accessToken: {
      value: response.access_token,
      ...(boundTo !== undefined && { boundTo }),
      ...(response.expires_in !== undefined && { expiresAt: now + response.expires_in }),
    },
    ...(response.refresh_token !== undefined && { refreshToken: response.refresh_token }),
    ...(response.scope !== undefined && { grantedScopes: response.scope.split(' ') }),
    ...refreshTokenLifetime(response, now),
    ...(response.id_token !== undefined &&
      claims !== undefined && { idToken: response.id_token, claims: { ...claims } }),
  }
}

/** Seconds. A refresh token whose life does not grow by being used would else be used ever more often towards its end. */
const shortestRenewal = 30

/** Not in any RFC, but two widely used spellings. 0 means without an end (Keycloak's offline tokens). */
function refreshTokenLifetime(response: openid.TokenEndpointResponse, now: number) {
  const seconds = response.refresh_token_expires_in ?? response.refresh_expires_in
  return typeof seconds === 'number' && seconds > 0
    ? { refreshTokenExpiresAt: now + seconds, refreshTokenRenewAt: now + Math.max(seconds / 2, shortestRenewal) }
    : {}
}
