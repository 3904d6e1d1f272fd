import test from 'ava'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import { aProtocolClient, claimsOf, type SendOptions } from '../_client.js'
import { aClient, startServer } from '../_running.js'

const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const permissions = [
  ...['ept:authorization', 'ept:pushed_authorization', 'ept:token', 'ept:introspection'],
  ...['gt:authorization_code', 'gt:refresh_token', 'gt:token_exchange'],
  ...['scp:openid', 'scp:offline_access', 'scp:orders', 'scp:ledger', 'rsrc:https://ledger.example.com'],
]
const other = aClient('client-2', { permissions })
const without = aClient('client-3', { permissions: permissions.filter((text) => text !== 'gt:token_exchange') })
const server = await startServer({
  client: aClient('client-1', { permissions }),
  other,
  clients: [without.options],
  scopes: [{ name: 'orders', resources: ['orders-api', 'https://orders.example.com'] }],
})
test.after.always(() => server.stop())

const exchange = (
  client: ReturnType<typeof aProtocolClient>,
  subject: string | undefined,
  parameters: Readonly<Record<string, string | undefined>> = {},
  options?: SendOptions,
) =>
  client.post(
    'token',
    { grant_type: grantType, subject_token: subject, subject_token_type: accessToken, ...parameters },
    options,
  )

test('a token is exchanged for one of another audience, bound to the same key, that ends with it', async (t) => {
  const client = aProtocolClient(server)
  const login = await client.tokens({ scope: 'openid offline_access orders' })
  const { status, body } = await exchange(client, login.access_token, {
    resource: 'https://ledger.example.com',
    scope: 'orders',
  })
  t.is(status, 200)
  t.like(body, { token_type: 'DPoP', issued_token_type: accessToken, scope: 'orders' })
  t.is(body.refresh_token, undefined)
  t.is(body.id_token, undefined)
  const [given, got] = [claimsOf(login.access_token), claimsOf(String(body.access_token))]
  t.like(got, { sub: 'user-alice', client_id: 'client-1', aud: 'https://ledger.example.com', cnf: { jkt: client.jkt } })
  t.true(Number(got.exp) <= Number(given.exp))
  t.true(Number(body.expires_in) <= login.expires_in)
})

test('an API can be named by the name that a scope declares for it', async (t) => {
  const client = aProtocolClient(server)
  const login = await client.tokens({ scope: 'openid orders' })
  const { body } = await exchange(client, login.access_token, { audience: 'orders-api' })
  t.is(claimsOf(String(body.access_token)).aud, 'orders-api')
})

test('what a token has lost on the way no exchange brings back', async (t) => {
  const client = aProtocolClient(server)
  const login = await client.tokens({ scope: 'openid offline_access orders' })
  const { body: narrow } = await exchange(client, login.access_token, { scope: 'openid' })
  const again = String(narrow.access_token)
  t.is((await exchange(client, again)).body.scope, 'openid')
  t.is((await exchange(client, again, { scope: 'openid orders' })).body.error, 'invalid_scope')
  const { body: refreshed } = await client.refresh(login.refresh_token ?? '', { scope: 'openid' })
  t.is((await exchange(client, String(refreshed.access_token), { scope: 'orders' })).body.error, 'invalid_scope')
})

test('an exchanged token ends with the grant of the login', async (t) => {
  const client = aProtocolClient(server)
  const login = await client.tokens({ scope: 'openid offline_access orders' })
  const { body } = await exchange(client, login.access_token, { audience: 'orders-api' })
  t.is((await client.post('revoke', { token: login.refresh_token })).status, 200)
  const { body: said } = await client.post('introspect', { token: String(body.access_token) })
  t.is(said.active, false)
})

test('what is not the same client, the same key and a living token of this server is refused', async (t) => {
  const client = aProtocolClient(server)
  const login = await client.tokens({ scope: 'openid offline_access orders' })
  const subject = login.access_token
  const key = { proof: { key: signingKey(generateSigningJwk('ES256')) } }
  const refused = async (answer: ReturnType<typeof exchange>, error: string, words: RegExp) => {
    const { status, body } = await answer
    t.is(status, 400)
    t.is(body.error, error, String(words))
    t.regex(String(body.error_description), words)
  }
  await refused(exchange(client, undefined), 'invalid_request', /subject_token is required/)
  await refused(exchange(client, subject, { subject_token_type: undefined }), 'invalid_request', /subject_token_type/)
  await refused(exchange(client, `${subject}x`), 'invalid_request', /not alive/)
  await refused(exchange(client, login.id_token), 'invalid_request', /not alive/)
  await refused(exchange(client, login.refresh_token), 'invalid_request', /not alive/)
  await refused(exchange(client, subject, {}, key), 'invalid_request', /another key/)
  await refused(exchange(aProtocolClient(server, other), subject), 'invalid_request', /another client/)
  await refused(exchange(aProtocolClient(server, without), subject), 'unauthorized_client', /grant type/)
  await refused(exchange(client, subject, { actor_token: subject }), 'invalid_request', /actor_token/)
  const kind = 'urn:ietf:params:oauth:token-type:refresh_token'
  await refused(exchange(client, subject, { requested_token_type: kind }), 'invalid_request', /requested_token_type/)
  await refused(exchange(client, subject, { scope: 'orders ledger' }), 'invalid_scope', /subject token does not have/)
  await refused(exchange(client, subject, { scope: 'roles' }), 'invalid_scope', /./)
  await refused(exchange(client, subject, { audience: 'another-api' }), 'invalid_target', /./)
  await refused(exchange(client, subject, { resource: 'https://other.example.com' }), 'invalid_target', /./)
  t.is((await client.post('revoke', { token: subject })).status, 200)
  await refused(exchange(client, subject), 'invalid_request', /not alive/)
})
