import { isLoopback } from '../../http/loopback.js'
import type { ConfigurationFiles } from '../files.js'
import { type ListenAddress, listenAddress } from '../listen-address.js'
import type { AuthorizationServerSettings } from '../schema/authorization-server.js'
import type { Settings } from '../schema/schema.js'
import { type ApplicationPlan, applicationsOf } from './applications.js'
import { clientsOf, type FrontendPlan } from './frontend-plan.js'
import { applicationCertificate, type MutualTlsPlan, mutualTlsOf } from './mutual-tls.js'
import type { SampleApiPlan } from './sample-api.js'
import type { SecretReader } from './secrets.js'
import { type TlsFiles, tlsFiles } from './tls-files.js'

export interface AuthorizationServerPlan {
  readonly pointer: string
  readonly settings: AuthorizationServerSettings
  readonly issuer: URL | undefined
  /** Undefined: it answers on the gateway's listener. */
  readonly listen: ListenAddress | undefined
  /** Of its own listener. */
  readonly tls: readonly TlsFiles[] | undefined
  /** Of tokens for which nothing else says so. Undefined: the issuer. */
  readonly audience: string | undefined
  /** Undefined: no certificate of a client gets here. */
  readonly mutualTls: MutualTlsPlan | undefined
  readonly applications: readonly ApplicationPlan[]
}

interface ServerContext {
  readonly settings: Settings
  readonly secrets: SecretReader
  readonly directory: string
  readonly files: ConfigurationFiles
  readonly listen: ListenAddress
  readonly frontends: readonly FrontendPlan[]
  readonly sampleApi: SampleApiPlan | undefined
  /** Of the gateway's listener. */
  readonly tls: readonly TlsFiles[] | undefined
}

export function authorizationServerOf({
  settings,
  secrets,
  directory,
  files,
  listen,
  frontends,
  sampleApi,
  tls: tlsOfGateway,
}: ServerContext): AuthorizationServerPlan | undefined {
  const server = serverOf(settings)
  if (server === undefined) return undefined
  const pointer = serverPointerOf(settings)
  const tls = tlsFiles(server.Tls, `${pointer}/Tls`, directory)
  return {
    pointer,
    settings: server,
    issuer: server.Issuer === undefined ? undefined : new URL(server.Issuer),
    tls,
    listen: ownListener(server, listen, frontends.length > 0),
    audience: server.Audience ?? sampleApi?.audience,
    mutualTls: mutualTlsOf(server, pointer, directory, tls ?? tlsOfGateway),
    applications: applicationsOf(server, pointer, clientsOf(frontends), {
      keys: (application, at) => [
        secrets.publicJwk(application.SigningKeyJwk, `${at}/SigningKeyJwk`),
        ...application.RetiredSigningKeyJwks.map((jwk, item) =>
          secrets.publicJwk(jwk, `${at}/RetiredSigningKeyJwks/${item}`),
        ),
      ],
      certificate: (application, at, clients) => applicationCertificate(application, clients, { at, secrets, files }),
    }),
  }
}

/** The section has two names: that of OpenIddict's configuration, and its own. */
export function serverOf({ OpenIddict, AuthorizationServer }: Settings): AuthorizationServerSettings | undefined {
  return OpenIddict ?? AuthorizationServer
}

function serverPointerOf({ OpenIddict }: Settings): string {
  return OpenIddict === undefined ? '/AuthorizationServer' : '/OpenIddict'
}

/** The port a URL is served on. */
export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80))
}

function ownListener(
  { Listen, Issuer }: AuthorizationServerSettings,
  gateway: ListenAddress,
  hasGateway: boolean,
): ListenAddress | undefined {
  if (Listen !== undefined) return listenAddress(Listen)
  const issuer = Issuer === undefined ? undefined : new URL(Issuer)
  if (issuer !== undefined && isLoopback(issuer.hostname) && (!hasGateway || portOf(issuer) !== gateway.port))
    return { host: '127.0.0.1', port: portOf(issuer) }
  return hasGateway ? undefined : { host: '127.0.0.1', port: 3001 }
}
