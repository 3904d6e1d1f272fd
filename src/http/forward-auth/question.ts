import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { createTrustedPeers } from '../trusted-peers.js'

/** The proxies whose way to ask is known. Each tells of the request in fields of its own, and no others are read. */
export const proxyKinds = ['nginx', 'traefik', 'caddy', 'envoy'] as const

export type ProxyKind = (typeof proxyKinds)[number]

/** What a proxy wants to know of a request. */
export interface Question {
  readonly kind: ProxyKind
  /**
   * `decision`: may it pass? `refusal`: what to tell its sender, after an answer that the proxy could not pass on. Nothing is
   * granted then: the answer goes to the sender as it is.
   */
  readonly about: 'decision' | 'refusal'
  /** What follows the kind in the path that is asked: Envoy puts the request's own target there. */
  readonly target: string
}

export type AnswerQuestion = (question: Question, request: IncomingMessage, response: ServerResponse) => void

/**
 * A listener for proxies that ask. Only this machine may, by a loopback address or a Unix socket, and what is in the ranges:
 * any other connection is closed.
 * @param trustedProxies CIDR ranges
 * @throws RangeError when one of them is none
 */
export function questionListener(trustedProxies: readonly string[], answer: AnswerQuestion): RequestListener {
  const mayAsk = createMayAsk(trustedProxies)
  return (request, response) => {
    if (!mayAsk(request.socket)) {
      request.socket.destroy()
      return
    }
    const question = questionOf(request.url ?? '')
    if (question === undefined || !isAskedAsUs(question, request)) answerNoQuestion(response)
    else answer(question, request, response)
  }
}

/** Whether who is connected may ask. A Unix socket has no address: who may open it is the file system's to say. */
function createMayAsk(trustedProxies: readonly string[]): (socket: Socket) => boolean {
  const isTrusted = createTrustedPeers([...trustedProxies, '127.0.0.0/8', '::1/128'])
  // A connection that is gone has no address either.
  return ({ remoteAddress, destroyed }) => (remoteAddress === undefined ? !destroyed : isTrusted(remoteAddress))
}

/** `/nginx`, `/nginx/refusal`, `/envoy/api/orders?open`. The query of the others is their own affair. */
function questionOf(url: string): Question | undefined {
  const [, name, rest = ''] = /^\/([a-z]+)((?:[/?].*)?)$/s.exec(url) ?? []
  const kind = proxyKinds.find((known) => known === name)
  if (kind === undefined) return undefined
  if (kind === 'envoy') return { kind, about: 'decision', target: rest }
  const path = rest.replace(/\?.*/s, '')
  if (path === '') return { kind, about: 'decision', target: '' }
  return kind === 'nginx' && path === '/refusal' ? { kind, about: 'refusal', target: '' } : undefined
}

/**
 * A page whose name leads to this machine (DNS rebinding) can ask, too, and write any field but `Host`. nginx and Traefik write
 * there what we are called by: an address, or a name that no public DNS has. The others pass on what was asked of them.
 */
function isAskedAsUs({ kind }: Question, { headers: { host = '' } }: IncomingMessage): boolean {
  if (kind === 'caddy' || kind === 'envoy') return true
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase()
  return (
    isIP(name.replace(/^\[|\]$/g, '')) !== 0 ||
    /^[a-z0-9_-]+$/.test(name) ||
    /^[a-z0-9_.-]+\.(?:localhost|internal|svc|cluster\.local)$/.test(name)
  )
}

function answerNoQuestion(response: ServerResponse): void {
  response
    .writeHead(404, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    .end('ask /nginx, /traefik, /caddy or /envoy, by the address that Server.ForwardAuth names\n')
}
