import { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import type {
  CertificateAuthentication,
  CertificateSubject,
} from '../../authorization-server/client/certificate-options.js'
import { subjectNameOf } from '../../http/distinguished-name.js'
import { certificateJwk } from '../../jose/certificate.js'
import type { Jwk } from '../../jose/jwk.js'
import type { ConfigurationFiles } from '../files.js'
import { type ListenAddress, listenAddress } from '../listen-address.js'
import type { ApplicationSettings, AuthorizationServerSettings } from '../schema/authorization-server.js'
import type { FrontendPlan } from './frontend-plan.js'
import type { SecretReader } from './secrets.js'
import { type TlsFiles, tlsFiles } from './tls-files.js'

/** How certificates of clients get to the embedded server. */
export interface MutualTlsPlan {
  readonly pointer: string
  /** Undefined: a proxy hands them on. */
  readonly listen: ListenAddress | undefined
  /** Of the listener: its own, or those of another. */
  readonly tls: readonly TlsFiles[] | undefined
  readonly ownTls: readonly TlsFiles[] | undefined
  /** Undefined: where the issuer is. */
  readonly origin: URL | undefined
  /** Absolute. */
  readonly caFile: string | undefined
}

/** @param otherwise the certificates of the server's listener, or of the gateway's */
export function mutualTlsOf(
  { MutualTls, Issuer }: AuthorizationServerSettings,
  serverPointer: string,
  directory: string,
  otherwise: readonly TlsFiles[] | undefined,
): MutualTlsPlan | undefined {
  if (MutualTls === undefined) return undefined
  const pointer = `${serverPointer}/MutualTls`
  const ownTls = tlsFiles(MutualTls.Tls, `${pointer}/Tls`, directory)
  const listen = MutualTls.Listen === undefined ? undefined : listenAddress(MutualTls.Listen)
  const beside =
    listen === undefined || Issuer === undefined ? undefined : `https://${new URL(Issuer).hostname}:${listen.port}`
  const origin = MutualTls.Origin ?? beside
  return {
    pointer,
    listen,
    tls: ownTls ?? otherwise,
    ownTls,
    origin: origin === undefined ? undefined : new URL(origin),
    caFile: MutualTls.CaFile === undefined ? undefined : resolve(directory, MutualTls.CaFile),
  }
}

/** How an application is known by its certificate, and what its tokens are bound to. */
export interface ApplicationCertificatePlan {
  /** Undefined: it is known by an assertion. */
  readonly method: CertificateAuthentication['method'] | undefined
  /** Of `tls_client_auth`: one, if all is well. */
  readonly subjects: readonly CertificateSubject[]
  /** Of `self_signed_tls_client_auth`. */
  readonly jwks: readonly Jwk[]
  readonly isBound: boolean
}

/** What the file says of it; otherwise what the frontends have that are this client. */
export function applicationCertificate(
  settings: ApplicationSettings,
  frontends: readonly FrontendPlan[],
  { at, secrets, files }: { readonly at: string; readonly secrets: SecretReader; readonly files: ConfigurationFiles },
): ApplicationCertificatePlan {
  const given = (settings.SelfSignedTlsClientAuth?.Jwks ?? [])
    .map((jwk, item) => secrets.certificateJwk(jwk, `${at}/SelfSignedTlsClientAuth/Jwks/${item}`))
    .filter((jwk) => jwk !== undefined)
  const { TlsClientAuth, SelfSignedTlsClientAuth, CertificateBoundAccessTokens } = settings
  const shown = frontends.flatMap((frontend) => certificateOf(frontend, files) ?? [])
  const named = Object.entries(TlsClientAuth ?? {}).flatMap(([member, value]) =>
    value === undefined ? [] : [{ name: subjectNames[member as keyof typeof subjectNames], value }],
  )
  return {
    method: methodOf(settings, frontends),
    subjects:
      TlsClientAuth === undefined
        ? [...new Set(shown.map(subjectNameOf))].map((value) => ({ name: subjectNames.SubjectDn, value }))
        : named,
    jwks: (SelfSignedTlsClientAuth?.Jwks.length ?? 0) > 0 ? given : shown.map(certificateJwk),
    isBound:
      CertificateBoundAccessTokens ??
      frontends.some(({ settings: { SenderConstraint } }) => SenderConstraint === 'Mtls'),
  }
}

/** As the server takes it. Undefined: by an assertion, or by nothing yet. */
export function certificateAuthentication({
  method,
  subjects,
  jwks,
}: ApplicationCertificatePlan): CertificateAuthentication | undefined {
  const [subject] = subjects
  if (method === 'tls_client_auth') return subject && { method, subject }
  return method && { method, jwks }
}

const subjectNames = {
  SubjectDn: 'tls_client_auth_subject_dn',
  SanDns: 'tls_client_auth_san_dns',
  SanUri: 'tls_client_auth_san_uri',
  SanIp: 'tls_client_auth_san_ip',
  SanEmail: 'tls_client_auth_san_email',
} as const satisfies Record<string, CertificateSubject['name']>

/** As registrations call what a frontend does. */
export const certificateMethods: Readonly<Record<string, CertificateAuthentication['method']>> = {
  TlsClientAuth: 'tls_client_auth',
  SelfSignedTlsClientAuth: 'self_signed_tls_client_auth',
}

function methodOf(
  { TlsClientAuth, SelfSignedTlsClientAuth }: ApplicationSettings,
  frontends: readonly FrontendPlan[],
): CertificateAuthentication['method'] | undefined {
  if (TlsClientAuth !== undefined) return 'tls_client_auth'
  if (SelfSignedTlsClientAuth !== undefined) return 'self_signed_tls_client_auth'
  const methods = frontends.map(({ settings }) => certificateMethods[settings.ClientAuthenticationMethod])
  return methods.find((method) => method !== undefined)
}

/** Undefined where it has none, or one that cannot be read: that is reported where it stands. */
export function certificateOf(
  { directory, settings: { ClientCertificate } }: FrontendPlan,
  files: ConfigurationFiles,
): X509Certificate | undefined {
  if (ClientCertificate === undefined) return undefined
  try {
    return new X509Certificate(files.read(resolve(directory, ClientCertificate.CertFile)))
  } catch {
    return undefined
  }
}
