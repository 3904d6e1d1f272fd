import { randomBytes } from 'node:crypto'
import type { Module } from '../_module.js'
import { checkTls } from '../_tls.js'

export const code: readonly Module[] = [
  {
    name: 'ensure-holder-of-key-required',
    async run({ conversation, one }) {
      const { t, metadata } = conversation
      const endpoints = ['authorization_endpoint', 'userinfo_endpoint', 'token_endpoint', 'registration_endpoint']
      const urls = endpoints.map((name) => metadata[name]).filter((url) => typeof url === 'string')
      // They share one listener unless they differ in origin.
      for (const origin of new Set(urls.map((url) => new URL(url).origin))) await checkTls(t, origin)
      const attempt = conversation.begin(one)
      const issued = await conversation.authorize(attempt)
      const answer = await conversation.once(() => conversation.redeemRaw(attempt, issued, { proof: 'none' }))
      const { authentication, constraint } = conversation.security
      conversation.refused(answer, {
        invalid_request: [400],
        ...(constraint === 'dpop' && { invalid_grant: [400], invalid_dpop_proof: [400] }),
        ...(constraint === 'mtls' && authentication === 'mtls' && { invalid_client: [400, 401] }),
        ...(constraint === 'mtls' && authentication !== 'mtls' && { invalid_client: [400, 401], invalid_grant: [400] }),
      })
    },
  },
  {
    name: 'ensure-authorization-code-is-bound-to-client',
    async run({ conversation, one, two }) {
      const attempt = conversation.begin(one)
      const issued = await conversation.authorize(attempt)
      const stolen = { ...attempt, client: { ...two, proofKey: one.proofKey } }
      conversation.refused(await conversation.redeemRaw(stolen, issued), { invalid_grant: [400] })
    },
  },
  {
    name: 'attempt-reuse-authorization-code-after-one-second',
    movesClock: true,
    async run({ conversation, one }) {
      const { t, server } = conversation
      const attempt = conversation.begin(one)
      const issued = await conversation.authorize(attempt)
      const { access_token } = await conversation.redeem(attempt, issued)
      await conversation.useResource(one, access_token)
      server.advance(1)
      conversation.refused(await conversation.redeemRaw(attempt, issued), { invalid_grant: [400] })
      const revoked = await conversation.callResource(one, access_token)
      t.true(revoked.status >= 400 && revoked.status < 500, `the access token of a reused code: ${revoked.status}`)
    },
  },
  {
    name: 'ensure-token-endpoint-fails-with-expired-auth-code',
    movesClock: true,
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const issued = await conversation.authorize(attempt)
      conversation.server.advance(62)
      conversation.refused(await conversation.redeemRaw(attempt, issued), { invalid_grant: [400] })
    },
  },
  {
    name: 'par-ensure-pkce-required',
    async run({ conversation, one }) {
      const without = { code_challenge: undefined, code_challenge_method: undefined }
      const answer = await conversation.pushRaw(conversation.begin(one, without))
      conversation.refused(answer, { invalid_request: [400] })
    },
  },
  {
    name: 'ensure-pkce-code-verifier-required',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const issued = await conversation.authorize(attempt)
      const answer = await conversation.redeemRaw(attempt, issued, {}, { code_verifier: undefined })
      conversation.refused(answer, { invalid_grant: [400] })
    },
  },
  {
    name: 'incorrect-pkce-code-verifier-rejected',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one)
      const issued = await conversation.authorize(attempt)
      const code_verifier = randomBytes(32).toString('base64url')
      const answer = await conversation.redeemRaw(attempt, issued, {}, { code_verifier })
      conversation.refused(answer, { invalid_grant: [400] })
    },
  },
  {
    name: 'par-plain-pkce-rejected',
    async run({ conversation, one }) {
      const code_challenge = randomBytes(32).toString('base64url')
      const attempt = conversation.begin(one, { code_challenge, code_challenge_method: 'plain' })
      conversation.refused(await conversation.pushRaw(attempt), { invalid_request: [400] })
    },
  },
]
