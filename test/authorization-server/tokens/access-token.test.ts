import test from 'ava'
import { createAccessTokens } from '../../../src/authorization-server/tokens/access-token.js'
import { createGrants } from '../../../src/authorization-server/tokens/grant.js'
import { signToken } from '../../../src/authorization-server/tokens/jws.js'
import { createStoreKeySource } from '../../../src/authorization-server/tokens/key-source.js'
import { createSigningKeys } from '../../../src/authorization-server/tokens/signing-keys.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { claimsOf } from '../_client.js'

const issuer = 'https://as.example'

async function someTokens() {
  const clock = { now: 1_800_000_000 }
  const now = () => clock.now
  const [store, seal] = [createMemoryStore({ now }), createSeal([Buffer.alloc(32, 3)])]
  const keys = await createSigningKeys({
    source: createStoreKeySource(store, seal, now),
    algorithms: ['ES256'],
    lifetime: 1000,
    publishBefore: 100,
    retention: 100,
    refreshInterval: 60,
    now,
  })
  const grants = createGrants(store, seal)
  const tokens = createAccessTokens({ issuer, keys, algorithm: 'ES256', grants, store, lifetime: 600, now })
  const grant = { clientId: 'client-1', scopes: ['orders'], target: { resources: [], by: 'implied' as const } }
  const grantId = await grants.start(grant, clock.now + 1000)
  const { token } = await tokens.issue({
    grantId,
    grant,
    scopes: ['orders'],
    authorizationDetails: [],
    audience: ['api'],
    confirmation: { jkt: 'thumbprint' },
  })
  return { clock, keys, grants, tokens, grantId, token }
}

test('finds what it issued, until it expires', async (t) => {
  const { clock, keys, tokens, token, grantId } = await someTokens()
  t.like(await tokens.find(token), { grantId, confirmation: { jkt: 'thumbprint' }, scopes: ['orders'] })
  clock.now += 600
  t.is(await tokens.find(token), undefined)
  keys.close()
})

test('finds nothing once the grant is revoked, and a revoked grant stays revoked', async (t) => {
  const { clock, keys, grants, tokens, token, grantId } = await someTokens()
  t.true(await grants.revoke(grantId))
  t.false(await grants.extend(grantId, clock.now + 1000))
  t.is(await tokens.find(token), undefined)
  keys.close()
})

test('no other JWT of ours passes for an access token, whatever it claims (RFC 9068 §4)', async (t) => {
  const { keys, tokens, token } = await someTokens()
  const claims = claimsOf(token)
  const key = keys.current('ES256')
  t.truthy(await tokens.find(await signToken(key, 'at+jwt', claims)))
  for (const [type, changed] of [
    ['JWT', claims],
    ['logout+jwt', claims],
    ['at+jwt', { ...claims, iss: 'https://other.example' }],
    ['at+jwt', { ...claims, exp: undefined }],
    ['at+jwt', { ...claims, jti: undefined }],
    ['at+jwt', { ...claims, jti: 'unknown.1' }],
    ['at+jwt', { ...claims, scope: ['orders'] }],
    ['at+jwt', { ...claims, cnf: undefined }],
  ] as const)
    t.is(await tokens.find(await signToken(key, type, changed)), undefined, JSON.stringify(changed))
  keys.close()
})
