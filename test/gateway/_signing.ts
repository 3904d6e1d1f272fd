import type { FrontendOptions } from '../../src/gateway/options.js'
import type { ProviderOptions } from './_provider.js'

/** A provider and a frontend that use FAPI 2.0 Message Signing with each other. */
export interface Signing {
  readonly provider: ProviderOptions
  readonly frontend: Partial<FrontendOptions>
}

/** @param algorithm Of the signed answers. */
export function withSigning(parts: { readonly requests?: true; readonly responses?: string }): Signing {
  const { requests = false, responses } = parts
  return {
    provider: {
      configuration: {
        features: {
          ...(requests && { requestObjects: { enabled: true } }),
          ...(responses !== undefined && { jwtResponseModes: { enabled: true } }),
        },
      },
      clientMetadata: {
        ...(requests && { require_signed_request_object: true, request_object_signing_alg: 'ES256' }),
        ...(responses !== undefined && { authorization_signed_response_alg: responses }),
      },
    },
    frontend: {
      signedRequests: requests,
      responseMode: responses === undefined ? 'query' : 'jwt',
    },
  }
}

export const callbackOnly = {
  stopAt: ({ pathname }: URL): boolean => pathname === '/bff/callback',
}
