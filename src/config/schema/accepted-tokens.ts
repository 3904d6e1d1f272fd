import { z } from 'zod'
import { verifierDefaults } from '../../dpop-validator/defaults.js'
import { httpUrl, text } from './values.js'

/** Which access tokens a validator of this process accepts: that of the sample API, and that which proxies ask. */
export const acceptedTokens = {
  Issuer: httpUrl.optional().meta({
    description: 'Whose access tokens are accepted. Default: the issuer of the embedded authorization server.',
    examples: ['https://auth.example.com'],
  }),
  AuthorityCaFile: text.optional().meta({
    description: 'PEM certificates to trust for the authorization server, besides those that Node.js trusts.',
    examples: ['tls/ca.pem'],
  }),
  Audience: text.optional().meta({
    description: 'What an access token has to be made for.',
    examples: ['https://api.example.com'],
  }),
  RequireDPoP: z
    .boolean()
    .default(verifierDefaults.mode === 'dpop')
    .meta({
      description:
        'Whether access tokens have to be bound to a key. A bound token is never accepted without its proof, whatever is said here.',
    }),
}
