import type { ServerResponse } from 'node:http'
import type { AskedRequest } from './asked-request.js'

/** What a proxy is told of a request that may pass. */
export interface Yes {
  /** What the API gets in place of what the client has sent. An empty one: nothing. */
  readonly fields: Readonly<Record<string, string>>
  /** More fields of the client's that go no further, where a proxy can be told (Envoy). */
  readonly dropped?: readonly string[]
  /** The cookie that counts where a proxy can pass on one only. */
  readonly cookieFirst?: string
}

/**
 * Lets the request pass. An empty field is said in the way of each proxy: nginx and Caddy copy it over the client's own,
 * Traefik takes away what is not there, Envoy wants a list.
 */
export function answerYes(
  response: ServerResponse,
  { kind }: AskedRequest,
  { fields, dropped = [], cookieFirst }: Yes,
): void {
  const saysEmpty = kind === 'nginx' || kind === 'caddy'
  for (const [name, value] of Object.entries(fields)) {
    if (value !== '' || saysEmpty) response.setHeader(name, value)
    else response.removeHeader(name)
  }
  if (kind === 'envoy') {
    // It removes after it has set: a field that is there must not be on the list.
    const told = new Set(Object.keys(fields).map((name) => name.toLowerCase()))
    const empty = Object.keys(fields).filter((name) => fields[name] === '')
    const removed = [...empty, ...dropped.filter((name) => !told.has(name))]
    if (removed.length > 0) response.setHeader('X-Envoy-Auth-Headers-To-Remove', removed.join(',').toLowerCase())
  }
  if (saysEmpty) keepOneCookie(response, cookieFirst)
  response.setHeader('Cache-Control', 'no-store')
  response.writeHead(200, { 'Content-Length': 0 }).end()
}

/** nginx and Caddy join several into one, which browsers read as something else. What is left out is said with the next answer. */
function keepOneCookie(response: ServerResponse, name: string | undefined): void {
  const cookies = response.getHeader('Set-Cookie')
  if (!Array.isArray(cookies) || cookies.length < 2) return
  response.setHeader('Set-Cookie', [cookies.find((cookie) => cookie.startsWith(`${name}=`)) ?? cookies[0] ?? ''])
}
