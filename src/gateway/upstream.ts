import { Agent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { TargetUrl } from '../dpop/proof.js'
import { tlsPreset } from '../http/tls.js'
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js'
import { createHealthCheck } from './health-check.js'
import type { RouteOptions } from './options.js'
import { timeoutsOf } from './timeouts.js'

/** One server that a route leads to. */
export interface Upstream {
  /** Scheme, host and port, as in `htu`. */
  readonly origin: string
  /** `''` or `/v1`: what comes before the target of every request. */
  readonly basePath: string
  /** The `Host` header it gets. */
  readonly host: string
  readonly dial: { readonly protocol: string; readonly host: string; readonly hostname: string; readonly port: string }
  readonly agent: Agent
  readonly breaker: CircuitBreaker
  /** Requests and sockets on it at the moment. */
  inFlight: number
  /** @see upstreamUrl */
  call(target: string): CalledUrl
}

/** What is called, taken apart: a `URL` costs more than all that is done with it. */
export interface CalledUrl extends TargetUrl {
  /** As on the request line. */
  readonly path: string
}

export interface UpstreamPool {
  /** The next upstream to try. Undefined when none of the others will have a request now. */
  choose(tried: ReadonlySet<Upstream>): Upstream | undefined
  close(): void
}

/** Sockets are shared by all routes to the same origin with the same TLS settings and idle timeout. */
export interface Agents {
  agentFor(route: RouteOptions, url: URL): Agent
  close(): void
}

export function createAgents(): Agents {
  const agents = new Map<string, Agent>()
  return {
    agentFor({ tls, timeouts }, { origin, protocol }) {
      const { idle } = timeoutsOf(timeouts)
      const key = JSON.stringify([origin, tls, idle])
      const known = agents.get(key)
      if (known) return known
      const settings = { keepAlive: true, maxFreeSockets: 1024, scheduling: 'lifo', timeout: idle * 1000 } as const
      const { serverName, ...certificates } = tls ?? {}
      const agent =
        protocol === 'https:'
          ? new HttpsAgent({
              ...settings,
              ...tlsPreset,
              ...certificates,
              ...(serverName && { servername: serverName }),
            })
          : new Agent(settings)
      agents.set(key, agent)
      return agent
    },
    close() {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

export function createUpstreamPool(route: RouteOptions, agents: Agents): UpstreamPool {
  const upstreams = route.upstreams.map((url) => createUpstream(url, route, agents.agentFor(route, url)))
  const checks = upstreams.map((upstream) => createHealthCheck(upstream, route.healthCheck))
  let turn = 0

  return {
    choose(tried) {
      turn = (turn + 1) % upstreams.length
      const inTurn = [...upstreams.slice(turn), ...upstreams.slice(0, turn)]
      if (route.balance === 'LeastRequests') inTurn.sort((left, right) => left.inFlight - right.inFlight)
      return inTurn.find(
        (upstream) =>
          !tried.has(upstream) && checks[upstreams.indexOf(upstream)]?.healthy !== false && upstream.breaker.admits(),
      )
    },
    close() {
      for (const check of checks) check.stop()
    },
  }
}

function createUpstream(url: URL, route: RouteOptions, agent: Agent): Upstream {
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new TypeError('an upstream is an origin and a path')
  const basePath = url.pathname.replace(/\/+$/, '')
  const { origin, protocol } = url
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  return {
    origin,
    basePath,
    host: url.host,
    dial: {
      protocol: url.protocol,
      host: hostname,
      hostname,
      port: url.port || (url.protocol === 'https:' ? '443' : '80'),
    },
    agent,
    breaker: createCircuitBreaker(route.circuitBreaker),
    inFlight: 0,
    call(target) {
      const path = (basePath === '' && !target.startsWith('/') ? '/' : basePath) + target
      const question = path.indexOf('?')
      return { origin, protocol, path, pathname: question === -1 ? path : path.slice(0, question) }
    },
  }
}

/**
 * The URL to call. Made by putting strings together: resolving a path against a base would let `//host` or `..` out.
 * @param target in normal form: begins with `/` or `?`, or is empty
 */
export function upstreamUrl({ origin, pathname }: URL, target: string): URL {
  const basePath = pathname.replace(/\/+$/, '')
  return new URL(origin + (basePath === '' && !target.startsWith('/') ? '/' : basePath) + target)
}
