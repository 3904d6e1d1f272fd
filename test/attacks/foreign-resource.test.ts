import test from 'ava'
import { aBrowser } from '../authorization-server/_browser.js'
import { aProtocolClient, claimsOf } from '../authorization-server/_client.js'
import { aClient, startServer } from '../authorization-server/_running.js'

/* A client tries to get a token for an API that neither its scopes nor its own list lead to (RFC 8707). */

const payments = 'https://payments.example/'
const everywhere = 'https://stock.example/'
const permissions = [
  'ept:authorization',
  'ept:pushed_authorization',
  'ept:token',
  'gt:authorization_code',
  'gt:refresh_token',
  'gt:client_credentials',
  'rst:code',
  'scp:openid',
  'scp:orders',
  'scp:offline_access',
]
const scopes = [
  { name: 'pay', displayName: 'Move your money', resources: [payments] },
  { name: 'orders', resources: ['orders-api', 'https://orders.example/'] },
  { name: 'profile', resources: ['profile-api'] },
]

const start = () =>
  startServer({
    audience: 'my-api',
    scopes,
    client: aClient('client-1', { permissions: [...permissions, `rsrc:${everywhere}`] }),
    other: aClient('client-2', { permissions: [...permissions, 'scp:pay', 'scp:profile'] }),
  })
const audienceOf = (token: unknown): unknown => claimsOf(String(token)).aud

test('an API of a scope that the client may not have: no token by client credentials, code or refresh', async (t) => {
  const server = await start()
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  for (const resource of [payments, `${payments} ${everywhere}`, 'https://orders.example', 'orders-api', 'my-api']) {
    const own = await client.post('token', { grant_type: 'client_credentials', scope: 'orders', resource })
    t.is(own.body.error, 'invalid_target', resource)
    t.is((await client.push({ scope: 'openid orders', resource })).body.error, 'invalid_target', resource)
  }
  const { refresh_token = '' } = await client.tokens({ scope: 'openid orders offline_access' })
  t.is((await client.refresh(refresh_token, { resource: payments })).body.error, 'invalid_target')
  const code = (await client.authorize({ scope: 'openid orders' })).searchParams.get('code') ?? ''
  t.is((await client.redeem(code, { resource: payments })).body.error, 'invalid_target')
  t.is((await client.redeem(code)).status, 200)
})

test('an API of a scope that was not asked for now, though the client may have it', async (t) => {
  const server = await start()
  t.teardown(() => server.stop())
  const client = aProtocolClient(server, server.other)
  const own = { grant_type: 'client_credentials', resource: payments }
  t.is((await client.post('token', { ...own, scope: 'orders' })).body.error, 'invalid_target')
  t.is(audienceOf((await client.post('token', { ...own, scope: 'orders pay' })).body.access_token), payments)
  t.is((await client.push({ scope: 'openid orders', resource: payments })).body.error, 'invalid_target')

  const { refresh_token = '' } = await client.tokens({ scope: 'openid pay orders offline_access' })
  const narrowed = { scope: 'openid orders' }
  t.is((await client.refresh(refresh_token, { ...narrowed, resource: payments })).body.error, 'invalid_target')
  const { body } = await client.refresh(refresh_token, narrowed)
  t.deepEqual(audienceOf(body.access_token), ['orders-api', 'https://orders.example/'])
})

test('a scope brings its APIs into aud, by any name, and only while it is granted', async (t) => {
  const server = await start()
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const { access_token, refresh_token = '' } = await client.tokens({ scope: 'openid orders offline_access' })
  t.deepEqual(audienceOf(access_token), ['orders-api', 'https://orders.example/'])
  const named = { resource: 'https://orders.example/' }
  t.is(audienceOf((await client.refresh(refresh_token, named)).body.access_token), named.resource)
  t.is(audienceOf((await client.refresh(refresh_token, { scope: 'openid' })).body.access_token), 'my-api')
  t.is(audienceOf((await client.tokens({ scope: 'openid' })).access_token), 'my-api')
  const own = await client.post('token', { grant_type: 'client_credentials', scope: 'orders' })
  t.deepEqual(audienceOf(own.body.access_token), ['orders-api', 'https://orders.example/'])
})

test("the client's own list leads to an API without a scope, when it is named and only for that client", async (t) => {
  const server = await start()
  t.teardown(() => server.stop())
  const resource = everywhere
  const [client, other] = [aProtocolClient(server), aProtocolClient(server, server.other)]
  const { refresh_token = '' } = await client.tokens({ scope: 'openid offline_access' })
  t.is(audienceOf((await client.refresh(refresh_token, { resource })).body.access_token), resource)
  t.is(audienceOf((await client.tokens({ scope: 'openid', resource })).access_token), resource)
  t.is((await other.push({ scope: 'openid', resource })).body.error, 'invalid_target')
})

test('what the request named is the most that its tokens are for, also when a refresh names nothing', async (t) => {
  const server = await start()
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const resource = 'https://orders.example/'
  const scope = 'openid orders offline_access'
  const { access_token, refresh_token = '' } = await client.tokens({ scope, resource })
  t.is(audienceOf(access_token), resource)
  t.is(audienceOf((await client.refresh(refresh_token)).body.access_token), resource)
  t.is((await client.refresh(refresh_token, { resource: everywhere })).body.error, 'invalid_target')
  // Neither does it fall back to the API of all the others.
  t.is((await client.refresh(refresh_token, { scope: 'openid' })).body.error, 'invalid_target')
})

test('the consent page names the APIs, and consent to one is no consent to another', async (t) => {
  const server = await start()
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const scope = 'openid orders'
  const first = await browser.get(client.authorizationUrl(await client.push({ scope, resource: everywhere })))
  const consent = await browser.follow(
    await browser.submit(first, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  t.true(consent.text.includes(everywhere))
  t.false(consent.text.includes('orders-api'))
  t.regex((await browser.submit(consent, 'allow')).location ?? '', /[?&]code=/)

  const again = await browser.get(client.authorizationUrl(await client.push({ scope, resource: everywhere })))
  t.regex(again.location ?? '', /[?&]code=/)
  const wider = await browser.get(client.authorizationUrl(await client.push({ scope })))
  for (const name of ['orders-api', 'https://orders.example/', everywhere]) t.true(wider.text.includes(name), name)
  t.regex((await browser.submit(wider, 'allow')).location ?? '', /[?&]code=/)
  const silent = await browser.get(client.authorizationUrl(await client.push({ scope, prompt: 'none' })))
  t.regex(silent.location ?? '', /[?&]code=/)
})

test('an API that was added to a scope later is not in the tokens of what was agreed to before', async (t) => {
  const before = await start()
  const client = aProtocolClient(before)
  const { refresh_token = '' } = await client.tokens({ scope: 'openid orders offline_access' })
  const after = await startServer({
    ...before.options,
    client: before.client,
    other: before.other,
    clients: [],
    scopes: [{ name: 'orders', resources: ['orders-api', payments] }],
  })
  t.teardown(() => Promise.all([before.stop(), after.stop()]))
  const { body } = await client.refresh(refresh_token, {}, { at: after.url })
  t.is(audienceOf(body.access_token), 'orders-api')
  t.is((await client.refresh(refresh_token, { resource: payments }, { at: after.url })).body.error, 'invalid_target')
})
