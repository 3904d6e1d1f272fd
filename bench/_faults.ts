import { setTimeout as delay } from 'node:timers/promises'
import type { World } from './_soak-world.js'

/** What is done to a world under load, and what its users may see of it. */
export interface Fault {
  readonly name: string
  readonly happen: (world: World) => Promise<void>
  /** Outcomes that are documented for it (docs/reliability.md), besides those of a calm day. */
  readonly mayAnswer?: RegExp
  /** Whether streams and WebSockets may end. */
  readonly mayEndStreams?: true
  /** Whether sessions may end: only where what they were kept in is gone. */
  readonly mayLogOut?: true
  /** Seconds after it is over until the last answer that is not right. Default: 5. */
  readonly recovers?: number
}

const storeIsAway = /^(?:\w+) 503 (?:bff\.store\.unavailable|refused)$|^log(?:in|out) (?:503|bff\.store\.unavailable)$/
const issuerIsAway =
  /^\w+ 503 (?:bff\.issuer\.unavailable|bff\.token\.unavailable)$|^log(?:in|out) (?:5\d\d|bff\.issuer\.\w+|ETIMEDOUT|failed)$/

export const faults: readonly Fault[] = [
  { name: 'nothing', happen: () => delay(5000).then(() => undefined), recovers: 0 },
  {
    name: 'a replica is killed',
    async happen({ replicas: [one] }) {
      await one?.end('SIGKILL')
      await delay(3000)
      await one?.start()
    },
    // What was under way at it ends with it; what can be repeated is repeated by the proxy.
    mayAnswer:
      /^(?:POST 50[24] of the proxy|POST 503 of the proxy|(?:POST|GET|page|abort) (?:terminated|other side closed|UND_ERR_SOCKET)|socket 50[234] refused|stream 50[234] refused|log(?:in|out) \S+)$/,
    mayEndStreams: true,
  },
  {
    name: 'all replicas are rolled (SIGTERM)',
    async happen({ replicas }) {
      for (const one of replicas) {
        await one.end('SIGTERM')
        await one.start()
        // As Kubernetes does it, and as HAProxy and Caddy take notice: ready for some seconds, then the next.
        await delay(3000)
      }
    },
    mayEndStreams: true,
    recovers: 0,
  },
  {
    name: 'Redis hangs for 10 s',
    async happen({ redis }) {
      redis.signal('SIGSTOP')
      await delay(10_000)
      redis.signal('SIGCONT')
    },
    mayAnswer: storeIsAway,
  },
  {
    name: 'Redis restarts, with its data',
    async happen({ redis }) {
      await redis.end('SIGTERM')
      await delay(3000)
      await redis.start()
    },
    mayAnswer: storeIsAway,
  },
  {
    // Less than `AuthorityTimeout`: with rotation, an answer that comes later is lost, and the session with it.
    name: 'the authorization server hangs for 8 s',
    async happen({ issuer }) {
      issuer.kill('SIGSTOP')
      await delay(8000)
      issuer.kill('SIGCONT')
    },
    mayAnswer: issuerIsAway,
    recovers: 12,
  },
  {
    name: 'the authorization server answers 503 for 10 s',
    async happen({ order }) {
      await order({ outage: 'unavailable' })
      await delay(10_000)
      await order({ outage: 'none' })
    },
    mayAnswer: issuerIsAway,
  },
  {
    name: 'the API resets each request for 5 s',
    async happen({ upstream }) {
      upstream.setResetting(true)
      await delay(5000)
      upstream.setResetting(false)
    },
    mayAnswer: /^\w+ 50[234] (?:bff\.upstream\.\w+|refused)$|^log(?:in|out) /,
  },
  {
    name: 'Redis restarts, without its data',
    async happen({ redis }) {
      await redis.end('SIGKILL')
      redis.forget()
      await delay(1000)
      await redis.start()
    },
    mayAnswer: storeIsAway,
    mayEndStreams: true,
    mayLogOut: true,
  },
]

/** The same of the stores that are several servers: one that takes writes ends, and another takes its place. */
export const failovers: Readonly<Record<'Sentinel' | 'Cluster', Fault>> = {
  Sentinel: {
    name: 'the primary of a Sentinel ends',
    happen: (world: World) => world.killPrimary(),
    mayAnswer: storeIsAway,
    recovers: 15,
  },
  Cluster: {
    name: 'a node of a Cluster ends',
    happen: (world: World) => world.killPrimary(),
    mayAnswer: storeIsAway,
    recovers: 15,
  },
}
