import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createRedisStore } from '../../src/store/redis-store.js'
import { createSeal } from '../../src/store/seal.js'
import type { Store } from '../../src/store/store.js'
import { aBrowser } from '../authorization-server/_browser.js'
import { type Answer, aProtocolClient, type ProtocolClient } from '../authorization-server/_client.js'
import { aClient, type RunningServer, startServer } from '../authorization-server/_running.js'
import { startRedis } from '../store/_redis.js'

/** Each race: so many at once, so many times. `RACE_REPETITIONS=50 npx ava …` is the long run. */
const parallel = 200
const repetitions = Number(process.env.RACE_REPETITIONS ?? 2)

const redis = await startRedis()
test.after.always(() => redis?.stop())

/** Two servers that share one store, as replicas do; each client talks to both in turn. */
interface Pair {
  readonly clients: readonly [ProtocolClient, ProtocolClient]
  readonly servers: readonly [RunningServer, RunningServer]
  stop(): Promise<void>
}

const seal = createSeal([randomBytes(32)])

async function startPair(openStore: () => Promise<Store>): Promise<Pair> {
  const client = aClient('client-1')
  const stores = [await openStore(), await openStore()] as const
  const common = { seal, client, other: aClient('client-2') }
  const first = await startServer({ ...common, store: stores[0] })
  // The second is at another address here; in production both stand behind one. So its clients are told the first one's.
  const second = await startServer({ ...common, store: stores[1], issuer: first.options.issuer })
  return {
    servers: [first, second],
    clients: [aProtocolClient(first), aProtocolClient(first, client)],
    async stop() {
      await Promise.all([first.stop(), second.stop()])
      await Promise.all(stores.map((store) => store.close()))
    },
  }
}

/** Sends the same to both servers in turn, all at once. */
function race(pair: Pair, send: (client: ProtocolClient, server: RunningServer) => Promise<Answer>): Promise<Answer[]> {
  const [first] = pair.clients
  return Promise.all(Array.from({ length: parallel }, (_, index) => send(first, pair.servers[index % 2 === 0 ? 0 : 1])))
}

function oneWinner(t: ExecutionContext, answers: readonly Answer[], status: number, loss: string): void {
  t.is(answers.filter((answer) => answer.status === status).length, 1)
  t.deepEqual([...new Set(answers.filter((answer) => answer.status !== status).map(({ body }) => body.error))], [loss])
}

function races(name: string, openStore: () => Promise<Store>): void {
  const withPair = (title: string, body: (t: ExecutionContext, pair: Pair) => Promise<void>) =>
    test.serial(`${name}: ${title}`, async (t) => {
      t.timeout(600_000)
      const pair = await startPair(openStore)
      try {
        for (let repetition = 0; repetition < repetitions; repetition++) await body(t, pair)
      } finally {
        await pair.stop()
      }
    })

  withPair(
    `${parallel} parallel redemptions of one code have one winner, and its tokens end with the reuse`,
    async (t, pair) => {
      const [client] = pair.clients
      const code = (await client.authorize()).searchParams.get('code') ?? ''
      await client.push()
      const answers = await race(pair, (_, server) => client.redeem(code, {}, { at: server.url, retry: false }))
      oneWinner(t, answers, 200, 'invalid_grant')
      const token = String(answers.find(({ status }) => status === 200)?.body.access_token)
      t.is((await client.userinfo(token)).status, 401)
    },
  )

  withPair(`${parallel} parallel uses of one assertion have one winner`, async (t, pair) => {
    const [client] = pair.clients
    const assertion = client.assertion()
    const answers = await race(pair, (_, server) => client.push({}, { assertion, proof: false, at: server.url }))
    oneWinner(t, answers, 201, 'invalid_client')
  })

  withPair(`${parallel} parallel uses of one proof have one winner`, async (t, pair) => {
    const [client] = pair.clients
    await client.push()
    const proof = client.proof('POST', `${pair.servers[0].url}/connect/par`)
    const answers = await race(pair, (_, server) => client.push({}, { proof, retry: false, at: server.url }))
    oneWinner(t, answers, 201, 'invalid_dpop_proof')
  })

  withPair(`${parallel} parallel visits of one request_uri have one winner`, async (t, pair) => {
    const [client] = pair.clients
    const browser = aBrowser()
    await client.authorize({}, { browser })
    const url = new URL(client.authorizationUrl(await client.push()))
    const pages = await Promise.all(
      Array.from({ length: parallel }, (_, index) =>
        browser.get(`${pair.servers[index % 2 === 0 ? 0 : 1].url}${url.pathname}${url.search}`),
      ),
    )
    t.is(pages.filter(({ location }) => location?.includes('code=')).length, 1)
    t.is(
      pages.filter(({ status, text }) => status === 400 && text.includes('invalid_request_uri')).length,
      parallel - 1,
    )
  })
}

const memory = createMemoryStore()
races('a pair on one memory store', async () => ({ ...memory, close: async () => undefined }))

if (redis === undefined) test.skip('races on a pair with Redis: no redis-server is installed', () => {})
else races('a pair on one Redis', () => createRedisStore({ url: redis.url, prefix: 'race:' }))
