import { z } from 'zod'
import { verifierDefaults } from '../../dpop-validator/defaults.js'
import { acceptedTokens } from './accepted-tokens.js'
import { httpUrl, socketAddressText, text } from './values.js'

const identityFields = z.record(text, text)

/** For APIs of any language, behind a proxy that asks. */
const validate = z
  .strictObject({
    Issuer: acceptedTokens.Issuer,
    AuthorityCaFile: acceptedTokens.AuthorityCaFile,
    Audience: acceptedTokens.Audience,
    PublicUrls: z
      .array(httpUrl)
      .default([])
      .meta({
        description:
          'Origins that clients call the APIs by, and make their proofs for. A request that the proxy tells another one of is refused.',
        examples: [['https://api.example.com']],
      }),
    Scopes: z
      .array(text)
      .default([])
      .meta({ description: 'Scopes that every request needs.', examples: [['orders']] }),
    RequireDPoP: acceptedTokens.RequireDPoP,
    RequireNonce: z.boolean().default(verifierDefaults.nonce).meta({
      description: 'Whether proofs have to carry a nonce (RFC 9449 §9).',
    }),
    IdentityFields: identityFields
      .default({ 'X-Auth-Subject': 'sub', 'X-Auth-Client': 'client_id', 'X-Auth-Scope': 'scope' })
      .meta({
        description: 'Header fields for the API, each with the claim of the access token that it carries.',
        examples: [{ 'X-Auth-Subject': 'sub' }],
      }),
  })
  .meta({
    description:
      'Checks access tokens and proofs of API clients, at `/validate/nginx`, `/validate/traefik`, `/validate/caddy` and `/validate/envoy`. Absent: there is no such address.',
    required: ['Audience', 'PublicUrls'],
  })

export const forwardAuth = z
  .strictObject({
    Listen: socketAddressText.default('127.0.0.1:4180').meta({
      description:
        'Where proxies ask: a loopback address, `unix:` and the path of a socket, or another address with `TrustedProxies`. Answers carry access tokens, in plain HTTP.',
      examples: ['127.0.0.1:4180', 'unix:/run/sallyport/forward-auth.sock'],
    }),
    TrustedProxies: z
      .array(text)
      .default([])
      .meta({
        description:
          'CIDR ranges of proxies that may ask, besides this machine. Connections of all others are closed. Default: none.',
        examples: [['10.0.0.0/8']],
      }),
    IdentityFields: identityFields.default({}).meta({
      description:
        'Header fields for the API, each with the claim of the signed-in user that it carries. Dots lead into objects. Default: none.',
      examples: [{ 'X-Auth-Subject': 'sub' }],
    }),
    Validate: validate.optional(),
  })
  .meta({
    description:
      'For a proxy of your own that forwards requests by itself and asks first, at `/nginx`, `/traefik`, `/caddy` or `/envoy`. Absent: it is not served.',
  })

export type ForwardAuthSettings = z.output<typeof forwardAuth>
