import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** One request to a listener of this process, at its begin. */
export interface Arrival<Cause> {
  readonly request: IncomingMessage
  /** Of the listener. */
  readonly port: number
  /** Why it was made. Undefined: not by this process. */
  readonly cause: Cause | undefined
}

/** What was answered. */
export interface Answer {
  /** Undefined: the connection broke off before. */
  readonly status: number | undefined
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export interface Observed<Cause> {
  /** Of the requests that this one brings about. */
  readonly cause: Cause
  requested(body: string): void
  answered(answer: Answer): void
}

export interface HttpTap<Cause> {
  /** Requests that `work` makes have this cause. */
  because<Result>(cause: Cause, work: () => Promise<Result>): Promise<Result>
  /** Of what runs at the moment. */
  current(): Cause | undefined
  close(): void
}

/** Bytes of a body that are looked at: those of OAuth are smaller. */
const looksAt = 65_536

/**
 * Hears every HTTP message of this process without standing in its way: Node.js and undici announce them on
 * `diagnostics_channel`. What a request brings about is told by its asynchronous context, and found again at the other
 * listener by the ports of the connection.
 * @param onArrival Undefined: not interested.
 */
export function createHttpTap<Cause>(
  onArrival: (arrival: Arrival<Cause>) => Observed<Cause> | undefined,
): HttpTap<Cause> {
  const causes = new AsyncLocalStorage<Cause | undefined>()
  const causeOf = new WeakMap<object, Cause>()
  /** By the ports of both ends: one request at a time is on a connection. */
  const onTheWay = new Map<string, Cause>()

  const created = (message: unknown): void => {
    const cause = causes.getStore()
    if (cause !== undefined) causeOf.set((message as { request: object }).request, cause)
  }
  const sent = (message: unknown): void => {
    const { request, socket } = message as { request: object; socket: Socket }
    const cause = causeOf.get(request)
    const key = `${socket.localPort}-${socket.remotePort}`
    if (cause === undefined) onTheWay.delete(key)
    else onTheWay.set(key, cause)
    // Of listeners elsewhere no one takes it away.
    if (onTheWay.size > 1000) onTheWay.clear()
  }
  const arrived = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const { localPort = 0, remotePort = 0 } = request.socket
    const key = `${remotePort}-${localPort}`
    const cause = onTheWay.get(key)
    onTheWay.delete(key)
    const observed = onArrival({ request, port: localPort, cause })
    // Also where there is nothing to see: on a kept connection this context was the one of the request before.
    causes.enterWith(observed?.cause)
    if (observed === undefined) return
    hearRequest(request, observed.requested)
    hearResponse(response, observed.answered)
  }

  const listeners = [
    ['undici:request:create', created],
    ['undici:client:sendHeaders', sent],
    ['http.server.request.start', arrived],
  ] as const
  for (const [name, listener] of listeners) subscribe(name, listener)
  return {
    because: (cause, work) => causes.run(cause, work),
    current: () => causes.getStore(),
    close() {
      for (const [name, listener] of listeners) unsubscribe(name, listener)
    },
  }
}

/** The parser pushes what it reads into the request: heard there, and read by nobody but its handler. */
function hearRequest(request: IncomingMessage, onEnd: (body: string) => void): void {
  const heard = collector()
  const { push } = request
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) onEnd(heard.text())
    else heard.add(chunk, encoding)
    return push.call(request, chunk, encoding)
  }
}

type Arguments = readonly unknown[]

function hearResponse(response: ServerResponse, onEnd: (answer: Answer) => void): void {
  const heard = collector()
  let head: Pick<Answer, 'status' | 'fields'> = { status: undefined, fields: [] }
  let isOver = false
  const over = (): void => {
    if (isOver) return
    isOver = true
    onEnd({ ...head, body: heard.text() })
  }
  const before = (method: 'writeHead' | 'write' | 'end', hear: (args: Arguments) => void): void => {
    const original = response[method] as (...args: Arguments) => unknown
    Object.assign(response, {
      [method](...args: Arguments) {
        hear(args)
        return original.apply(response, [...args])
      },
    })
  }
  before('writeHead', ([status, ...more]) => {
    head = { status: Number(status), fields: fieldsOf(response.getHeaders(), more.at(-1)) }
  })
  for (const method of ['write', 'end'] as const)
    before(method, ([chunk, encoding]) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array)
        heard.add(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined)
    })
  response.once('finish', over)
  response.once('close', over)
}

function fieldsOf(set: OutgoingHttpHeaders, given: unknown): readonly (readonly [string, string])[] {
  const entries: [string, unknown][] = Object.entries(set)
  if (Array.isArray(given))
    for (let index = 0; index + 1 < given.length; index += 2) entries.push([String(given[index]), given[index + 1]])
  else if (typeof given === 'object' && given !== null) entries.push(...Object.entries(given))
  return entries.flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name.toLowerCase(), String(one)]),
  )
}

function collector() {
  const chunks: Buffer[] = []
  let length = 0
  return {
    add(chunk: string | Uint8Array, encoding?: BufferEncoding): void {
      if (length >= looksAt) return
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)
      chunks.push(bytes.subarray(0, looksAt - length))
      length += bytes.length
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  }
}
