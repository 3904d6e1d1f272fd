import test from 'ava'
import { parsePermissions } from '../../../src/authorization-server/client/permissions.js'
import { aProtocolClient } from '../_client.js'
import { aClient, startServer } from '../_running.js'

test('reads the permissions of the original', (t) => {
  const { permissions, problems } = parsePermissions([
    'ept:token',
    'ept:authorization',
    'ept:pushed_authorization',
    'ept:logout',
    'ept:revocation',
    'gt:authorization_code',
    'gt:refresh_token',
    'rst:code',
    'scp:openid',
    'scp:offline_access',
    'rsrc:https://orders.example.com',
    'rsrc:urn:example:orders',
  ])
  t.deepEqual(problems, [])
  t.deepEqual(permissions, {
    endpoints: ['token', 'authorization', 'pushed_authorization', 'end_session'],
    grants: ['authorization_code', 'refresh_token'],
    scopes: ['openid', 'offline_access'],
    resources: ['https://orders.example.com', 'urn:example:orders'],
  })
})

test('names every string it does not take, and says why', (t) => {
  const { problems } = parsePermissions([
    'gt:password',
    'scp:openid',
    'ept:toString',
    'gt:',
    'scp:',
    'scp:a b',
    'code',
    'rst:token',
    '',
    'rsrc:orders',
    'rsrc:https://orders.example.com/#all',
  ])
  t.deepEqual(
    problems.map(({ index, problem }) => [index, problem]),
    [
      [0, 'is outside the FAPI 2.0 Security Profile'],
      [2, 'is not a known permission'],
      [3, 'is not a known permission'],
      [4, 'is not a known permission'],
      [5, 'is not a known permission'],
      [6, 'is not a known permission'],
      [7, 'is outside the FAPI 2.0 Security Profile'],
      [8, 'is not a known permission'],
      [9, 'is not an absolute URI without fragment (RFC 8707 §2)'],
      [10, 'is not an absolute URI without fragment (RFC 8707 §2)'],
    ],
  )
})

test('openid needs no permission, and offline_access none but that for refresh tokens, as in OpenIddict', async (t) => {
  const permissions = [
    ...['ept:authorization', 'ept:pushed_authorization', 'ept:token'],
    ...['gt:authorization_code', 'gt:client_credentials', 'rst:code'],
  ]
  const server = await startServer({
    client: aClient('client-1', { permissions: [...permissions, 'gt:refresh_token'] }),
    other: aClient('client-2', { permissions }),
  })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const { scope, refresh_token = '', id_token } = await client.tokens({ scope: 'openid offline_access' })
  t.is(scope, 'openid offline_access')
  t.is(typeof id_token, 'string')
  t.is((await client.refresh(refresh_token)).body.scope, 'openid offline_access')
  t.is((await client.push({ scope: 'openid profile' })).body.error, 'invalid_scope')
  for (const name of ['openid', 'offline_access'])
    t.is((await client.post('token', { grant_type: 'client_credentials', scope: name })).body.error, 'invalid_scope')

  const other = aProtocolClient(server, server.other)
  t.is((await other.push({ scope: 'openid' })).status, 201)
  t.is((await other.push({ scope: 'openid offline_access' })).body.error, 'invalid_scope')
})

test('a scope whose permission was taken away is missing from the next token', async (t) => {
  const before = await startServer()
  const client = aProtocolClient(before)
  const { refresh_token = '' } = await client.tokens({ scope: 'openid orders offline_access' })
  const { options } = before.client
  const withdrawn = { ...options, permissions: { ...options.permissions, scopes: ['profile'] } }
  const after = await startServer({
    ...before.options,
    client: { ...before.client, options: withdrawn },
    other: before.other,
    clients: [],
  })
  t.teardown(() => Promise.all([before.stop(), after.stop()]))
  t.is((await client.refresh(refresh_token, {}, { at: after.url })).body.scope, 'openid offline_access')
  const asked = await client.refresh(refresh_token, { scope: 'openid orders' }, { at: after.url })
  t.is(asked.body.error, 'invalid_scope')
})
