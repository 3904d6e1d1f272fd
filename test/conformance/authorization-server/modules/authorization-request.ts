import { randomBytes } from 'node:crypto'
import type { Attempt } from '../_attempt.js'
import type { Conversation } from '../_conversation.js'
import type { Module } from '../_module.js'

const badRequest = { invalid_request: [400], invalid_request_object: [400] } as const

/** Pushes what should be refused. Undefined when it was refused at PAR, else the request_uri to go on with. */
async function pushRefusable(
  conversation: Conversation,
  attempt: Attempt,
  refusals: Readonly<Record<string, readonly number[]>>,
): Promise<string | undefined> {
  const answer = await conversation.pushRaw(attempt)
  if (answer.status === 201) return conversation.pushed(answer)
  conversation.refused(answer, refusals)
  return undefined
}

/** A parameter of the query that contradicts the pushed one: ignored, or refused. */
const contradicted = (name: string, parameter: 'nonce' | 'state'): Module => ({
  name,
  ...(parameter === 'nonce' && { openidOnly: true }),
  async run({ conversation, one }) {
    const attempt = conversation.begin(one)
    const requestUri = await conversation.push(attempt)
    const url = conversation.authorizationUrl(attempt, requestUri, { [parameter]: randomBytes(8).toString('hex') })
    const arrival = await conversation.visit(url)
    if (conversation.succeeded(attempt, arrival)) {
      const { access_token } = await conversation.redeem(attempt, conversation.code(attempt, arrival))
      await conversation.useResource(one, access_token)
    } else conversation.refusedAtAuthorization(attempt, arrival, ['invalid_request'])
  },
})

const responseType = (name: string, response_type: string): Module => ({
  name,
  async run({ conversation, one }) {
    const attempt = conversation.begin(one, { response_type })
    const refusals = { unsupported_response_type: [400], invalid_request: [400], unauthorized_client: [400, 401, 403] }
    const requestUri = await pushRefusable(conversation, attempt, refusals)
    if (requestUri === undefined) return
    const arrival = await conversation.visit(conversation.authorizationUrl(attempt, requestUri))
    conversation.refusedAtAuthorization(attempt, arrival, Object.keys(refusals))
  },
})

export const authorizationRequest: readonly Module[] = [
  contradicted('ensure-different-nonce-inside-and-outside-request-object', 'nonce'),
  contradicted('ensure-different-state-inside-and-outside-request-object', 'state'),
  {
    name: 'ensure-authorization-request-with-long-nonce',
    openidOnly: true,
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { nonce: randomBytes(192).toString('hex') })
      const answer = await conversation.pushRaw(attempt)
      if (answer.status !== 201) return conversation.refused(answer, { invalid_request: [400] })
      const arrival = await conversation.visit(conversation.authorizationUrl(attempt, conversation.pushed(answer)))
      await conversation.redeem(attempt, conversation.code(attempt, arrival))
    },
  },
  {
    name: 'ensure-authorization-request-with-long-state',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { state: randomBytes(500).toString('hex') })
      await conversation.obtain(attempt)
    },
  },
  {
    name: 'state-only-outside-request-object-not-used',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { state: undefined })
      const requestUri = await conversation.push(attempt)
      const url = conversation.authorizationUrl(attempt, requestUri, { state: 'only-in-the-query' })
      // `response`, in there, sees to it that no state comes back.
      const code = conversation.code(attempt, await conversation.visit(url))
      const { access_token } = await conversation.redeem(attempt, code)
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'ensure-request-object-without-redirect-uri-fails',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { redirect_uri: undefined })
      const requestUri = await pushRefusable(conversation, attempt, badRequest)
      if (requestUri === undefined) return
      const url = conversation.authorizationUrl(attempt, requestUri, { redirect_uri: one.redirectUri })
      const arrival = await conversation.visit(url)
      conversation.t.is(arrival.kind, 'page')
      conversation.refusedAtAuthorization(attempt, arrival, [])
    },
  },
  {
    name: 'plain-fapi-tolerate-unregistered-redirect-uri',
    async run({ conversation, one }) {
      const redirect_uri = `${one.redirectUri}/${randomBytes(5).toString('hex')}`
      const attempt = conversation.begin(one, { redirect_uri })
      const requestUri = await pushRefusable(conversation, attempt, badRequest)
      if (requestUri === undefined) return
      const arrival = await conversation.visit(conversation.authorizationUrl(attempt, requestUri))
      await conversation.redeem(attempt, conversation.code(attempt, arrival))
    },
  },
  {
    name: 'ensure-unsigned-authorization-request-without-using-par-fails',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const url = conversation.authorizationUrl(attempt, undefined, attempt.parameters)
      conversation.refusedAtAuthorization(attempt, await conversation.visit(url), ['invalid_request'])
    },
  },
  {
    name: 'ensure-redirect-uri-in-authorization-request',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { redirect_uri: undefined })
      const requestUri = await pushRefusable(conversation, attempt, { invalid_request: [400] })
      if (requestUri === undefined) return
      const arrival = await conversation.visit(conversation.authorizationUrl(attempt, requestUri))
      conversation.t.is(arrival.kind, 'page')
      conversation.refusedAtAuthorization(attempt, arrival, [])
    },
  },
  responseType('ensure-response-type-code-idtoken-fails', 'code id_token'),
  responseType('ensure-response-type-token-fails', 'token'),
]
