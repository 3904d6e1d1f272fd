import { once } from 'node:events'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly trailers: NodeJS.Dict<string>
  readonly text: string
}

export interface CallOptions {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

/** One request on a connection of its own, with exactly these headers: no agent and no fetch adds to them. */
export function call(
  origin: URL,
  path: string,
  { method = 'GET', headers = {}, body }: CallOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: origin.hostname, port: origin.port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('error', reject)
          .on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              rawHeaders: response.rawHeaders,
              trailers: response.trailers,
              text: Buffer.concat(chunks).toString('latin1'),
            }),
          )
      },
    )
    sent.on('error', reject).end(body)
  })
}

/** A connection to write bytes to; what comes back is collected. */
export async function rawConnection(origin: URL): Promise<{ readonly socket: Socket; received(): string }> {
  const socket = connect({ host: origin.hostname, port: Number(origin.port) })
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, received: () => text }
}

/** Sends bytes as they are and waits until the other end closes, or the answer is what is waited for. */
export async function rawCall(
  origin: URL,
  bytes: string,
  until: (received: string) => boolean = () => false,
): Promise<string> {
  const { socket, received } = await rawConnection(origin)
  await new Promise<void>((done) => {
    socket.on('data', () => until(received()) && done()).on('close', () => done())
    socket.write(bytes, 'latin1')
  })
  socket.destroy()
  return received()
}
