import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Sits on a wire between a client and a server and keeps every byte of both directions. */
export interface Tap {
  readonly port: number
  /** Where the bytes go: known only once the server has its port. */
  leadTo(port: number): void
  /** Everything that clients sent, one text per connection. */
  requests(): string[]
  /** Everything that the server answered, one text per connection. */
  responses(): string[]
  forget(): void
  close(): void
}

export async function createTap(): Promise<Tap> {
  let target = 0
  let wires: { readonly sent: Buffer[]; readonly answered: Buffer[] }[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const wire = { sent: [] as Buffer[], answered: [] as Buffer[] }
    wires.push(wire)
    const upstream = connect(target, '127.0.0.1')
    for (const [from, to, kept] of [
      [client, upstream, wire.sent],
      [upstream, client, wire.answered],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk: Buffer) => kept.push(chunk))
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
      from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    leadTo(port) {
      target = port
    },
    requests: () => wires.map(({ sent }) => Buffer.concat(sent).toString('latin1')),
    responses: () => wires.map(({ answered }) => Buffer.concat(answered).toString('latin1')),
    forget() {
      // Connections are kept alive: what they carry from now on is recorded anew.
      for (const wire of wires) {
        wire.sent.length = 0
        wire.answered.length = 0
      }
      wires = wires.slice(-50)
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

export interface WireRequest {
  readonly method: string
  readonly target: string
  /** Lower-case names; a name that came twice has two values. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

/** The requests on one connection: the clients here send `Content-Length` or no body at all. */
export function requestsOn(connection: string): WireRequest[] {
  const requests: WireRequest[] = []
  let rest = connection
  while (rest.includes('\r\n\r\n')) {
    const end = rest.indexOf('\r\n\r\n')
    const [line = '', ...fields] = rest.slice(0, end).split('\r\n')
    const [method = '', target = ''] = line.split(' ')
    const headers = new Map<string, string[]>()
    for (const field of fields) {
      const colon = field.indexOf(':')
      const name = field.slice(0, colon).toLowerCase()
      headers.set(name, [...(headers.get(name) ?? []), field.slice(colon + 1).trim()])
    }
    const length = Number(headers.get('content-length')?.[0] ?? 0)
    requests.push({ method, target, headers, body: rest.slice(end + 4, end + 4 + length) })
    rest = rest.slice(end + 4 + length)
  }
  return requests
}
