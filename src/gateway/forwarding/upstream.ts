import { Agent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { buildConnector, Pool } from 'undici'
import type { TargetUrl } from '../../dpop/proof.js'
import { sharedLookup } from '../../http/shared-lookup.js'
import { tlsPreset } from '../../http/tls.js'
import { publish } from '../../telemetry/events.js'
import { createOutage, type Outage } from '../../telemetry/outage.js'
import { routeDefaults } from '../defaults.js'
import type { RouteOptions, UpstreamTlsOptions } from '../route-options.js'
import { type AnswerTimes, createAnswerTimes, type RecentAnswers } from './answer-times.js'
import { type BreakerState, type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js'
import { type Dial, type DialTarget, dialsOf } from './dial.js'
import { createHealthCheck } from './health-check.js'
import { rendezvous } from './rendezvous.js'
import { timeoutsOf } from './timeouts.js'

/** The connections to one origin. */
interface Connection {
  /** Kept connections for requests. */
  readonly pool: Pool
  /** Asked when a request begins: whether its connection was made for it. */
  isNewConnection(): boolean
  /** For upgrades and health checks, which have connections of their own. */
  readonly agent: Agent
}

/** One server that a route leads to. */
export interface Upstream extends Connection {
  /** Scheme, host and port, as in `htu`. */
  readonly origin: string
  /** `''` or `/v1`: what comes before the target of every request. */
  readonly basePath: string
  /** The `Host` header it gets. */
  readonly host: string
  readonly dial: DialTarget
  /** Which of a route's servers it is, in words. */
  readonly name: string
  readonly breaker: CircuitBreaker
  /** For the log. */
  readonly outage: Outage
  /** Whether a connection is kept for the next request. */
  readonly reusesConnections: boolean
  /** Requests and sockets on it at the moment. */
  inFlight: number
  readonly answerTimes: AnswerTimes
  readonly call: Addressing
}

/** The URL to call for a target in normal form: begins with `/` or `?`, or is empty. */
export type Addressing = (target: string) => CalledUrl

/** What is called, taken apart: a `URL` costs more than all that is done with it. */
export interface CalledUrl extends TargetUrl {
  /** As on the request line. */
  readonly path: string
}

export interface UpstreamPool {
  /**
   * The next upstream to try. Undefined when none of the others will have a request now.
   * @param visitor whose request it is, where that decides
   */
  choose(tried: ReadonlySet<Upstream>, visitor: string): Upstream | undefined
  /** Of each, as it is at the moment. */
  state(): readonly UpstreamState[]
  /** Resolves when each health check has been answered once. */
  warm(): Promise<void>
  /** Stops health checks, and gives the connections back. */
  close(): void
}

/** One server that a route leads to, as it is at the moment. */
export interface UpstreamState {
  /** Scheme, host, port and the path that comes before every target; or `unix:` and the path of its socket. */
  readonly url: string
  /** False after two health checks in a row have failed. Without health checks always true. */
  readonly healthy: boolean
  /** `open`: requests go elsewhere, since it could not be reached or answered that it is down. `half-open`: it is being tried. */
  readonly breaker: BreakerState
  /** Requests and sockets on it. */
  readonly inFlight: number
  /** Absent: it has answered nothing in the last five minutes. */
  readonly answers?: RecentAnswers
}

/** Shared by all routes to the same origin or socket with the same TLS settings and time to connect. */
export interface Connections {
  /** As long as one route has them they stay open. */
  to(dial: Dial, route: RouteOptions): Lease
  close(): void
}

interface Lease {
  readonly connection: Connection
  /** Once: nothing of it is under way any more. */
  giveBack(): void
}

export function createConnections(): Connections {
  const known = new Map<string, { readonly connection: Connection; leases: number }>()
  const end = ({ pool, agent }: Connection): void => {
    void pool.destroy()
    agent.destroy()
  }
  return {
    to(dial, { tls, timeouts }) {
      const { connect } = timeoutsOf(timeouts)
      const key = JSON.stringify([dial.url.origin, dial.socket, tls, connect])
      const shared = known.get(key) ?? { connection: connectionsTo(dial, tls, connect), leases: 0 }
      known.set(key, shared)
      shared.leases++
      return {
        connection: shared.connection,
        giveBack() {
          shared.leases--
          if (shared.leases > 0) return
          known.delete(key)
          end(shared.connection)
        },
      }
    },
    close() {
      for (const { connection } of known.values()) end(connection)
    },
  }
}

function connectionsTo(
  { url: { origin, protocol }, socket }: Dial,
  { serverName, ...certificates }: UpstreamTlsOptions = {},
  connectTimeout: number,
): Connection {
  const secure = { ...tlsPreset, ...certificates, ...(serverName !== undefined && { servername: serverName }) }
  const connect = buildConnector({
    ...secure,
    lookup: sharedLookup,
    allowH2: false,
    timeout: connectTimeout * 1000,
    ...(socket !== undefined && { socketPath: socket }),
  })
  const pool = new Pool(origin, {
    // undici would take the name to ask for from the `Host` header.
    connect: (options, done) =>
      connect(serverName === undefined ? options : { ...options, servername: serverName }, done),
    pipelining: 1,
    // Ours are named, and can be shorter than a second.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  // A request that has waited for a connection begins in the same turn.
  let isNew = false
  pool.on('connect', () => {
    isNew = true
    queueMicrotask(() => {
      isNew = false
    })
  })
  return {
    pool,
    isNewConnection: () => isNew,
    agent:
      protocol === 'https:' ? new HttpsAgent({ ...secure, lookup: sharedLookup }) : new Agent({ lookup: sharedLookup }),
  }
}

export function createUpstreamPool(route: RouteOptions, connections: Connections): UpstreamPool {
  const leased = dialsOf(route).map((dial) => ({ dial, ...connections.to(dial, route) }))
  const upstreams = leased.map(({ dial, connection }) => createUpstream(dial, route, connection))
  const checks = upstreams.map((upstream) => createHealthCheck(upstream, route.healthCheck))
  let turn = 0
  const inTurn = (visitor: string): readonly Upstream[] => {
    if (upstreams.length === 1) return upstreams
    if (route.balance === 'Sticky') return rendezvous(upstreams, visitor)
    const rotated = [...upstreams.slice(turn), ...upstreams.slice(0, turn)]
    return route.balance === 'LeastRequests' ? rotated.sort((left, right) => left.inFlight - right.inFlight) : rotated
  }

  return {
    choose(tried, visitor) {
      turn = (turn + 1) % upstreams.length
      const isWell = (upstream: Upstream): boolean =>
        !tried.has(upstream) && checks[upstreams.indexOf(upstream)]?.healthy !== false
      const candidates = inTurn(visitor)
      return (
        candidates.find((upstream) => isWell(upstream) && upstream.breaker.admits()) ??
        // Bad answers of the last one are the application's own business, and reach the browser as they are.
        candidates.find((upstream) => isWell(upstream) && upstream.breaker.isReachable())
      )
    },
    state: () =>
      upstreams.map(({ name, breaker, inFlight, answerTimes }, index) => {
        const answers = answerTimes.recent(performance.now())
        return {
          url: name,
          healthy: checks[index]?.healthy !== false,
          breaker: breaker.state(),
          inFlight,
          ...(answers && { answers }),
        }
      }),
    async warm() {
      await Promise.all(checks.map(({ asked }) => asked))
    },
    close() {
      for (const check of checks) check.stop()
      for (const { giveBack } of leased) giveBack()
    },
  }
}

function createUpstream({ url, socket, place, target }: Dial, route: RouteOptions, connection: Connection): Upstream {
  const basePath = basePathOf(url)
  return {
    origin: url.origin,
    basePath,
    host: url.host,
    dial: target,
    name: socket === undefined ? place + basePath : place,
    ...connection,
    breaker: createCircuitBreaker(route.circuitBreaker),
    outage: createOutage({
      onFailing: (cause, count) =>
        publish({ type: 'gateway.upstream.failing', upstream: place, route: route.path, cause, count }),
      onBack: (seconds, count) =>
        publish({ type: 'gateway.upstream.back', upstream: place, route: route.path, seconds, count }),
    }),
    reusesConnections: route.reuseConnections ?? routeDefaults.reuseConnections,
    inFlight: 0,
    answerTimes: createAnswerTimes(),
    call: addressing(url),
  }
}

/** By putting strings together: resolving a path against a base would let `//host` or `..` out. */
export function addressing(upstream: URL): Addressing {
  const { origin, protocol } = upstream
  const basePath = basePathOf(upstream)
  return (target) => {
    const path = (basePath === '' && !target.startsWith('/') ? '/' : basePath) + target
    const question = path.indexOf('?')
    return { origin, protocol, path, pathname: question === -1 ? path : path.slice(0, question) }
  }
}

function basePathOf({ pathname }: URL): string {
  return pathname.replace(/\/+$/, '')
}
