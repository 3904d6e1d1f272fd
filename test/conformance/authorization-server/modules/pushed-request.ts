import type { Module } from '../_module.js'

const badUri = ['invalid_request', 'invalid_request_object', 'invalid_request_uri']

export const pushedRequest: readonly Module[] = [
  {
    name: 'par-ensure-reused-request-uri-prior-to-auth-completion-succeeds',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      const userAgent = conversation.userAgent()
      conversation.t.is((await userAgent.open(url)).kind, 'page')
      const arrival = await conversation.visit(url, 'allow', userAgent)
      const { access_token } = await conversation.redeem(attempt, conversation.code(attempt, arrival))
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'par-attempt-reuse-request_uri',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      const userAgent = conversation.userAgent()
      await conversation.redeem(attempt, conversation.code(attempt, await conversation.visit(url, 'allow', userAgent)))
      // The same browser, which is signed in by now, and another one.
      for (const browser of [userAgent, conversation.userAgent()])
        conversation.refusedAtAuthorization(
          attempt,
          await conversation.visit(url, 'allow', browser),
          badUri,
          'plain too',
        )
    },
  },
  {
    name: 'par-attempt-to-use-expired-request_uri',
    movesClock: true,
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const answer = await conversation.pushRaw(attempt)
      const url = conversation.authorizationUrl(attempt, conversation.pushed(answer))
      conversation.server.advance(Number(answer.json().expires_in) + 1)
      conversation.refusedAtAuthorization(attempt, await conversation.visit(url), ['invalid_request_uri'], 'plain too')
    },
  },
  {
    name: 'par-attempt-to-use-request_uri-for-different-client',
    async run({ conversation, one, two }) {
      const attempt = conversation.begin(one)
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt), { client_id: two.id })
      conversation.refusedAtAuthorization(attempt, await conversation.visit(url), badUri, 'plain too')
    },
  },
  {
    name: 'par-authorization-request-containing-request_uri-form-param',
    async run({ conversation, one }) {
      const request_uri = await conversation.push(conversation.begin(one))
      const answer = await conversation.pushRaw(conversation.begin(one), { form: { request_uri } })
      conversation.refused(answer, {
        invalid_request: [400],
        invalid_request_object: [400],
        request_uri_not_supported: [400],
      })
    },
  },
  {
    name: 'par-attempt-invalid-http-method',
    async run({ conversation, one }) {
      const { t } = conversation
      const answer = await conversation.pushRaw(conversation.begin(one), { method: 'PUT' })
      t.true(answer.status >= 400 && answer.status < 500, String(answer.status))
    },
  },
  {
    name: 'par-without-duplicate-parameters',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const requestUri = await conversation.push(attempt)
      const bare = { response_type: undefined, scope: undefined, redirect_uri: undefined }
      const arrival = await conversation.visit(conversation.authorizationUrl(attempt, requestUri, bare))
      const { access_token } = await conversation.redeem(attempt, conversation.code(attempt, arrival))
      await conversation.useResource(one, access_token)
    },
  },
]
