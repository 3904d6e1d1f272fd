import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test from 'ava'
import { hashPassword } from '../../src/authorization-server/password.js'
import { createSignIn } from '../../src/authorization-server/sign-in.js'
import { createSignInLimit, type SignInLimit } from '../../src/authorization-server/sign-in-limit.js'
import { createUserDirectory } from '../../src/authorization-server/users.js'
import { channelName } from '../../src/telemetry/events.js'
import { aBrowser } from './_browser.js'
import { aProtocolClient } from './_client.js'
import { aClient, startServer } from './_running.js'

async function fail(limit: SignInLimit, username: string, address: string): Promise<string> {
  return (await limit.attempt(username, address)).kind
}

async function succeed(limit: SignInLimit, username: string, address: string): Promise<string> {
  const attempt = await limit.attempt(username, address)
  if (attempt.kind === 'allowed') await attempt.succeeded()
  return attempt.kind
}

test('a user is limited at one address after five failures, and not at another', async (t) => {
  const limit = createSignInLimit()
  for (let i = 0; i < 5; i++) t.is(await fail(limit, 'alice', '192.0.2.1'), 'allowed')
  const refused = await limit.attempt('Alice ', '192.0.2.1')
  t.like(refused, { kind: 'limited' })
  t.true(refused.kind === 'limited' && refused.retryAfter > 800 && refused.retryAfter <= 900)
  t.is(await fail(limit, 'alice', '192.0.2.2'), 'allowed')
  t.is(await fail(limit, 'bob', '192.0.2.1'), 'allowed')
})

test('success counts for nothing, however often', async (t) => {
  const limit = createSignInLimit()
  for (let i = 0; i < 200; i++) t.is(await succeed(limit, 'alice', '192.0.2.1'), 'allowed')
})

test('parallel guesses all count', async (t) => {
  const limit = createSignInLimit()
  const tries = await Promise.all(Array.from({ length: 100 }, () => fail(limit, 'alice', '192.0.2.1')))
  t.is(tries.filter((kind) => kind === 'allowed').length, 5)
})

test('one address cannot try many users, and many addresses cannot try one user', async (t) => {
  const spraying = createSignInLimit({ perAddress: 10 })
  for (let i = 0; i < 10; i++) t.is(await fail(spraying, `user${i}`, '192.0.2.1'), 'allowed')
  t.is(await fail(spraying, 'user99', '192.0.2.1'), 'limited')
  const distributed = createSignInLimit({ perUser: 10 })
  for (let i = 0; i < 10; i++) t.is(await fail(distributed, 'alice', `192.0.2.${i}`), 'allowed')
  t.is(await fail(distributed, 'alice', '192.0.2.99'), 'limited')
})

test('a limited address does not use up the tries of the user elsewhere', async (t) => {
  const limit = createSignInLimit({ perUser: 8 })
  for (let i = 0; i < 100; i++) await fail(limit, 'alice', '192.0.2.1')
  t.is(await fail(limit, 'alice', '192.0.2.2'), 'allowed')
})

test('tries for a user who is limited everywhere do not lock out the others at the address', async (t) => {
  const limit = createSignInLimit({ perUser: 2, perAddress: 5 })
  for (const address of ['192.0.2.1', '192.0.2.2']) t.is(await fail(limit, 'alice', address), 'allowed')
  for (let i = 0; i < 20; i++) t.is(await fail(limit, 'alice', '192.0.2.3'), 'limited')
  t.is(await fail(limit, 'bob', '192.0.2.3'), 'allowed')
})

test('the addresses of one IPv6 network count together, mapped IPv4 ones do not', async (t) => {
  const limit = createSignInLimit()
  for (let i = 0; i < 5; i++) t.is(await fail(limit, 'alice', `2001:db8:1:2::${i}`), 'allowed')
  t.is(await fail(limit, 'alice', '2001:db8:1:2:a:b:c:d'), 'limited')
  t.is(await fail(limit, 'alice', '2001:db8:1:3::1'), 'allowed')
  for (let i = 0; i < 5; i++) await fail(limit, 'bob', '::ffff:192.0.2.1')
  t.is(await fail(limit, 'bob', '::ffff:192.0.2.2'), 'allowed')
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
  t.regex(limited.headers.get('retry-after') ?? '', /^(8\d\d|900)$/)
  t.regex(limited.text, /Try again in 15 minutes/)
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

test.serial('an unknown user costs as much as a known one', async (t) => {
  const passwordHash = await hashPassword('right', { ln: 14, p: 1 })
  const users = await createUserDirectory({
    users: [{ username: 'alice', passwordHash }],
    verifyUser: undefined,
    findUser: undefined,
  })
  // CPU time of the process, not time on a clock that other processes share.
  const cost = async (username: string): Promise<number> => {
    const before = process.cpuUsage()
    await users.verify(username, 'wrong', { address: '', clientId: '', acrValues: [] })
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  const [known, unknown]: [number[], number[]] = [[], []]
  for (let i = 0; i < 9; i++) {
    known.push(await cost('alice'))
    unknown.push(await cost('nobody'))
  }
  const median = (values: number[]): number => values.toSorted((a, b) => a - b)[4] ?? 0
  t.true(median(unknown) > median(known) / 3, `${median(known)} and ${median(unknown)} µs`)
})

test.serial('no event of a sign-in holds the password or the name that was tried', async (t) => {
  const events: unknown[] = []
  const listen = (event: unknown): void => void events.push(event)
  subscribe(channelName, listen)
  const signIn = createSignIn({
    users: await createUserDirectory({ users: [], verifyUser: async () => undefined, findUser: undefined }),
    limit: createSignInLimit({ perUserAndAddress: 1 }),
    clientIds: new Set(),
  })
  for (let i = 0; i < 2; i++)
    await signIn('hunter2-as-name', 'hunter2', { address: '192.0.2.77', clientId: 'c', acrValues: [] })
  unsubscribe(channelName, listen)
  const mine = events.filter((event) => JSON.stringify(event).includes('192.0.2.77'))
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
    limit: createSignInLimit(),
    clientIds: new Set(),
    maxPending: 4,
  })
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      signIn(`user${i}`, 'x', { address: `192.0.2.${i}`, clientId: 'c', acrValues: [] }),
    ),
  )
  t.is(most, 4)
  t.is(outcomes.filter(({ kind }) => kind === 'limited').length, 96)
  t.like(await signIn('later', 'x', { address: '192.0.2.1', clientId: 'c', acrValues: [] }), { kind: 'signed-in' })
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
