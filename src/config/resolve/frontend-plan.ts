import { endpointPath } from '../../gateway/endpoints/endpoint-paths.js'
import { isLoopback } from '../../http/loopback.js'
import type { Jwk } from '../../jose/jwk.js'
import type { Sliced } from '../../slices.js'
import { freeze } from '../freeze.js'
import type { FrontendFile } from '../frontends-folder.js'
import type { ListenAddress } from '../listen-address.js'
import type { AuthoritySettings } from '../schema/authorities.js'
import type { ApplicationSettings, AuthorizationServerSettings } from '../schema/authorization-server.js'
import type { FrontendSettings } from '../schema/bff.js'
import type { RouteSettings } from '../schema/route.js'
import type { Settings } from '../schema/schema.js'
import { madeClientKeys } from './derived-client-key.js'
import { type SampleApiPlan, sampleRoute } from './sample-api.js'
import type { SecretReader } from './secrets.js'
import type { StateDirectory } from './state-directory.js'

export interface FrontendPlan {
  readonly pointer: string
  /** The same frontend at each of its authorization servers, where it has several. Then all else is as at the first. */
  readonly authorities: readonly AuthorityPlan[] | undefined
  /** What its relative paths start at. */
  readonly directory: string
  readonly settings: FrontendSettings
  /** What is asked for at login. */
  readonly scopes: readonly string[]
  readonly name: string
  readonly publicUrl: URL | undefined
  /** Where the public URL is written, or should be. */
  readonly publicUrlPointer: string
  readonly authority: string | undefined
  readonly clientId: string | undefined
  /** Whether its authorization server is the embedded one. */
  readonly isEmbedded: boolean
  readonly clientSecret: string | undefined
  /** The key that signs, then the retired ones. */
  readonly keys: readonly Jwk[]
  readonly hosts: readonly string[]
  readonly redirectUri: string | undefined
  readonly postLogoutRedirectUri: string | undefined
  readonly backchannelLogoutUri: string | undefined
  /** Undefined also where it does not take part. */
  readonly frontchannelLogoutUri: string | undefined
  readonly routes: readonly RouteSettings[]
}

/** A frontend as the client of one of its authorization servers. */
export interface AuthorityPlan extends FrontendPlan {
  readonly authorityName: string
  readonly displayName: string | undefined
}

/** The clients that a frontend is: at its authorization server, or at each of them. */
export function clientsOf(frontends: readonly FrontendPlan[]): readonly FrontendPlan[] {
  return frontends.flatMap((frontend): readonly FrontendPlan[] => frontend.authorities ?? [frontend])
}

/** What a frontend's plan follows from, besides its own settings. */
export interface FrontendContext {
  readonly settings: Settings
  /** The embedded one, if there is one. */
  readonly server: AuthorizationServerSettings | undefined
  readonly secrets: SecretReader
  /** What relative paths start at. */
  readonly directory: string
  /** Frontends that have a file of their own. */
  readonly frontendFiles: readonly FrontendFile[]
  readonly state: StateDirectory
  readonly listen: ListenAddress
  readonly sampleApi: SampleApiPlan | undefined
  /** Those that are 32 bytes long: keys of clients are made of them. */
  readonly sealingKeys: readonly Buffer[]
}

export function* frontendsOf(context: FrontendContext): Sliced<readonly FrontendPlan[]> {
  const directories = new Map(context.frontendFiles.map(({ index, directory }) => [index, directory]))
  const plans: FrontendPlan[] = []
  for (const [index, frontend] of (context.settings.Bff?.Frontends ?? []).entries()) {
    const directory = directories.get(index) ?? context.directory
    const secrets = context.secrets.from(directory)
    const pointer = `/Bff/Frontends/${index}`
    const own = { ...context, directory, secrets }
    const authorities = frontend.Authorities?.map((authority, at) =>
      authorityOf(frontend, pointer, { authority, pointer: `${pointer}/Authorities/${at}` }, own),
    )
    const [first] = authorities ?? []
    const plan = first ?? frontendOf(frontend, () => pointer, own)
    plans.push(freeze({ ...plan, pointer, settings: frontend, authorities }))
    yield
  }
  return plans
}

/** What it leaves out is the frontend's. */
function authorityOf(
  frontend: FrontendSettings,
  pointer: string,
  own: { readonly authority: AuthoritySettings; readonly pointer: string },
  context: FrontendContext,
): AuthorityPlan {
  const { Name = '', DisplayName, ...given } = own.authority
  const settings: FrontendSettings = {
    ...frontend,
    // A key of its own comes without the frontend's former ones.
    ...((given.ClientSigningKeyJwk ?? undefined) !== undefined && { RetiredClientSigningKeyJwks: [] }),
    ...(Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
    ) as Partial<FrontendSettings>),
  }
  const written = own.authority as Readonly<Record<string, unknown>>
  const at = (member: string): string => ((written[member] ?? undefined) === undefined ? pointer : own.pointer)
  return {
    ...frontendOf(settings, at, context),
    pointer: own.pointer,
    authorityName: Name,
    displayName: DisplayName,
  }
}

/** @param at where the settings are that have this member */
function frontendOf(
  frontend: FrontendSettings,
  at: (member: string) => string,
  context: FrontendContext,
): FrontendPlan {
  const { settings, server, secrets, sampleApi } = context
  const authority = frontend.Authority ?? settings.Bff?.Authority ?? server?.Issuer
  // Where it is another one only to the letter, a rule says so: what another one would need is not missing beside that.
  const isEmbedded = server?.Issuer !== undefined && authority !== undefined && isTakenFor(authority, server.Issuer)
  const name = frontend.Name ?? ''
  const clientId = frontend.ClientId ?? (isEmbedded && name !== '' ? `${name}-bff` : undefined)
  const application = server?.Seeding.Applications.find(({ ClientId }) => ClientId === clientId)
  const { url: publicUrl, pointer: publicUrlPointer } = publicUrlOf(frontend, at('PublicUrl'), context, application)
  const landing = frontend.PostLogoutRedirectPath ?? `${frontend.PathPrefix}/`
  return {
    pointer: at('Name'),
    authorities: undefined,
    directory: context.directory,
    settings: frontend,
    // Where it is not needed for a refresh token, it asks for one that outlives the server's own session.
    scopes: frontend.Scopes ?? ['openid', 'profile', 'email', ...(isEmbedded ? ['offline_access'] : [])],
    name,
    publicUrl,
    publicUrlPointer,
    authority,
    clientId,
    isEmbedded,
    keys: clientKeysOf(frontend, at, isEmbedded ? { clientId, application } : undefined, context),
    clientSecret: secrets.text(frontend.ClientSecret, `${at('ClientSecret')}/ClientSecret`),
    hosts: frontend.Hosts ?? (publicUrl === undefined ? [] : [publicUrl.host]),
    redirectUri: publicUrl && publicUrl.origin + endpointPath(frontend.PathPrefix, 'callback'),
    postLogoutRedirectUri: publicUrl && new URL(landing, frontend.ClientUrl ?? publicUrl).href,
    backchannelLogoutUri: publicUrl && publicUrl.origin + endpointPath(frontend.PathPrefix, 'backchannelLogout'),
    frontchannelLogoutUri:
      publicUrl && frontend.UseFrontchannelLogout
        ? publicUrl.origin + endpointPath(frontend.PathPrefix, 'frontchannelLogout')
        : undefined,
    routes: frontend.Routes ?? (sampleApi === undefined ? [] : [sampleRoute(sampleApi)]),
  }
}

/** The key that signs, then the retired ones. A client of the embedded server gets one made where none is given. */
function clientKeysOf(
  frontend: FrontendSettings,
  at: (member: string) => string,
  embedded:
    | { readonly clientId: string | undefined; readonly application: ApplicationSettings | undefined }
    | undefined,
  { settings, secrets, state, sealingKeys }: FrontendContext,
): readonly Jwk[] {
  const { ClientSigningKeyJwk, ClientAuthenticationMethod, RetiredClientSigningKeyJwks } = frontend
  const signs = frontend.UseSignedRequests ?? settings.Bff?.UseSignedRequests ?? false
  const given = secrets.privateJwk(ClientSigningKeyJwk, `${at('ClientSigningKeyJwk')}/ClientSigningKeyJwk`)
  const isMade =
    embedded?.clientId !== undefined &&
    (ClientAuthenticationMethod === 'PrivateKeyJwt' || signs) &&
    (ClientSigningKeyJwk ?? undefined) === undefined &&
    (embedded.application?.SigningKeyJwk ?? undefined) === undefined
  const current = isMade ? madeClientKeys(embedded.clientId, sealingKeys, state) : [given]
  const retired = RetiredClientSigningKeyJwks.map((jwk, index) =>
    secrets.privateJwk(jwk, `${at('RetiredClientSigningKeyJwks')}/RetiredClientSigningKeyJwks/${index}`),
  )
  return [...current, ...retired].filter((jwk) => jwk !== undefined)
}

function publicUrlOf(
  frontend: FrontendSettings,
  pointer: string,
  { settings, listen }: FrontendContext,
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

/** But for what people take for the same. */
export function isTakenFor(one: string, other: string): boolean {
  return plain(one) === plain(other)
}

function plain(url: string): string {
  return url.toLowerCase().replace(/\/+$/, '')
}
