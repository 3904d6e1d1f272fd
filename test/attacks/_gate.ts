import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { createGateway } from '../../src/gateway/gateway.js'
import type { FrontendOptions, GatewayOptions } from '../../src/gateway/options.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { listen } from '../../src/server/listener.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import { rawCall } from '../gateway/_client.js'
import { aFrontend, aRoute } from '../gateway/_gateway.js'
import { type Planted, planting } from '../gateway/_planted.js'
import type { Seen } from '../gateway/_upstream.js'
import { type WebSocketUpstream, webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { answered, linesOf, ways } from './_ways.js'

/** The whole gateway as the program runs it: its listener, its sessions, every step, and an API behind it. */
export interface Gate extends Pick<Planted, 'plant' | 'sessionsOf'> {
  readonly url: URL
  readonly upstream: WebSocketUpstream
  /** Connections that the upstream has seen so far, open or not. */
  connections(): number
}

export interface GateOptions {
  /** Routes lead to the upstream. Default: one frontend with `/api` for users. */
  readonly frontends?: readonly (Partial<Omit<FrontendOptions, 'routes'>> & {
    readonly routes?: readonly Partial<RouteOptions>[]
  })[]
  readonly gateway?: Partial<GatewayOptions>
  readonly upstream?: WebSocketUpstream
}

export const publicOrigin = 'https://shop.example'

export async function aGate(t: ExecutionContext, options: GateOptions = {}): Promise<Gate> {
  const upstream = options.upstream ?? (await webSocketUpstream())
  let connections = 0
  upstream.server.on('connection', () => connections++)
  const given: GatewayOptions = {
    frontends: (options.frontends ?? [{}]).map(({ routes = [{}], ...frontend }) =>
      aFrontend({
        publicUrl: new URL(publicOrigin),
        authority: 'http://127.0.0.1:9',
        ...frontend,
        routes: routes.map((route) => aRoute({ upstreams: [upstream.url], ...route })),
      }),
    ),
    store: createMemoryStore(),
    seal: createSeal([randomBytes(32)]),
    ...options.gateway,
  }
  t.teardown(() => upstream.close())
  return { url: await served(t, given), upstream, connections: () => connections, ...planting(given) }
}

/** A gateway behind the program's own listener, until the test ends. */
export async function served(t: ExecutionContext, options: GatewayOptions): Promise<URL> {
  const gateway = await createGateway(options)
  const address = { host: '127.0.0.1', port: 0 }
  const onRequest = gateway.callback()
  const listener = await listen({ pointer: '/Server/Listen', address, onRequest, onUpgrade: gateway.upgrade })
  t.teardown(async () => {
    await listener.drain(0)
    await gateway.close()
  })
  return new URL(listener.url)
}

export interface Sent {
  /** Of requests. Default: GET, and POST where `Expect` is sent. */
  readonly method?: string
  /** Default: `/api/orders`. */
  readonly target?: string
  readonly host?: string
  /** Header lines as on the wire. */
  readonly headers?: readonly string[]
  /** More options of the `Connection` header. */
  readonly connection?: string
  readonly cookie?: string
  /** Of the page that opens a WebSocket. Default: our own. */
  readonly origin?: string
  /** Whether it carries what only our own page can send. Default: `ours`. */
  readonly page?: 'ours' | 'unknown'
}

export interface Outcome {
  readonly way: (typeof ways)[number]
  readonly status: number
  /** Of the refusal, if it is one. */
  readonly code: string | undefined
  /** All that came back. */
  readonly answer: string
  /** What reached the upstream. */
  readonly seen: readonly Seen[]
}

/** Sends the same to the whole gateway in every way that leads to a route. */
export async function everyWay(
  { url, upstream }: Pick<Gate, 'url' | 'upstream'>,
  {
    method,
    target = '/api/orders',
    host,
    headers = [],
    connection,
    cookie,
    origin = publicOrigin,
    page = 'ours',
  }: Sent,
  check: (outcome: Outcome) => void,
): Promise<void> {
  for (const way of ways) {
    const options = [...(way === 'an upgrade' ? ['Upgrade'] : []), ...(connection === undefined ? [] : [connection])]
    const verb = way === 'an upgrade' ? 'GET' : (method ?? (way === 'a request' ? 'GET' : 'POST'))
    const lines = [
      `${verb} ${target} HTTP/1.1`,
      ...linesOf(way, host),
      ...(options.length > 0 ? [`Connection: ${options.join(', ')}`] : []),
      ...(page === 'ours' ? proofOfOwnPage(way, origin) : []),
      ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
      ...headers,
    ]
    const before = upstream.seen.length
    const bytes = `${lines.join('\r\n')}\r\n\r\n${way === 'a request with Expect' ? 'x' : ''}`
    const answer = await rawCall(url, bytes, answered)
    const final = answer.replace(/^HTTP\/1\.1 100[\s\S]*?\r\n\r\n/, '')
    check({
      way,
      status: Number(/^HTTP\/1\.1 (\d+)/.exec(final)?.[1] ?? 0),
      code: /"code":"([^"]+)"/.exec(final)?.[1],
      answer,
      seen: upstream.seen.slice(before),
    })
  }
}

/** What an allowed one is answered with. */
export function passed(way: Outcome['way']): number {
  return way === 'an upgrade' ? 101 : 200
}

/** A page cannot add a header to a WebSocket's handshake; its browser adds the origin. */
function proofOfOwnPage(way: Outcome['way'], origin: string): readonly string[] {
  return way === 'an upgrade' ? [`Origin: ${origin}`] : ['X-CSRF: 1', 'Sec-Fetch-Site: same-origin']
}
