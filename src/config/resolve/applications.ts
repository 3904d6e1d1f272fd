import { type Jwk, publicHalf, thumbprint } from '../../jose/jwk.js'
import type { ApplicationSettings, AuthorizationServerSettings } from '../schema/authorization-server.js'
import type { FrontendPlan } from './frontend-plan.js'
import type { ApplicationCertificatePlan } from './mutual-tls.js'

export interface ApplicationPlan {
  readonly pointer: string
  readonly settings: ApplicationSettings
  readonly clientId: string
  /** Made for a frontend; not in the file. */
  readonly isMade: boolean
  readonly keys: readonly Jwk[]
  /** What its certificate is for, where it has one. */
  readonly certificate: ApplicationCertificatePlan
  readonly permissions: readonly string[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  /** Where the client is told that a session has ended, when one frontend alone is this client. */
  readonly backchannelLogoutUri: string | undefined
  /** What the sign-out page has a frame of. */
  readonly frontchannelLogoutUri: string | undefined
  readonly frontends: readonly FrontendPlan[]
}

/** What of an application stands in other files. */
export interface ApplicationReader {
  keys(application: ApplicationSettings, pointer: string): readonly (Jwk | undefined)[]
  certificate(
    application: ApplicationSettings,
    pointer: string,
    frontends: readonly FrontendPlan[],
  ): ApplicationCertificatePlan
}

/** Those in the file, and one for each client of a frontend here that is not among them. */
export function applicationsOf(
  server: AuthorizationServerSettings,
  serverPointer: string,
  frontends: readonly FrontendPlan[],
  read: ApplicationReader,
): ApplicationPlan[] {
  const clientsOf = (clientId: string | undefined): FrontendPlan[] =>
    frontends.filter((frontend) => frontend.isEmbedded && frontend.clientId === clientId)
  const known = server.Seeding.Applications.map((application, index) => {
    const pointer = `${serverPointer}/Seeding/Applications/${index}`
    return applicationPlan(application, pointer, clientsOf(application.ClientId), read, false)
  })
  const clientIds = new Set(frontends.filter(({ isEmbedded }) => isEmbedded).map(({ clientId }) => clientId))
  const made = [...clientIds]
    .filter((clientId) => clientId !== undefined && !known.some((application) => application.clientId === clientId))
    .map((clientId) => {
      const [first] = clientsOf(clientId)
      const settings: ApplicationSettings = { ...blank, ClientId: clientId, DisplayName: first?.name }
      return applicationPlan(settings, first?.pointer ?? '', clientsOf(clientId), read, true)
    })
  return [...known, ...made]
}

const blank: ApplicationSettings = {
  ClientId: undefined,
  ClientSecret: undefined,
  DisplayName: undefined,
  SigningKeyJwk: undefined,
  RetiredSigningKeyJwks: [],
  BackchannelLogoutUri: undefined,
  FrontchannelLogoutUri: undefined,
  AuthorizationDetailTypes: undefined,
  TlsClientAuth: undefined,
  SelfSignedTlsClientAuth: undefined,
  CertificateBoundAccessTokens: undefined,
  RequireSignedRequests: undefined,
  RequireSignedResponses: undefined,
  Audiences: [],
  Permissions: undefined,
  RedirectUris: undefined,
  PostLogoutRedirectUris: undefined,
}

function applicationPlan(
  settings: ApplicationSettings,
  pointer: string,
  frontends: readonly FrontendPlan[],
  read: ApplicationReader,
  isMade: boolean,
): ApplicationPlan {
  const keys = (isMade ? [] : read.keys(settings, pointer)).filter((jwk) => jwk !== undefined)
  // Frontends that are one client have one key.
  const own = new Map(frontends.flatMap(({ keys: all }) => all.map((jwk) => [thumbprint(jwk), publicHalf(jwk)])))
  const needed = (settings.SigningKeyJwk ?? undefined) === undefined ? [...own.values(), ...keys] : keys
  return {
    pointer,
    settings,
    clientId: settings.ClientId ?? '',
    isMade,
    keys: needed,
    certificate: read.certificate(settings, pointer, frontends),
    permissions: settings.Permissions ?? permissionsOf(frontends),
    redirectUris: settings.RedirectUris ?? present(frontends.map(({ redirectUri }) => redirectUri)),
    postLogoutRedirectUris:
      settings.PostLogoutRedirectUris ?? present(frontends.map(({ postLogoutRedirectUri }) => postLogoutRedirectUri)),
    backchannelLogoutUri:
      settings.BackchannelLogoutUri ?? (frontends.length === 1 ? frontends[0]?.backchannelLogoutUri : undefined),
    frontchannelLogoutUri:
      settings.FrontchannelLogoutUri ?? (frontends.length === 1 ? frontends[0]?.frontchannelLogoutUri : undefined),
    frontends,
  }
}

function permissionsOf(frontends: readonly FrontendPlan[]): string[] {
  const routes = frontends.flatMap((frontend) => frontend.routes)
  const scopes = [...frontends.flatMap((frontend) => frontend.scopes), ...routes.flatMap(({ Scopes }) => Scopes)]
  const ownToken = routes.some(({ TokenType }) => TokenType === 'Client' || TokenType === 'UserOrClient')
    ? ['gt:client_credentials']
    : []
  const exchange = routes.some(({ TokenExchange }) => TokenExchange !== undefined) ? ['gt:token_exchange'] : []
  return [
    ...['authorization', 'pushed_authorization', 'token', 'logout', 'revocation'].map((name) => `ept:${name}`),
    ...['gt:authorization_code', 'gt:refresh_token', ...ownToken, ...exchange, 'rst:code'],
    ...new Set(scopes.map((scope) => `scp:${scope}`)),
    ...new Set(present(routes.map(({ Resource }) => Resource)).map((resource) => `rsrc:${resource}`)),
  ]
}

function present(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))]
}
