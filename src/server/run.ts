import { setTimeout as delay } from 'node:timers/promises'
import type { Configuration } from '../config/load.js'
import type { Certificate } from '../config/options/certificates.js'
import { addressesOf } from '../gateway/frontend/frontend.js'
import { isSameOptions } from '../gateway/reload/same-options.js'
import { observedStore } from '../store/observed-store.js'
import type { Store } from '../store/store.js'
import { publish } from '../telemetry/events.js'
import type { LogLevelControl } from '../telemetry/log-level.js'
import { createMetrics, withConfigurationMetrics } from '../telemetry/metrics.js'
import { admin } from './admin.js'
import { adminHandlers, ownSource } from './administration/administration.js'
import { answerPrimary } from './administration/workers-source.js'
import type { Questions } from './forward-auth.js'
import type { Generations } from './generations.js'
import { type Listener, listen } from './listener.js'
import { mutualTlsPlace, secureMutualTls } from './mutual-tls.js'
import { startTracing } from './open-telemetry.js'
import { packageVersion } from './package.js'
import { openStore } from './products.js'
import { createServing, type PreparedServing, type Serving } from './serving.js'

/** What a configuration describes, running. */
export interface Running {
  /** Where the frontends are served. */
  readonly url: string | undefined
  /** @see Serving.prepare */
  prepare(configuration: Configuration): Promise<PreparedServing>
  /** Readiness turns red, requests in flight finish, then everything is closed. */
  stop(manner?: StopManner): Promise<void>
}

/** Default: `at once`. `politely`: new requests are still served for `Server.DrainDelay`, so that what is in front can notice. */
export type StopManner = 'politely' | 'at once'

export interface RunOptions {
  /** `elsewhere`: in the primary process, which asks its workers. Default: `here`. */
  readonly adminListener?: 'here' | 'elsewhere'
  /** Of the log, for the administration. */
  readonly logLevel?: LogLevelControl
  /** For the admin listener. Default: it does not tell of the configuration. */
  readonly generations?: Generations
}

export async function run(
  configuration: Configuration,
  { adminListener: place = 'here', logLevel, generations }: RunOptions = {},
): Promise<Running> {
  const { server } = configuration
  /** The one that is served. */
  let current = configuration
  const listeners: Listener[] = []
  const closers: (() => Promise<void> | void)[] = []
  let isReady = false

  try {
    const tracing = await startTracing(process.env)
    if (tracing !== undefined) closers.push(tracing.stop)
    const opened = await openStore(configuration)
    closers.push(() => opened.close())
    // Without the listener there is no one to read them.
    const metrics =
      server.adminListen &&
      createMetrics({
        version: packageVersion(),
        isStoreUp: () => isStoreUp(opened),
        gateway: () => serving?.gateway,
        ...('usage' in opened && { storeUsage: opened.usage }),
      })
    if (metrics !== undefined) closers.push(() => metrics.close())
    const store = metrics === undefined ? opened : observedStore(opened, metrics.storeOperation)
    let serving: Serving | undefined
    const administered = ownSource(configuration, {
      gateway: () => serving?.gateway,
      authorizationServer: () => serving?.authorizationServer(),
      sealingKeys: () => current.sealingKeys.length,
      store,
      logLevel,
      ...(generations && { configuration: generations.report }),
    })
    if (administered !== undefined) closers.push(administered.close)
    if (place === 'elsewhere' && administered !== undefined) answerPrimary(administered.source)
    if (server.adminListen !== undefined && metrics !== undefined && place === 'here')
      listeners.push(
        await listen({
          limits: server.limits,
          pointer: '/Server/AdminListen',
          address: server.adminListen,
          isTraced: false,
          onRequest: admin({
            listensOn: server.adminListen.host,
            isReady: () => isReady,
            isStoreUp: () => isStoreUp(store),
            storeGrace: server.storeGrace,
            ...adminHandlers(configuration, administered?.source),
            ...(generations === undefined
              ? { metrics }
              : {
                  configuration: generations.status,
                  metrics: withConfigurationMetrics(metrics, generations.status),
                }),
          }),
        }),
      )
    const [adminListener] = listeners

    const answering = await createServing(configuration, store)
    serving = answering
    closers.push(answering.close)
    const everywhere = { limits: server.limits, isTrustedPeer: answering.isTrustedPeer }
    const { front, own, mutualTls, sampleApi } = answering
    const ownListener = own && (await listen({ ...everywhere, ...ownPlace(configuration), onRequest: own }))
    if (ownListener !== undefined) listeners.push(ownListener)
    const asking = mutualTlsPlace(configuration)
    const mutualTlsListener = mutualTls && asking && (await listen({ ...everywhere, ...asking, onRequest: mutualTls }))
    if (mutualTlsListener !== undefined) listeners.push(mutualTlsListener)
    if (sampleApi !== undefined && configuration.sampleApi !== undefined) {
      const { listen: address } = configuration.sampleApi
      listeners.push(
        await listen({ ...everywhere, pointer: '/Authentication/OpenIddict/Listen', address, onRequest: sampleApi }),
      )
    }
    const frontListener =
      front &&
      (await listen({
        ...everywhere,
        pointer: '/Server/Listen',
        address: server.listen,
        tls: server.tls,
        proxyProtocol: server.proxyProtocol,
        ...front,
      }))
    if (frontListener !== undefined) listeners.push(frontListener)
    const questions =
      server.forwardAuth && (await listenForQuestions(server.forwardAuth, answering, configuration, store))
    if (questions !== undefined) listeners.push(questions.listener)
    isReady = true
    for (const { url } of listeners)
      publish({
        type: 'server.started',
        url,
        name: url === adminListener?.url ? 'admin' : url === questions?.listener.url ? 'forward-auth' : 'public',
        ...(url === frontListener?.url && { serves: addressesOf(configuration.gateway?.frontends ?? []) }),
      })

    return {
      url: frontListener?.url,
      async prepare(next) {
        const ask = questions?.prepare(next)
        const { changes, swap, discard } = await answering.prepare(next)
        return {
          changes,
          swap() {
            swap()
            ask?.()
            secure(frontListener, current.server.tls, next.server.tls)
            secure(ownListener, current.authorizationServer?.tls, next.authorizationServer?.tls)
            secureMutualTls(mutualTlsListener, current, next)
            current = next
          },
          discard,
        }
      },
      async stop(manner = 'at once') {
        isReady = false
        publish({ type: 'server.draining' })
        for (const listener of listeners) if (listener !== adminListener) listener.sayGoodbye()
        if (manner === 'politely') await delay(current.server.drainDelay * 1000)
        const deadline = performance.now() / 1000 + current.server.drainTimeout
        const left = (): number => Math.max(deadline - performance.now() / 1000, 0)
        await Promise.all([frontListener?.drain(left()), answering.drain(left())])
        // Until then what is under way may still need them: a token to refresh, the sample API's answer.
        const behind = listeners.filter((listener) => listener !== adminListener && listener !== frontListener)
        await Promise.all(behind.map((listener) => listener.drain(left())))
        // A store that hangs, or a logout that a client does not take, is not waited for any longer than a request is.
        await Promise.race([closeAll(closers), delay(Math.max(left(), 1) * 1000, undefined, { ref: false })])
        publish({ type: 'server.stopped' })
        // Last, so that readiness could be asked to the end.
        await adminListener?.drain(1)
      },
    }
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.drain(0)))
    await closeAll(closers)
    throw error
  }
}

/** Loaded where a proxy asks. */
async function listenForQuestions(...asked: Parameters<ForwardAuth['listenForQuestions']>): Promise<Questions> {
  const forwardAuth = await import('./forward-auth.js')
  return forwardAuth.listenForQuestions(...asked)
}

type ForwardAuth = typeof import('./forward-auth.js')

/** Where the authorization server answers, if not with the gateway. */
function ownPlace({ authorizationServer, plan, server }: Configuration) {
  return {
    pointer: `${plan.authorizationServer?.pointer}/Listen`,
    address: authorizationServer?.listen ?? server.listen,
    tls: authorizationServer?.tls,
  }
}

/** Files that say the same leave everything as it is, resumed TLS sessions too. */
function secure(
  listener: Listener | undefined,
  before: readonly Certificate[] | undefined,
  next: readonly Certificate[] | undefined,
): void {
  if (next !== undefined && !isSameOptions(before, next)) listener?.secure(next)
}

/**
 * Whether it takes writes at this moment: a full Redis, or a replica, still answers what only reads. One that hangs is down
 * before a prober gives up on us: balancers that get no answer take every replica out at once.
 */
export async function isStoreUp(store: Pick<Store, 'set'>): Promise<boolean> {
  const answer = store.set('readiness', '', Date.now() / 1000 + 60).then(
    () => true,
    () => false,
  )
  return Promise.race([answer, delay(500, false, { ref: false })])
}

async function closeAll(closers: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closers.toReversed()) await close()
}
