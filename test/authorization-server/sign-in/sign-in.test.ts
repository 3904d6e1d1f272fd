import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test from 'ava'
import type Koa from 'koa'
import type { SignInLimits } from '../../../src/authorization-server/options.js'
import { hashPassword } from '../../../src/authorization-server/sign-in/password.js'
import { createSignIn } from '../../../src/authorization-server/sign-in/sign-in.js'
import { createSignInLimit, type SignInLimit } from '../../../src/authorization-server/sign-in/sign-in-limit.js'
import { createSignInSessions } from '../../../src/authorization-server/sign-in/sign-in-session.js'
import { createUserDirectory } from '../../../src/authorization-server/sign-in/users.js'
import { UpstreamError } from '../../../src/errors.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { channelName } from '../../../src/telemetry/events.js'
import { aBrowser } from '../_browser.js'
import { aProtocolClient } from '../_client.js'
import { aClient, startServer } from '../_running.js'

/** Of one process. */
function aLimit(limits?: SignInLimits): SignInLimit {
  const { count } = createMemoryStore()
  return createSignInLimit(limits, count, (username) => username)
}

async function fail(limit: SignInLimit, username: string, address: string): Promise<string> {
  return (await limit.attempt(username, address)).kind
}

async function succeed(limit: SignInLimit, username: string, address: string): Promise<string> {
  const attempt = await limit.attempt(username, address)
  if (attempt.kind === 'allowed') await attempt.giveBack()
  return attempt.kind
}

test('a user is limited at one address after five failures, and not at another', async (t) => {
  const limit = aLimit()
  for (let i = 0; i < 5; i++) t.is(await fail(limit, 'alice', '192.0.2.1'), 'allowed')
  const refused = await limit.attempt('Alice ', '192.0.2.1')
  t.like(refused, { kind: 'limited' })
  t.true(refused.kind === 'limited' && refused.retryAfter > 800 && refused.retryAfter <= 945)
  t.is(await fail(limit, 'alice', '192.0.2.2'), 'allowed')
  t.is(await fail(limit, 'bob', '192.0.2.1'), 'allowed')
})

test('success counts for nothing, however often', async (t) => {
  const limit = aLimit()
  for (let i = 0; i < 200; i++) t.is(await succeed(limit, 'alice', '192.0.2.1'), 'allowed')
})

test('parallel guesses all count', async (t) => {
  const limit = aLimit()
  const tries = await Promise.all(Array.from({ length: 100 }, () => fail(limit, 'alice', '192.0.2.1')))
  t.is(tries.filter((kind) => kind === 'allowed').length, 5)
})

test('more replicas are no more tries, and the store is not told who is tried', async (t) => {
  const store = createMemoryStore()
  const keys: string[] = []
  const aReplica = () =>
    createSignInLimit(
      undefined,
      (key, cost, quota) => {
        keys.push(key)
        return store.count(key, cost, quota)
      },
      () => 'hmac',
    )
  const replicas = [aReplica(), aReplica(), aReplica()]
  const kinds: string[] = []
  for (let i = 0; i < 9; i++) for (const replica of replicas) kinds.push(await fail(replica, 'alice', '192.0.2.1'))
  t.is(kinds.filter((kind) => kind === 'allowed').length, 5)
  t.false(keys.some((key) => key.includes('alice')))
})

test('one address cannot try many users, and many addresses cannot try one user', async (t) => {
  const spraying = aLimit({ perAddress: 10 })
  for (let i = 0; i < 10; i++) t.is(await fail(spraying, `user${i}`, '192.0.2.1'), 'allowed')
  t.is(await fail(spraying, 'user99', '192.0.2.1'), 'limited')
  const distributed = aLimit({ perUser: 10 })
  for (let i = 0; i < 10; i++) t.is(await fail(distributed, 'alice', `192.0.2.${i}`), 'allowed')
  t.is(await fail(distributed, 'alice', '192.0.2.99'), 'limited')
})

test('a limited address does not use up the tries of the user elsewhere', async (t) => {
  const limit = aLimit({ perUser: 8 })
  for (let i = 0; i < 100; i++) await fail(limit, 'alice', '192.0.2.1')
  t.is(await fail(limit, 'alice', '192.0.2.2'), 'allowed')
})

test('tries for a user who is limited everywhere do not lock out the others at the address', async (t) => {
  const limit = aLimit({ perUser: 2, perAddress: 5 })
  for (const address of ['192.0.2.1', '192.0.2.2']) t.is(await fail(limit, 'alice', address), 'allowed')
  for (let i = 0; i < 20; i++) t.is(await fail(limit, 'alice', '192.0.2.3'), 'limited')
  t.is(await fail(limit, 'bob', '192.0.2.3'), 'allowed')
})

test('the addresses of one IPv6 network count together, mapped IPv4 ones do not', async (t) => {
  const limit = aLimit()
  for (let i = 0; i < 5; i++) t.is(await fail(limit, 'alice', `2001:db8:1:2::${i}`), 'allowed')
  t.is(await fail(limit, 'alice', '2001:db8:1:2:a:b:c:d'), 'limited')
  t.is(await fail(limit, 'alice', '2001:db8:1:3::1'), 'allowed')
  for (let i = 0; i < 5; i++) await fail(limit, 'bob', '::ffff:192.0.2.1')
  t.is(await fail(limit, 'bob', '::ffff:192.0.2.2'), 'allowed')
})

test('who holds a /56 or a /48 can neither guess without end nor lock a user out elsewhere', async (t) => {
  const limit = aLimit()
  const tries = async (addresses: readonly string[], username: (i: number) => string): Promise<number> => {
    let allowed = 0
    for (const [i, address] of addresses.entries())
      if ((await fail(limit, username(i), address)) === 'allowed') allowed++
    return allowed
  }
  const line = Array.from({ length: 256 }, (_, i) => `2001:db8:1:${(0x500 + i).toString(16)}::1`)
  const company = Array.from({ length: 2000 }, (_, i) => `2001:db8:2:${(i * 32).toString(16)}::1`)
  t.is(await tries(line, () => 'alice'), 10)
  t.is(await tries(company, () => 'alice'), 20)
  t.is(await fail(limit, 'alice', '2001:db8:3::1'), 'allowed')
  t.is(await tries(company, (i) => `user${i}`), 380)
})

test('the page says so, with 429 and when to come back, even for the right password', async (t) => {
  const server = await startServer({ signInLimits: { perUserAndAddress: 2 } })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push()))
  for (let i = 0; i < 2; i++) await browser.submit(page, 'sign-in', { username: 'alice', password: 'wrong' })
  const limited = await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' })
  t.is(limited.status, 429)
  t.regex(limited.headers.get('retry-after') ?? '', /^(8\d\d|9[0-4]\d)$/)
  t.regex(limited.text, /Try again in 1[56] minutes/)
  const bob = await browser.submit(page, 'sign-in', { username: 'bob', password: 'builder' })
  t.is(bob.status, 303)
})

test('only a trusted proxy says which address it was', async (t) => {
  for (const [trustedProxies, hops, expected] of [
    [['127.0.0.0/8'], '198.51.100.7, 203.0.113.9', '203.0.113.9'],
    [['127.0.0.0/8'], '198.51.100.7, 203.0.113.9:41234', '203.0.113.9'],
    [['127.0.0.0/8'], '198.51.100.7, "[2001:DB8::9]:41234"', '2001:db8::9'],
    [['127.0.0.0/8'], '198.51.100.7, unknown', '127.0.0.1'],
    [[], '198.51.100.7, 203.0.113.9', '127.0.0.1'],
  ] as const) {
    const asked: string[] = []
    const server = await startServer({
      trustedProxies,
      verifyUser: async (_username, _password, { address }) => {
        asked.push(address)
        return undefined
      },
    })
    const client = aProtocolClient(server)
    const browser = aBrowser({ 'x-forwarded-for': hops })
    const page = await browser.get(client.authorizationUrl(await client.push({ acr_values: 'gold' })))
    await browser.submit(page, 'sign-in', { username: 'carol', password: 'x' })
    t.deepEqual(asked, [expected])
    await server.stop()
  }
})

test('a user of a directory signs in with the amr and acr that it says', async (t) => {
  const server = await startServer({
    verifyUser: async (username, _, { acrValues }) =>
      username === 'carol'
        ? { subject: 'carol', claims: {}, amr: ['pwd', 'otp'], acr: acrValues[0] ?? 'none' }
        : undefined,
  })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const tokens = await client.tokens({ acr_values: 'gold silver' }, { username: 'carol', password: 'x' })
  const { body } = await client.post('introspect', { token: tokens.access_token })
  t.like(body, { amr: ['pwd', 'otp'], acr: 'gold' })
})

test('a subject that is the identifier of a client is nobody', async (t) => {
  const server = await startServer({
    client: aClient('client-1'),
    verifyUser: async () => ({ subject: 'client-1', claims: {} }),
  })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push()))
  t.regex((await browser.submit(page, 'sign-in', { username: 'x', password: 'x' })).text, /is not right/)
})

test.serial('the time tells neither an unknown user nor whose hash is cheaper', async (t) => {
  const user = async (username: string, ln: number) => ({
    username,
    passwordHash: await hashPassword('right', { ln, p: 1 }),
  })
  const users = await createUserDirectory({
    users: [await user('cheap', 12), await user('dear', 14), await user('dear too', 14)],
    verifyUser: undefined,
    findUser: undefined,
  })
  // CPU time of the process, not time on a clock that other processes share.
  const cost = async (username: string): Promise<number> => {
    const before = process.cpuUsage()
    await users.verify(username, 'wrong', { requestId: 'r-1', address: '', clientId: '', acrValues: [] })
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  const names = ['cheap', 'dear', 'dear too', 'unknown']
  const costs = new Map(names.map((name): [string, number[]] => [name, []]))
  for (let i = 0; i < 9; i++) for (const name of names) costs.get(name)?.push(await cost(name))
  const medians = [...costs.values()].map((values) => values.toSorted((a, b) => a - b)[4] ?? 0)
  t.true(Math.max(...medians) < Math.min(...medians) * 2, `${medians} µs`)
  t.is(
    (await users.verify('cheap', 'right', { requestId: 'r-1', address: '', clientId: '', acrValues: [] }))?.subject,
    'cheap',
  )
  t.is(
    (await users.verify('dear', 'right', { requestId: 'r-1', address: '', clientId: '', acrValues: [] }))?.subject,
    'dear',
  )
})

test.serial('no event of a sign-in holds the password or the name that was tried', async (t) => {
  const events: unknown[] = []
  const listen = (event: unknown): void => void events.push(event)
  subscribe(channelName, listen)
  const signIn = createSignIn({
    users: await createUserDirectory({ users: [], verifyUser: async () => undefined, findUser: undefined }),
    limit: aLimit({ perUserAndAddress: 1 }),
    clientIds: new Set(),
  })
  for (let i = 0; i < 2; i++)
    await signIn('hunter2-as-name', 'hunter2', {
      requestId: 'r-1',
      address: '192.0.2.77',
      clientId: 'c',
      acrValues: [],
    })
  unsubscribe(channelName, listen)
  const mine = events.filter((event) => JSON.stringify(event).includes('192.0.2.'))
  t.is(mine.length, 2)
  t.notRegex(JSON.stringify(events), /hunter2/)
})

test('a flood of sign-ins is turned away before it costs anything', async (t) => {
  let running = 0
  let most = 0
  const signIn = createSignIn({
    users: await createUserDirectory({
      users: [],
      async verifyUser(username) {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        return { subject: username, claims: {} }
      },
      findUser: undefined,
    }),
    limit: aLimit(),
    clientIds: new Set(),
    maxAsked: 4,
    maxWaiting: 6,
  })
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      signIn(`user${i}`, 'x', { requestId: 'r-1', address: `192.0.2.${i}`, clientId: 'c', acrValues: [] }),
    ),
  )
  t.is(most, 4)
  t.is(outcomes.filter(({ kind }) => kind === 'signed-in').length, 10)
  t.is(outcomes.filter(({ kind }) => kind === 'busy').length, 90)
  t.like(await signIn('later', 'x', { requestId: 'r-1', address: '192.0.2.1', clientId: 'c', acrValues: [] }), {
    kind: 'signed-in',
  })
})

test('a directory that cannot be asked locks nobody out', async (t) => {
  let isDown = true
  const signIn = createSignIn({
    users: await createUserDirectory({
      users: [],
      async verifyUser(username) {
        if (isDown) throw new UpstreamError('unreachable', 'no directory')
        return { subject: username, claims: {} }
      },
      findUser: undefined,
    }),
    limit: aLimit({ perUserAndAddress: 1 }),
    clientIds: new Set(),
  })
  const context = { requestId: 'r-1', address: '192.0.2.1', clientId: 'c', acrValues: [] }
  for (let i = 0; i < 3; i++) await t.throwsAsync(signIn('carol', 'x', context), { code: 'unreachable' })
  isDown = false
  t.like(await signIn('carol', 'x', context), { kind: 'signed-in' })
})

test('nothing is checked, and nothing counted, for a browser that has left the line', async (t) => {
  let asked = 0
  const signIn = createSignIn({
    users: await createUserDirectory({ users: [], verifyUser: async () => void asked++, findUser: undefined }),
    limit: aLimit({ perUserAndAddress: 1 }),
    clientIds: new Set(),
  })
  const context = { requestId: 'r-1', address: '192.0.2.1', clientId: 'c', acrValues: [] }
  for (let i = 0; i < 9; i++) await signIn('alice', 'x', context, () => true)
  t.is(asked, 0)
  t.deepEqual(await signIn('alice', 'x', context), { kind: 'failed' })
})

test('the session of a user who is gone is none', async (t) => {
  const directory = new Set(['carol'])
  const server = await startServer({
    verifyUser: async (username) => (directory.has(username) ? { subject: username, claims: {} } : undefined),
    findUser: async (subject) => (directory.has(subject) ? {} : undefined),
  })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  await client.authorize({}, { browser, username: 'carol', password: 'x' })
  t.truthy((await browser.get(client.authorizationUrl(await client.push()))).location)
  directory.delete('carol')
  t.regex((await browser.get(client.authorizationUrl(await client.push()))).text, /id="sign-in"/)
})

test('a client that joins while the user signs in anew is told of the end as well', async (t) => {
  let held = ''
  const cookie = {
    read: () => (held === '' ? undefined : held),
    issue: () => {
      held = randomBytes(32).toString('base64url')
      return held
    },
    clear: () => undefined,
  }
  const seal = createSeal([randomBytes(32)])
  const now = () => Date.now() / 1000
  const sessions = createSignInSessions({ store: createMemoryStore(), seal, cookie, lifetime: 60, now })
  const ctx = {} as Koa.Context
  const alice = { subject: 'user-alice', claims: {} }
  await sessions.start(ctx, 'alice', alice, undefined)
  await sessions.join(ctx, 'first')
  const before = await sessions.find(ctx)
  await sessions.join(ctx, 'late')
  await sessions.start(ctx, 'alice', alice, before)
  t.deepEqual((await sessions.end(ctx))?.clients, ['first', 'late'])
})
