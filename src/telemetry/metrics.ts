import cluster from 'node:cluster'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import type { ObserveOperation } from '../store/observed-store.js'
import type { StoreUsage } from '../store/store.js'
import { channelName, type SallyportEvent } from './events.js'
import { classOf, countingCalls } from './forwarded-calls.js'
import { gaugesOf, type ReadableGateway } from './gateway-gauges.js'
import { metricsIn } from './registered-metrics.js'

export interface Metrics {
  /** The media type of `render`. */
  readonly contentType: string
  /** In Prometheus' text format. */
  render(): Promise<string>
  /** One operation of the store. */
  readonly storeOperation: ObserveOperation
  /** Stops counting. */
  close(): void
}

export interface MetricsOptions {
  /** Of this package. */
  readonly version: string
  /** Whether the store answers; asked when metrics are read. */
  readonly isStoreUp?: () => Promise<boolean>
  /** What the store of this process or machine holds; asked when metrics are read. */
  readonly storeUsage?: () => StoreUsage | Promise<StoreUsage>
  /** Undefined until it is there; asked when metrics are read. */
  readonly gateway?: () => ReadableGateway | undefined
}

/**
 * Counts events. Labels hold what the configuration names (frontends, routes, clients) and codes from closed lists,
 * never what a caller can choose: no caller can make the number of series grow.
 */
export function createMetrics({ version, isStoreUp, storeUsage, gateway = () => undefined }: MetricsOptions): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  if (cluster.isWorker) answerPrimaryWith(registry)
  const own = metricsIn(registry)
  const { counter, gauge, histogram } = own
  gaugesOf(own, gateway)

  const logins = counter('logins')
  const refusals = counter('refusals')
  const limited = counter('limited')
  const failures = counter('failures')
  const refreshes = counter('refreshes')
  const ends = counter('sessionsEnded')
  const revocations = counter('revocations')
  const countCall = countingCalls(own)
  const replays = counter('replays')
  const upstreamFailures = counter('upstreamFailures')
  const issuerCalls = histogram('issuerCalls')
  const issuerFailures = counter('issuerFailures')
  const storeOperations = histogram('storeOperations')
  const storeFailures = counter('storeFailures')
  const tokens = counter('tokensIssued')
  const signIns = counter('signIns')
  const accepted = counter('validatorAccepted')
  const refused = counter('validatorRefused')
  const proofAges = histogram('validatorProofAge')
  const keyFetches = counter('keyFetches')
  const lostLines = counter('linesLost')
  const lostRecords = counter('auditRecordsLost')
  const alarms = counter('alarms')
  gauge('build', (build) => build.set({ version, node: process.version }, 1))
  gauge('storeUp', async (up) => up.set((await (isStoreUp?.() ?? true)) ? 1 : 0))
  if (storeUsage !== undefined) {
    gauge('storeRecords', async (value) => value.set((await storeUsage()).records))
    gauge('storeBytes', async (value) => value.set((await storeUsage()).bytes))
    gauge('storeMaxBytes', async (value) => value.set((await storeUsage()).maxBytes))
    counter('storeRefusedWrites', async (all) => {
      const { refused } = await storeUsage()
      all.reset()
      all.inc(refused)
    })
  }

  // What is not here is of interest in the log only.
  const counts: Counts = {
    'gateway.login.started': ({ frontend, authority = '' }) => logins.inc({ frontend, authority, outcome: 'started' }),
    'gateway.login.completed': ({ frontend, authority = '' }) =>
      logins.inc({ frontend, authority, outcome: 'completed' }),
    'gateway.session.refreshed': ({ frontend }) => refreshes.inc({ frontend, outcome: 'refreshed' }),
    'gateway.session.refresh-failed': ({ frontend, fatal }) =>
      refreshes.inc({ frontend, outcome: fatal ? 'fatal' : 'failed' }),
    'gateway.session.ended': ({ frontend, cause }) => ends.inc({ frontend, cause }),
    'gateway.token.revoked': ({ frontend }) => revocations.inc({ frontend, outcome: 'revoked' }),
    'gateway.token.not-revoked': ({ frontend }) => revocations.inc({ frontend, outcome: 'failed' }),
    'gateway.request.forwarded': (call) => {
      countCall(call)
      const { frontend, attempts } = call
      if (attempts > 1) replays.inc({ frontend }, attempts - 1)
    },
    'gateway.upstream.failing': ({ upstream, route, count }) => upstreamFailures.inc({ upstream, route }, count),
    'gateway.upstream.back': ({ upstream, route, count }) => upstreamFailures.inc({ upstream, route }, count),
    'gateway.issuer.called': ({ issuer, endpoint, status, seconds }) =>
      issuerCalls.of({ issuer, endpoint, status: classOf(status) })(seconds),
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
    'validator.request.refused': ({ code, check, beforeCrypto }) => {
      refusals.inc({ product: 'dpop-validator', code, route: '' })
      refused.inc({ check, code, crypto: beforeCrypto ? 'before' : 'after' })
    },
    'gateway.request.failed': () => failures.inc({ product: 'gateway' }),
    'as.request.failed': () => failures.inc({ product: 'authorization-server' }),
    'as.token.issued': ({ client, grant }) => tokens.inc({ client, grant }),
    'as.sign-in.succeeded': () => signIns.inc({ outcome: 'succeeded' }),
    'as.sign-in.failed': () => signIns.inc({ outcome: 'failed' }),
    'as.replay.detected': () => alarms.inc({ kind: 'replay' }),
    'as.keys.unavailable': () => alarms.inc({ kind: 'signing-keys-unavailable' }),
    'as.code.reused': () => alarms.inc({ kind: 'code-reused' }),
    'server.audit.lost': ({ destination, records }) => lostRecords.inc({ destination }, records),
    'server.log.lost': ({ lines, cause }) => lostLines.inc({ cause }, lines),
    'validator.request.accepted': ({ token, proofAge: age }) => {
      accepted.inc({ token })
      if (age !== undefined) proofAges.of({})(age)
    },
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
    storeOperation: (operation, outcome) => storeOperations.of({ operation, outcome }),
    close: () => void unsubscribe(channelName, count),
  }
}

type Counts = {
  readonly [Type in SallyportEvent['type']]?: (event: Extract<SallyportEvent, { readonly type: Type }>) => void
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

/** Of the configuration that is served: one process has it, be there workers or not. */
export interface ConfigurationFigures {
  readonly generation: number
  /** Seconds since the epoch. */
  readonly takenOverAt: number
  readonly refusals: number
}

/** The same metrics, and those of the configuration. */
export function withConfigurationMetrics(
  metrics: Pick<Metrics, 'contentType' | 'render'>,
  read: () => ConfigurationFigures,
): Pick<Metrics, 'contentType' | 'render'> {
  const registry = new Registry()
  const { counter, gauge } = metricsIn(registry)
  gauge('configurationGeneration', (value) => value.set(read().generation))
  gauge('configurationLastSuccess', (value) => value.set(read().takenOverAt))
  counter('configurationRefused', (all) => {
    all.reset()
    all.inc(read().refusals)
  })
  return {
    contentType: metrics.contentType,
    render: async () => `${await metrics.render()}\n${await registry.metrics()}`,
  }
}
