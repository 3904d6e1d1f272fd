import cluster from 'node:cluster'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { MemoryStoreUsage } from '../store/memory-store.js'
import { channelName, type SallyportEvent } from './events.js'

export interface Metrics {
  /** The media type of `render`. */
  readonly contentType: string
  /** In Prometheus' text format. */
  render(): Promise<string>
  /** Stops counting. */
  close(): void
}

export interface MetricsOptions {
  /** Whether the store answers; asked when metrics are read. */
  readonly isStoreUp?: () => Promise<boolean>
  /** What the store of this process holds; asked when metrics are read. */
  readonly storeUsage?: () => MemoryStoreUsage
}

/**
 * Counts events. Labels hold what the configuration names (frontends, routes, clients) and codes from closed lists,
 * never what a caller can choose: no caller can make the number of series grow.
 */
export function createMetrics({ isStoreUp, storeUsage }: MetricsOptions = {}): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  if (cluster.isWorker) answerPrimaryWith(registry)
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: readonly string[] = []): Counter =>
    new Counter({ name: `sallyport_${name}`, help, labelNames: [...labelNames], registers })

  const logins = counter('logins_total', 'Logins, by frontend and outcome.', ['frontend', 'outcome'])
  const refusals = counter('refusals_total', 'Requests refused, by product, code and route.', [
    'product',
    'code',
    'route',
  ])
  const limited = counter('limited_total', 'Requests refused by a limit, by product and limit.', ['product', 'limit'])
  const failures = counter('failures_total', 'Requests that failed through a fault of ours, by product.', ['product'])
  const refreshes = counter('token_refreshes_total', 'Access token refreshes, by frontend and outcome.', [
    'frontend',
    'outcome',
  ])
  const ends = counter('sessions_ended_total', 'Sessions ended, by frontend and cause.', ['frontend', 'cause'])
  const forwarded = new Histogram({
    name: 'sallyport_forwarded_seconds',
    help: 'Forwarded requests and the seconds they took, by frontend, route, method and class of status.',
    labelNames: ['frontend', 'route', 'method', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const replays = counter(
    'forward_replays_total',
    'Forwarded requests sent again, for a nonce or a stale connection.',
    ['frontend'],
  )
  const upstreamFailures = counter(
    'upstream_failures_total',
    'Failed attempts, by upstream and route; told once a minute.',
    ['upstream', 'route'],
  )
  const issuerFailures = counter(
    'issuer_failures_total',
    'Calls of an authorization server that failed; told once a minute.',
    ['issuer'],
  )
  const storeFailures = counter('store_failures_total', 'Operations that the store did not answer; told once a minute.')
  const tokens = counter('tokens_issued_total', 'Token responses, by client and grant.', ['client', 'grant'])
  const signIns = counter('sign_ins_total', 'Sign-ins at the authorization server, by outcome.', ['outcome'])
  const accepted = counter(
    'validator_accepted_total',
    'Requests that the validator let through, by whether their access token was known.',
    ['token'],
  )
  const keyFetches = counter('issuer_key_fetches_total', 'Fetches of key sets, by outcome.', ['outcome'])
  const lostLines = counter('log_lines_lost_total', 'Lines of the log that could not be written, by cause.', ['cause'])
  const alarms = counter('alarms_total', 'What the operator should look at, by kind.', ['kind'])
  new Gauge({
    name: 'sallyport_store_up',
    help: '1 when the store answers, 0 when it does not.',
    aggregator: 'min',
    registers,
    async collect() {
      this.set((await (isStoreUp?.() ?? Promise.resolve(true))) ? 1 : 0)
    },
  })

  if (storeUsage !== undefined) observeStore(storeUsage, registers)

  // What is not here is of interest in the log only.
  const counts: Counts = {
    'gateway.login.started': ({ frontend }) => logins.inc({ frontend, outcome: 'started' }),
    'gateway.login.completed': ({ frontend }) => logins.inc({ frontend, outcome: 'completed' }),
    'gateway.session.refreshed': ({ frontend }) => refreshes.inc({ frontend, outcome: 'refreshed' }),
    'gateway.session.refresh-failed': ({ frontend, fatal }) =>
      refreshes.inc({ frontend, outcome: fatal ? 'fatal' : 'failed' }),
    'gateway.session.ended': ({ frontend, cause }) => ends.inc({ frontend, cause }),
    'gateway.request.forwarded': ({ frontend, route, method, status, seconds, attempts }) => {
      forwarded.observe({ frontend, route, method: known(method), status: `${Math.floor(status / 100)}xx` }, seconds)
      if (attempts > 1) replays.inc({ frontend }, attempts - 1)
    },
    'gateway.upstream.failing': ({ upstream, route, count }) => upstreamFailures.inc({ upstream, route }, count),
    'gateway.upstream.back': ({ upstream, route, count }) => upstreamFailures.inc({ upstream, route }, count),
    'gateway.issuer.failing': ({ issuer, count }) => issuerFailures.inc({ issuer }, count),
    'gateway.issuer.back': ({ issuer, count }) => issuerFailures.inc({ issuer }, count),
    'server.store.failing': ({ count }) => storeFailures.inc(count),
    'server.store.back': ({ count }) => storeFailures.inc(count),
    'gateway.request.refused': ({ code, route = '' }) => refusals.inc({ product: 'gateway', code, route }),
    'server.request.refused': ({ code, count }) => refusals.inc({ product: 'server', code, route: '' }, count),
    'server.connection.refused': ({ limit, count }) => limited.inc({ product: 'server', limit }, count),
    'gateway.network.limited': ({ limit, refused }) => limited.inc({ product: 'gateway', limit }, refused),
    'gateway.rate.limited': ({ limit, refused }) => limited.inc({ product: 'gateway', limit }, refused),
    'as.network.limited': ({ limit, refused }) => limited.inc({ product: 'authorization-server', limit }, refused),
    'as.request.refused': ({ code }) => refusals.inc({ product: 'authorization-server', code, route: '' }),
    'validator.request.refused': ({ code }) => refusals.inc({ product: 'dpop-validator', code, route: '' }),
    'gateway.request.failed': () => failures.inc({ product: 'gateway' }),
    'as.request.failed': () => failures.inc({ product: 'authorization-server' }),
    'as.token.issued': ({ client, grant }) => tokens.inc({ client, grant }),
    'as.sign-in.succeeded': () => signIns.inc({ outcome: 'succeeded' }),
    'as.sign-in.failed': () => signIns.inc({ outcome: 'failed' }),
    'as.replay.detected': () => alarms.inc({ kind: 'replay' }),
    'as.keys.unavailable': () => alarms.inc({ kind: 'signing-keys-unavailable' }),
    'as.code.reused': () => alarms.inc({ kind: 'code-reused' }),
    'server.log.lost': ({ lines, cause }) => lostLines.inc({ cause }, lines),
    'validator.request.accepted': ({ token }) => accepted.inc({ token }),
    'validator.keys.fetched': () => keyFetches.inc({ outcome: 'fetched' }),
    'validator.keys.unavailable': () => keyFetches.inc({ outcome: 'unavailable' }),
  }
  const count = (message: unknown): void => {
    const event = message as SallyportEvent
    const counted = counts[event.type] as ((event: SallyportEvent) => void) | undefined
    counted?.(event)
  }
  subscribe(channelName, count)

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    close: () => void unsubscribe(channelName, count),
  }
}

function observeStore(usage: () => MemoryStoreUsage, registers: Registry[]): void {
  const gauge = (name: string, help: string, read: (usage: MemoryStoreUsage) => number) =>
    new Gauge({
      name: `sallyport_store_${name}`,
      help,
      registers,
      collect() {
        this.set(read(usage()))
      },
    })
  gauge('records', 'Records in the store of this process.', ({ records }) => records)
  gauge('bytes', 'Bytes that they take.', ({ bytes }) => bytes)
  gauge('max_bytes', 'Bytes beyond which new records are refused.', ({ maxBytes }) => maxBytes)
  new Counter({
    name: 'sallyport_store_refused_writes_total',
    help: 'Writes that found no room.',
    registers,
    collect() {
      this.reset()
      this.inc(usage().refused)
    },
  })
}

type Counts = {
  readonly [Type in SallyportEvent['type']]?: (event: Extract<SallyportEvent, { readonly type: Type }>) => void
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

function known(method: string): string {
  return methods.includes(method) ? method : 'other'
}

/** The metrics of all workers, added up by the primary process. */
export function createWorkerMetrics(): Pick<Metrics, 'contentType' | 'render'> {
  const aggregated = new AggregatorRegistry()
  return { contentType: aggregated.contentType, render: () => aggregated.clusterMetrics() }
}

function answerPrimaryWith(registry: Registry): void {
  AggregatorRegistry.setRegistries(registry)
  // Making one is what makes prom-client listen for the primary's question.
  new AggregatorRegistry()
}
