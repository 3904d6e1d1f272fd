import test from 'ava'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import { aProtocolClient, claimsOf, codeChallenge } from '../_client.js'
import { aClient, startServer } from '../_running.js'

const shared = await startServer({
  client: aClient('client-1'),
  clients: [
    aClient('no-refresh', {
      permissions: [
        'ept:authorization',
        'ept:pushed_authorization',
        'ept:token',
        'gt:authorization_code',
        'scp:openid',
        'scp:offline_access',
      ],
    }).options,
  ],
})
test.after.always(() => shared.stop())

test('gives tokens that are bound to the key of the proof', async (t) => {
  const client = aProtocolClient(shared)
  const callback = await client.authorize({ nonce: 'n-0S6' })
  t.is(callback.searchParams.get('iss'), shared.url)
  t.is(callback.searchParams.get('state'), 'the state')
  const { status, body, headers } = await client.redeem(callback.searchParams.get('code') ?? '')
  t.is(status, 200)
  t.is(headers.get('cache-control'), 'no-store')
  t.like(body, { token_type: 'DPoP', expires_in: 600, scope: 'openid profile email offline_access' })
  const access = claimsOf(String(body.access_token))
  t.like(access, {
    iss: shared.url,
    sub: 'user-alice',
    aud: shared.url,
    client_id: 'client-1',
    scope: 'openid profile email offline_access',
    cnf: { jkt: client.jkt },
  })
  const { exp, iat, auth_time, ...id } = claimsOf(String(body.id_token))
  t.is(Number(exp) - Number(iat), 600)
  t.true(Number(iat) - Number(auth_time) < 10)
  t.deepEqual(Object.keys(id).sort(), ['amr', 'aud', 'iss', 'nonce', 'sid', 'sub'])
  t.is(id.nonce, 'n-0S6')
})

test('gives no ID token without the scope openid, and no refresh token without offline_access', async (t) => {
  const tokens = await aProtocolClient(shared).tokens({ scope: 'orders' })
  t.is(tokens.id_token, undefined)
  t.is(tokens.refresh_token, undefined)
  t.is(tokens.scope, 'orders')
})

test('gives no refresh token to a client without gt:refresh_token', async (t) => {
  const plain = aClient('plain', {
    permissions: [
      'ept:authorization',
      'ept:pushed_authorization',
      'ept:token',
      'gt:authorization_code',
      'scp:openid',
      'scp:offline_access',
    ],
  })
  const server = await startServer({ client: plain })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const tokens = await client.tokens({ scope: 'openid offline_access' })
  t.is(tokens.refresh_token, undefined)
  t.is(claimsOf(tokens.id_token ?? '').sid, undefined)
  t.is(
    (await client.post('token', { grant_type: 'refresh_token', refresh_token: 'x' })).body.error,
    'unauthorized_client',
  )
  t.is((await client.post('token', { grant_type: 'client_credentials' })).body.error, 'unauthorized_client')
})

const refusesCode = test.macro({
  title: (title = '') => `refuses a code ${title}`,
  async exec(t, parameters: Record<string, string | undefined>, code: string) {
    const client = aProtocolClient(shared)
    const issued = (await client.authorize()).searchParams.get('code') ?? ''
    const { status, body } = await client.redeem(issued, parameters)
    t.is(status, 400)
    t.is(body.error, code)
    t.is((await client.redeem(issued)).status, 200, 'and the code is still good for its client')
  },
})

test('without code_verifier', refusesCode, { code_verifier: undefined }, 'invalid_grant')
test('with another code_verifier', refusesCode, { code_verifier: 'a'.repeat(43) }, 'invalid_grant')
test('with the challenge as verifier', refusesCode, { code_verifier: codeChallenge }, 'invalid_grant')
test('with a short code_verifier', refusesCode, { code_verifier: 'a' }, 'invalid_grant')
test('with another redirect_uri', refusesCode, { redirect_uri: 'https://client.example/' }, 'invalid_grant')
test('without redirect_uri', refusesCode, { redirect_uri: undefined }, 'invalid_grant')
test('without grant_type', refusesCode, { grant_type: undefined }, 'invalid_request')
test('with another grant_type', refusesCode, { grant_type: 'password' }, 'unsupported_grant_type')
test('without code', refusesCode, { code: undefined }, 'invalid_request')
test('that it never issued', refusesCode, { code: 'unknown' }, 'invalid_grant')
test('for an unknown resource', refusesCode, { resource: 'https://x.example' }, 'invalid_target')

test('refuses a token request without a proof (RFC 9449 §5)', async (t) => {
  const client = aProtocolClient(shared)
  const code = (await client.authorize()).searchParams.get('code') ?? ''
  const { status, body, headers } = await client.redeem(code, {}, { proof: false })
  t.is(status, 400)
  t.is(body.error, 'invalid_request')
  t.truthy(headers.get('dpop-nonce'))
})

test('refuses a code of another client, which may still use it, and whose tokens the other cannot end', async (t) => {
  const [client, other] = [aProtocolClient(shared), aProtocolClient(shared, shared.other)]
  const code = (await client.authorize()).searchParams.get('code') ?? ''
  const { status, body } = await other.redeem(code)
  t.is(status, 400)
  t.is(body.error, 'invalid_grant')
  t.is(body.error_description, 'the code was issued to another client')
  const tokens = await client.redeem(code)
  t.is(tokens.status, 200)
  t.is((await other.redeem(code)).body.error, 'invalid_grant')
  t.is((await client.userinfo(String(tokens.body.access_token))).status, 200)
})

test('a code bound at PAR by proof or by dpop_jkt takes no other key (RFC 9449 §10)', async (t) => {
  for (const bound of ['proof', 'parameter']) {
    const client = aProtocolClient(shared)
    const pushed = bound === 'proof' ? {} : { dpop_jkt: client.jkt }
    const code = (await client.authorize(pushed)).searchParams.get('code') ?? ''
    const key = signingKey(generateSigningJwk('ES256'))
    const { status, body } = await client.redeem(code, {}, { proof: { key } })
    t.is(status, 400)
    t.is(body.error, 'invalid_grant')
    t.is((await client.redeem(code)).status, 200)
  }
})

test('a code used twice ends what it was used for (RFC 6749 §4.1.2)', async (t) => {
  const client = aProtocolClient(shared)
  const code = (await client.authorize()).searchParams.get('code') ?? ''
  const { body } = await client.redeem(code)
  t.is((await client.userinfo(String(body.access_token))).status, 200)
  const again = await client.redeem(code)
  t.is(again.status, 400)
  t.is(again.body.error, 'invalid_grant')
  t.is((await client.userinfo(String(body.access_token))).status, 401)
  t.is((await client.refresh(String(body.refresh_token))).body.error, 'invalid_grant')
})

test('a code lives 60 seconds (FAPI 2.0 §5.3.2.1-11)', async (t) => {
  let now = 1_800_000_000
  const server = await startServer({ now: () => now })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const [early, late] = [await client.authorize(), await client.authorize()]
  now += 59
  t.is((await client.redeem(early.searchParams.get('code') ?? '')).status, 200)
  now += 1
  t.is((await client.redeem(late.searchParams.get('code') ?? '')).body.error, 'invalid_grant')
})

test('a refresh token works with a new DPoP key, again and again, and is not rotated', async (t) => {
  const client = aProtocolClient(shared)
  const tokens = await client.tokens({ nonce: 'first' })
  for (const key of [client.proofKey, signingKey(generateSigningJwk('ES256')), client.proofKey]) {
    const { status, body } = await client.refresh(tokens.refresh_token ?? '', {}, { proof: { key } })
    t.is(status, 200)
    t.is(body.refresh_token, undefined)
    const { sub, aud, auth_time } = claimsOf(tokens.id_token ?? '')
    t.like(claimsOf(String(body.id_token)), { sub, aud, auth_time })
    t.false('nonce' in claimsOf(String(body.id_token)))
  }
})

test('a refresh can narrow the scope but not widen it', async (t) => {
  const client = aProtocolClient(shared)
  const { refresh_token = '' } = await client.tokens({ scope: 'openid profile offline_access' })
  t.like((await client.refresh(refresh_token, { scope: 'profile' })).body, { scope: 'profile', id_token: undefined })
  t.is((await client.refresh(refresh_token, { scope: 'openid email' })).body.error, 'invalid_scope')
  t.is((await client.refresh(refresh_token, { scope: 'nonsense' })).body.error, 'invalid_scope')
  t.is((await client.refresh(refresh_token)).body.scope, 'openid profile offline_access')
})

test('refuses a refresh token of another client, an unknown one, and one without proof or assertion', async (t) => {
  const [client, other] = [aProtocolClient(shared), aProtocolClient(shared, shared.other)]
  const { refresh_token = '' } = await client.tokens()
  t.is((await other.refresh(refresh_token)).body.error, 'invalid_grant')
  t.is((await client.refresh('unknown')).body.error, 'invalid_grant')
  t.is((await client.refresh(refresh_token, {}, { proof: false })).body.error, 'invalid_request')
  t.is((await client.refresh(refresh_token, {}, { assertion: false })).body.error, 'invalid_client')
  t.is((await client.refresh(refresh_token)).status, 200)
})

test('a refresh token expires', async (t) => {
  let now = 1_800_000_000
  const server = await startServer({ now: () => now, lifetimes: { refreshToken: 3600 } })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const { refresh_token = '' } = await client.tokens()
  now += 3599
  t.is((await client.refresh(refresh_token)).status, 200)
  now += 1
  t.is((await client.refresh(refresh_token)).body.error, 'invalid_grant')
})

test('client credentials give a bound token without a user (RFC 6749 §4.4)', async (t) => {
  const client = aProtocolClient(shared)
  const { status, body } = await client.post('token', { grant_type: 'client_credentials', scope: 'orders' })
  t.is(status, 200)
  t.like(claimsOf(String(body.access_token)), {
    sub: 'client-1',
    client_id: 'client-1',
    scope: 'orders',
    cnf: { jkt: client.jkt },
  })
  t.is(body.refresh_token, undefined)
  t.is((await client.userinfo(String(body.access_token))).status, 403)
  for (const scope of ['openid', 'offline_access', 'unknown'])
    t.is((await client.post('token', { grant_type: 'client_credentials', scope })).body.error, 'invalid_scope')
})

test('client credentials without a scope give a token without one, for the resources of the client (RFC 6749 §3.3)', async (t) => {
  const client = aProtocolClient(shared)
  const { status, body } = await client.post('token', { grant_type: 'client_credentials' })
  t.is(status, 200)
  t.false('scope' in body)
  const token = String(body.access_token)
  t.false('scope' in claimsOf(token))
  t.is((await client.userinfo(token)).status, 403)
})

test('a proof 10 seconds off is taken, 61 seconds in the future is not (FAPI 2.0 §5.3.2.1-13)', async (t) => {
  const client = aProtocolClient(shared)
  const { refresh_token = '' } = await client.tokens()
  const iat = Math.floor(Date.now() / 1000)
  for (const offset of [-10, 10])
    t.is((await client.refresh(refresh_token, {}, { proof: { claims: { iat: iat + offset } } })).status, 200)
  for (const offset of [-3600, 62, 3600])
    t.is(
      (await client.refresh(refresh_token, {}, { proof: { claims: { iat: iat + offset } } })).body.error,
      'invalid_dpop_proof',
    )
})
