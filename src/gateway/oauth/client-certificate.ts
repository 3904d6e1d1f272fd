import { X509Certificate } from 'node:crypto'
import type { ServerMetadata } from 'openid-client'
import { UpstreamError } from '../../errors.js'
import { subjectNameOf } from '../../http/distinguished-name.js'
import { certificateJwk, certificateThumbprint } from '../../jose/certificate.js'
import type { FrontendOptions } from '../options.js'
import type { RouteOptions } from '../route-options.js'

type Certified = Pick<FrontendOptions, 'clientCertificate' | 'certificateBoundAccessTokens'>

/**
 * What a token is bound to: `x5t#S256`. Undefined where tokens are bound to no certificate.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3.1 RFC 8705 §3.1}
 */
export function boundCertificate({ clientCertificate, certificateBoundAccessTokens }: Certified) {
  if (certificateBoundAccessTokens !== true || clientCertificate === undefined) return undefined
  return certificateThumbprint(new X509Certificate(clientCertificate.cert))
}

/** As a registration names it. */
export function subjectOf(certificate: string): string {
  return subjectNameOf(new X509Certificate(certificate))
}

/** As the key set of a client has it that is known by its key. */
export function certificateKey(certificate: string) {
  return certificateJwk(new X509Certificate(certificate))
}

/** Those that know the client by its certificate, or give it a token (RFC 8705 §5). No browser goes there. */
const aliased = [
  'pushed_authorization_request_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'userinfo_endpoint',
] as const

/** The endpoints that a client with a certificate calls, in place of those for everybody else. */
export function mutualTlsEndpoints({ mtls_endpoint_aliases: aliases }: ServerMetadata): Partial<ServerMetadata> {
  if (typeof aliases !== 'object' || aliases === null) return {}
  return Object.fromEntries(aliased.flatMap((name) => (aliases[name] === undefined ? [] : [[name, aliases[name]]])))
}

/**
 * A token that can be read has to say that it is bound: a server that does not know this client as one of bound tokens would
 * else give out tokens that any thief can use. What is opaque the API alone can check.
 * @throws UpstreamError `invalid_response`
 */
export function assertBound(accessToken: string, thumbprint: string): void {
  const claims = claimsOf(accessToken)
  const confirmation = claims?.cnf
  if (claims === undefined || (isObject(confirmation) && confirmation['x5t#S256'] === thumbprint)) return
  throw new UpstreamError('invalid_response', 'the token endpoint gave a token that is not bound to our certificate')
}

function claimsOf(accessToken: string): Readonly<Record<string, unknown>> | undefined {
  const parts = accessToken.split('.')
  const [, payload = ''] = parts
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return isObject(claims) ? claims : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The API is shown the certificate that its tokens are bound to, unless the route names one. */
export function withCertificate<Route extends Pick<RouteOptions, 'tokenType' | 'tls'>>(
  route: Route,
  { clientCertificate, certificateBoundAccessTokens }: Certified,
): Route {
  if (certificateBoundAccessTokens !== true || clientCertificate === undefined) return route
  if (route.tokenType === 'None' || route.tls?.cert !== undefined) return route
  return { ...route, tls: { ...route.tls, ...clientCertificate } }
}
