import * as openid from 'openid-client'
import { createProver } from '../../dpop/prover.js'
import { isLoopback } from '../../http/loopback.js'
import type { Jwk } from '../../jose/jwk.js'
import type { FrontendOptions } from '../options.js'
import { clientAuthentication } from './client-authentication.js'
import type { IssuerFetch } from './issuer-fetch.js'

export type Revoke = (
  known: openid.Configuration,
  token: string,
  hint: 'refresh_token' | 'access_token',
  proofKey: Jwk | undefined,
) => Promise<void>

/**
 * Revocation with a proof of the session's key: a server may want to know that the token is ours to revoke, as Keycloak
 * does. openid-client makes no proofs here.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2.1 RFC 7009 §2.1}
 */
export function createRevocation({
  options,
  fetch,
  timeout,
  requestId,
}: {
  readonly options: FrontendOptions
  readonly fetch: IssuerFetch
  /** Seconds. */
  readonly timeout: number
  /** What it is done for. */
  readonly requestId: string | undefined
}): Revoke {
  const proving = async (known: openid.Configuration, proofKey: Jwk): Promise<openid.Configuration> => {
    const { supportsPKCE: _, ...metadata } = known.serverMetadata()
    const accepted = metadata.token_endpoint_auth_signing_alg_values_supported ?? []
    const own = new openid.Configuration(
      metadata,
      options.clientId,
      undefined,
      await clientAuthentication(options, () => accepted),
    )
    const prover = createProver(proofKey)
    own.timeout = timeout
    own[openid.customFetch] = (url, request) => {
      const headers = new Headers(request.headers)
      const target = new URL(url)
      const nonce = fetch.nonceOf(target.origin)
      headers.set('DPoP', prover.prove({ method: 'POST', url: target, ...(nonce !== undefined && { nonce }) }))
      return fetch(url, { ...request, headers, requestId })
    }
    if (isLoopback(new URL(options.authority).hostname)) openid.allowInsecureRequests(own)
    return own
  }

  return async (known, token, hint, proofKey) => {
    const configuration = proofKey === undefined ? known : await proving(known, proofKey)
    // Each attempt has an assertion and a proof of its own.
    const attempt = () => openid.tokenRevocation(configuration, token, { token_type_hint: hint })
    try {
      await attempt()
    } catch (error) {
      if (!(error instanceof openid.ResponseBodyError && error.error === 'use_dpop_nonce')) throw error
      await attempt()
    }
  }
}
