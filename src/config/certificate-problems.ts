import { X509Certificate } from 'node:crypto'
import type { ConfigurationProblem } from '../errors.js'
import { isFor } from '../http/certificate-names.js'
import type { Configuration } from './configuration.js'
import type { Certificate } from './options/certificates.js'
import type { Plan } from './resolve/resolved.js'
import type { TlsFiles } from './resolve/tls-files.js'

/**
 * What browsers will have against the certificates, and servers against ours. No reason not to start, nor to refuse a change: one frontend with an
 * expired certificate would take all others along.
 */
export function certificateProblems({
  plan,
  server,
  authorizationServer,
  gateway,
}: Configuration): ConfigurationProblem[] {
  const issuer = plan.authorizationServer?.issuer
  const isShared = authorizationServer !== undefined && authorizationServer.listen === undefined
  const frontends = plan.frontends.flatMap(({ publicUrl, hosts, name }) =>
    publicUrl?.protocol === 'https:'
      ? [publicUrl.hostname, ...hosts.map(withoutPort)].map((host) => ({ host, whose: `the frontend "${name}"` }))
      : [],
  )
  const ofIssuer = issuer?.protocol === 'https:' ? [{ host: issuer.hostname, whose: 'the issuer' }] : []
  return [
    ...problemsOf(plan.tls, server.tls, [...frontends, ...(isShared ? ofIssuer : [])], plan.now),
    ...problemsOf(plan.authorizationServer?.tls, authorizationServer?.tls, isShared ? [] : ofIssuer, plan.now),
    ...ofMutualTls(plan, authorizationServer),
    ...(gateway?.frontends ?? []).flatMap(({ clientCertificate }, index) => {
      const expiry = clientCertificate && expiredOn(clientCertificate.cert, plan.now)
      return expiry === undefined
        ? []
        : [
            {
              pointer: `/Bff/Frontends/${index}/ClientCertificate/CertFile`,
              problem: `has expired on ${expiry}`,
              remedy: 'Have it renewed: the authorization server will not accept it.',
            },
          ]
    }),
  ]
}

/** The listener may have the certificates of another, whose expiry is told of there. */
function ofMutualTls(
  { authorizationServer: server, now }: Plan,
  configured: Configuration['authorizationServer'],
): readonly ConfigurationProblem[] {
  const { origin, tls, ownTls } = server?.mutualTls ?? {}
  const hosts = origin === undefined ? [] : [{ host: origin.hostname, whose: 'the endpoints for mutual TLS' }]
  const problems = problemsOf(tls, configured?.mutualTls?.tls, hosts, now)
  return ownTls === undefined ? problems.filter(({ pointer }) => !pointer.endsWith('/CertFile')) : problems
}

function expiredOn(certificate: Buffer | string, now: number): string | undefined {
  const { validTo } = new X509Certificate(certificate)
  return Date.parse(validTo) < now * 1000 ? validTo : undefined
}

interface AskedFor {
  readonly host: string
  readonly whose: string
}

function problemsOf(
  files: readonly TlsFiles[] = [],
  certificates: readonly Certificate[] = [],
  hosts: readonly AskedFor[],
  now: number,
): ConfigurationProblem[] {
  const expired = certificates.flatMap(({ cert }, index) => {
    const validTo = expiredOn(cert, now)
    return validTo === undefined
      ? []
      : [
          {
            pointer: `${files[index]?.pointer}/CertFile`,
            problem: `has expired on ${validTo}`,
            remedy: 'Have it renewed: no browser will accept it.',
          },
        ]
  })
  if (certificates.length === 0) return expired
  const unfit = new Map(hosts.map(({ host, whose }) => [host, whose]))
  for (const host of unfit.keys()) if (certificates.some(({ cert }) => isFor(cert, bare(host)))) unfit.delete(host)
  return [
    ...expired,
    ...[...unfit].map(([host, whose]) => ({
      pointer: files[0]?.pointer.replace(/\/\d+$/, '') ?? '',
      problem: `has no certificate for ${host}, the host of ${whose}`,
      remedy:
        'Add one to the list, or have one made with that name in it. Browsers look at its alternative names only.',
    })),
  ]
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '')
}

/** An IPv6 address stands in brackets in a URL. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}
