import { hkdfSync } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type AuthorizationServer, createAuthorizationServer } from '../authorization-server/authorization-server.js'
import type { Configuration } from '../config/load.js'
import type { RevocableToken } from '../dpop-validator/options.js'
import { addressesOf } from '../gateway/frontend/frontend.js'
import { createGateway, type Gateway } from '../gateway/gateway.js'
import { createTrustedPeers } from '../http/trusted-peers.js'
import { observedStore } from '../store/observed-store.js'
import type { Store } from '../store/store.js'
import { publish } from '../telemetry/events.js'
import type { LogLevelControl } from '../telemetry/log-level.js'
import { createMetrics } from '../telemetry/metrics.js'
import { admin } from './admin.js'
import { adminHandlers, ownSource } from './administration/administration.js'
import { answerPrimary } from './administration/workers-source.js'
import { type Listener, listen } from './listener.js'
import { startTracing } from './open-telemetry.js'
import { packageVersion } from './package.js'
import { openStore, productOptions } from './products.js'
import { createSampleApi } from './sample-api.js'
import { sharedListener } from './shared-listener.js'

/** What a configuration describes, running. */
export interface Running {
  /** Where the frontends are served. */
  readonly url: string | undefined
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
}

export async function run(
  configuration: Configuration,
  { adminListener: place = 'here', logLevel }: RunOptions = {},
): Promise<Running> {
  const { server, sealingKeys, plan } = configuration
  const everywhere = {
    limits: server.limits,
    isTrustedPeer: createTrustedPeers(plan.settings.Server.TrustedProxies),
  }
  const listeners: Listener[] = []
  const closers: (() => Promise<void> | void)[] = []
  let isReady = false
  let gateway: Gateway | undefined
  let authorizationServer: AuthorizationServer | undefined

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
        ...('usage' in opened && { storeUsage: opened.usage }),
      })
    if (metrics !== undefined) closers.push(() => metrics.close())
    const store = metrics === undefined ? opened : observedStore(opened, metrics.storeOperation)
    const products = productOptions(configuration, store)
    const administered = ownSource(configuration, {
      gateway: () => gateway,
      authorizationServer: () => authorizationServer,
      sealingKeys: () => sealingKeys.length,
      logLevel,
    })
    if (administered !== undefined) closers.push(administered.close)
    if (place === 'elsewhere' && administered !== undefined) answerPrimary(administered.source)
    if (server.adminListen !== undefined && metrics !== undefined && place === 'here')
      listeners.push(
        await listen({
          ...everywhere,
          pointer: '/Server/AdminListen',
          address: server.adminListen,
          isTraced: false,
          onRequest: admin({
            listensOn: server.adminListen.host,
            isReady: () => isReady,
            isStoreUp: () => isStoreUp(store),
            storeGrace: server.storeGrace,
            metrics,
            ...adminHandlers(configuration, administered?.source),
          }),
        }),
      )
    const [adminListener] = listeners

    authorizationServer =
      products.authorizationServer && (await createAuthorizationServer(products.authorizationServer))
    closers.push(() => authorizationServer?.close())
    gateway = products.gateway && (await createGateway(products.gateway))
    closers.push(() => gateway?.close())

    const { front, own } = arrange(configuration, gateway, authorizationServer)
    if (own !== undefined) listeners.push(await listen({ ...everywhere, ...own }))
    if (configuration.sampleApi !== undefined) {
      const { listen: address, verifier } = configuration.sampleApi
      // Where there are other processes, each proof is accepted once by all of them together, and a nonce of one is a nonce
      // of all.
      const secret = Buffer.from(hkdfSync('sha256', sealingKeys[0] ?? '', '', 'sallyport sample API nonces', 32))
      const nonce = verifier.nonce === true ? { nonce: { secret } } : {}
      const isOneOfSeveral = configuration.store.kind === 'redis' || server.workers > 1
      const shared = isOneOfSeveral ? { replay: store, ...nonce } : {}
      // A signature says nothing of a token whose code was used twice, or whose user has signed out.
      const issuedHere = configuration.plan.authorizationServer?.settings.Issuer
      const issuing = authorizationServer
      const revocation = issuing && {
        isRevoked: (token: RevocableToken) => token.issuer === issuedHere && issuing.isRevoked(token),
      }
      const onRequest = createSampleApi({ ...verifier, ...shared, ...revocation }).callback()
      listeners.push(await listen({ ...everywhere, pointer: '/Authentication/OpenIddict/Listen', address, onRequest }))
    }
    const frontListener = front && (await listen({ ...everywhere, ...front }))
    if (frontListener !== undefined) listeners.push(frontListener)
    isReady = true
    for (const { url } of listeners)
      publish({
        type: 'server.started',
        url,
        name: url === adminListener?.url ? 'admin' : 'public',
        ...(url === frontListener?.url && { serves: addressesOf(configuration.gateway?.frontends ?? []) }),
      })

    return {
      url: frontListener?.url,
      async stop(manner = 'at once') {
        isReady = false
        publish({ type: 'server.draining' })
        for (const listener of listeners) if (listener !== adminListener) listener.sayGoodbye()
        if (manner === 'politely') await delay(server.drainDelay * 1000)
        const deadline = performance.now() / 1000 + server.drainTimeout
        const left = (): number => Math.max(deadline - performance.now() / 1000, 0)
        await Promise.all([frontListener?.drain(left()), gateway?.drain(left())])
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

type ListenOptions = Parameters<typeof listen>[0]

/** What answers where: both products on one listener, or each on its own. */
function arrange(
  { server, authorizationServer: configured, plan }: Configuration,
  gateway: Gateway | undefined,
  authorizationServer: AuthorizationServer | undefined,
): { readonly front: ListenOptions | undefined; readonly own: ListenOptions | undefined } {
  const serverRequests = authorizationServer?.callback()
  const own =
    serverRequests !== undefined && configured?.listen !== undefined
      ? {
          pointer: `${plan.authorizationServer?.pointer}/Listen`,
          address: configured.listen,
          tls: configured.tls,
          onRequest: serverRequests,
        }
      : undefined
  if (gateway === undefined) return { front: undefined, own }

  const onRequest: RequestListener =
    serverRequests === undefined || configured === undefined || own !== undefined
      ? gateway.callback()
      : sharedListener({
          issuer: configured.options.issuer,
          saysHost: createTrustedPeers(
            plan.settings.Server.TrustForwardedHost ? plan.settings.Server.TrustedProxies : [],
          ),
          authorizationServer: serverRequests,
          gateway: gateway.callback(),
        })
  return {
    front: {
      pointer: '/Server/Listen',
      address: server.listen,
      tls: server.tls,
      onRequest,
      onUpgrade: gateway.upgrade,
    },
    own,
  }
}

/**
 * Whether it answers at this moment. One that hangs is down before a prober gives up on us: balancers that get no answer take
 * every replica out at once.
 */
export async function isStoreUp(store: Pick<Store, 'get'>): Promise<boolean> {
  const answer = store.get('readiness').then(
    () => true,
    () => false,
  )
  return Promise.race([answer, delay(500, false, { ref: false })])
}

async function closeAll(closers: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closers.toReversed()) await close()
}
