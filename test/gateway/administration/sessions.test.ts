import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { createGateway } from '../../../src/gateway/gateway.js'
import type { FrontendOptions, GatewayOptions } from '../../../src/gateway/options.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import type { Store } from '../../../src/store/store.js'
import { aFrontend } from '../_gateway.js'
import { planting } from '../_planted.js'

const publicUrl = new URL('http://127.0.0.1:3000')

interface Given {
  readonly frontends?: readonly string[]
  readonly administered?: boolean
  readonly store?: Store
  readonly authorities?: FrontendOptions['authorities']
}

async function anAdministeredGateway(
  t: ExecutionContext,
  { frontends = ['app'], administered = true, store = createMemoryStore(), authorities }: Given = {},
) {
  const clock = { now: 1_800_000_000 }
  const options: GatewayOptions = {
    frontends: frontends.map((name) =>
      aFrontend({
        name,
        publicUrl,
        authority: 'http://127.0.0.1:9',
        pathPrefix: name === 'app' ? '' : `/${name}`,
        ...(name === 'app' && authorities !== undefined && { authorities }),
      }),
    ),
    store,
    seal: createSeal([randomBytes(32)]),
    administered,
    now: () => clock.now,
  }
  const gateway = await createGateway(options)
  t.teardown(() => gateway.close())
  return { gateway, clock, store, options, ...planting(options) }
}

const client = () => ({ address: '192.0.2.x', userAgent: 'Firefox' })

test('a session is listed with its user, begin, last use and client', async (t) => {
  const { gateway, plant, sessionsOf, clock } = await anAdministeredGateway(t)
  const { id } = await plant('app', { subject: 'alice' })
  const sessions = sessionsOf('app')
  const session = await sessions.open(id)
  if (session === undefined) return t.fail()
  clock.now += 100
  await sessions.keepAlive(id, session, client)
  t.deepEqual(await gateway.sessions.list({}), {
    sessions: [
      {
        handle: session.handle,
        frontend: 'app',
        subject: 'alice',
        begunAt: 1_800_000_000,
        lastUsedAt: 1_800_000_100,
        ...client(),
      },
    ],
  })
})

test('sessions are found by user, server session, frontend and age, and by all of them together', async (t) => {
  const { gateway, plant, clock } = await anAdministeredGateway(t, { frontends: ['app', 'shop'] })
  await plant('app', { subject: 'alice', sid: 'one' })
  await plant('shop', { subject: 'alice', sid: 'two' })
  clock.now += 1000
  await plant('app', { subject: 'bob', sid: 'three' })
  await plant('app', { subject: 'alice', sid: 'four' })
  const found = async (query: Parameters<typeof gateway.sessions.list>[0]) =>
    (await gateway.sessions.list(query)).sessions.map(({ frontend, subject }) => `${frontend} ${subject}`).sort()
  t.deepEqual(await found({}), ['app alice', 'app alice', 'app bob', 'shop alice'])
  t.deepEqual(await found({ subject: 'alice' }), ['app alice', 'app alice', 'shop alice'])
  t.deepEqual(await found({ subject: 'alice', frontend: 'app' }), ['app alice', 'app alice'])
  t.deepEqual(await found({ subject: 'alice', frontend: 'app', olderThan: 500 }), ['app alice'])
  t.deepEqual(await found({ sid: 'three' }), ['app bob'])
  t.deepEqual(await found({ sid: 'three', subject: 'alice' }), [])
  t.deepEqual(await found({ olderThan: 500 }), ['app alice', 'shop alice'])
  t.deepEqual(await found({ frontend: 'none' }), [])
})

test('sessions are found by their authorization server: its issuer in every frontend, or its name', async (t) => {
  const bank = { authority: 'https://bank.example', clientId: 'shop' }
  const city = { authority: 'https://city.example', clientId: 'shop-of-the-city' }
  const { gateway, plant } = await anAdministeredGateway(t, {
    frontends: ['app', 'shop'],
    authorities: [
      { name: 'bank', ...bank },
      { name: 'gold', ...bank, authorizationParameters: { acr_values: 'gold' } },
      { name: 'city', ...city },
    ],
  })
  await plant('app', { server: { name: 'bank', ...bank } })
  await plant('app', { server: { name: 'gold', ...bank } })
  await plant('app', { server: { name: 'city', ...city } })
  await plant('app', { server: { name: 'city', ...city }, subject: 'bob' })
  // From before there were several, by its ID token; and one of a server that is gone.
  await plant('app', { subject: 'carol', claims: { iss: city.authority } })
  await plant('app', { subject: 'dave', server: { name: 'old', authority: 'https://old.example', clientId: 'shop' } })
  await plant('shop')
  await plant('shop', { subject: 'erin', claims: { iss: 'http://127.0.0.1:9' } })
  const found = async (query: Parameters<typeof gateway.sessions.list>[0]) =>
    (await gateway.sessions.list(query)).sessions
      .map(({ frontend, authority = '-', subject }) => `${frontend} ${authority} ${subject}`)
      .sort()
  const ofTheCity = ['app - carol', 'app city alice', 'app city bob']
  t.deepEqual(await found({ authority: city.authority }), ofTheCity)
  t.deepEqual(await found({ authority: city.authority, subject: 'alice' }), ['app city alice'])
  t.deepEqual(await found({ authority: bank.authority }), ['app bank alice', 'app gold alice'])
  t.deepEqual(await found({ authority: 'gold' }), ['app gold alice'])
  t.deepEqual(await found({ authority: 'https://old.example' }), ['app old dave'])
  t.deepEqual(await found({ authority: 'http://127.0.0.1:9' }), ['shop - alice', 'shop - erin'])
  t.deepEqual(await found({ authority: 'http://127.0.0.1:9', frontend: 'app' }), [])
  t.deepEqual(await found({ authority: 'none' }), [])
  t.is(await gateway.sessions.end({ authority: city.authority, subject: 'alice' }), 1)
  t.is(await gateway.sessions.end({ authority: city.authority }), 2)
  t.is(await gateway.sessions.end({ authority: 'none' }), 0)
  t.is((await gateway.sessions.list({})).sessions.length, 5)
})

test('pages follow each other without a gap or a repetition, and tell nothing of where sessions rest', async (t) => {
  const { gateway, plant } = await anAdministeredGateway(t, { frontends: ['app', 'shop'] })
  for (let index = 0; index < 40; index++) await plant(index % 2 === 0 ? 'app' : 'shop', { subject: `user ${index}` })
  const seen: (string | undefined)[] = []
  let after: string | undefined
  do {
    const page = await gateway.sessions.list({}, { limit: 7, ...(after !== undefined && { after }) })
    t.true(page.sessions.length <= 7)
    seen.push(...page.sessions.map(({ subject }) => subject))
    after = page.next
    t.notRegex(Buffer.from(after ?? '', 'base64url').toString('latin1'), /session/)
  } while (after !== undefined)
  t.is(seen.length, 40)
  t.is(new Set(seen).size, 40)
  await t.throwsAsync(gateway.sessions.list({}, { after: 'made up' }), { instanceOf: RangeError })
})

test('ending means all that are found, at once, in every process that shares the store', async (t) => {
  const { gateway, plant, sessionsOf, options } = await anAdministeredGateway(t)
  const other = await createGateway(options)
  t.teardown(() => other.close())
  const [first, second, bob] = [await plant('app'), await plant('app'), await plant('app', { subject: 'bob' })]
  t.is(await other.sessions.end({ subject: 'alice' }), 2)
  t.is(await other.sessions.end({ subject: 'alice' }), 0)
  t.is(await sessionsOf('app').open(first.id), undefined)
  t.is(await sessionsOf('app').open(second.id), undefined)
  t.not(await sessionsOf('app').open(bob.id), undefined)
  t.is((await gateway.sessions.list({})).sessions.length, 1)
})

test('one session is ended by its handle, and only that one', async (t) => {
  const { gateway, plant } = await anAdministeredGateway(t, { frontends: ['app', 'shop'] })
  await plant('app')
  await plant('shop')
  const [one, two] = (await gateway.sessions.list({})).sessions
  t.false(await gateway.sessions.endOne('no such handle'))
  t.true(await gateway.sessions.endOne(one?.handle ?? ''))
  t.false(await gateway.sessions.endOne(one?.handle ?? ''))
  t.false(await gateway.sessions.endOne(two?.handle ?? '', one?.frontend))
  t.deepEqual(
    (await gateway.sessions.list({})).sessions.map(({ handle }) => handle),
    [two?.handle],
  )
})

test('a session that ended without a word is not listed, not counted, and struck off', async (t) => {
  const { gateway, plant, clock, store, options } = await anAdministeredGateway(t)
  await plant('app')
  clock.now += (options.frontends[0]?.session.idle ?? 0) / 2
  await plant('app', { subject: 'bob' })
  t.deepEqual([...(await gateway.sessions.estimate())], [['app', 2]])
  for (let part = 0; part < 16; part++)
    for (const hash of await store.members(`roll app:${part}`))
      if ((await gateway.sessions.list({})).sessions.length === 2) await store.delete(`session app:${hash}`)
  t.is((await gateway.sessions.list({})).sessions.length, 1)
  t.deepEqual([...(await gateway.sessions.estimate())], [['app', 2]], 'an estimate serves for a minute')
  clock.now += 61
  t.deepEqual([...(await gateway.sessions.estimate())], [['app', 1]])
})

test('ten thousand sessions are estimated by looking at some of them', async (t) => {
  const memory = createMemoryStore()
  let looks = 0
  const store: Store = {
    ...memory,
    get: (key) => {
      looks++
      return memory.get(key)
    },
  }
  const { gateway, options } = await anAdministeredGateway(t, { store })
  const until = (options.now?.() ?? 0) + 1000
  for (let index = 0; index < 10_000; index++) {
    const hash = randomBytes(32).toString('base64url')
    await memory.addMember(`roll app:${(Buffer.from(hash.slice(0, 2), 'base64url')[0] ?? 0) % 16}`, hash, until)
    if (index % 2 === 0) await memory.set(`session app:${hash}`, 'sealed', until)
  }
  const count = (await gateway.sessions.estimate()).get('app') ?? 0
  t.true(count > 2500 && count < 7500, `${count} for 5000`)
  t.true(looks <= 100, `${looks} looks`)
})

test('whose a session is rests under the server key, and only where sessions are administered', async (t) => {
  const written = new Map<string, string>()
  const recording = (): Store => {
    const memory = createMemoryStore()
    return {
      ...memory,
      set: (key, value, until) => {
        written.set(key, value)
        return memory.set(key, value, until)
      },
      addMember: (key, member, until) => {
        written.set(`${key} ${member}`, '')
        return memory.addMember(key, member, until)
      },
    }
  }
  const without = await anAdministeredGateway(t, { administered: false, store: recording() })
  await without.plant('app', { subject: 'alice-of-wonderland' })
  t.false([...written.keys()].some((key) => key.startsWith('owner')))
  const [listed] = (await without.gateway.sessions.list({})).sessions
  t.is(listed?.subject, undefined)
  t.is((await without.gateway.sessions.list({ subject: 'alice-of-wonderland' })).sessions.length, 1)

  written.clear()
  const { plant } = await anAdministeredGateway(t, { store: recording() })
  await plant('app', { subject: 'alice-of-wonderland' })
  t.true([...written.keys()].some((key) => key.startsWith('owner app:')))
  t.false([...written].some((entry) => entry.join(' ').includes('wonderland')))
})
