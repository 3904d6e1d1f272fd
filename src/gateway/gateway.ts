import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { requestIdOf } from '../http/request-id.js'
import { originOf } from '../http/request-origin.js'
import { clientOf } from '../http/trusted-peers.js'
import { atOnce, inSlices } from '../slices.js'
import { describeRequest, nameRequest } from '../telemetry/request-traces.js'
import { type Administration, createAdministration } from './administration/administration.js'
import { answerError, answerUpgradeError } from './error-response.js'
import type { ForwardAuthOptions } from './forward-auth/options.js'
import { createForwarder } from './forwarding/forward.js'
import { createMiddleware, type GatewayMiddleware } from './middleware.js'
import type { GatewayOptions } from './options.js'
import type { Refused } from './page/refusal-page.js'
import { Refusal } from './refusal.js'
import { createLastingServices, type Generation, provisioning, settled } from './reload/generation.js'
import { createRetirement, type PreparedGateway, prepareGeneration } from './reload/replacement.js'
import { type GatewayRequest, proxiedRequest } from './request.js'
import { destinationOf } from './routing/destination.js'
import { assertOneHost, parseRequestTarget } from './routing/request-target.js'
import { type Delivery, pass, serve, type Way } from './steps.js'

// What it takes to make one, for those who import this product alone.
export { type SigningKey, signingKey } from '../jose/jwk.js'
export { createFileStore } from '../store/file-store.js'
export { createMemoryStore } from '../store/memory-store.js'
export { createRedisStore } from '../store/redis-store.js'
export { createSeal, type Seal } from '../store/seal.js'
export type { Store } from '../store/store.js'
export type * from './administration/exports.js'
export type * from './authorities/authority-options.js'
export type * from './forward-auth/options.js'
export type { Login, LoginDecision, Logout, OnLogin, OnLogout } from './hooks.js'
export type { GatewayMiddleware } from './middleware.js'
export type * from './options.js'
export type { FrontendChanges, PreparedGateway } from './reload/replacement.js'
export type * from './route-options.js'

/** Serves every frontend that it was made with, or that have taken their place, on whatever server it is given to. */
export interface Gateway extends Administration {
  /** For `http.createServer`: requests, and what `Expect: 100-continue` makes of them. */
  callback(): RequestListener
  /**
   * For Express and Koa, before anything that reads bodies: `app.use(gateway.middleware())`. It answers what is a frontend's
   * (its endpoints, its routes and, where it is served from here, its page) and leaves everything else to what comes next.
   * Upgrades do not pass through middleware: they need `upgrade` as well.
   * @throws TypeError (by `next`) when a body parser has been there before
   */
  middleware(): GatewayMiddleware
  /** For the server's `upgrade` event. @throws TypeError for a socket that is none of `node:net` */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /**
   * For proxies of yours that forward requests by themselves and ask first: nginx, Traefik, Caddy, Envoy. For an HTTP server on
   * a loopback address or a Unix socket; what the answers carry is the user's token.
   * @throws RangeError for a CIDR range of `trustedProxies` that is none
   */
  forwardAuth(options?: ForwardAuthOptions): Promise<RequestListener>
  /** Asks open WebSockets and event streams to leave, and waits for them and for refreshes. @param seconds How long, at most. */
  drain(seconds: number): Promise<void>
  /**
   * Makes other options ready to be served, while these still are: with the same store, everything else may differ. Sessions,
   * counts and what is open stay; frontends whose options are the same go on as they are.
   * @throws ConfigurationError as `createGateway` does; nothing has changed then
   * @throws TypeError for another store
   * @example
   * ```ts
   * import type { Gateway, GatewayOptions } from 'sallyport'
   *
   * export async function change(gateway: Gateway, options: GatewayOptions) {
   *   const prepared = await gateway.prepare(options)
   *   prepared.swap({ drain: 30 })
   * }
   * ```
   */
  prepare(options: GatewayOptions): Promise<PreparedGateway>
  /** Stops health checks and closes the connections to upstreams and issuers. The store stays open. */
  close(): Promise<void>
}

/**
 * Makes a gateway (backend for frontend) of the FAPI 2.0 Security Profile: login, sealed sessions, and calls to APIs with a
 * DPoP proof each. It listens on nothing and calls nobody until a request comes.
 * @throws ConfigurationError for frontends that cannot work, with everything that is wrong at once
 * @throws TypeError for a CIDR range of `trustedProxies` that is none
 * @see {@link https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.3 FAPI 2.0 §5.3.3}
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { createServer } from 'node:http'
 * import { exportJWK, generateKeyPair } from 'jose'
 * import { createGateway, createMemoryStore, createSeal, signingKey } from 'sallyport/gateway'
 *
 * const { privateKey } = await generateKeyPair('ES256', { extractable: true })
 * const gateway = await createGateway({
 *   store: createMemoryStore(),
 *   seal: createSeal([randomBytes(32)]),
 *   frontends: [{
 *     name: 'shop', hosts: ['localhost:3000'], pathPrefix: '', publicUrl: new URL('http://localhost:3000'),
 *     authority: 'https://auth.example.com', clientId: 'shop-bff',
 *     clientAuthentication: { method: 'private_key_jwt', keys: [signingKey(await exportJWK(privateKey))] },
 *     pushedAuthorizationRequests: true, dpop: true, requireIssuer: true, scopes: ['openid', 'offline_access'],
 *     session: { idle: 1800, absolute: 28_800, sliding: true, refreshGracePeriod: 60 },
 *     postLoginRedirectPath: '/', postLogoutRedirectPath: '/',
 *     routes: [{
 *       path: '/api', stripPath: true, methods: [], upstreams: [new URL('http://localhost:4000')],
 *       tokenType: 'User', scopes: ['orders'],
 *     }],
 *   }],
 * })
 * createServer(gateway.callback()).on('upgrade', gateway.upgrade).listen(3000)
 * ```
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { now = () => Date.now() / 1000, store, streamLimits } = options
  const lasting = createLastingServices(store, now)
  const forwarder = createForwarder(streamLimits)
  const retirement = createRetirement(forwarder)
  let current: Generation = atOnce(provisioning(options, lasting))

  const begun = (request: IncomingMessage): Refused => ({
    requestId: requestIdOf(request, current.isTrustedPeer),
    request,
    branding: current.options.branding,
    origin: () => originOf(request, current.isTrustedPeer),
  })

  const forwards: Delivery = {
    endpoint: (call, response) => current.endpoints(call, response),
    page: ({ frontend, request, target }, response) => frontend.page.serve(request, response, target),
    forward: forwarder.forward,
  }

  /** What every request is before anything else: a target with one meaning, for one frontend. */
  const received = (request: IncomingMessage, requestId: string): GatewayRequest => {
    assertOneHost(request)
    const { isTrustedPeer, saysHost, select } = current
    const client = clientOf(request, isTrustedPeer, saysHost)
    const target = parseRequestTarget(request.url ?? '', request.headers.host)
    return { requestId, request, target, client, frontend: select(client.host, target) }
  }

  /** One frontend from beginning to end: what takes its place meanwhile is for the next request. */
  const answer = async (response: ServerResponse, refused: Refused, { receive, delivery }: Way): Promise<void> => {
    const call = receive(refused.request, refused.requestId)
    const { frontend } = call
    refused.frontend = frontend
    describeRequest(refused.request, call.requestId, frontend.name)
    refused.request = call.request
    frontend.underway.enter()
    try {
      await serve(call, response, refused, delivery)
    } finally {
      frontend.underway.leave()
    }
  }

  const answerUpgrade = async (request: IncomingMessage, socket: Socket, head: Buffer, refused: Refused) => {
    const call = received(request, refused.requestId)
    const { frontend } = call
    refused.frontend = frontend
    describeRequest(request, call.requestId, frontend.name)
    frontend.underway.enter()
    try {
      const destination = destinationOf(frontend, call.target)
      if (destination.kind === 'endpoint' || destination.match === undefined)
        throw new Refusal('bff.route.unknown', 'no route of this frontend covers this path')
      const proxied = proxiedRequest(call, 'upgrade', destination.match, socket)
      refused.call = proxied
      nameRequest(request, proxied.route.path)
      await pass(proxied)
      await forwarder.upgrade(proxied, socket, head)
    } finally {
      frontend.underway.leave()
    }
  }

  const ownWay: Way = { receive: received, delivery: forwards }

  const handle = async (request: IncomingMessage, response: ServerResponse, way: Way = ownWay): Promise<void> => {
    const refused = begun(request)
    await answer(response, refused, way)
      .catch((error: unknown) => answerError(response, error, refused))
      // Whatever goes wrong in saying what went wrong ends this connection, not the process.
      .catch(() => response.destroy())
  }

  /** Whether a frontend has something at the target. What cannot be read is refused, and so is ours. */
  const covers = (request: IncomingMessage): boolean => {
    try {
      const { frontend, target } = received(request, '')
      const destination = destinationOf(frontend, target)
      return destination.kind !== 'page' || frontend.page.isServed
    } catch (error) {
      return !(error instanceof Refusal && error.code === 'bff.frontend.unknown')
    }
  }

  return {
    ...createAdministration(() => current, now),
    callback() {
      return function gateway(request, response) {
        void handle(request, response)
      }
    },
    middleware: () =>
      createMiddleware(async (request, response) => {
        if (!covers(request)) return false
        if (request.readableDidRead) throw new TypeError('the gateway comes before what reads bodies')
        await handle(request, response)
        return true
      }),
    upgrade(request, socket, head) {
      // Before anything is awaited: a peer that resets the connection must not end the process.
      socket.on('error', () => socket.destroy())
      const refused = begun(request)
      if (!(socket instanceof Socket)) throw new TypeError('only a network socket can be upgraded')
      answerUpgrade(request, socket, head, refused)
        .catch((error: unknown) => answerUpgradeError(socket, error, refused))
        .catch(() => socket.destroy())
    },
    async forwardAuth(given) {
      const { createForwardAuth } = await import('./forward-auth/forward-auth.js')
      return createForwardAuth(given, () => current, handle)
    },
    async drain(seconds) {
      const deadline = performance.now() + seconds * 1000
      await forwarder.drain(seconds)
      await settled(current, (deadline - performance.now()) / 1000)
    },
    async prepare(next) {
      if (next.store !== store) throw new TypeError('the store cannot be another one: sessions are in it')
      const before = current
      const prepared = await inSlices(provisioning(next, lasting, before))
      return prepareGeneration(prepared, before, (generation, seconds) => {
        if (current !== before) throw new TypeError('others have been swapped in since these were prepared')
        current = generation
        retirement.begin(before, generation, seconds)
      })
    },
    async close() {
      lasting.watch.close()
      for (const frontend of current.frontends) frontend.close()
      await retirement.close()
      lasting.connections.close()
      await current.fetch.close()
    },
  }
}
