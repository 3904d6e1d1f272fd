import { connect } from 'node:net'

/** A request written octet by octet: what an HTTP client would not let through is the point. */
export interface RawRequest {
  readonly method: string
  readonly target: string
  /** In this order, repeated names included. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

export interface RawResponse {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** One connection, one request, one response. Rejects when the connection ends without a response. */
export function sendRaw(origin: string, { method, target, headers, body = '' }: RawRequest): Promise<RawResponse> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: hostname, port: Number(port || 80) }, () => {
      const lines = [
        ...headers.map(([name, value]) => `${name}: ${value}`),
        ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
        'Connection: close',
      ]
      socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
    })
    socket.setTimeout(30_000, () => socket.destroy(new Error(`${method} ${target}: no response within 30 s`)))
    socket.on('data', (chunk) => chunks.push(chunk))
    // A server that answers before it has read everything resets the connection behind its answer.
    let failure = new Error(`${method} ${target}: the connection ended without a response`)
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('close', () => {
      const response = parseResponse(Buffer.concat(chunks).toString('latin1'))
      if (response === undefined) reject(failure)
      else resolve(response)
    })
  })
}

function parseResponse(text: string): RawResponse | undefined {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]
  if (end === -1 || status === undefined) return undefined
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { status: Number(status), headers, body: text.slice(end + 4) }
}
