import { resolve } from 'node:path'
import type { VerifierOptions } from '../../dpop-validator/options.js'
import type { ForwardAuthOptions } from '../../gateway/forward-auth/options.js'
import type { ListenAddress } from '../listen-address.js'
import type { Plan } from '../resolve/resolved.js'
import type { ForwardAuthSettings } from '../schema/forward-auth.js'
import { socketAddress } from '../socket-address.js'
import { httpProxyOptions } from './http-proxy-options.js'

export interface ForwardAuthConfiguration {
  readonly listen: ListenAddress
  readonly gateway: Required<ForwardAuthOptions>
  readonly validate: ValidateConfiguration | undefined
}

export interface ValidateConfiguration {
  readonly verifier: Omit<VerifierOptions, 'publicUrl'>
  /** Origins. */
  readonly publicUrls: readonly string[]
  readonly identityFields: Readonly<Record<string, string>>
}

/** @param plan One in which every rule holds. */
export function forwardAuthConfiguration(plan: Plan): ForwardAuthConfiguration | undefined {
  const { ForwardAuth } = plan.settings.Server
  if (ForwardAuth === undefined) return undefined
  const { Listen, TrustedProxies, IdentityFields, Validate } = ForwardAuth
  return {
    listen: socketAddress(Listen, plan.directory),
    gateway: { trustedProxies: TrustedProxies, identityFields: IdentityFields },
    validate: Validate && validateConfiguration(Validate, plan),
  }
}

function validateConfiguration(
  settings: NonNullable<ForwardAuthSettings['Validate']>,
  { authorizationServer, directory, files, httpProxyUrl, bff }: Plan,
): ValidateConfiguration {
  const { Issuer = authorizationServer?.settings.Issuer, AuthorityCaFile, Audience, Scopes } = settings
  if (Issuer === undefined || Audience === undefined)
    throw new TypeError('a setting is incomplete that the rules have let pass')
  return {
    publicUrls: settings.PublicUrls.map((url) => new URL(url).origin),
    identityFields: settings.IdentityFields,
    verifier: {
      issuer: { issuer: Issuer },
      audience: Audience,
      scopes: Scopes,
      mode: settings.RequireDPoP ? 'dpop' : 'mixed',
      nonce: settings.RequireNonce,
      // What it would name is behind the proxy, which nothing passes without a token.
      challenge: { resourceMetadata: false },
      ...httpProxyOptions({ httpProxyUrl, bff }),
      ...(AuthorityCaFile !== undefined && { ca: files.read(resolve(directory, AuthorityCaFile)).toString('utf8') }),
    },
  }
}
