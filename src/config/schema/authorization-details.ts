import { z } from 'zod'
import { text } from './values.js'

const paymentSchema = {
  properties: { type: {}, amount: { type: 'string' }, creditor: { type: 'string' } },
  required: ['amount', 'creditor'],
  additionalProperties: false,
}

const schema = z
  .record(z.string(), z.json())
  .optional()
  .meta({
    description:
      'JSON Schema (2020-12) of the whole element, `type` included. Say `additionalProperties: false`: then it holds nothing that is not named here.',
    examples: [paymentSchema],
  })

/** A kind of element of `authorization_details`, for the embedded server. */
export const authorizationDetailType = z
  .strictObject({
    Type: text.optional().meta({ description: 'Unique. `type` of such an element.', examples: ['payment'] }),
    Schema: schema,
    Consent: text.optional().meta({
      description:
        'What the consent page says of an element; a name in braces is a member, `{amount.value}` a member of a member. Name all that matters: a user allows the whole element. Default: the element itself, as JSON.',
      examples: ['Pay {amount} to {creditor}'],
    }),
  })
  .meta({ required: ['Type', 'Schema'] })

const details = z.array(
  z.looseObject({
    type: text.meta({ description: 'What kind it is.', examples: ['account_information'] }),
  }),
)

/** Of one route. */
export const routeDetails = details.optional().meta({
  description:
    "`authorization_details` (RFC 9396) of the user's token for this route; asked for at login too. Where any route has some, the tokens of the others have those of the frontend alone. Default: those of the login.",
  examples: [[{ type: 'account_information', actions: ['list_accounts'] }]],
})

/** What a frontend asks for in such words. */
export const authorizationDetails = {
  AuthorizationDetails: details.default([]).meta({
    description:
      '`authorization_details` of every login (RFC 9396), each an object with its `type`, as the authorization server has it. A link cannot change them.',
    examples: [[{ type: 'account_information', actions: ['list_accounts'] }]],
  }),
  LoginDetailTypes: z
    .array(
      z
        .strictObject({
          Type: text.optional().meta({ description: 'Unique. `type` of such an element.', examples: ['payment'] }),
          Schema: schema,
        })
        .meta({ required: ['Type', 'Schema'] }),
    )
    .default([])
    .meta({
      description:
        'What a login link may ask for by `authorization_details`, where `LoginParameters` has that. An element of another type, or one that does not fit, is left out.',
    }),
}
