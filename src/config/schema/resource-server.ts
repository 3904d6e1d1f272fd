import { z } from 'zod'
import { proofDefaults, verifierDefaults } from '../../dpop-validator/defaults.js'
import { acceptedTokens } from './accepted-tokens.js'
import { httpUrl, lasting, listenAddress } from './values.js'

export const resourceServer = z
  .strictObject({
    OpenIddict: z
      .strictObject({
        Listen: listenAddress.default('127.0.0.1:3002').meta({
          description: 'Host and port of the sample API.',
          examples: ['127.0.0.1:3002'],
        }),
        PublicUrl: httpUrl.optional().meta({
          description:
            'What the gateway calls the sample API by: a proof made for any other URL is refused. Default: `Listen`, where that is a loopback address.',
          examples: ['http://api:3002'],
        }),
        ...acceptedTokens,
      })
      .prefault({})
      .meta({ description: 'Which access tokens it accepts.', required: ['Audience'] }),
    DPoP: z
      .strictObject({
        RequireNonce: z.boolean().default(verifierDefaults.nonce).meta({
          description: 'Whether proofs have to carry a nonce of this API (RFC 9449 §9).',
        }),
        MaxProofLifetime: lasting(proofDefaults.maxAge, 'How long a proof is accepted after it was made.'),
        ClockSkew: lasting(
          proofDefaults.futureSkew,
          "How far a proof's clock may be ahead of ours. FAPI 2.0 allows 10 to 60 seconds.",
        ),
      })
      .prefault({})
      .meta({ description: 'Which proofs it accepts.' }),
  })
  .meta({
    description: 'The sample API, protected by the DPoP validator. Absent: there is none.',
    required: ['OpenIddict'],
  })

export type ResourceServerSettings = z.output<typeof resourceServer>
