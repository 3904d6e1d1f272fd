import type { MutualTlsOptions } from '../../authorization-server/client/certificate-options.js'
import { parsePermissions } from '../../authorization-server/client/permissions.js'
import type { AuthorizationServerOptions, ClientOptions } from '../../authorization-server/options.js'
import { verificationKey } from '../../jose/jwk.js'
import { seconds } from '../duration.js'
import type { ConfigurationFiles } from '../files.js'
import type { ListenAddress } from '../listen-address.js'
import type { ApplicationPlan } from '../resolve/applications.js'
import { certificateAuthentication, type MutualTlsPlan } from '../resolve/mutual-tls.js'
import type { Plan } from '../resolve/resolved.js'
import { brandingOptions } from './branding.js'
import { type Certificate, certificatesOf } from './certificates.js'

/** What the authorization server needs besides the store, the seal and the place for its keys. */
export interface AuthorizationServerConfiguration {
  /** Undefined: on the gateway's listener, told apart by host and path. */
  readonly listen: ListenAddress | undefined
  /** Of its own listener. */
  readonly tls: readonly Certificate[] | undefined
  /** The listener that asks clients for a certificate. Undefined: there is none. */
  readonly mutualTls: MutualTlsListener | undefined
  readonly options: Omit<AuthorizationServerOptions, 'store' | 'seal' | 'signingKeys'>
}

export interface MutualTlsListener {
  readonly listen: ListenAddress
  readonly tls: readonly Certificate[]
  /** PEM certificates of the authorities of clients. Undefined: none is trusted. */
  readonly clientAuthorities: Buffer | undefined
}

/** @param plan One in which every rule holds. */
export function authorizationServerConfiguration(plan: Plan): AuthorizationServerConfiguration | undefined {
  const { authorizationServer: server, settings, directory, files } = plan
  if (server?.issuer === undefined) return undefined
  const { RequireNonce, Seeding, Branding, SignInLimits } = server.settings
  return {
    listen: server.listen,
    tls: certificatesOf(server.tls, files),
    mutualTls: mutualTlsListener(server.mutualTls, files),
    options: {
      issuer: server.issuer,
      clients: server.applications.map(clientOptions),
      users: Seeding.Users.map(({ Username = '', PasswordHash = '', Claims }) => ({
        username: Username,
        passwordHash: PasswordHash,
        claims: Claims,
      })),
      lifetimes: {
        accessToken: seconds(server.settings.AccessTokenLifetime),
        refreshToken: seconds(server.settings.RefreshTokenLifetime),
        session: seconds(server.settings.SessionLifetime),
        consent: seconds(server.settings.ConsentLifetime),
      },
      branding: brandingOptions(Branding, directory, files),
      signInLimits: {
        perUserAndAddress: SignInLimits.PerUserAndAddress,
        perUser: SignInLimits.PerUser,
        perAddress: SignInLimits.PerAddress,
        window: seconds(SignInLimits.Window),
      },
      ...(server.audience !== undefined && { audience: server.audience }),
      scopes: Seeding.Scopes.map(({ Name = '', DisplayName, Resources }) => ({
        name: Name,
        ...(DisplayName !== undefined && { displayName: DisplayName }),
        resources: Resources,
      })),
      ...(Seeding.AuthorizationDetailTypes.length > 0 && {
        authorizationDetailTypes: Seeding.AuthorizationDetailTypes.map(({ Type = '', Schema = {}, Consent }) => ({
          type: Type,
          schema: Schema,
          ...(Consent !== undefined && { consent: Consent }),
        })),
      }),
      dpopNonces: RequireNonce ? 'required' : 'off',
      requireSignedRequests: server.settings.RequireSignedRequests,
      requireSignedResponses: server.settings.RequireSignedResponses,
      trustedProxies: settings.Server.TrustedProxies,
      ...(server.mutualTls !== undefined && { mutualTls: mutualTlsOptions(server.mutualTls, files) }),
    },
  }
}

function mutualTlsListener(
  mutualTls: MutualTlsPlan | undefined,
  files: ConfigurationFiles,
): MutualTlsListener | undefined {
  if (mutualTls?.listen === undefined) return undefined
  const { listen, tls, caFile } = mutualTls
  return {
    listen,
    tls: certificatesOf(tls, files) ?? [],
    clientAuthorities: caFile === undefined ? undefined : files.read(caFile),
  }
}

function mutualTlsOptions({ listen, origin, caFile }: MutualTlsPlan, files: ConfigurationFiles): MutualTlsOptions {
  return {
    ...(listen === undefined
      ? {
          certificatesFrom: 'client-cert',
          ...(caFile !== undefined && { authorities: files.read(caFile).toString('latin1') }),
        }
      : { certificatesFrom: 'handshake' }),
    ...(origin !== undefined && { origin }),
  }
}

function clientOptions(application: ApplicationPlan): ClientOptions {
  const { clientId, settings, keys, certificate, permissions, redirectUris, postLogoutRedirectUris } = application
  const authentication = certificateAuthentication(certificate)
  const detailTypes = settings.AuthorizationDetailTypes ?? detailTypesOf(application)
  return {
    clientId,
    ...(settings.DisplayName !== undefined && { displayName: settings.DisplayName }),
    keys: keys.map(verificationKey),
    ...(authentication !== undefined && { certificateAuthentication: authentication }),
    ...(certificate.isBound && { certificateBoundAccessTokens: true }),
    redirectUris,
    postLogoutRedirectUris,
    ...(application.backchannelLogoutUri !== undefined && { backchannelLogoutUri: application.backchannelLogoutUri }),
    ...(application.frontchannelLogoutUri !== undefined && {
      frontchannelLogoutUri: application.frontchannelLogoutUri,
    }),
    permissions: parsePermissions(permissions).permissions,
    ...(detailTypes.length > 0 && { authorizationDetailTypes: detailTypes }),
    ...(settings.RequireSignedRequests !== undefined && { requireSignedRequests: settings.RequireSignedRequests }),
    ...(settings.RequireSignedResponses !== undefined && { requireSignedResponses: settings.RequireSignedResponses }),
    ...(settings.Audiences.length > 0 && { audiences: [clientId, ...settings.Audiences] }),
  }
}

/** All that its frontends ask for, by themselves or by a link. */
function detailTypesOf({ frontends }: ApplicationPlan): readonly string[] {
  const asked = frontends.flatMap(({ routes, settings: { AuthorizationDetails, LoginDetailTypes } }) => [
    ...[AuthorizationDetails, ...routes.map((route) => route.AuthorizationDetails ?? [])]
      .flat()
      .map(({ type }) => type),
    ...LoginDetailTypes.map(({ Type = '' }) => Type),
  ])
  return [...new Set(asked)]
}
