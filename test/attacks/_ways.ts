import type { ExecutionContext } from 'ava'
import { rawCall } from '../gateway/_client.js'
import { type Forwarding, type ForwardingOptions, forwarding } from '../gateway/_forwarding.js'
import type { Seen } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'

/** Every way to a route: rules that hold for one have to hold for all. */
export const ways = ['a request', 'a request with Expect', 'an upgrade'] as const

export interface Arrived {
  readonly way: (typeof ways)[number]
  readonly seen: Seen | undefined
  readonly answer: string
  readonly gateway: Forwarding
}

export interface Attack {
  /** Header lines as on the wire. */
  readonly headers?: readonly string[]
  /** More options of the `Connection` header. */
  readonly connection?: string
  /** Default: `/api/orders`. */
  readonly target?: string
  readonly forwarding?: Partial<ForwardingOptions>
}

/** Sends the same lines each way, and hands on what reached the upstream. */
export async function eachWay(
  t: ExecutionContext,
  { headers = [], connection, target = '/api/orders', forwarding: more }: Attack,
  check: (arrived: Arrived) => void,
): Promise<void> {
  for (const way of ways) {
    const upstream = await webSocketUpstream()
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], ...more })
    try {
      const options = [...(way === 'an upgrade' ? ['Upgrade'] : []), ...(connection === undefined ? [] : [connection])]
      const lines = [
        `${way === 'a request with Expect' ? 'POST' : 'GET'} ${target} HTTP/1.1`,
        ...linesOf(way),
        ...(options.length > 0 ? [`Connection: ${options.join(', ')}`] : []),
        ...headers,
      ]
      const answer = await rawCall(
        gateway.url,
        `${lines.join('\r\n')}\r\n\r\n${way === 'a request with Expect' ? 'x' : ''}`,
        answered,
      )
      check({ way, seen: upstream.seen.at(-1), answer, gateway })
      t.true(upstream.seen.length <= 1)
    } finally {
      await Promise.all([gateway.close(), upstream.close()])
    }
  }
}

export function linesOf(way: Arrived['way'], host = 'shop.example'): readonly string[] {
  switch (way) {
    case 'a request':
      return [`Host: ${host}`]
    case 'a request with Expect':
      return [`Host: ${host}`, 'Expect: 100-continue', 'Content-Length: 1']
    case 'an upgrade':
      return [
        `Host: ${host}`,
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ]
  }
}

/** A final head, with its whole body where its length is known. */
export function answered(received: string): boolean {
  const final = received.replace(/^HTTP\/1\.1 100[\s\S]*?\r\n\r\n/, '')
  const end = final.indexOf('\r\n\r\n')
  if (end === -1) return false
  const [, length = '0'] = /^content-length: (\d+)/im.exec(final.slice(0, end)) ?? []
  return final.length - end - 4 >= Number(length)
}
