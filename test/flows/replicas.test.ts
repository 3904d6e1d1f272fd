import { createHash, randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { createConsents } from '../../src/authorization-server/interaction/consents.js'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { createGateway } from '../../src/gateway/gateway.js'
import { verificationKey } from '../../src/jose/jwk.js'
import { createRedisStore } from '../../src/store/redis-store.js'
import { createSeal } from '../../src/store/seal.js'
import type { Store } from '../../src/store/store.js'
import { eventually } from '../_eventually.js'
import { aBrowser } from '../authorization-server/_browser.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { aClient, type RunningServer, startServer } from '../authorization-server/_running.js'
import { watchEvents } from '../gateway/_events.js'
import { aFrontend, aRoute, clientPublicJwk, listen } from '../gateway/_gateway.js'
import { planting } from '../gateway/_planted.js'
import { startRedis } from '../store/_redis.js'
import { createUserAgent, type UserAgent } from './_user-agent.js'

/*
 * Nothing depends on which replica answers: two gateways, two authorization servers and two APIs on one Redis, and in front of
 * each pair a balancer that gives every request to the other one. What may be used once, or so often, may be so of both together.
 */

const redis = await startRedis()
test.after.always(() => redis?.stop())

const audience = 'https://orders.example.com'
const triesOfSignIn = 4
const callsOfAddress = 9

/** Requests go to one and the other in turn. */
function inTurn(replicas: readonly RequestListener[], first: number): RequestListener {
  let turn = first
  return (request, response) => replicas[turn++ % replicas.length]?.(request, response)
}

/** @param first which one of each pair gets the first request */
async function aPairOfEach(t: ExecutionContext, url: string, first: number) {
  const [front, issuer, apis, receiver] = await Promise.all([listen(), listen(), listen(), listen()])
  const keys = [randomBytes(32)]
  const prefix = `replicas ${randomBytes(4).toString('hex')}:`
  const stores: Store[] = []
  const open = async (): Promise<Store> => {
    const store = await createRedisStore({ url, prefix })
    stores.push(store)
    return store
  }
  const pairOf = async <One>(make: (store: Store) => Promise<One>): Promise<readonly [One, One]> => [
    await make(await open()),
    await make(await open()),
  ]

  const client = aClient('my-bff', {
    keys: [verificationKey(clientPublicJwk)],
    redirectUris: [`${front.url}/bff/callback`],
    postLogoutRedirectUris: [`${front.url}/`],
    backchannelLogoutUri: receiver.url,
  })
  const other = aClient('client-2')
  const servers = await pairOf((store) =>
    startServer({
      store,
      seal: createSeal(keys),
      issuer: new URL(issuer.url),
      client,
      other,
      scopes: [{ name: 'orders', resources: [audience] }],
      signInLimits: { perUserAndAddress: triesOfSignIn },
      lifetimes: { accessToken: 90 },
    }),
  )
  issuer.handle(
    inTurn(
      servers.map((server) => server.callback()),
      first,
    ),
  )

  const api = async (store: Store): Promise<RequestListener> => {
    const guard = protect(createVerifier({ issuer: issuer.url, audience, publicUrl: apis.url, replay: store }))
    return async (request, response) => {
      const auth = await guard(request, response)
      if (auth !== undefined) response.end(auth.claims.sub)
    }
  }
  apis.handle(inTurn(await pairOf(api), first))

  const upstreams = [new URL(apis.url)]
  const frontends = [
    aFrontend({
      publicUrl: new URL(front.url),
      authority: issuer.url,
      scopes: ['openid', 'offline_access'],
      // Of the 90 seconds that a token lives: after a second it is due for a refresh.
      session: { idle: 600, absolute: 600, sliding: true, refreshGracePeriod: 89 },
      routes: [
        aRoute({ upstreams, resource: audience, scopes: ['orders'] }),
        aRoute({
          path: '/limited',
          upstreams,
          tokenType: 'None',
          rateLimits: [{ requests: callsOfAddress, per: 600, by: 'Address' }],
        }),
      ],
    }),
  ]
  const gateways = await pairOf((store) => createGateway({ store, seal: createSeal(keys), frontends }))
  front.handle(
    inTurn(
      gateways.map((gateway) => gateway.callback()),
      first,
    ),
  )

  /** What the servers told, which goes on to the gateways. */
  const told: string[] = []
  receiver.handle(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    told.push(body)
    response.writeHead((await sendToGateways(body)).status).end()
  })
  const sendToGateways = (body: string) =>
    fetch(`${front.url}/bff/backchannel-logout`, { method: 'POST', body: new URLSearchParams(body) })

  t.teardown(async () => {
    await Promise.all([front, issuer, apis, receiver].map((listener) => listener.close()))
    await Promise.all([...gateways.map((gateway) => gateway.close()), ...servers.map((server) => server.stop())])
    await Promise.all(stores.map((store) => store.close()))
  })
  const [one, two] = stores as [Store, Store]
  const { sessionsOf } = planting({ frontends, store: one, seal: createSeal(keys) })
  return {
    stores: [one, two],
    seal: createSeal(keys),
    servers,
    gateways,
    api: apis.url,
    told,
    sendToGateways,
    at: (path: string): string => front.url + path,
    client: aProtocolClient({ options: { issuer: new URL(issuer.url) }, client: other }),
    async sidOf(browser: UserAgent): Promise<string> {
      const [, id = ''] = [...browser.cookies(front.url)].find(([name]) => name.endsWith('bff-app')) ?? []
      return (await sessionsOf('app').open(id))?.record.sid ?? ''
    },
    endSession: `${issuer.url}/connect/endsession?client_id=my-bff&logout_hint=`,
  }
}

type Replicas = Awaited<ReturnType<typeof aPairOfEach>>

/** Everything that is shared, and what shows that it is. */
const facts: Record<string, (t: ExecutionContext, world: Replicas) => Promise<void>> = {
  async 'logins, consent, sessions, refreshes and ends'(t, { at, endSession, sidOf, told }) {
    const events = watchEvents(t)
    const logIn = async (browser: UserAgent, username: string, password: string): Promise<'asked' | 'not asked'> => {
      const page = await browser.navigate(at('/bff/login'))
      const next = await browser.submit(page, { username, password })
      const isAsked = next.body.includes('value="allow"')
      if (isAsked) await browser.submit(next, {}, { button: 'allow' })
      return isAsked ? 'asked' : 'not asked'
    }
    const both = async (browser: UserAgent, path: string): Promise<readonly number[]> => [
      (await browser.call(at(path))).status,
      (await browser.call(at(path))).status,
    ]
    const [first, second] = [createUserAgent(), createUserAgent()]
    t.is(await logIn(first, 'alice', 'wonderland'), 'asked')
    t.is(await logIn(second, 'alice', 'wonderland'), 'not asked', 'the consent is known to both servers')
    const calls = await Promise.all(Array.from({ length: 8 }, () => first.call(at('/api/orders'))))
    t.deepEqual([...new Set(calls.map(({ status }) => status))], [200])
    const isRefreshed = () =>
      events.some((event) => event.type === 'as.token.issued' && event.grant === 'refresh_token')
    await eventually(async () => {
      t.deepEqual(await both(first, '/api/orders'), [200, 200])
      return isRefreshed()
    })
    for (const _ of ['one gateway', 'the other']) {
      const { sessions } = (await (await second.call(at('/bff/sessions'))).json()) as { readonly sessions: unknown[] }
      t.is(sessions.length, 2)
    }

    await first.call(at('/bff/logout'), { method: 'POST' })
    t.deepEqual(await both(first, '/api/orders'), [401, 401])
    t.deepEqual(await both(second, '/api/orders'), [200, 200])
    await second.navigate(endSession + (await sidOf(second)))
    await eventually(() => told.length > 0)
    await eventually(async () => (await second.call(at('/api/orders'))).status === 401)
    t.deepEqual(await both(second, '/api/orders'), [401, 401])
  },

  async 'a logout token is taken once'(t, { told, sendToGateways }) {
    const [body = ''] = told
    t.deepEqual([(await sendToGateways(body)).status, (await sendToGateways(body)).status], [400, 400])
  },

  async 'codes, requests, assertions, proofs and tokens of the servers'(t, { client, servers: [one, two] }) {
    const [here, there] = [{ at: one.url }, { at: two.url }]
    t.is((await client.push({}, here)).status, 201)
    t.is((await client.push({}, { ...there, retry: false })).status, 201, 'a nonce of the one is good at the other')

    const assertion = client.assertion()
    t.is((await client.push({}, { ...here, assertion })).status, 201)
    t.is((await client.push({}, { ...there, assertion })).body.error, 'invalid_client')
    const proof = client.proof('POST', `${one.options.issuer.origin}/connect/par`)
    t.is((await client.push({}, { ...here, proof })).status, 201)
    t.is((await client.push({}, { ...there, proof })).body.error, 'invalid_dpop_proof')

    const browser = aBrowser()
    const code = (await client.authorize({}, { browser })).searchParams.get('code') ?? ''
    const request = new URL(client.authorizationUrl(await client.push({}, here)))
    const visit = (server: RunningServer) => browser.get(server.url + request.pathname + request.search)
    t.regex((await visit(two)).location ?? '', /code=/)
    t.is((await visit(one)).status, 400)

    const { body } = await client.redeem(code, {}, there)
    const refreshToken = String(body.refresh_token)
    t.is((await client.refresh(refreshToken, {}, here)).status, 200)
    t.is((await client.userinfo(String(body.access_token))).status, 200)
    t.is((await client.post('revoke', { token: refreshToken }, here)).status, 200)
    t.is((await client.refresh(refreshToken, {}, there)).body.error, 'invalid_grant')
    t.is((await client.userinfo(String(body.access_token))).status, 401)
    t.is((await client.redeem(code, {}, here)).body.error, 'invalid_grant')

    const keys = await Promise.all([one, two].map(async ({ url }) => (await fetch(`${url}/connect/jwks`)).text()))
    t.is(keys[0], keys[1])
  },

  async 'a proof is taken once by the APIs, whose owner gave them one memory'(t, { client, api }) {
    const tokens = await client.tokens({ scope: 'openid orders', resource: audience })
    const url = `${api}/api/orders`
    const ath = createHash('sha256').update(tokens.access_token).digest('base64url')
    const DPoP = client.proof('GET', url, { claims: { ath, nonce: undefined } })
    const call = async () =>
      (await fetch(url, { headers: { Authorization: `DPoP ${tokens.access_token}`, DPoP } })).status
    t.deepEqual([await call(), await call()], [200, 401])
  },

  async 'answers to the consent page at the same moment all count'(t, { stores, seal }) {
    const now = () => Date.now() / 1000
    const replicas = stores.map((store) => createConsents({ store, seal, lifetime: 60, now }))
    const of = (scope: string) => ({ scopes: [scope], resources: [] })
    const both = { scopes: ['0', '1'], resources: [] }
    for (let user = 0; user < 20; user++) {
      await Promise.all(replicas.map((consents, index) => consents.remember(`${user}`, 'client', of(`${index}`))))
      t.true(await replicas[0]?.covers(`${user}`, 'client', both))
    }
  },

  async 'failed sign-ins are counted together'(t, { at }) {
    const browser = createUserAgent()
    let page = await browser.navigate(at('/bff/login'))
    const statuses: number[] = []
    for (let tries = 0; tries < triesOfSignIn + 2; tries++) {
      page = await browser.submit(page, { username: 'bob', password: 'wrong' })
      statuses.push(page.status)
    }
    t.deepEqual(
      statuses.map((status) => status === 429),
      [...Array(triesOfSignIn).fill(false), true, true],
    )
    t.is((await browser.submit(page, { username: 'bob', password: 'builder' })).status, 429)
  },

  async 'RateLimits are counted together'(t, { at }) {
    const browser = createUserAgent()
    const statuses: number[] = []
    for (let calls = 0; calls < callsOfAddress + 2; calls++) statuses.push((await browser.call(at('/limited'))).status)
    t.deepEqual(
      statuses.map((status) => status === 429),
      [...Array(callsOfAddress).fill(false), true, true],
    )
  },
}

for (const first of [0, 1])
  if (redis === undefined) test.skip(`replicas, from number ${first} on: no redis-server is installed`, () => {})
  else
    test.serial(`no request depends on which replica answers, from number ${first} on`, async (t) => {
      const world = await aPairOfEach(t, redis.url, first)
      for (const [fact, holds] of Object.entries(facts)) {
        t.log(fact)
        await holds(t, world)
      }
    })
