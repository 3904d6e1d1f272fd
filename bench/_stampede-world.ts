import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { freePorts } from '../test/flows/_stack.js'
import { createUserAgent, type UserAgent } from '../test/flows/_user-agent.js'
import { clientJwk, clientPublicJwk } from '../test/gateway/_gateway.js'
import { logIn } from '../test/gateway/_provider.js'
import { onInterruption } from './_interruption.js'
import { type Restartable, replica, restartableRedis } from './_replicas.js'
import type { IssuerOrder, Refreshes } from './_soak-issuer.js'
import { soakUpstream } from './_soak-upstream.js'

/** Three replicas on one Redis with nothing in front: each call says at which replica. */
export interface StampedeWorld {
  /** The first one is the public one. */
  readonly origins: readonly string[]
  readonly replicas: readonly Restartable[]
  order(order: IssuerOrder): Promise<Refreshes>
  signIn(count: number): Promise<UserAgent[]>
  close(): Promise<void>
}

/** @param clocks Seconds by which those of the replicas are ahead. Default: they are right. */
export async function startStampedeWorld(
  rotation: 'rotating' | 'constant',
  clocks: readonly number[] = [],
): Promise<StampedeWorld> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer()
  }
  closers.push(onInterruption(close))
  try {
    const [redisPort = 0, ...ports] = await freePorts(7)
    const redis = restartableRedis(redisPort)
    closers.push(redis.close)
    await redis.start()
    const issuer = fork(new URL('./_soak-issuer.js', import.meta.url), [rotation], { stdio: 'ignore' })
    closers.push(() => issuer.kill('SIGKILL'))
    const [{ issuer: authority }] = (await once(issuer, 'message')) as [{ readonly issuer: string }]
    const order = async (one: IssuerOrder): Promise<Refreshes> => {
      const done = once(issuer, 'message')
      issuer.send(one)
      return ((await done) as [{ readonly refreshes: Refreshes }])[0].refreshes
    }
    const origins = ports.slice(0, 3).map((port) => `http://localhost:${port}`)
    const [origin = ''] = origins
    const client = { clientId: 'soak', publicJwk: clientPublicJwk, redirectUri: `${origin}/bff/callback` }
    await order({ register: [{ ...client, postLogoutRedirectUri: `${origin}/` }], accessTokenLifetime: 300 })
    const upstream = await soakUpstream()
    closers.push(upstream.close)
    const configuration = {
      Store: { Redis: { Url: `redis://127.0.0.1:${redisPort}` } },
      Bff: {
        PublicUrl: origin,
        Authority: authority,
        SealingKeys: [randomBytes(32).toString('base64url')],
        LoginLimits: { PerAddress: 100_000 },
        Frontends: [
          {
            Name: 'app',
            // The replicas differ in their ports.
            Hosts: [],
            ClientId: 'soak',
            ClientSigningKeyJwk: clientJwk,
            Scopes: ['openid', 'offline_access'],
            StaticFilesPath: `${process.cwd()}/samples/spa`,
            Routes: [{ Path: '/api', Upstreams: [upstream.origin] }],
          },
        ],
      },
    }
    const replicas = [0, 1, 2].map((index) =>
      replica(configuration, {
        host: '127.0.0.1',
        port: ports[index] ?? 0,
        adminPort: ports[index + 3] ?? 0,
        ahead: clocks[index] ?? 0,
      }),
    )
    closers.push(() => Promise.all(replicas.map((one) => one.end('SIGKILL'))))
    await Promise.all(replicas.map((one) => one.start()))
    const signInOnce = async (): Promise<UserAgent> => {
      const browser = createUserAgent()
      const landing = await logIn(browser, `${origin}/bff/login`, `user-${randomBytes(4).toString('hex')}`)
      if (landing.status !== 200) throw new Error(`the login ended at ${landing.url} with ${landing.status}`)
      return browser
    }
    return {
      origins,
      replicas,
      order,
      async signIn(count) {
        const browsers: UserAgent[] = []
        while (browsers.length < count)
          browsers.push(
            ...(await Promise.all(Array.from({ length: Math.min(10, count - browsers.length) }, signInOnce))),
          )
        return browsers
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
