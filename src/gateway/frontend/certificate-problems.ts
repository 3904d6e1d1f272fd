import { createSecureContext } from 'node:tls'
import { isSecureUrl } from '../../http/secure-url.js'
import type { ClientCertificate, FrontendOptions } from '../options.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** What mutual TLS (RFC 8705) asks of a frontend. */
export function* certificateProblems(options: FrontendOptions): Generator<MemberProblem> {
  const { clientAuthentication, clientCertificate, certificateBoundAccessTokens, dpop } = options
  const { method } = clientAuthentication
  if (clientCertificate === undefined) {
    if (method === 'tls_client_auth' || method === 'self_signed_tls_client_auth')
      yield wrong('clientCertificate', `is missing for ${method}`, 'Give the certificate and its key.')
    else if (certificateBoundAccessTokens === true)
      yield wrong('clientCertificate', 'is missing, so that tokens can be bound to none', 'Give it and its key.')
    return
  }
  if (!isPair(clientCertificate))
    yield wrong(
      'clientCertificate',
      'is not a certificate with its private key',
      'Give PEM texts that belong together, the certificate first and then its chain; the key without a passphrase.',
    )
  if (certificateBoundAccessTokens !== true) return
  if (dpop)
    yield wrong(
      'certificateBoundAccessTokens',
      'is true beside dpop',
      'Make one of the two false: a token has one bond.',
    )
  yield* upstreamProblems(options, clientCertificate)
}

/** An API can check the bond only where it is shown the certificate. */
function* upstreamProblems({ routes }: FrontendOptions, { cert }: ClientCertificate): Generator<MemberProblem> {
  for (const [index, { tokenType, identityAssertion, upstreams, tls }] of routes.entries()) {
    if (tokenType === 'None' || identityAssertion !== undefined) continue
    if (tls?.cert !== undefined && tls.cert !== cert)
      yield wrong(
        `routes/${index}/tls/cert`,
        'is another certificate than the one that the tokens are bound to: an API that checks them refuses each call',
        'Leave out the certificate and the key of the route.',
      )
    for (const [number, upstream] of upstreams.entries())
      if (!isSecureUrl(upstream))
        yield wrong(
          `routes/${index}/upstreams/${number}`,
          'is plain http, where no certificate is shown: whoever reads the token there can use it',
          'Write https, or bind tokens by DPoP.',
        )
  }
}

function isPair({ cert, key }: ClientCertificate): boolean {
  try {
    createSecureContext({ cert, key })
    return true
  } catch {
    return false
  }
}
