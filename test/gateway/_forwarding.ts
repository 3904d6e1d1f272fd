import { once } from 'node:events'
import { createServer, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createProver, generateProofKey } from '../../src/dpop/prover.js'
import type { ForwardExchange } from '../../src/gateway/forwarding/exchange.js'
import { createForwarder, type Forwarder } from '../../src/gateway/forwarding/forwarder.js'
import type { FrontendOptions, RouteOptions } from '../../src/gateway/options.js'
import { Refusal, statusOf } from '../../src/gateway/refusal.js'
import { parseRequestTarget } from '../../src/gateway/routing/request-target.js'
import { assertMethodAllowed, createRouteMatcher } from '../../src/gateway/routing/route.js'
import type { Credentials } from '../../src/gateway/tokens/credentials.js'

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
  readonly exchange?: Partial<ForwardExchange>
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
  const forwarder = createForwarder([frontend])
  const matchRoute = createRouteMatcher(frontend)
  const shared = dpopCredentials()
  const credentials = options.credentials ?? (() => shared)
  const refusals: string[] = []

  const exchangeOf = (url: string | undefined, method: string, host: string | undefined): ForwardExchange => {
    const match = matchRoute(parseRequestTarget(url ?? '', host))
    if (match === undefined) throw new Refusal('bff.route.unknown', 'no route')
    assertMethodAllowed(match.route, method)
    const client = { address: '192.0.2.7', protocol: 'https', host: 'shop.example' } as const
    return { frontend, match, credentials: credentials(), client, requestId, ...options.exchange }
  }

  const server = createServer({ requestTimeout: 0, ...options.server })
  const listener = async (...[request, response]: Parameters<Parameters<typeof createServer>[1] & object>) => {
    try {
      await forwarder.forward(request, response, exchangeOf(request.url, request.method ?? '', request.headers.host))
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
      await forwarder.upgrade(request, socket, head, exchangeOf(request.url, 'GET', request.headers.host))
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
      forwarder.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
