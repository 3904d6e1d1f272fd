import type { AssertionKnobs } from '../_credentials.js'
import type { Module, Run } from '../_module.js'

const unauthenticated = { invalid_client: [400, 401], invalid_request: [400] } as const

/** An assertion that has to be refused at the token endpoint, where the suite tries it, and at PAR; the code survives. */
const refusedAtToken = (name: string, knobsOf: (run: Run) => AssertionKnobs | 'none'): Module => ({
  name,
  async run(run) {
    const { conversation, one } = run
    const attempt = conversation.begin(one)
    const code = await conversation.authorize(attempt)
    const knobs = knobsOf(run)
    conversation.refused(await conversation.redeemRaw(attempt, code, { assertion: knobs }), unauthenticated)
    conversation.refused(await conversation.pushRaw(conversation.begin(one), { assertion: knobs }), unauthenticated)
    await conversation.redeem(attempt, code)
  },
})

const refusedAtPar = (name: string, knobsOf: (run: Run) => AssertionKnobs): Module => ({
  name,
  async run(run) {
    const { conversation, one } = run
    // What is left when the one thing is put right is accepted.
    await conversation.push(conversation.begin(one))
    const assertion = knobsOf(run)
    conversation.refused(await conversation.pushRaw(conversation.begin(one), { assertion }), unauthenticated)
    const attempt = conversation.begin(one)
    const code = await conversation.authorize(attempt)
    conversation.refused(await conversation.redeemRaw(attempt, code, { assertion }), unauthenticated)
  },
})

export const clientAuthentication: readonly Module[] = [
  {
    name: 'ensure-client-id-in-token-endpoint',
    async run({ conversation, one, two }) {
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt)
      const assertion = { key: one.key, claims: { iss: two.id, sub: two.id } }
      const answer = await conversation.redeemRaw(attempt, code, { assertion }, { client_id: two.id })
      conversation.refused(answer, { invalid_client: [400, 401], invalid_grant: [400] })
    },
  },
  {
    name: 'ensure-signed-client-assertion-with-RS256-fails',
    async run({ conversation, one, skip }) {
      if (one.key.algorithm !== 'PS256') return skip('the key of the client is not for PS256')
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt)
      const answer = await conversation.redeemRaw(attempt, code, { assertion: { algorithm: 'RS256' } })
      conversation.refused(answer, { invalid_client: [400, 401] })
      const pushed = await conversation.pushRaw(conversation.begin(one), { assertion: { algorithm: 'RS256' } })
      conversation.refused(pushed, { invalid_client: [400, 401] })
    },
  },
  refusedAtToken('ensure-client-assertion-in-token-endpoint', () => 'none'),
  refusedAtToken('ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', ({ conversation: { server } }) => ({
    claims: { exp: server.now() - 300, iat: server.now() - 360, nbf: server.now() - 360 },
  })),
  refusedAtToken('ensure-client-assertion-with-wrong-aud-fails', () => ({
    claims: { aud: 'https://wrong.example/' },
  })),
  refusedAtToken('ensure-client-assertion-with-no-sub-fails', () => ({ claims: { sub: undefined } })),
  {
    name: 'par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted',
    async run({ conversation, one }) {
      const soon = conversation.server.now() + 8
      const assertion = { claims: { iat: soon, nbf: soon } }
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt, { assertion })
      await conversation.redeem(attempt, code, { assertion })
    },
  },
  refusedAtPar('par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails', ({ conversation }) => {
    const later = conversation.server.now() + 62
    return { claims: { iat: later, nbf: later, exp: later + 60 } }
  }),
  refusedAtPar('par-test-array-as-audience-fails', ({ conversation: { server } }) => ({
    claims: { aud: [server.issuer] },
  })),
  refusedAtPar('par-test-par-endpoint-url-as-audience-fails', ({ conversation: { metadata } }) => ({
    claims: { aud: metadata.pushed_authorization_request_endpoint },
  })),
  refusedAtPar('par-test-token-endpoint-url-as-audience-fails', ({ conversation: { metadata } }) => ({
    claims: { aud: metadata.token_endpoint },
  })),
]
