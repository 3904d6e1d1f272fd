import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import type { Store } from '../../src/store/store.js'
import { aPlantedGateway, ownPage } from '../gateway/_planted.js'

/** A store whose keys can be listed, as an attacker with its disk could. */
function leakyStore(): Store & { readonly keys: Set<string> } {
  const store = createMemoryStore()
  const keys = new Set<string>()
  return {
    ...store,
    keys,
    set(key, value, expiresAt) {
      keys.add(key)
      return store.set(key, value, expiresAt)
    },
  }
}

test('a tampered, swapped or foreign record is no session: 401 and nothing upstream', async (t) => {
  const store = leakyStore()
  const world = await aPlantedGateway(t, {
    frontends: [{ name: 'app' }, { name: 'admin', pathPrefix: '/admin' }],
    gateway: { store },
  })
  const [alice, bob] = [await world.plant('app', { subject: 'alice' }), await world.plant('app', { subject: 'bob' })]
  const admin = await world.plant('admin', { subject: 'root' })
  const later = Date.now() / 1000 + 600
  const keyOf = async (name: string, id: string) => (await world.sessionsOf(name).open(id))?.key ?? ''
  const [aliceKey, bobKey, adminKey] = [
    await keyOf('app', alice.id),
    await keyOf('app', bob.id),
    await keyOf('admin', admin.id),
  ]
  const genuine = (await store.get(aliceKey)) ?? ''
  const refused = async (text: string, what: string) => {
    await store.set(aliceKey, text, later)
    const answer = await world.call('/api/x', { headers: { ...ownPage, Cookie: alice.cookie } })
    t.is(answer.status, 401, what)
  }

  await refused((await store.get(bobKey)) ?? '', 'another user’s record')
  await refused((await store.get(adminKey)) ?? '', 'another frontend’s record')
  await refused(createSeal([randomBytes(32)]).seal('{}', alice.id, aliceKey), 'a seal under a key that is not ours')
  const [version = '', keyId = '', body = ''] = genuine.split('.')
  const bytes = Buffer.from(body, 'base64url')
  for (let index = 0; index < bytes.length; index += 7) {
    const flipped = Buffer.from(bytes)
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8))
    await refused(`${version}.${keyId}.${flipped.toString('base64url')}`, `bit of byte ${index}`)
  }
  for (const text of [
    '',
    '.',
    '1..',
    `2.${keyId}.${body}`,
    `${version}.AAAAAAAA.${body}`,
    `${genuine}.x`,
    genuine.slice(0, -4),
    '{}',
    'null',
  ]) {
    await refused(text, text.slice(0, 20))
  }
  t.is(world.api.calls.length, 0)

  await store.set(aliceKey, genuine, later)
  t.is((await world.call('/api/x', { headers: { ...ownPage, Cookie: alice.cookie } })).status, 200)
})

test('all that the store holds, with the server’s sealing key, opens nothing', async (t) => {
  const sealingKey = randomBytes(32)
  const seal = createSeal([sealingKey])
  const store = leakyStore()
  const world = await aPlantedGateway(t, { gateway: { store, seal } })
  const idToken = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.eyJ-id.eyJ-signature`
  const planted = await world.plant('app', { claims: { sub: 'alice', email: 'alice@example.com' }, idToken })
  await world.call('/api/x', { headers: { ...ownPage, Cookie: planted.cookie } })

  const dump = new Map<string, string>()
  for (const key of store.keys) dump.set(key, (await store.get(key)) ?? '')
  t.true(dump.size >= 2)
  const everything = [...dump].flat().join('\n')
  for (const secret of [planted.id, planted.accessToken, 'refresh', idToken, 'eyJ-id', '"d"', 'alice', 'example.com'])
    t.false(everything.includes(secret), `the store holds ${secret}`)
  // What an attacker has to guess secrets and contexts from: every text that the dump itself contains.
  const guesses = [
    '',
    ...dump.keys(),
    ...[...dump.keys()].map((key) => key.split(':').at(-1) ?? ''),
    ...dump.values(),
    sealingKey.toString('hex'),
    sealingKey.toString('base64url'),
  ]
  for (const text of dump.values()) {
    for (const secret of guesses) for (const context of dump.keys()) t.is(seal.unseal(text, secret, context), undefined)
  }
})

test('a new sealing key logs nobody out, and an old one opens until it leaves the ring', async (t) => {
  const [first, second] = [randomBytes(32), randomBytes(32)]
  const store = createMemoryStore()
  const before = await aPlantedGateway(t, { gateway: { store, seal: createSeal([first]) } })
  const { id, cookie } = await before.plant()
  const status = async (keys: readonly Buffer[]) => {
    const world = await aPlantedGateway(t, { gateway: { store, seal: createSeal(keys) } })
    const headers = { ...ownPage, Cookie: cookie }
    return [
      (await world.call('/api/x', { headers })).status,
      await world.sessionsOf('app').keysOf({ subject: 'alice' }),
    ] as const
  }
  const [rotated, found] = await status([second, first])
  t.is(rotated, 200)
  t.is(found.length, 1, 'a logout still finds it')
  t.is((await status([second]))[0], 401)
  t.regex(id, /^[\w-]{43}$/)
})
