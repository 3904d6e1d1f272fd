import { z } from 'zod'
import { jwk, secret } from './values.js'

/** By a secret that both sides have. */
export const secretMethods = ['ClientSecretPost', 'ClientSecretBasic'] as const

const method = z.enum(['PrivateKeyJwt', 'TlsClientAuth', 'SelfSignedTlsClientAuth', ...secretMethods])

export function isSecretMethod(name: z.output<typeof method>): name is (typeof secretMethods)[number] {
  return (secretMethods as readonly string[]).includes(name)
}

/** How a frontend proves at the authorization server who it is. */
export const clientAuthentication = {
  ClientSecret: secret.nullish().meta({
    description: 'For `ClientSecretPost` and `ClientSecretBasic`, which need `Bff.Profile` "Baseline".',
    examples: [{ Env: 'CLIENT_SECRET' }],
  }),
  ClientAuthenticationMethod: method.default('PrivateKeyJwt').meta({
    description:
      'How this frontend proves who it is: by a signed assertion, by `ClientCertificate` (RFC 8705 §2), which the server knows by its subject or, self-signed, by its key, or by a secret, in the body or in `Authorization: Basic`. The last two need `Bff.Profile` "Baseline".',
  }),
  ClientSigningKeyJwk: jwk.nullish().meta({
    description:
      'Private key for `PrivateKeyJwt` and `UseSignedRequests`: EC P-256 (ES256), Ed25519 or RSA (PS256). Default, with the embedded authorization server: one is made and kept.',
    examples: [{ File: './client-key.json' }],
  }),
  RetiredClientSigningKeyJwks: z.array(jwk).default([]).meta({
    description:
      'Former keys, still published at `{PathPrefix}/bff/jwks` while the authorization server may have them cached.',
  }),
}

/** The same at one of several authorization servers. */
export const clientAuthenticationOfAuthority = {
  ClientSecret: secret.nullish().meta({ description: 'Default: that of the frontend.' }),
  ClientAuthenticationMethod: method.optional().meta({
    description: 'Default: that of the frontend.',
    examples: ['PrivateKeyJwt'],
  }),
  ClientSigningKeyJwk: jwk.nullish().meta({
    description: 'Default: that of the frontend.',
    examples: [{ File: './client-key.json' }],
  }),
  RetiredClientSigningKeyJwks: z
    .array(jwk)
    .optional()
    .meta({
      description: 'Default: those of the frontend where `ClientSigningKeyJwk` is the frontend’s, else none.',
      examples: [[]],
    }),
}
