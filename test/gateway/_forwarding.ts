import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createProver, generateProofKey } from '../../src/dpop/prover.js'
import { routeAccess } from '../../src/gateway/access/route-access.js'
import { createForwarder, type Forwarder } from '../../src/gateway/forwarding/forward.js'
import { createConnections } from '../../src/gateway/forwarding/upstream.js'
import { createFrontend } from '../../src/gateway/frontend/frontend.js'
import type { FrontendOptions } from '../../src/gateway/options.js'
import { provisionRoute } from '../../src/gateway/provision.js'
import { Refusal, statusOf } from '../../src/gateway/refusal.js'
import { type ProvisionedFrontend, type ProxiedRequest, proxiedRequest } from '../../src/gateway/request.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { parseRequestTarget } from '../../src/gateway/routing/request-target.js'
import { assertMethodAllowed, createRouteMatcher } from '../../src/gateway/routing/route.js'
import type { Credentials } from '../../src/gateway/tokens/credentials.js'
import { audiencesOf } from '../../src/gateway/tokens/token-audience.js'

/** A forwarder behind a server of its own, as the gateway drives it, without sessions. */
export interface Forwarding {
  readonly url: URL
  readonly server: Server
  readonly forwarder: Forwarder
  /** Codes of the refusals so far, in order. */
  readonly refusals: string[]
  close(): Promise<void>
}

export interface ForwardingOptions {
  readonly routes: readonly (Partial<RouteOptions> & Pick<RouteOptions, 'upstreams'>)[]
  readonly frontend?: Partial<FrontendOptions>
  /** Default: the same DPoP-bound token for every call. */
  readonly credentials?: () => Credentials
  /** What the steps before have found out. */
  readonly call?: Partial<Pick<ProxiedRequest, 'open' | 'held'>>
  /** Of whoever uses the gateway as a library. */
  readonly server?: ServerOptions
}

export const accessToken = 'the.access.token'
export const requestId = '0f5d3f2c-9a1b-4c7d-8e6f-1a2b3c4d5e6f'

export function dpopCredentials(): Credentials {
  return { kind: 'dpop', accessToken, prover: createProver(generateProofKey()) }
}

export function aRoute(route: ForwardingOptions['routes'][number]): RouteOptions {
  return { path: '/api', stripPath: false, methods: [], tokenType: 'User', scopes: [], ...route }
}

/** What a route has from its frontend, where nothing is said there. */
export function ofNoFrontend(route: RouteOptions) {
  return {
    audiences: audiencesOf({ scopes: [], routes: [] })(route),
    limitRate: undefined,
    stepUp: undefined,
    assertIdentity: undefined,
    ...routeAccess(route),
  }
}

export function aFrontend(
  routes: ForwardingOptions['routes'],
  frontend: Partial<FrontendOptions> = {},
): FrontendOptions {
  return {
    name: 'shop',
    hosts: [],
    pathPrefix: '',
    publicUrl: new URL('https://shop.example'),
    authority: 'https://as.example',
    clientId: 'shop',
    clientAuthentication: { method: 'private_key_jwt', keys: [] },
    pushedAuthorizationRequests: true,
    dpop: true,
    requireIssuer: true,
    scopes: [],
    session: { idle: 60, absolute: 60, sliding: true, refreshGracePeriod: 60 },
    postLoginRedirectPath: '/',
    postLogoutRedirectPath: '/',
    routes: routes.map(aRoute),
    ...frontend,
  }
}

export async function forwarding(options: ForwardingOptions): Promise<Forwarding> {
  const frontend = aFrontend(options.routes, options.frontend)
  const forwarder = createForwarder()
  const connections = createConnections()
  const routes = frontend.routes.map((route) => provisionRoute(route, connections, ofNoFrontend(route)))
  const matchRoute = createRouteMatcher(frontend.pathPrefix, routes)
  // No session is behind these calls, so there is no other token for one that an API refuses.
  const tokens = { insteadOf: async () => undefined }
  const provisioned = { ...createFrontend(frontend), tokens } as unknown as ProvisionedFrontend
  const shared = dpopCredentials()
  const credentials = options.credentials ?? (() => shared)
  const refusals: string[] = []

  const callOf = (request: IncomingMessage, kind: 'route' | 'upgrade', connection: ServerResponse | Socket) => {
    const target = parseRequestTarget(request.url ?? '', request.headers.host)
    const match = matchRoute(target)
    if (match === undefined) throw new Refusal('bff.route.unknown', 'no route')
    assertMethodAllowed(match.route, request.method ?? '')
    const client = { address: '192.0.2.7', protocol: 'https', host: 'shop.example' } as const
    const call = proxiedRequest({ requestId, request, target, client, frontend: provisioned }, kind, match, connection)
    return Object.assign(call, { credentials: credentials(), ...options.call })
  }

  const server = createServer({ requestTimeout: 0, ...options.server })
  const listener = async (...[request, response]: Parameters<Parameters<typeof createServer>[1] & object>) => {
    try {
      await forwarder.forward(callOf(request, 'route', response), response)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refusals.push(error.code)
      const body = JSON.stringify({ code: error.code, detail: error.message })
      if (!response.headersSent)
        response.writeHead(statusOf(error.code), { 'Content-Type': 'application/problem+json' })
      response.end(body)
    }
  }
  server.on('request', listener).on('checkContinue', listener)
  server.on('upgrade', async (request, socket: Socket, head) => {
    socket.on('error', () => {})
    try {
      await forwarder.upgrade(callOf(request, 'upgrade', socket), socket, head)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refusals.push(error.code)
      socket.end(`HTTP/1.1 ${statusOf(error.code)} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    server,
    forwarder,
    refusals,
    async close() {
      for (const { pool } of routes) pool.close()
      connections.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
