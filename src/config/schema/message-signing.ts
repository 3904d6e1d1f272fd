import { z } from 'zod'
import { frontendDefaults } from '../../gateway/defaults.js'

const signedRequests = z.boolean()
const responseMode = z.enum(['query', 'jwt'])

/** FAPI 2.0 Message Signing, of all frontends. */
export const messageSigning = {
  UseSignedRequests: signedRequests.default(frontendDefaults.signedRequests).meta({
    description:
      'Whether logins push a request object, signed with `ClientSigningKeyJwk` (RFC 9101), instead of plain parameters. Needs that key and pushed requests, whatever the client authenticates by.',
  }),
  ResponseMode: responseMode.default(frontendDefaults.responseMode).meta({
    description:
      '`jwt`: the authorization server signs its answers to logins (JARM), and an answer without a signature is refused.',
  }),
}

/** The same of one frontend. */
export const messageSigningOfFrontend = {
  UseSignedRequests: signedRequests.optional().meta({ description: 'Default: `Bff.UseSignedRequests`.' }),
  ResponseMode: responseMode.optional().meta({ description: 'Default: `Bff.ResponseMode`.', examples: ['jwt'] }),
}
