import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { generateProofKey } from '../../../src/dpop/prover.js'
import { createProofVerifier } from '../../../src/dpop/verifier.js'
import { createGateway } from '../../../src/gateway/gateway.js'
import type { GatewayOptions } from '../../../src/gateway/options.js'
import type { SessionRecord } from '../../../src/gateway/session/session-record.js'
import { signingKey, thumbprint, verificationKey } from '../../../src/jose/jwk.js'
import { createFileStore } from '../../../src/store/file-store.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createRedisStore } from '../../../src/store/redis-store.js'
import { createSeal } from '../../../src/store/seal.js'
import type { Store } from '../../../src/store/store.js'
import type { SallyportEvent } from '../../../src/telemetry/events.js'
import { eventually } from '../../_eventually.js'
import { aProtocolClient } from '../../authorization-server/_client.js'
import { aClient, startServer } from '../../authorization-server/_running.js'
import { createUserAgent, type UserAgent } from '../../flows/_user-agent.js'
import { startRedis } from '../../store/_redis.js'
import { watchEvents } from '../_events.js'
import { aFrontend, clientJwk, clientPublicJwk, gatewayOptions, listen, serveGateway } from '../_gateway.js'
import { anIssuer } from '../_issuer.js'
import { aPlantedGateway, planting } from '../_planted.js'

/* `Bff.RevokeEndedSessions` */

const redis = await startRedis()
test.after.always(() => redis?.stop())

/** The embedded server, and a gateway whose second frontend lets a user have one session. */
async function aWorld(t: ExecutionContext, revokeEndedSessions: boolean) {
  const on = await listen()
  const prefixes = { app: '', single: '/single' }
  const clients = Object.entries(prefixes).map(
    ([clientId, prefix]) =>
      aClient(clientId, {
        keys: [verificationKey(clientPublicJwk)],
        redirectUris: [`${on.url}${prefix}/bff/callback`],
        backchannelLogoutUri: `${on.url}${prefix}/bff/backchannel-logout`,
      }).options,
  )
  const server = await startServer({ clients })
  const options = gatewayOptions(
    Object.entries(prefixes).map(([name, pathPrefix]) =>
      aFrontend({
        name,
        pathPrefix,
        clientId: name,
        publicUrl: new URL(on.url),
        authority: server.url,
        revokeEndedSessions,
        ...(name === 'single' && { sessionsPerUser: { max: 1 } }),
      }),
    ),
  )
  const gateway = await serveGateway(on, options)
  t.teardown(async () => {
    await on.close()
    await gateway.close()
    await server.stop()
  })
  const { sessionsOf } = planting(options)

  return {
    server,
    gateway,
    at: (path: string) => new URL(path, on.url),
    async logIn(name: keyof typeof prefixes = 'app', browser = createUserAgent()) {
      const base = `${on.url}${prefixes[name]}`
      let page = await browser.navigate(`${base}/bff/login`)
      if (page.body.includes('name="password"'))
        page = await browser.submit(page, { username: 'alice', password: 'wonderland' })
      if (page.body.includes('value="allow"')) page = await browser.submit(page, {}, { button: 'allow' })
      const [, id = ''] = [...browser.cookies(base)].find(([cookie]) => cookie.endsWith(`bff-${name}`)) ?? []
      const session = await sessionsOf(name).open(id)
      if (session === undefined) throw new Error(`no login: ${page.url} ${page.body}`)
      const { refreshToken = '', proofKey } = session.record
      const client = aProtocolClient({
        options: server.options,
        client: { options: { clientId: name }, privateJwk: clientJwk },
      })
      const proof = proofKey && { key: signingKey({ ...proofKey, alg: 'ES256', kid: 'session' }) }
      return {
        browser,
        session,
        isAlive: async () => (await sessionsOf(name).open(id)) !== undefined,
        /** What the server says to the session's refresh token. */
        async refreshed() {
          const { status, body } = await client.refresh(refreshToken, {}, proof && { proof })
          return status === 200 ? 'alive' : String(body.error)
        },
      }
    },
  }
}

type World = Awaited<ReturnType<typeof aWorld>>

/** Every way in which a session ends without its browser. */
const ends = {
  async 'back-channel logout'(world: World) {
    const ended = await world.logIn()
    const hint = String(ended.session.record.sid)
    await ended.browser.navigate(`${world.server.url}/connect/endsession?client_id=app&logout_hint=${hint}`)
    return ended
  },
  async administrator(world: World) {
    const ended = await world.logIn()
    await world.gateway.sessions.end({ sid: ended.session.record.sid ?? '' })
    return ended
  },
  async 'another session of the user, by handle'(world: World) {
    const [ended, other] = [await world.logIn(), await world.logIn()]
    await end(other.browser, world, `/bff/sessions/${ended.session.handle}`)
    return ended
  },
  async 'another session of the user, all at once'(world: World) {
    const [ended, other] = [await world.logIn(), await world.logIn()]
    await end(other.browser, world, '/bff/sessions')
    return ended
  },
  async 'itself, by handle'(world: World) {
    const ended = await world.logIn()
    await end(ended.browser, world, `/bff/sessions/${ended.session.handle}`)
    return ended
  },
  async 'a newer login than the user may have'(world: World) {
    const ended = await world.logIn('single')
    await world.logIn('single')
    return ended
  },
}

async function end(browser: UserAgent, world: World, path: string): Promise<void> {
  const { status } = await browser.call(world.at(path), { method: 'DELETE' })
  if (status !== 204) throw new Error(`${path}: ${status}`)
}

test('with RevokeEndedSessions the refresh token of a session is dead at the server, whatever ended it', async (t) => {
  const world = await aWorld(t, true)
  for (const [name, endOne] of Object.entries(ends)) {
    const ended = await endOne(world)
    await eventually(async () => !(await ended.isAlive()))
    await eventually(async () => (await ended.refreshed()) === 'invalid_grant')
    t.pass(name)
  }
})

test('without it the token lives on, and logout by the user revokes it all the same', async (t) => {
  const world = await aWorld(t, false)
  for (const name of ['back-channel logout', 'administrator'] as const) {
    const endOne = ends[name]
    const ended = await endOne(world)
    await eventually(async () => !(await ended.isAlive()))
    await world.gateway.drain(5)
    t.is(await ended.refreshed(), 'alive', name)
  }
  const left = await world.logIn()
  t.is((await left.browser.call(world.at('/bff/logout'), { method: 'POST' })).status, 200)
  t.is(await left.refreshed(), 'invalid_grant')
})

/** Sessions that were never logged in for, and a server that notes what it is to revoke. */
async function aRevoker(t: ExecutionContext, gateway: Partial<GatewayOptions> = {}, name = 'app') {
  const issuer = await anIssuer(t)
  issuer.metadata = { revocation_endpoint: `${issuer.issuer}/revoke` }
  const revoked: { readonly token: string; readonly jkt: string }[] = []
  const verify = createProofVerifier()
  const note: RequestListener = async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { jkt } = verify(String(request.headers.dpop), { method: 'POST', url: new URL(`${issuer.issuer}/revoke`) })
    revoked.push({ token: new URLSearchParams(text).get('token') ?? '', jkt })
    response.end()
  }
  issuer.answers.set('/revoke', note)
  const store = gateway.store ?? createMemoryStore()
  const world = await aPlantedGateway(t, {
    authority: issuer.issuer,
    frontends: [{ name, revokeEndedSessions: true }],
    gateway: { ...gateway, store },
  })
  return { ...world, issuer, note, revoked, store }
}

const ofFrontend = (events: readonly SallyportEvent[], name: string, type: SallyportEvent['type']) =>
  events.filter((event) => event.type === type && 'frontend' in event && event.frontend === name)

const stores: Record<string, (t: ExecutionContext) => Promise<Store> | Store> = {
  memory: () => createMemoryStore(),
  async file(t) {
    const path = await mkdtemp(join(tmpdir(), 'sallyport-ended-'))
    t.teardown(() => rm(path, { recursive: true, force: true }))
    return createFileStore({ path })
  },
  ...(redis && { redis: () => createRedisStore({ url: redis.url }) }),
}

for (const [kind, open] of Object.entries(stores))
  test(`what is revoked is the token of the last refresh, once, with a proof of the session's key: ${kind}`, async (t) => {
    const store = await open(t)
    t.teardown(() => store.close())
    const { plant, sessionsOf, gateway, revoked, options } = await aRevoker(t, { store }, `on-${kind}`)
    const other = await createGateway(options)
    const proofKey = generateProofKey()
    const { id } = await plant(`on-${kind}`, { refreshToken: 'first', proofKey })
    const sessions = sessionsOf(`on-${kind}`)
    const session = await sessions.open(id)
    if (session === undefined) return t.fail()
    await sessions.replace(id, session, { ...session.record, refreshToken: 'second' })
    t.like((await sessionsOf(`on-${kind}`).open(id))?.record, { refreshToken: 'second', subject: 'alice' })
    const ended = await Promise.all([gateway, other].map((one) => one.sessions.end({ subject: 'alice' })))
    t.is(ended.filter((count) => count === 1).length, 1)
    await Promise.all([gateway.drain(5), other.drain(5)])
    await other.close()
    t.deepEqual(revoked, [{ token: 'second', jkt: thumbprint(proofKey) }])
  })

test.serial('an envelope in the record of another session opens nothing, and the log says so', async (t) => {
  const events = watchEvents(t)
  const { plant, sessionsOf, gateway, store, revoked } = await aRevoker(t, {}, 'moved')
  const planted = [
    await plant('moved', { refreshToken: 'of alice' }),
    await plant('moved', { refreshToken: 'of bob', subject: 'bob' }),
  ]
  const [alice, bob] = await Promise.all(planted.map(({ id }) => sessionsOf('moved').open(id)))
  if (alice === undefined || bob === undefined) return t.fail()
  const [, envelope] = alice.revision.split('~')
  t.notRegex(Buffer.from(envelope?.split('.')[2] ?? '', 'base64url').toString('latin1'), /of alice/)
  await store.set(bob.key, `${bob.revision.split('~')[0]}~${envelope}`, bob.endsAt)
  t.is(await gateway.sessions.end({ subject: 'bob' }), 1)
  await gateway.drain(5)
  t.deepEqual(revoked, [])
  t.like(ofFrontend(events, 'moved', 'gateway.token.not-revoked')[0], {
    session: bob.handle,
    token: 'refresh_token',
    code: 'unknown_sealing_key',
  })
})

test.serial('a new sealing key opens what the old one has sealed, as long as that is in the list', async (t) => {
  const events = watchEvents(t)
  const [old, fresh] = [randomBytes(32), randomBytes(32)]
  const store = createMemoryStore()
  const before = await aRevoker(t, { store, seal: createSeal([old]) }, 'rotated')
  await before.plant('rotated', { refreshToken: 'kept', sid: 'kept' })
  await before.plant('rotated', { refreshToken: 'lost', sid: 'lost' })
  const frontends = before.options.frontends
  const rotated = await createGateway({ frontends, store, seal: createSeal([fresh, old]) })
  t.is(await rotated.sessions.end({ sid: 'kept' }), 1)
  await rotated.drain(5)
  t.deepEqual(
    before.revoked.map(({ token }) => token),
    ['kept'],
  )

  // Found by its frontend: what names it by its server session is under the old key as well.
  const without = await createGateway({ frontends, store, seal: createSeal([fresh]) })
  t.is(await without.sessions.end({ frontend: 'rotated' }), 1)
  await without.drain(5)
  t.is(before.revoked.length, 1)
  t.like(ofFrontend(events, 'rotated', 'gateway.token.not-revoked')[0], { code: 'unknown_sealing_key' })
  await Promise.all([rotated.close(), without.close()])
})

test.serial('no end waits for the server; one that has trouble is asked again, one that refuses is not', async (t) => {
  const events = watchEvents(t)
  const { plant, gateway, issuer, note, revoked } = await aRevoker(t, {}, 'tried')
  let asked = 0
  let answerHung = (): void => undefined
  issuer.answers.set('/revoke', (_request, response) => {
    asked += 1
    answerHung = () => void response.writeHead(503).end()
  })
  await plant('tried', { refreshToken: 'again' })
  t.is(await gateway.sessions.end({ subject: 'alice' }), 1, 'while the server has not answered')
  await eventually(() => asked === 1)
  issuer.answers.set('/revoke', note)
  answerHung()
  // A process that stops does not wait for the time of the second try.
  await gateway.drain(5)
  t.deepEqual(
    revoked.map(({ token }) => token),
    ['again'],
  )
  t.is(ofFrontend(events, 'tried', 'gateway.token.revoked').length, 1)

  issuer.answers.set('/revoke', (_request, response) => {
    asked += 1
    response.writeHead(400).end('{"error":"invalid_client"}')
  })
  await plant('tried')
  t.is(await gateway.sessions.end({ subject: 'alice' }), 1)
  await gateway.drain(5)
  t.is(asked, 2)
  t.like(ofFrontend(events, 'tried', 'gateway.token.not-revoked')[0], { code: 'invalid_client' })
})

test('without the setting there is one seal in a record, and with it none for a session without a refresh token', async (t) => {
  const seals = async (revokeEndedSessions: boolean, record: Partial<SessionRecord>): Promise<number> => {
    const options = gatewayOptions([
      aFrontend({ publicUrl: new URL('http://localhost'), authority: 'http://127.0.0.1:9', revokeEndedSessions }),
    ])
    const id = randomBytes(32).toString('base64url')
    const sessions = planting(options).sessionsOf('app')
    const begun = await sessions.start(id, { createdAt: Date.now() / 1000, claims: {}, accessTokens: {}, ...record })
    return begun.revision.split('~').length
  }
  t.is(await seals(false, { refreshToken: 'refresh' }), 1)
  t.is(await seals(true, { refreshToken: 'refresh' }), 2)
  t.is(await seals(true, {}), 1)
})
