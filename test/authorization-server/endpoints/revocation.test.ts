import test from 'ava'
import { aProtocolClient } from '../_client.js'
import { aClient, startServer } from '../_running.js'

const permissions = ['ept:token', 'ept:introspection', 'gt:client_credentials', 'scp:orders']
const server = await startServer({
  clients: [aClient('without', { permissions: ['ept:token', 'gt:client_credentials', 'scp:orders'] }).options],
  audience: 'orders-api',
  other: aClient('client-2', { permissions, audiences: ['orders-api'] }),
})
test.after.always(() => server.stop())

test('a revoked refresh token takes its access tokens with it (RFC 7009 §2.1)', async (t) => {
  const client = aProtocolClient(server)
  const { access_token, refresh_token = '' } = await client.tokens()
  const { status } = await client.post(
    'revoke',
    { token: refresh_token, token_type_hint: 'refresh_token' },
    { proof: false },
  )
  t.is(status, 200)
  t.is((await client.refresh(refresh_token)).body.error, 'invalid_grant')
  t.is((await client.userinfo(access_token)).status, 401)
  t.is((await client.post('revoke', { token: refresh_token })).status, 200, 'twice is fine')
})

test('a revoked access token is alone', async (t) => {
  const client = aProtocolClient(server)
  const { access_token, refresh_token = '' } = await client.tokens()
  t.is((await client.post('revoke', { token: access_token })).status, 200)
  t.is((await client.userinfo(access_token)).status, 401)
  const { body } = await client.refresh(refresh_token)
  t.is((await client.userinfo(String(body.access_token))).status, 200)
})

test('nobody revokes the tokens of another client', async (t) => {
  const [client, other] = [aProtocolClient(server), aProtocolClient(server, server.other)]
  const { access_token, refresh_token = '' } = await client.tokens()
  for (const token of [access_token, refresh_token]) {
    const { status, body } = await other.post('revoke', { token })
    t.is(status, 400)
    t.is(body.error, 'invalid_grant')
  }
  t.is((await client.userinfo(access_token)).status, 200)
})

test('an unknown token is as good as revoked, a missing one is a mistake', async (t) => {
  const client = aProtocolClient(server)
  t.is((await client.post('revoke', { token: 'unknown' })).status, 200)
  t.is((await client.post('revoke', {})).body.error, 'invalid_request')
})

test('introspection tells its client and the API of the token what it is (RFC 7662 §2.2)', async (t) => {
  const [client, api] = [aProtocolClient(server), aProtocolClient(server, server.other)]
  const { access_token, refresh_token = '' } = await client.tokens()
  for (const caller of [client, api]) {
    const { status, body, headers } = await caller.post('introspect', { token: access_token })
    t.is(status, 200)
    t.is(headers.get('cache-control'), 'no-store')
    t.like(body, { active: true, token_type: 'DPoP', sub: 'user-alice', aud: 'orders-api', cnf: { jkt: client.jkt } })
  }
  t.like((await client.post('introspect', { token: refresh_token })).body, { active: true, client_id: 'client-1' })
  t.deepEqual((await api.post('introspect', { token: refresh_token })).body, { active: false })
})

test('introspection knows revocation, and tells strangers nothing', async (t) => {
  const [client, api] = [aProtocolClient(server), aProtocolClient(server, server.other)]
  const { access_token } = await client.tokens()
  const { body } = await api.post('token', { grant_type: 'client_credentials', scope: 'orders' })
  t.is((await api.post('introspect', { token: String(body.access_token) })).body.active, true)
  t.deepEqual((await client.post('introspect', { token: String(body.access_token) })).body, { active: false })
  await client.post('revoke', { token: access_token })
  t.deepEqual((await api.post('introspect', { token: access_token })).body, { active: false })
  t.deepEqual((await api.post('introspect', { token: 'x' })).body, { active: false })
  t.is((await api.post('introspect', {})).body.error, 'invalid_request')
})

test('introspection needs its permission', async (t) => {
  const stranger = aClient('without', { permissions: ['ept:token', 'gt:client_credentials', 'scp:orders'] })
  const own = await startServer({ client: stranger })
  t.teardown(() => own.stop())
  const { body } = await aProtocolClient(own).post('introspect', { token: 'x' })
  t.is(body.error, 'unauthorized_client')
})
