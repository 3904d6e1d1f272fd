import { z } from 'zod'
import { frontendName } from '../../gateway/frontend/frontend-grammar.js'
import { clientAuthenticationOfAuthority } from './client-authentication.js'
import { httpUrl, text } from './values.js'

const parameters = z.record(z.string(), z.union([text, z.looseObject({})]))

/** What every authorization request of a client has. */
export const authorizationParameters = parameters.optional().meta({
  description:
    'Parameters that every authorization request has, such as `audience`, `organization`, `kc_idp_hint` or `claims`; an object is sent as JSON. A link cannot change them. Never those of the protocol.',
  examples: [{ kc_idp_hint: 'google' }],
})

/** The authorization servers of a frontend that has several. */
export const authorities = z
  .array(
    z
      .strictObject({
        Name: z
          .string()
          .regex(frontendName, 'is not a name of 1 to 32 letters, digits, "-" and "_"')
          .optional()
          .meta({
            description: 'Unique in its frontend. `bff/login?authority={Name}` goes there.',
            examples: ['bank'],
          }),
        DisplayName: text
          .optional()
          .meta({ description: 'What users choose by. Default: `Name`.', examples: ['The Bank'] }),
        Authority: httpUrl.optional().meta({
          description: 'Its issuer identifier. Default: `Authority` of the frontend.',
          examples: ['https://auth.example.com'],
        }),
        ClientId: text.optional().meta({ description: 'Default: `ClientId` of the frontend.', examples: ['my-bff'] }),
        ...clientAuthenticationOfAuthority,
        Scopes: z
          .array(text)
          .optional()
          .meta({
            description: 'Default: `Scopes` of the frontend.',
            examples: [['openid', 'profile']],
          }),
        AuthorizationParameters: parameters.optional().meta({
          description: 'Default: `AuthorizationParameters` of the frontend.',
          examples: [{ kc_idp_hint: 'google' }],
        }),
        UseIdTokenHint: z
          .boolean()
          .optional()
          .meta({
            description: 'Default: `UseIdTokenHint` of the frontend.',
            examples: [false],
          }),
      })
      .meta({ required: ['Name'] }),
  )
  .min(1, 'is empty, so that there is nowhere to sign in')
  .optional()
  .meta({
    description:
      'Several authorization servers, of which the user chooses one at login. What an entry leaves out is as the frontend has it; the first one gives the gateway’s own tokens. Default: one, `Authority`.',
    examples: [[{ Name: 'bank', Authority: 'https://auth.bank.example' }]],
  })

export type AuthoritySettings = NonNullable<z.output<typeof authorities>>[number]
