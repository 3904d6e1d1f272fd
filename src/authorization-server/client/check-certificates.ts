import type { ConfigurationProblem } from '../../errors.js'
import type { AuthorizationServerOptions, ClientOptions } from '../options.js'
import { certificateJwkFault, subjectFault } from './certificate-authentication.js'
import type { MutualTlsOptions } from './certificate-options.js'
import { certificatesIn } from './client-certificate.js'

type Problems = Generator<ConfigurationProblem>

/** What mutual TLS (RFC 8705) cannot be made of. */
export function* certificateProblems({
  mutualTls,
  trustedProxies = [],
  clients,
}: Pick<AuthorizationServerOptions, 'mutualTls' | 'trustedProxies' | 'clients'>): Problems {
  if (mutualTls !== undefined) yield* mutualTlsProblems(mutualTls, trustedProxies)
  for (const [index, client] of clients.entries()) yield* clientProblems(client, mutualTls, `/clients/${index}`)
}

function* mutualTlsProblems(
  { certificatesFrom, authorities, origin }: MutualTlsOptions,
  proxies: readonly string[],
): Problems {
  if (origin !== undefined && (origin.protocol !== 'https:' || origin.href !== `${origin.origin}/`))
    yield wrong('/mutualTls/origin', 'is not an https origin', 'Write it as in "https://mtls.auth.example.com".')
  if (certificatesFrom === 'client-cert' && proxies.length === 0)
    yield wrong(
      '/mutualTls/certificatesFrom',
      'is a field that no proxy may send, because none is trusted',
      'Name your proxies in trustedProxies.',
    )
  if (authorities !== undefined && !isBundle(authorities))
    yield wrong(
      '/mutualTls/authorities',
      'is not PEM certificates of authorities',
      'Give those that issue the certificates of clients, "-----BEGIN CERTIFICATE-----" and all.',
    )
  else if (certificatesFrom === 'client-cert' && authorities !== undefined && hasNameConstraints(authorities))
    yield wrong(
      '/mutualTls/authorities',
      'has an authority that may issue certificates for some names only, which is looked at in handshakes alone',
      'Take certificates in a handshake of your own (Listen), or have clients known by their keys (SelfSignedTlsClientAuth).',
    )
}

function* clientProblems(
  { certificateAuthentication: authentication, certificateBoundAccessTokens }: ClientOptions,
  mutualTls: MutualTlsOptions | undefined,
  pointer: string,
): Problems {
  const member =
    authentication !== undefined
      ? 'certificateAuthentication'
      : certificateBoundAccessTokens === true
        ? 'certificateBoundAccessTokens'
        : undefined
  if (member === undefined) return
  if (mutualTls === undefined)
    yield wrong(`${pointer}/${member}`, 'needs a certificate, and none gets here', 'Give mutualTls.')
  if (authentication?.method === 'tls_client_auth') {
    const at = `${pointer}/certificateAuthentication/subject`
    const fault = subjectFault(authentication.subject)
    if (fault !== undefined)
      yield wrong(
        at,
        fault,
        authentication.subject.name === 'tls_client_auth_subject_dn'
          ? 'Write it as in "CN=reports,O=Example,C=AT": `openssl x509 -in app.pem -noout -subject -nameopt rfc2253` prints it.'
          : 'Write it as it stands in the certificate.',
      )
    if (mutualTls?.certificatesFrom === 'client-cert' && mutualTls.authorities === undefined)
      yield wrong(at, 'is issued by no authority that is trusted', 'Give mutualTls.authorities.')
  }
  if (authentication?.method === 'self_signed_tls_client_auth') {
    const at = `${pointer}/certificateAuthentication/jwks`
    if (authentication.jwks.length === 0)
      yield wrong(at, 'has no key', "Give the public keys of the client's certificates.")
    for (const [index, jwk] of authentication.jwks.entries()) {
      const fault = certificateJwkFault(jwk)
      if (fault !== undefined) yield wrong(`${at}/${index}`, fault, 'Write a public JWK, with or without x5c.')
    }
  }
}

function isBundle(pem: string): boolean {
  try {
    const certificates = certificatesIn(pem)
    return certificates.length > 0 && certificates.every(({ ca }) => ca)
  } catch {
    return false
  }
}

/** By the object identifier of the extension (RFC 5280 §4.2.1.10), with its tag and length. */
function hasNameConstraints(pem: string): boolean {
  return certificatesIn(pem).some(({ raw }) => raw.includes(Buffer.from('0603551d1e', 'hex')))
}

function wrong(pointer: string, problem: string, remedy: string): ConfigurationProblem {
  return { pointer, problem, remedy }
}
