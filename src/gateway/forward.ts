import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Client } from '../http/trusted-peers.js'
import type { Credentials } from './credentials.js'
import type { FrontendOptions } from './options.js'
import { Refusal } from './refusal.js'
import type { RouteMatch } from './route.js'

export interface ForwardExchange {
  readonly frontend: FrontendOptions
  readonly match: RouteMatch
  readonly credentials: Credentials
  readonly client: Client
  readonly requestId: string
  readonly isAlive?: () => Promise<boolean>
}

export interface Forwarder {
  forward(request: IncomingMessage, response: ServerResponse, exchange: ForwardExchange): Promise<void>
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, exchange: ForwardExchange): Promise<void>
  close(): void
}

export function createForwarder(_options: { readonly frontends: readonly FrontendOptions[] }): Forwarder {
  return {
    async forward(request, response, { match, credentials }) {
      const [upstream] = match.route.upstreams
      if (upstream === undefined) throw new Refusal('bff.upstream.unreachable', 'no upstream')
      const url = new URL(upstream)
      const [path = '', query = ''] = match.upstreamTarget.split(/(?=\?)/)
      url.pathname = url.pathname.replace(/\/$/, '') + path
      url.search = query
      const method = request.method ?? 'GET'
      const headers: Record<string, string> = { host: url.host }
      if (credentials.kind === 'dpop') {
        headers.authorization = `DPoP ${credentials.accessToken}`
        headers.dpop = credentials.prover.prove({ method, url, accessToken: credentials.accessToken })
      } else if (credentials.kind === 'bearer') headers.authorization = `Bearer ${credentials.accessToken}`
      await new Promise<void>((resolve, reject) => {
        const call = httpRequest(url, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
          response.on('close', resolve)
        })
        call.on('error', () => reject(new Refusal('bff.upstream.unreachable', 'the upstream cannot be reached')))
        request.pipe(call)
      })
    },
    async upgrade(_request, _socket, _head, _exchange) {
      throw new Refusal('bff.upstream.unreachable', 'not here')
    },
    close() {},
  }
}
