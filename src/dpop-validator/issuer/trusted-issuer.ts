import { UpstreamError } from '../../errors.js'
import type { ValidatorEvent } from '../../telemetry/events.js'
import { introspectionDefaults } from '../defaults.js'
import type { IssuerSettings } from '../settings/issuer-settings.js'
import type { Settings } from '../settings/settings.js'
import type { TrustedIssuer } from '../token/access-token.js'
import { tokenProfiles } from '../token/token-profile.js'
import { createIntrospection } from './introspection.js'
import { createIssuerKeys } from './issuer-keys.js'
import { discoverIssuer } from './issuer-metadata.js'
import { exchangeJson, exchangeJwt, type JsonExchange } from './json-exchange.js'

/** Bytes of a key set at most. */
const maxKeySet = 1_048_576

/** An issuer made ready: where its keys come from, and whom to ask about its tokens. Nothing is fetched yet. */
export function createTrustedIssuer(
  { issuer, jwksUri, jwks, audiences, algorithms, profile, ca, introspection }: IssuerSettings,
  { jwks: fetching, httpProxy, token, now }: Pick<Settings, 'jwks' | 'httpProxy' | 'token' | 'now'>,
  emit: (event: ValidatorEvent) => void,
): TrustedIssuer {
  const { timeout } = fetching
  const exchange: JsonExchange = (url, options) => exchangeJson(url, { ...options, ca, httpProxy })
  const about = { issuer, audiences, algorithms, profile: tokenProfiles[profile] }
  const configured = jwksUri === undefined ? undefined : new URL(jwksUri)
  let address = configured

  async function fetchKeySet(): Promise<Record<string, unknown>> {
    address ??= (await discoverIssuer(issuer, exchange, timeout)).jwksUri
    if (address === undefined) throw new UpstreamError('invalid_response', `${issuer} names no usable jwks_uri`)
    try {
      return await exchange(address, { timeout, maxBytes: maxKeySet })
    } catch (error) {
      // The issuer may have moved its keys: the next try asks for their address again.
      address = configured
      throw error
    }
  }

  let endpoint = introspection?.endpoint === undefined ? undefined : new URL(introspection.endpoint)
  async function introspectionEndpoint(): Promise<URL> {
    endpoint ??= (await discoverIssuer(issuer, exchange, timeout)).introspectionEndpoint
    if (endpoint === undefined) throw new UpstreamError('invalid_response', `${issuer} names no introspection_endpoint`)
    return endpoint
  }

  const keys = createIssuerKeys({
    ...fetching,
    fixed: jwks && { ...jwks },
    fetchKeySet,
    now,
    onFetched: () => emit({ type: 'validator.keys.fetched', issuer }),
    onFailed: ({ message }) => emit({ type: 'validator.keys.unavailable', issuer, error: message }),
  })

  /** Only those who want it load it. */
  const askSigned: JsonExchange = async (url, options) => {
    const { readSignedIntrospection, signedIntrospectionType } = await import('./signed-introspection.js')
    const jwt = await exchangeJwt(url, { ...options, ca, httpProxy }, signedIntrospectionType)
    const { clientId = '' } = introspection ?? {}
    return readSignedIntrospection(jwt, {
      issuer,
      clientId,
      algorithms,
      keys,
      clockSkew: token.clockSkew,
      now: now(),
    })
  }

  return {
    ...about,
    keys,
    introspection: introspection && {
      introspect: createIntrospection(
        introspection,
        about,
        introspectionEndpoint,
        introspection.signed === true ? askSigned : exchange,
        { timeout, clockSkew: token.clockSkew },
      ),
      tokens: introspection.tokens ?? introspectionDefaults.tokens,
      cacheTtl: introspection.cache ?? introspectionDefaults.cache,
    },
  }
}
