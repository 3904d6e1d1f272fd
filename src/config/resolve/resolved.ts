import { resolve } from 'node:path'
import type { ConfigurationProblem } from '../../errors.js'
import { endpointPath } from '../../gateway/endpoints/endpoint-paths.js'
import { isLoopback } from '../../http/loopback.js'
import type { Environment } from '../environment.js'
import { type ListenAddress, listenAddress } from '../listen-address.js'
import type { ApplicationSettings, AuthorizationServerSettings } from '../schema/authorization-server.js'
import type { BffSettings, FrontendSettings } from '../schema/bff.js'
import type { Settings } from '../schema/schema.js'
import { type ApplicationPlan, applicationsOf } from './applications.js'
import { madeClientKeys } from './derived-client-key.js'
import type { FrontendPlan } from './frontend-plan.js'
import { type SampleApiPlan, sampleApiOf, sampleRoute } from './sample-api.js'
import { createSecretReader, type SecretFile } from './secrets.js'
import type { StateDirectory } from './state-directory.js'

/** The settings thought to their end: what is left out has got its value, from the other parts of the file where it can. */
export interface Plan {
  readonly settings: Settings
  /** The configuration file. Absolute, as are the other paths here. Undefined for a configuration that comes from a program. */
  readonly file: string | undefined
  /** What relative paths start at. */
  readonly directory: string
  readonly stateDirectory: string
  /** Every file that a secret is read from, and private keys for TLS. */
  readonly secretFiles: readonly SecretFile[]
  readonly listen: ListenAddress
  readonly redisUrl: string | undefined
  readonly sealingKeys: readonly SealingKeyPlan[]
  readonly bff: BffSettings | undefined
  readonly frontends: readonly FrontendPlan[]
  readonly authorizationServer: AuthorizationServerPlan | undefined
  readonly sampleApi: SampleApiPlan | undefined
  /** Seconds since the epoch, when the plan was made. */
  readonly now: number
  /** Secrets that could not be read. */
  readonly problems: readonly ConfigurationProblem[]
}

export interface SealingKeyPlan {
  readonly pointer: string
  readonly text: string
}

export interface AuthorizationServerPlan {
  readonly pointer: string
  readonly settings: AuthorizationServerSettings
  readonly issuer: URL | undefined
  /** Undefined: it answers on the gateway's listener. */
  readonly listen: ListenAddress | undefined
  /** Of its own listener. */
  readonly tls: TlsFiles | undefined
  /** Of tokens for which nothing else says so. Undefined: the issuer. */
  readonly audience: string | undefined
  readonly applications: readonly ApplicationPlan[]
}

export interface PlanContext {
  readonly file: string | undefined
  /** What relative paths are relative to. */
  readonly directory: string
  readonly environment: Environment
  readonly state: StateDirectory
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

export function planOf(
  settings: Settings,
  { file, directory, environment, state, now = () => Date.now() / 1000 }: PlanContext,
): Plan {
  const secrets = createSecretReader(directory, environment)
  const server = settings.OpenIddict ?? settings.AuthorizationServer
  const serverPointer = settings.OpenIddict === undefined ? '/AuthorizationServer' : '/OpenIddict'
  const listen = listenOf(settings)
  const sampleApi = sampleApiOf(settings.Authentication, server?.Issuer)

  const sealingKeys = (settings.Bff?.SealingKeys ?? []).flatMap((source, index) => {
    const pointer = `/Bff/SealingKeys/${index}`
    const text = secrets.text(source, pointer)
    return text === undefined ? [] : [{ pointer, text }]
  })
  const usable = sealingKeys.map(({ text }) => Buffer.from(text, 'base64url')).filter(({ length }) => length === 32)

  const frontends = (settings.Bff?.Frontends ?? []).map((frontend, index): FrontendPlan => {
    const pointer = `/Bff/Frontends/${index}`
    const authority = frontend.Authority ?? settings.Bff?.Authority ?? server?.Issuer
    const isEmbedded = server?.Issuer !== undefined && authority === server.Issuer
    const name = frontend.Name ?? ''
    const clientId = frontend.ClientId ?? (isEmbedded && name !== '' ? `${name}-bff` : undefined)
    const application = server?.Seeding.Applications.find(({ ClientId }) => ClientId === clientId)
    const { url: publicUrl, pointer: publicUrlPointer } = publicUrlOf(frontend, pointer, settings, listen, application)
    const given = secrets.privateJwk(frontend.ClientSigningKeyJwk, `${pointer}/ClientSigningKeyJwk`)
    const isMade =
      isEmbedded &&
      clientId !== undefined &&
      frontend.ClientAuthenticationMethod === 'PrivateKeyJwt' &&
      (frontend.ClientSigningKeyJwk ?? undefined) === undefined &&
      (application?.SigningKeyJwk ?? undefined) === undefined
    const current = isMade ? madeClientKeys(clientId, usable, state) : [given]
    const retired = frontend.RetiredClientSigningKeyJwks.map((jwk, item) =>
      secrets.privateJwk(jwk, `${pointer}/RetiredClientSigningKeyJwks/${item}`),
    )
    const landing = frontend.PostLogoutRedirectPath ?? `${frontend.PathPrefix}/`
    return {
      pointer,
      settings: frontend,
      // Where it is not needed for a refresh token, it asks for one that outlives the server's own session.
      scopes: frontend.Scopes ?? ['openid', 'profile', 'email', ...(isEmbedded ? ['offline_access'] : [])],
      name,
      publicUrl,
      publicUrlPointer,
      authority,
      clientId,
      isEmbedded,
      clientSecret: secrets.text(frontend.ClientSecret, `${pointer}/ClientSecret`),
      keys: [...current, ...retired].filter((jwk) => jwk !== undefined),
      hosts: frontend.Hosts ?? (publicUrl === undefined ? [] : [publicUrl.host]),
      redirectUri: publicUrl && publicUrl.origin + endpointPath(frontend.PathPrefix, 'callback'),
      postLogoutRedirectUri: publicUrl && new URL(landing, frontend.ClientUrl ?? publicUrl).href,
      backchannelLogoutUri: publicUrl && publicUrl.origin + endpointPath(frontend.PathPrefix, 'backchannelLogout'),
      routes: frontend.Routes ?? (sampleApi === undefined ? [] : [sampleRoute(sampleApi)]),
    }
  })

  return {
    settings,
    file,
    directory,
    stateDirectory: resolve(directory, settings.Server.StateDirectory),
    listen,
    redisUrl: secrets.text(settings.Store.Redis?.Url, '/Store/Redis/Url'),
    sealingKeys,
    bff: settings.Bff,
    frontends,
    authorizationServer: server && {
      pointer: serverPointer,
      settings: server,
      issuer: server.Issuer === undefined ? undefined : new URL(server.Issuer),
      tls: tlsFiles(server.Tls, directory),
      listen: ownListener(server, listen, frontends.length > 0),
      audience: server.Audience ?? sampleApi?.audience,
      applications: applicationsOf(server, serverPointer, frontends, (application, pointer) => [
        secrets.publicJwk(application.SigningKeyJwk, `${pointer}/SigningKeyJwk`),
        ...application.RetiredSigningKeyJwks.map((jwk, item) =>
          secrets.publicJwk(jwk, `${pointer}/RetiredSigningKeyJwks/${item}`),
        ),
      ]),
    },
    sampleApi,
    now: now(),
    secretFiles: [...secrets.files, ...tlsKeyFiles(settings, directory)],
    problems: secrets.problems,
  }
}

/** Absolute paths of PEM files. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export function tlsFiles(settings: Settings['Server']['Tls'], directory: string): TlsFiles | undefined {
  return settings && { certFile: resolve(directory, settings.CertFile), keyFile: resolve(directory, settings.KeyFile) }
}

function tlsKeyFiles(settings: Settings, directory: string): SecretFile[] {
  const server = settings.OpenIddict ?? settings.AuthorizationServer
  const named = [
    { pointer: '/Server/Tls/KeyFile', file: settings.Server.Tls?.KeyFile },
    {
      pointer: `${settings.OpenIddict ? '/OpenIddict' : '/AuthorizationServer'}/Tls/KeyFile`,
      file: server?.Tls?.KeyFile,
    },
    ...(settings.Bff?.Frontends ?? []).flatMap(({ Routes = [] }, index) =>
      Routes.map(({ Tls }, route) => ({
        pointer: `/Bff/Frontends/${index}/Routes/${route}/Tls/KeyFile`,
        file: Tls?.KeyFile,
      })),
    ),
  ]
  return named.flatMap(({ pointer, file }) => (file === undefined ? [] : [{ pointer, path: resolve(directory, file) }]))
}

/** The port a URL is served on. */
export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80))
}

function listenOf(settings: Settings): ListenAddress {
  if (settings.Server.Listen !== undefined) return listenAddress(settings.Server.Listen)
  const publicUrl = settings.Bff?.PublicUrl ?? settings.Bff?.Frontends.find(({ PublicUrl }) => PublicUrl)?.PublicUrl
  const url = publicUrl === undefined ? undefined : new URL(publicUrl)
  return { host: '127.0.0.1', port: url !== undefined && isLoopback(url.hostname) ? portOf(url) : 3000 }
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

function publicUrlOf(
  frontend: FrontendSettings,
  pointer: string,
  settings: Settings,
  listen: ListenAddress,
  application: ApplicationSettings | undefined,
): { readonly url: URL | undefined; readonly pointer: string } {
  if (frontend.PublicUrl !== undefined) return { url: new URL(frontend.PublicUrl), pointer: `${pointer}/PublicUrl` }
  const general = '/Bff/PublicUrl'
  if (settings.Bff?.PublicUrl !== undefined) return { url: new URL(settings.Bff.PublicUrl), pointer: general }
  const callback = endpointPath(frontend.PathPrefix, 'callback')
  const registered = application?.RedirectUris?.map((uri) => new URL(uri)).find(({ pathname }) => pathname === callback)
  if (registered !== undefined) return { url: new URL(registered.origin), pointer: general }
  const isLocal = isLoopback(listen.host) && settings.Server.TrustedProxies.length === 0
  const scheme = settings.Server.Tls === undefined ? 'http' : 'https'
  return { url: isLocal ? new URL(`${scheme}://localhost:${listen.port}`) : undefined, pointer: general }
}
