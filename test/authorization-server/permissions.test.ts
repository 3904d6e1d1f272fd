import test from 'ava'
import { parsePermissions } from '../../src/authorization-server/permissions.js'

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
