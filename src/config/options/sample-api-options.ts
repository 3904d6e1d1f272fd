import { resolve } from 'node:path'
import type { VerifierOptions } from '../../dpop-validator/options.js'
import { seconds } from '../duration.js'
import type { ListenAddress } from '../listen-address.js'
import type { Plan } from '../resolve/resolved.js'
import { httpProxyOptions } from './http-proxy-options.js'

export interface SampleApiConfiguration {
  readonly listen: ListenAddress
  readonly verifier: VerifierOptions
  /** Where its calls are drawn, for a page to link to. Absent: nowhere. */
  readonly watchedAt?: string
}

/** @param plan One in which every rule holds. */
export function sampleApiConfiguration({
  sampleApi,
  directory,
  files,
  ...plan
}: Plan): SampleApiConfiguration | undefined {
  if (sampleApi?.issuer === undefined || sampleApi.audience === undefined) return undefined
  const { OpenIddict, DPoP } = sampleApi.settings
  return {
    listen: sampleApi.listen,
    verifier: {
      issuer: { issuer: sampleApi.issuer },
      ...httpProxyOptions(plan),
      ...(OpenIddict.AuthorityCaFile !== undefined && {
        ca: files.read(resolve(directory, OpenIddict.AuthorityCaFile)).toString('utf8'),
      }),
      audience: sampleApi.audience,
      publicUrl: sampleApi.publicUrls,
      mode: OpenIddict.RequireDPoP ? 'dpop' : 'mixed',
      proof: { maxAge: seconds(DPoP.MaxProofLifetime), futureSkew: seconds(DPoP.ClockSkew) },
      nonce: DPoP.RequireNonce,
    },
  }
}
