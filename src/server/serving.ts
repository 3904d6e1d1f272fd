import type { RequestListener } from 'node:http'
import { type AuthorizationServer, createAuthorizationServer } from '../authorization-server/authorization-server.js'
import type { Configuration } from '../config/load.js'
import { createUnderway } from '../gateway/forwarding/in-flight.js'
import { createGateway, type FrontendChanges, type Gateway } from '../gateway/gateway.js'
import { isSameOptions } from '../gateway/reload/same-options.js'
import { createTrustedPeers, type IsTrustedPeer } from '../http/trusted-peers.js'
import type { Store } from '../store/store.js'
import type { UpgradeListener } from './listener.js'
import { productOptions } from './products.js'
import { createReplaceableSeal } from './replaceable-seal.js'
import { createSampleApi } from './sample-api.js'
import { sharedListener } from './shared-listener.js'
import { verifierHere } from './verifier-here.js'

/** What answers on the listeners of a process. The listeners stay; what answers can be replaced. */
export interface Serving {
  /** Undefined where there is no gateway. */
  readonly front: { readonly onRequest: RequestListener; readonly onUpgrade: UpgradeListener } | undefined
  /** The authorization server, on a listener of its own. */
  readonly own: RequestListener | undefined
  /** The authorization server, where it asks clients for a certificate. */
  readonly mutualTls: RequestListener | undefined
  readonly sampleApi: RequestListener | undefined
  readonly isTrustedPeer: IsTrustedPeer
  readonly gateway: Gateway | undefined
  /** The one that answers now. */
  authorizationServer(): AuthorizationServer | undefined
  /** Makes another configuration ready, while this one is served. @throws for one that does not work; nothing has changed then */
  prepare(configuration: Configuration): Promise<PreparedServing>
  /** @see Gateway.drain */
  drain(seconds: number): Promise<void>
  close(): Promise<void>
}

/** One of the two, once. */
export interface PreparedServing {
  readonly changes: FrontendChanges
  /** The next request is answered by it. */
  swap(): void
  discard(): void
}

/** What one configuration answers with. */
interface Answers {
  readonly configuration: Configuration
  readonly authorizationServer: RetirableServer | undefined
  readonly front: RequestListener | undefined
  readonly sampleApi: RequestListener | undefined
  readonly isTrustedPeer: IsTrustedPeer
}

const noChanges: FrontendChanges = { added: [], changed: [], removed: [] }

export async function createServing(configuration: Configuration, store: Store): Promise<Serving> {
  const { seal, replace: replaceKeys } = createReplaceableSeal(configuration.sealingKeys)
  const serverOf = async (next: Configuration): Promise<RetirableServer | undefined> => {
    const { authorizationServer } = productOptions(next, store, seal)
    return authorizationServer && retirable(await createAuthorizationServer(authorizationServer))
  }
  const authorizationServer = await serverOf(configuration)
  const { gateway: options } = productOptions(configuration, store, seal)
  const gateway =
    options &&
    (await createGateway(options).catch(async (error: unknown) => {
      await authorizationServer?.server.close()
      throw error
    }))
  let current: Answers = answersOf(configuration, { gateway, authorizationServer, store })

  return {
    front: gateway && {
      onRequest: (request, response) => current.front?.(request, response),
      onUpgrade: (request, socket, head) => gateway.upgrade(request, socket, head),
    },
    own:
      configuration.authorizationServer?.listen === undefined
        ? undefined
        : (request, response) => current.authorizationServer?.answer(request, response),
    mutualTls:
      configuration.authorizationServer?.mutualTls === undefined
        ? undefined
        : (request, response) => current.authorizationServer?.answerMutualTls(request, response),
    sampleApi: current.sampleApi && ((request, response) => current.sampleApi?.(request, response)),
    isTrustedPeer: (address) => current.isTrustedPeer(address),
    gateway,
    authorizationServer: () => current.authorizationServer?.server,

    async prepare(next) {
      const before = current
      const isSameServer = isSameOptions(
        before.configuration.authorizationServer?.options,
        next.authorizationServer?.options,
      )
      const nextServer = isSameServer ? before.authorizationServer : await serverOf(next)
      const discardServer = (): void => {
        if (!isSameServer) void nextServer?.server.close()
      }
      const nextOptions = productOptions(next, store, seal).gateway
      const prepared =
        gateway &&
        nextOptions &&
        (await gateway.prepare(nextOptions).catch((error: unknown) => {
          discardServer()
          throw error
        }))
      return {
        changes: prepared?.changes ?? noChanges,
        swap() {
          replaceKeys(next.sealingKeys)
          prepared?.swap({ drain: next.server.drainTimeout })
          current = answersOf(next, { gateway, authorizationServer: nextServer, store, before })
          if (!isSameServer) void before.authorizationServer?.retire()
        },
        discard() {
          prepared?.discard()
          discardServer()
        },
      }
    },

    drain: async (seconds) => gateway?.drain(seconds),
    async close() {
      await gateway?.close()
      await current.authorizationServer?.server.close()
    },
  }
}

interface Parts {
  readonly gateway: Gateway | undefined
  readonly authorizationServer: RetirableServer | undefined
  readonly store: Store
  readonly before?: Answers
}

function answersOf(configuration: Configuration, { gateway, authorizationServer, store, before }: Parts): Answers {
  return {
    configuration,
    authorizationServer,
    front: gateway && frontOf(configuration, gateway, authorizationServer),
    // As long as it is the same, so are the proofs that it has seen.
    sampleApi:
      before !== undefined && hasSameSampleApi(before, configuration, authorizationServer)
        ? before.sampleApi
        : sampleApiOf(configuration, authorizationServer?.server, store),
    isTrustedPeer: createTrustedPeers(configuration.plan.settings.Server.TrustedProxies),
  }
}

/** Both products on one listener, or the gateway alone. */
function frontOf(
  { authorizationServer: configured, plan }: Configuration,
  gateway: Gateway,
  authorizationServer: RetirableServer | undefined,
): RequestListener {
  if (authorizationServer === undefined || configured === undefined || configured.listen !== undefined)
    return gateway.callback()
  const { TrustForwardedHost, TrustedProxies } = plan.settings.Server
  return sharedListener({
    issuer: configured.options.issuer,
    saysHost: createTrustedPeers(TrustForwardedHost ? TrustedProxies : []),
    authorizationServer: authorizationServer.answer,
    gateway: gateway.callback(),
  })
}

function hasSameSampleApi(
  before: Answers,
  { sampleApi, sealingKeys }: Configuration,
  authorizationServer: RetirableServer | undefined,
): boolean {
  return (
    before.authorizationServer === authorizationServer &&
    isSameOptions(before.configuration.sampleApi, sampleApi) &&
    isSameOptions(before.configuration.sealingKeys, sealingKeys)
  )
}

function sampleApiOf(
  configuration: Configuration,
  authorizationServer: AuthorizationServer | undefined,
  store: Store,
): RequestListener | undefined {
  const { sampleApi } = configuration
  if (sampleApi === undefined) return undefined
  const place = { configuration, store, purpose: 'sallyport sample API nonces' }
  return createSampleApi(
    verifierHere(sampleApi.verifier, {
      ...place,
      authorizationServer: authorizationServer && (() => authorizationServer),
    }),
    sampleApi.watchedAt,
  ).callback()
}

/** An authorization server that is closed once its last request is answered. */
interface RetirableServer {
  readonly server: AuthorizationServer
  readonly answer: RequestListener
  readonly answerMutualTls: RequestListener
  retire(): Promise<void>
}

function retirable(server: AuthorizationServer): RetirableServer {
  const underway = createUnderway()
  const counted =
    (answer: RequestListener): RequestListener =>
    (request, response) => {
      underway.enter()
      response.once('close', underway.leave)
      answer(request, response)
    }
  return {
    server,
    answer: counted(server.callback()),
    answerMutualTls: counted(server.mutualTlsCallback()),
    async retire() {
      await underway.idle()
      await server.close()
    },
  }
}
