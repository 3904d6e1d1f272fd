import { mkdtemp, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  createFileKeySource,
  createStoreKeySource,
  type SigningKeySource,
} from '../../../src/authorization-server/tokens/key-source.js'
import { createSigningKeys, type SigningKeys } from '../../../src/authorization-server/tokens/signing-keys.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'

const day = 86_400
const seal = createSeal([Buffer.alloc(32, 7)])

async function replicas(count: number, source: SigningKeySource = createStoreKeySource(createMemoryStore(), seal)) {
  const clock = { now: 1_800_000_000 }
  const all = await Promise.all(
    Array.from({ length: count }, () =>
      createSigningKeys({
        source,
        algorithms: ['ES256', 'Ed25519'],
        lifetime: 90 * day,
        publishBefore: day,
        retention: day / 2,
        refreshInterval: 3600,
        now: () => clock.now,
      }),
    ),
  )
  const [first] = all
  if (first === undefined) throw new Error('no replica')
  return { clock, all, first, close: () => all.map((keys) => keys.close()) }
}

const kids = (keys: SigningKeys): string[] => keys.published().map(({ kid }) => String(kid))

test('replicas that start at the same moment agree on one key per algorithm', async (t) => {
  const { all, close } = await replicas(5)
  t.is(new Set(all.map((keys) => keys.current('ES256').kid)).size, 1)
  t.is(new Set(all.map((keys) => keys.nonceSecret.toString('hex'))).size, 1)
  t.is(kids(all[0] as SigningKeys).length, 2)
  close()
})

test('a store that has lost its data gets the keys back, from whichever replica looks first', async (t) => {
  const store = createMemoryStore()
  const { all, first, close } = await replicas(3, createStoreKeySource(store, seal))
  const [before, secret] = [kids(first), first.nonceSecret.toString('hex')]
  t.true(await store.delete('as signing keys'))
  await Promise.all(all.map((keys) => keys.refresh()))
  for (const keys of all) t.deepEqual([kids(keys), keys.nonceSecret.toString('hex')], [before, secret])
  close()
})

test('a key is published before it signs, and after it until its last token has expired', async (t) => {
  const { clock, first: keys, close } = await replicas(1)
  const old = keys.current('ES256').kid

  clock.now += 89 * day - 1
  await keys.refresh()
  t.is(kids(keys).length, 2, 'not due yet')
  clock.now += 1
  await keys.refresh()
  const next = keys.published().find(({ kid, alg }) => alg === 'ES256' && kid !== old)?.kid ?? ''
  t.truthy(next, 'published')
  t.is(keys.current('ES256').kid, old, 'but does not sign')
  const statusOf = (wanted: string) => keys.state().find(({ kid }) => kid === wanted)?.status
  t.deepEqual([statusOf(old), statusOf(next)], ['signing', 'next'])
  clock.now += day - 1
  await keys.refresh()
  t.is(keys.current('ES256').kid, old)
  clock.now += 1
  t.is(keys.current('ES256').kid, next, 'signs by the clock alone, without a look at the source')
  t.true(kids(keys).includes(old), 'the old one still verifies')
  clock.now += day / 2 + 1
  t.false(kids(keys).includes(old), 'and is gone when nothing of its can be alive')
  t.true(keys.verificationKeys().every(({ kid }) => kid !== old))
  await keys.refresh()
  t.is(kids(keys).length, 2)
  close()
})

test('a server that slept through the rotation publishes first, too', async (t) => {
  const { clock, first: keys, close } = await replicas(1)
  const old = keys.current('ES256').kid
  clock.now += 400 * day
  await keys.refresh()
  t.is(keys.current('ES256').kid, old)
  clock.now += day
  t.not(keys.current('ES256').kid, old)
  close()
})

test('replicas that rotate at the same moment agree, for years, and no kid comes back', async (t) => {
  const { clock, all, close } = await replicas(3)
  const seen = new Set<string>()
  for (let week = 0; week < 104; week++) {
    clock.now += 7 * day
    await Promise.all(all.map((keys) => keys.refresh()))
    const sets = all.map((keys) => JSON.stringify([kids(keys), keys.current('ES256').kid]))
    t.is(new Set(sets).size, 1)
    seen.add(all[0]?.current('ES256').kid ?? '')
  }
  t.is(seen.size, 8)
  close()
})

test('a file keeps the ring sealed, readable by its owner, over a restart and for two processes', async (t) => {
  const path = join(await mkdtemp(join(tmpdir(), 'keys-')), 'signing-keys')
  const source = createFileKeySource(path, seal)
  const before = await replicas(3, source)
  const after = await replicas(1, createFileKeySource(path, seal))
  t.is(after.first.current('ES256').kid, before.first.current('ES256').kid)
  t.is(new Set(before.all.map((keys) => keys.current('ES256').kid)).size, 1)
  t.notRegex(await readFile(path, 'utf8'), /"kty"|"d"/)
  t.is((await stat(path)).mode & 0o777, 0o600)

  before.clock.now += 89 * day
  await Promise.all(before.all.map((keys) => keys.refresh()))
  t.is(new Set(before.all.map((keys) => kids(keys).join())).size, 1)
  t.is(kids(before.first).length, 4)
  before.close()
  after.close()
})

test('a ring under a sealing key that is not configured stops the start, and is not overwritten', async (t) => {
  const store = createMemoryStore()
  const { first, close } = await replicas(1, createStoreKeySource(store, seal))
  const kid = first.current('ES256').kid
  await t.throwsAsync(replicas(1, createStoreKeySource(store, createSeal([Buffer.alloc(32, 8)]))), {
    name: 'ConfigurationError',
    message: /sealing key/,
  })
  const again = await replicas(1, createStoreKeySource(store, seal))
  t.is(again.first.current('ES256').kid, kid)
  close()
  again.close()
})

test('an algorithm that is added later gets its key at once', async (t) => {
  const source = createStoreKeySource(createMemoryStore(), seal)
  const options = {
    source,
    lifetime: 90 * day,
    publishBefore: day,
    retention: day,
    refreshInterval: 3600,
    now: () => 0,
  }
  const before = await createSigningKeys({ ...options, algorithms: ['ES256'] })
  t.throws(() => before.current('Ed25519'), { message: /no key signs with Ed25519/ })
  const after = await createSigningKeys({ ...options, algorithms: ['ES256', 'Ed25519'] })
  t.is(after.current('Ed25519').algorithm, 'Ed25519')
  t.is(after.current('ES256').kid, before.current('ES256').kid)
  before.close()
  after.close()
})
