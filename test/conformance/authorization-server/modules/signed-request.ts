import { withBadSignature } from '../../_jose.js'
import type { RequestObjectKnobs } from '../_credentials.js'
import type { Module, Run } from '../_module.js'

const objectOnly = { invalid_request_object: [400] } as const
const anObject = ['invalid_request_object']
const expiryCodes = ['invalid_request', 'invalid_request_object', 'invalid_request_uri', 'access_denied']
const uriCodes = ['invalid_request_uri']

interface Refused {
  readonly atPar?: Readonly<Record<string, readonly number[]>>
  readonly atAuthorization: readonly string[]
  /** Whether the suite takes an error that is not signed although it asked for signed answers. */
  readonly plain?: true
}

const refused = (
  name: string,
  { atPar = objectOnly, atAuthorization, plain }: Refused,
  knobsOf: (run: Run) => RequestObjectKnobs,
): Module => ({
  name,
  async run(run) {
    const { conversation, one, skip } = run
    if (name.includes('RS256') && one.key.algorithm !== 'PS256') return skip('the key of the client is not for PS256')
    const attempt = conversation.begin(one)
    const answer = await conversation.pushRaw(attempt, { object: knobsOf(run) })
    if (answer.status !== 201) return conversation.refused(answer, atPar)
    const arrival = await conversation.visit(conversation.authorizationUrl(attempt, conversation.pushed(answer)))
    conversation.refusedAtAuthorization(attempt, arrival, atAuthorization, plain && 'plain too')
  },
})

/** What is in the plan for signed requests alone. */
export const signedRequest: readonly Module[] = [
  {
    name: 'ensure-request-object-with-multiple-aud-succeeds',
    async run({ conversation, one }) {
      const { issuer } = conversation.server
      const object = { claims: { aud: ['https://other1.example.com', issuer, 'https://other2.example.com'] } }
      const attempt = conversation.begin(one)
      const requestUri = await conversation.push(attempt, { object })
      const bare = { response_type: undefined, scope: undefined, redirect_uri: undefined }
      const arrival = await conversation.visit(conversation.authorizationUrl(attempt, requestUri, bare))
      const { access_token } = await conversation.redeem(attempt, conversation.code(attempt, arrival))
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted',
    async run({ conversation, one }) {
      const object = { claims: { nbf: conversation.server.now() + 8 } }
      const { access_token } = await conversation.obtain(conversation.begin(one), { object })
      await conversation.useResource(one, access_token)
    },
  },
  refused('ensure-request-object-without-exp-fails', { atAuthorization: expiryCodes }, () => ({
    claims: { exp: undefined },
  })),
  refused('ensure-request-object-without-nbf-fails', { atAuthorization: expiryCodes }, () => ({
    claims: { nbf: undefined },
  })),
  refused('ensure-expired-request-object-fails', { atAuthorization: anObject, plain: true }, ({ conversation }) => ({
    claims: { exp: conversation.server.now() - 3600 },
  })),
  refused('ensure-request-object-with-bad-aud-fails', { atAuthorization: uriCodes }, () => ({
    claims: { aud: 'https://wrong.example/' },
  })),
  refused('ensure-request-object-with-exp-over-60-fails', { atAuthorization: uriCodes }, ({ conversation }) => ({
    claims: { exp: conversation.server.now() + 4200 },
  })),
  refused('ensure-request-object-with-nbf-over-60-fails', { atAuthorization: uriCodes }, ({ conversation }) => ({
    claims: { nbf: conversation.server.now() - 4200, exp: conversation.server.now() + 300 },
  })),
  refused('ensure-signed-request-object-with-RS256-fails', { atAuthorization: anObject, plain: true }, () => ({
    algorithm: 'RS256',
  })),
  refused('ensure-request-object-signature-algorithm-is-not-none', { atAuthorization: anObject, plain: true }, () => ({
    algorithm: 'none',
  })),
  refused('ensure-request-object-with-invalid-signature-fails', { atAuthorization: anObject, plain: true }, () => ({
    spoil: withBadSignature,
  })),
  refused(
    'ensure-matching-key-in-authorization-request',
    { atPar: { invalid_request_object: [400], invalid_request: [400] }, atAuthorization: anObject },
    ({ two }) => ({ key: two.key }),
  ),
  {
    name: 'ensure-unsigned-request-at-par-endpoint-fails',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const answer = await conversation.pushRaw(attempt, { object: 'none' })
      if (answer.status !== 201) return conversation.refused(answer, { invalid_request: [400] })
      const arrival = await conversation.visit(conversation.authorizationUrl(attempt, conversation.pushed(answer)))
      conversation.refusedAtAuthorization(attempt, arrival, ['invalid_request', ...anObject, ...uriCodes])
    },
  },
  {
    name: 'par-authorization-request-containing-request_uri',
    async run({ conversation, one }) {
      const request_uri = await conversation.push(conversation.begin(one))
      const answer = await conversation.pushRaw(conversation.begin(one), { object: { claims: { request_uri } } })
      conversation.refused(answer, objectOnly)
    },
  },
]
