import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGateway, type Gateway } from '../../src/gateway/gateway.js'
import type { FrontendOptions, GatewayOptions } from '../../src/gateway/options.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { generateSigningJwk, type Jwk, publicHalf, signingKey } from '../../src/jose/jwk.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'

export interface Listening {
  readonly url: string
  readonly port: number
  handle(listener: RequestListener): void
  server: ReturnType<typeof createServer>
  close(): Promise<void>
}

/** A server whose address is known before what it serves. */
export async function listen(listener?: RequestListener): Promise<Listening> {
  let handler = listener
  const server = createServer((request, response) => {
    if (handler === undefined) response.writeHead(503).end()
    else handler(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    server,
    handle(next) {
      handler = next
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface SeenCall {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

/** An API that remembers its calls and answers with what it saw. */
export async function startApi() {
  const calls: SeenCall[] = []
  const api = await listen((request, response) => {
    const call = { method: request.method ?? '', url: request.url ?? '', headers: request.headers }
    calls.push(call)
    request.resume().on('end', () => {
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ url: call.url, authorization: request.headers.authorization ?? null }))
    })
  })
  return { ...api, calls }
}

export const clientJwk: Jwk = generateSigningJwk('ES256')
export const clientPublicJwk: Jwk = publicHalf(clientJwk)

export function aRoute(overrides: Partial<RouteOptions> & Pick<RouteOptions, 'upstreams'>): RouteOptions {
  return { path: '/api', stripPath: false, methods: [], tokenType: 'User', scopes: [], ...overrides }
}

export function aFrontend(
  overrides: Partial<FrontendOptions> & Pick<FrontendOptions, 'publicUrl' | 'authority'>,
): FrontendOptions {
  return {
    name: 'app',
    hosts: [],
    pathPrefix: '',
    clientId: 'my-bff',
    clientAuthentication: { method: 'private_key_jwt', keys: [signingKey(clientJwk)] },
    pushedAuthorizationRequests: true,
    dpop: true,
    requireIssuer: true,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    session: { idle: 3600, absolute: 28_800, sliding: true, refreshGracePeriod: 60 },
    postLoginRedirectPath: '/',
    postLogoutRedirectPath: '/',
    routes: [],
    ...overrides,
  }
}

export function gatewayOptions(
  frontends: readonly FrontendOptions[],
  overrides: Partial<GatewayOptions> = {},
): GatewayOptions {
  return { frontends, store: createMemoryStore(), seal: createSeal([randomBytes(32)]), ...overrides }
}

/** A gateway on a server that listens already. */
export async function serveGateway(on: Listening, options: GatewayOptions): Promise<Gateway> {
  const gateway = await createGateway(options)
  on.handle(gateway.callback())
  on.server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head))
  return gateway
}
