import { UpstreamError } from '../../errors.js'
import { isSecureUrl } from '../../http/secure-url.js'
import type { JsonExchange } from './json-exchange.js'

/** What an API wants to know of an authorization server. */
export interface IssuerMetadata {
  readonly jwksUri: URL | undefined
  readonly introspectionEndpoint: URL | undefined
}

/**
 * Reads the metadata of exactly this issuer.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3 RFC 8414 §3} and OpenID Connect Discovery §4
 * @throws UpstreamError
 */
export async function discoverIssuer(issuer: string, exchange: JsonExchange, timeout: number): Promise<IssuerMetadata> {
  const metadata = await firstOf(metadataUrls(issuer), (url) => exchange(url, { timeout, maxBytes: 262_144 }))
  if (metadata.issuer !== issuer)
    throw new UpstreamError('invalid_response', `the metadata at ${issuer} names another issuer`)
  return {
    jwksUri: secureUrl(metadata.jwks_uri),
    introspectionEndpoint: secureUrl(metadata.introspection_endpoint),
  }
}

function metadataUrls(issuer: string): readonly URL[] {
  const base = new URL(issuer)
  const path = base.pathname.replace(/\/$/, '')
  return [
    new URL(`${path}/.well-known/openid-configuration`, base),
    new URL(`/.well-known/oauth-authorization-server${path}`, base),
  ]
}

/** Only an answer that is no metadata leads to the next address: a server that does not answer at all is not asked twice. */
async function firstOf<Answer>(urls: readonly URL[], ask: (url: URL) => Promise<Answer>): Promise<Answer> {
  const [url, ...others] = urls
  if (url === undefined) throw new TypeError('there is no address to ask')
  try {
    return await ask(url)
  } catch (error) {
    if (others.length === 0 || !(error instanceof UpstreamError) || error.code !== 'invalid_response') throw error
    return firstOf(others, ask)
  }
}

function secureUrl(value: unknown): URL | undefined {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  return url && isSecureUrl(url) ? url : undefined
}
