import { randomBytes } from 'node:crypto'
import type { Module } from '../_module.js'
import { checkTls } from '../_tls.js'

const accept = ['accept', 'application/json'] as const

/** What the suite lets an ID token hold that nobody has asked claims for (a WARNING otherwise). */
const idTokenClaims = 'iss sub aud exp iat auth_time nonce acr amr azp at_hash s_hash'.split(' ')

export const flow: readonly Module[] = [
  {
    name: 'happy-flow',
    async run({ conversation, one, two }) {
      const { t, server, metadata, security, send } = conversation
      await checkTls(t, server.resourceUrl)
      const scopes = metadata.scopes_supported
      if (Array.isArray(scopes))
        for (const scope of one.scope.split(' ')) t.true(scopes.includes(scope), `scopes_supported without ${scope}`)

      const first = conversation.begin(one)
      const tokens = await conversation.obtain(first)
      await conversation.useResource(one, tokens.access_token)
      if (tokens.id_token !== undefined) {
        const claims = Object.keys(await conversation.idToken(first, tokens.id_token))
        t.deepEqual(
          claims.filter((claim) => !idTokenClaims.includes(claim)),
          [],
          'claims that were not asked for',
        )
      }
      // FAPI 2.0 §5.3.4-2: in the query, with and without a proof beside it.
      const inQuery = `${server.resourceUrl}?access_token=${encodeURIComponent(tokens.access_token)}`
      const withoutProof = await send(inQuery, { headers: [...accept] })
      t.true([400, 401, 414].includes(withoutProof.status), `${withoutProof.status}`)
      const { certificate } = security.constraint === 'mtls' ? one : {}
      const withProof = await conversation.withNonce('resource', (nonce) => {
        const target = { method: 'GET', url: server.resourceUrl, nonce, accessToken: tokens.access_token }
        const proof = security.constraint === 'dpop' ? ['dpop', conversation.prove(one, target, {})] : []
        return send(inQuery, { headers: [...accept, ...proof], certificate })
      })
      t.true([400, 401, 414].includes(withProof.status), `${withProof.status}`)
      for (const value of ['application/json; charset=UTF-8', 'application/json, application/*+json', '*/*'])
        await conversation.useResource(one, tokens.access_token, {
          headers: ['accept', value, 'accept-charset', 'UTF-8'],
        })

      const second = conversation.begin(
        two,
        security.constraint === 'dpop' ? { dpop_jkt: two.proofKey.thumbprint } : {},
      )
      t.is(second.state?.length, 128)
      const others = await conversation.obtain(second)
      await conversation.useResource(two, others.access_token)

      const stolen = await conversation.callResource(one, others.access_token)
      t.true(
        stolen.status >= 400 && stolen.status < 500,
        `client 1's key or certificate with client 2's token: ${stolen.status}`,
      )
    },
  },
  {
    name: 'user-rejects-authentication',
    async run({ conversation, one, two }) {
      const { t } = conversation
      for (const client of [one, two]) {
        const attempt = conversation.begin(client)
        const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
        const response = conversation.response(attempt, await conversation.visit(url, 'cancel'))
        t.is(response.get('error'), 'access_denied')
        t.is(response.get('code'), null)
      }
    },
  },
  {
    name: 'ensure-authorization-request-without-state-success',
    async run({ conversation, one }) {
      const { access_token } = await conversation.obtain(conversation.begin(one, { state: undefined }))
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'ensure-authorization-request-without-nonce-success',
    openidOnly: true,
    async run({ conversation, one }) {
      const { access_token } = await conversation.obtain(conversation.begin(one, { nonce: undefined }))
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'ensure-authorization-request-with-64-char-nonce-success',
    openidOnly: true,
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { nonce: randomBytes(32).toString('hex') })
      conversation.t.is(attempt.nonce?.length, 64)
      const { access_token } = await conversation.obtain(attempt)
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'ensure-other-scope-order-succeeds',
    openidOnly: true,
    async run({ conversation, one }) {
      const scope = one.scope.split(' ').reverse().join(' ')
      const { access_token } = await conversation.obtain(conversation.begin(one, { scope }))
      await conversation.useResource(one, access_token)
    },
  },
  {
    name: 'test-claims-parameter-identity-claims',
    openidOnly: true,
    async run({ conversation, one, skip }) {
      const { t, metadata } = conversation
      if (metadata.claims_parameter_supported !== true) return skip('claims_parameter_supported is not true')
      const attempt = conversation.begin(one, { claims: JSON.stringify({ id_token: { name: { essential: true } } }) })
      const { id_token = '' } = await conversation.obtain(attempt)
      const claims = await conversation.idToken(attempt, id_token)
      t.true(typeof claims.name === 'string' && claims.name !== '')
    },
  },
  {
    name: 'access-token-type-header-case-sensitivity',
    async run({ conversation, one }) {
      const { access_token } = await conversation.obtain(conversation.begin(one))
      const scheme = conversation.security.constraint === 'dpop' ? 'dPOp' : 'bEArer'
      await conversation.useResource(one, access_token, { scheme })
    },
  },
  {
    name: 'refresh-token',
    movesClock: true,
    async run({ conversation, one, two, stranger, skip }) {
      const { t, server, metadata } = conversation
      const refresh = (client: typeof one, refresh_token: string, scope: string | undefined) => ({
        client,
        parameters: { grant_type: 'refresh_token', refresh_token, scope },
      })
      for (const client of [one, two]) {
        const prompt = client.scope.split(' ').includes('offline_access') ? 'consent' : undefined
        const attempt = conversation.begin(client, { prompt })
        const first = await conversation.obtain(attempt)
        if (first.refresh_token === undefined) return skip('no refresh token was issued')
        t.true(
          Array.isArray(metadata.grant_types_supported) && metadata.grant_types_supported.includes('refresh_token'),
        )

        // Client 2 leaves `scope` out (RFC 6749 §6). Each uses a key that the refresh token has never seen.
        const scope = client.which === 1 ? client.scope : undefined
        const { parameters } = refresh(client, first.refresh_token, scope)
        server.advance(1)
        conversation.forgetNonces()
        const answer = await conversation.tokenRaw(client, parameters, { proof: { key: stranger } })
        t.is(answer.status, 200, answer.body)
        t.regex(answer.header('cache-control').join(), /no-store/)
        const second = answer.json()
        conversation.tokenType(second.token_type)
        t.true(typeof second.expires_in === 'number' && second.expires_in > 0)
        t.not(second.access_token, first.access_token)
        await conversation.useResource({ ...client, proofKey: stranger }, String(second.access_token))
        if (!conversation.openid) t.is(second.id_token, undefined)
        if (typeof second.id_token === 'string' && first.id_token !== undefined) {
          // OpenID Connect Core §12.2.
          const before = await conversation.idToken(attempt, first.id_token)
          const { nonce, ...unchanged } = before
          const after = await conversation.idToken(
            { ...attempt, nonce: nonceOf(second.id_token) },
            String(second.id_token),
          )
          for (const claim of ['iss', 'sub', 'aud', 'azp', 'auth_time'])
            t.deepEqual(after[claim], unchanged[claim], claim)
          t.true([undefined, nonce].includes(after.nonce))
          t.not(after.iat, before.iat, 'iat is the time that the new ID token is issued')
        }
        if (second.refresh_token !== undefined && second.refresh_token !== first.refresh_token) {
          // FAPI 2.0 §5.3.2.1-9: where a server rotates, the old token keeps working for a while.
          server.advance(30)
          const again = await conversation.tokenRaw(client, parameters, { proof: { key: stranger } })
          t.is(again.status, 200, again.body)
        }
        if (client.which === 1) {
          const unproven = await conversation.tokenRaw(client, parameters, { proof: 'none' })
          const isClient =
            conversation.security.authentication === 'mtls' && conversation.security.constraint === 'mtls'
          conversation.refused(unproven, {
            invalid_request: [400],
            invalid_grant: [400],
            ...(isClient && { invalid_client: [400, 401] }),
          })
          const anonymous = await conversation.tokenRaw(client, parameters, { assertion: 'none' })
          conversation.refused(anonymous, { invalid_client: [400, 401], invalid_request: [400] })
        } else {
          const stolen = await conversation.tokenRaw(one, { ...parameters, scope: one.scope })
          conversation.refused(stolen, { invalid_grant: [400] })
        }
      }
    },
  },
]

function nonceOf(idToken: string): string | undefined {
  const claims: unknown = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString())
  const nonce = typeof claims === 'object' && claims !== null && 'nonce' in claims ? claims.nonce : undefined
  return typeof nonce === 'string' ? nonce : undefined
}
