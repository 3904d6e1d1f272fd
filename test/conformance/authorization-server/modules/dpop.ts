import { randomUUID } from 'node:crypto'
import type { Answer } from '../../_http.js'
import type { CallKnobs, ResourceKnobs } from '../_calls.js'
import type { ProofKnobs } from '../_credentials.js'
import { proofCases } from '../_dpop-negatives.js'
import type { Module, Run } from '../_module.js'

const iatOffset = (name: string, seconds: number): Module => ({
  name,
  async run({ conversation, one }) {
    const claims = { iat: conversation.server.now() + seconds }
    const attempt = conversation.begin(one)
    const code = await conversation.authorize(attempt, { proof: { claims } })
    const { access_token } = await conversation.redeem(attempt, code, { proof: { claims } })
    await conversation.useResource(one, access_token, { proof: { claims } })
  },
})

export const dpop: readonly Module[] = [
  {
    name: 'check-dpop-proof-nbf-exp',
    async run({ conversation, one }) {
      const now = conversation.server.now()
      const proof = { claims: { nbf: now - 1, exp: now + 60 } }
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt, { proof })
      const { access_token } = await conversation.redeem(attempt, code, { proof })
      await conversation.useResource(one, access_token, { proof })
    },
  },
  iatOffset('ensure-dpopproof-with-iat-10seconds-before-succeeds', -10),
  // The suite sends 8 seconds, so that a slow connection does not count.
  iatOffset('ensure-dpopproof-with-iat-10seconds-after-succeeds', 8),
  {
    name: 'ensure-mismatched-dpop-jkt-fails',
    async run({ conversation, one, stranger }) {
      const attempt = conversation.begin(one, { dpop_jkt: stranger.thumbprint })
      const answer = await conversation.pushRaw(attempt, { proof: {} })
      conversation.refused(answer, { invalid_request: [400], invalid_dpop_proof: [400] })
      const nonsense = await conversation.pushRaw(conversation.begin(one, { dpop_jkt: randomUUID() }), { proof: {} })
      conversation.refused(nonsense, { invalid_request: [400], invalid_dpop_proof: [400] })
    },
  },
  {
    name: 'ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt',
    async run({ conversation, one, stranger }) {
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt, { proof: {} })
      const answer = await conversation.redeemRaw(attempt, code, { proof: { key: stranger } })
      conversation.refused(answer, { invalid_request: [400], invalid_grant: [400], invalid_dpop_proof: [400] })
    },
  },
  {
    name: 'ensure-token-endpoint-fails-with-mismatched-dpop-jkt',
    async run({ conversation, one, stranger }) {
      const attempt = conversation.begin(one, { dpop_jkt: one.proofKey.thumbprint })
      const code = await conversation.authorize(attempt)
      const answer = await conversation.redeemRaw(attempt, code, { proof: { key: stranger } })
      conversation.refused(answer, { invalid_request: [400], invalid_grant: [400], invalid_dpop_proof: [400] })
    },
  },
  {
    name: 'ensure-dpopproof-at-par-endpoint-binding-success',
    async run({ conversation, one }) {
      const { access_token } = await conversation.obtain(conversation.begin(one), { proof: {} })
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'ensure-dpop-auth-code-binding-success',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { dpop_jkt: one.proofKey.thumbprint })
      const { access_token } = await conversation.obtain(attempt)
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'dpop-negative-tests',
    async run(run) {
      const { conversation, one } = run
      const { access_token } = await conversation.obtain(conversation.begin(one))
      await dpopNegatives(run, access_token, conversation.server.resourceUrl, 'as in the suite')
    },
  },
]

/** The proofs of `dpop-negative-tests` at one protected URL. */
async function dpopNegatives(
  { conversation, one, stranger }: Run,
  accessToken: string,
  url: string,
  extent: 'as in the suite' | 'and beyond',
): Promise<void> {
  const { t, server, send } = conversation
  const call = (knobs: ResourceKnobs): Promise<Answer> => conversation.callResource(one, accessToken, { url, ...knobs })
  const refuses = (answer: Answer, title: string): void => {
    t.true([400, 401].includes(answer.status), `${title} at ${url}: ${answer.status} ${answer.body}`)
    t.true(answer.header('www-authenticate').length > 0, `${title} at ${url}: no WWW-Authenticate`)
  }
  const another = (): string => {
    const target = { method: 'GET', url, nonce: conversation.nonceOf('resource'), accessToken }
    return conversation.prove(one, target, {})
  }
  await conversation.useResource(one, accessToken, { url })
  for (const proof of proofCases(url, one.proofKey, stranger, server.now)) {
    if (proof.beyond && extent === 'as in the suite') continue
    const { title, expect, knobs, headers } = proof
    const made = { proof: knobs, ...(headers && { proofHeaders: (jwt: string) => headers(jwt, another) }) }
    if (proof.unlessNonce) {
      conversation.forgetNonces()
      const first = await conversation.once(() => call(made))
      // After a challenge the suite wants the proof accepted, whatever its age.
      if (conversation.inspect('resource', first)) t.is((await call(made)).status, 200, `${title} at ${url}`)
      else refuses(first, title)
      continue
    }
    const answer = await call(made)
    if (expect === 'accepted') t.is(answer.status, 200, `${title} at ${url}: ${answer.body}`)
    else refuses(answer, title)
  }
  const jti = randomUUID()
  t.is((await call({ proof: { claims: { jti } } })).status, 200)
  refuses(await call({ proof: { claims: { jti } } }), 'a jti used before')
  refuses(await call({ proof: 'none' }), 'no proof')
  refuses(await call({ proof: 'none', scheme: 'Bearer' }), 'Bearer without a proof')
  if (extent === 'and beyond') {
    refuses(await call({ scheme: 'Bearer' }), 'Bearer with a proof')
    refuses(await send(url), 'nothing at all')
    if (conversation.nonceOf('resource') !== undefined)
      refuses(await conversation.once(() => call({ proof: { claims: { nonce: 'made-up' } } })), 'a nonce of ours')
  }
  // What was refused was refused for its proof: a right one still works.
  await conversation.useResource(one, accessToken, { url })
}

/** More proofs than the suite sends, at the resource and at userinfo. */
export const dpopAtProtectedResources: Module = {
  name: 'beyond dpop-negative-tests: the resource and userinfo',
  openidOnly: true,
  async run(run) {
    const { conversation, one } = run
    const { access_token } = await conversation.obtain(conversation.begin(one))
    for (const url of [conversation.server.resourceUrl, String(conversation.metadata.userinfo_endpoint)])
      await dpopNegatives(run, access_token, url, 'and beyond')
  },
}

/** The same proofs at the two endpoints that bind tokens to a key. */
export const dpopAtTheServer: Module = {
  name: 'beyond dpop-negative-tests: PAR and token',
  async run({ conversation, one, stranger }) {
    const { t, server, metadata } = conversation
    const attempt = conversation.begin(one)
    const code = await conversation.authorize(attempt, { proof: {} })
    const push = (knobs: CallKnobs) => conversation.pushRaw(conversation.begin(one), knobs)
    const redeem = (knobs: CallKnobs) => conversation.redeemRaw(attempt, code, knobs)
    const redeemFresh = async (knobs: CallKnobs) => {
      const fresh = conversation.begin(one)
      return conversation.redeemRaw(fresh, await conversation.authorize(fresh), knobs)
    }
    const { pushed_authorization_request_endpoint: par, token_endpoint: token } = metadata
    for (const { name, url, status, accepted, refused } of [
      { name: 'PAR', url: par, status: 201, accepted: push, refused: push },
      // What is accepted uses up a code; what is refused must not.
      { name: 'token', url: token, status: 200, accepted: redeemFresh, refused: redeem },
    ]) {
      const proven = (knobs: ProofKnobs): string =>
        conversation.prove(one, { method: 'POST', url, nonce: conversation.nonceOf('server') }, knobs)
      for (const { title, expect, knobs, needsAccessToken, headers } of proofCases(
        url,
        one.proofKey,
        stranger,
        server.now,
      )) {
        if (needsAccessToken) continue
        const withProof: CallKnobs = headers
          ? { proof: 'none', headers: headers(proven(knobs), () => proven({})) }
          : { proof: knobs }
        const answer = await (expect === 'accepted' ? accepted(withProof) : refused(withProof))
        if (expect === 'accepted') t.is(answer.status, status, `${title} at ${name}: ${answer.body}`)
        else {
          t.is(answer.status, 400, `${title} at ${name}: ${answer.status} ${answer.body}`)
          conversation.refused(answer, { invalid_dpop_proof: [400], invalid_request: [400] })
        }
      }
      if (conversation.nonceOf('server') !== undefined) {
        const challenge = await conversation.once(() => refused({ proof: { claims: { nonce: 'made-up' } } }))
        conversation.refused(challenge, { use_dpop_nonce: [400], invalid_dpop_proof: [400] })
      }
    }
    const jti = randomUUID()
    t.is((await push({ proof: { claims: { jti } } })).status, 201)
    conversation.refused(await push({ proof: { claims: { jti } } }), { invalid_dpop_proof: [400] })
    // None of the refusals has cost us the code.
    await conversation.redeem(attempt, code)
  },
}
