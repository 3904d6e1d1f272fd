import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, fetch as undiciFetch } from 'undici'
import { eventually } from '../test/_eventually.js'
import { type InFront, type Kind, startInFront } from '../test/deploy/_in-front.js'
import { freePorts } from '../test/flows/_stack.js'
import { createUserAgent, type UserAgent } from '../test/flows/_user-agent.js'
import { clientJwk, clientPublicJwk } from '../test/gateway/_gateway.js'
import { logIn } from '../test/gateway/_provider.js'
import { selfSigned } from '../test/http/_self-signed.js'
import { startRedisCluster, startRedisSentinel } from '../test/store/_redis-topologies.js'
import { onInterruption } from './_interruption.js'
import { type Restartable, replica, restartableRedis } from './_replicas.js'
import type { IssuerOrder } from './_soak-issuer.js'
import { type SoakUpstream, soakUpstream } from './_soak-upstream.js'

/** Replicas of the program on one Redis, with a foreign server, behind a proxy as it is in `deploy/`. */
export interface World {
  readonly origin: string
  readonly replicas: readonly Restartable[]
  readonly redis: ReturnType<typeof restartableRedis>
  /** Ends a server that takes writes, for good: of Sentinel and Cluster. */
  killPrimary(): Promise<void>
  readonly issuer: ChildProcess
  readonly upstream: SoakUpstream
  readonly dispatcher: Agent
  readonly ca: string
  order(order: IssuerOrder): Promise<void>
  signIn(): Promise<UserAgent>
  close(): Promise<void>
}

export interface WorldOptions {
  readonly proxy: Kind
  readonly replicas: number
  /** Seconds that an access token lives: how often sessions refresh. */
  readonly accessTokenLifetime: number
  /** FAPI 2.0 §5.3.2.1 has none: an answer that is lost on its way loses the session. */
  readonly rotation: 'rotating' | 'constant'
  /** Default: one Redis, which can be started again. */
  readonly topology?: 'Single' | 'Sentinel' | 'Cluster'
  /** Whether replicas collect all garbage every few seconds. Default: no. */
  readonly collect?: boolean
}

/** What runs, and what the file says of it. */
const topologies = {
  Single: async () => undefined,
  async Sentinel() {
    const running = await startRedisSentinel()
    const Sentinel = { Name: 'sallyport', Password: 'of-the-sentinel' }
    return (
      running && {
        ...running,
        settings: { Topology: 'Sentinel', Nodes: running.urls, Sentinel, Password: 'of-the-data' },
      }
    )
  },
  async Cluster() {
    const running = await startRedisCluster()
    return running && { ...running, settings: { Topology: 'Cluster', Nodes: running.urls } }
  },
}

/** Undefined where the proxy or Redis is not installed. */
export async function startWorld({
  proxy,
  replicas: count,
  accessTokenLifetime,
  rotation,
  topology = 'Single',
  collect = false,
}: WorldOptions): Promise<World | undefined> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer()
  }
  closers.push(onInterruption(close))
  try {
    const [port = 0, gatewayPort = 0, adminPort = 0, redisPort = 0] = await freePorts(4)
    const hosts = Array.from({ length: count }, (_, index) => `127.0.0.${index + 2}`)
    const certificate = await selfSigned()
    const front: InFront | undefined = await startInFront(proxy, { port, hosts, gatewayPort, adminPort, certificate })
    if (front === undefined) return undefined
    closers.push(front.stop)
    const { origin } = front
    const redis = restartableRedis(redisPort)
    closers.push(redis.close)
    const several = await topologies[topology]()
    if (several === undefined) await redis.start()
    else closers.push(several.stop)

    const issuer = fork(new URL('./_soak-issuer.js', import.meta.url), [rotation], { stdio: 'ignore' })
    closers.push(() => issuer.kill('SIGKILL'))
    const [{ issuer: authority }] = (await once(issuer, 'message')) as [{ readonly issuer: string }]
    const order = async (one: IssuerOrder): Promise<void> => {
      const done = once(issuer, 'message')
      issuer.send(one)
      await done
    }
    const client = { clientId: 'soak', publicJwk: clientPublicJwk, redirectUri: `${origin}/bff/callback` }
    await order({ register: [{ ...client, postLogoutRedirectUri: `${origin}/` }], accessTokenLifetime })

    const upstream = await soakUpstream()
    closers.push(upstream.close)
    const configuration = {
      Server: { TrustedProxies: ['127.0.0.0/8'], Limits: {} },
      Store: { Redis: several?.settings ?? { Url: `redis://127.0.0.1:${redisPort}` } },
      Bff: {
        PublicUrl: origin,
        Authority: authority,
        SealingKeys: [randomBytes(32).toString('base64url')],
        RefreshGracePeriod: '00:00:20',
        LoginLimits: { PerAddress: 100_000 },
        Frontends: [
          {
            Name: 'app',
            ClientId: 'soak',
            ClientSigningKeyJwk: clientJwk,
            Scopes: ['openid', 'offline_access'],
            StaticFilesPath: `${process.cwd()}/samples/spa`,
            Routes: [{ Path: '/api', Upstreams: [upstream.origin] }],
          },
        ],
      },
    }
    const replicas = hosts.map((host) =>
      replica(configuration, { host, port: gatewayPort, adminPort, collects: collect }),
    )
    closers.push(() => Promise.all(replicas.map((one) => one.end('SIGKILL'))))
    await Promise.all(replicas.map((one) => one.start()))
    const dispatcher = new Agent({ connect: { ca: certificate.cert } })
    closers.push(() => dispatcher.destroy())
    const fetch = (url: URL, init: RequestInit) =>
      undiciFetch(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>
    // It looks for replicas every few seconds.
    await eventually(async () => {
      const answer = await fetch(new URL('/bff/user', origin), {})
      await answer.body?.cancel()
      return answer.status !== 503
    })
    return {
      origin,
      replicas,
      redis,
      killPrimary: async () => several?.killPrimary(),
      issuer,
      upstream,
      dispatcher,
      ca: certificate.cert,
      order,
      async signIn() {
        const browser = createUserAgent({ fetch })
        const landing = await logIn(browser, `${origin}/bff/login`, `user-${randomBytes(4).toString('hex')}`)
        if (landing.url.origin !== origin) throw new Error(`the login ended at ${landing.url} with ${landing.status}`)
        if (landing.status !== 200) throw new Error(`the login ended with ${landing.status}: ${landing.body}`)
        return browser
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
