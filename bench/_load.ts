import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** One measurement, asked for by the parent process. */
export interface LoadRequest {
  readonly port: number
  /** The whole request, as on the wire. */
  readonly bytes: string
  readonly connections: number
  readonly milliseconds: number
  /**
   * Milliseconds before that on the same connections, of which only the errors count; `counting` is sent when they are over. Absent: it
   * counts from the first connection on.
   */
  readonly warmUp?: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  /** Anything but a 200, and connections that broke. */
  readonly errors: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** Closed loop over bare sockets: each connection sends its next request when it has the whole answer. */
async function load({ port, bytes, connections, milliseconds, warmUp }: LoadRequest): Promise<LoadResult> {
  const request = Buffer.from(bytes, 'latin1')
  const latencies: number[] = []
  const sockets = new Set<Socket>()
  let [errors, received, stopped] = [0, 0, false]

  const open = (): void => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    sockets.add(socket)
    let sent = 0
    const next = (): void => {
      sent = performance.now()
      left = -1
      head = ''
      chunked = false
      if (!stopped) socket.write(request)
    }
    let head = ''
    let left = -1
    let chunked = false
    const done = (): void => {
      latencies.push(performance.now() - sent)
      next()
    }
    socket
      .on('connect', next)
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket)
        if (stopped) return
        errors++
        open()
      })
      .on('data', (data) => {
        received += data.length
        if (left >= 0 && !chunked) {
          left -= data.length
          if (left <= 0) done()
          return
        }
        head += data.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end === -1) return
        if (left === -1) {
          const lines = head.slice(0, end)
          if (!lines.startsWith('HTTP/1.1 200')) errors++
          const [, length] = /\r\ncontent-length: *(\d+)/i.exec(lines) ?? []
          chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(lines)
          left = Number(length ?? 0)
        }
        if (chunked) {
          if (head.endsWith('0\r\n\r\n')) done()
          return
        }
        left -= head.length - end - 4
        head = ''
        if (left <= 0) done()
      })
  }
  for (let count = 0; count < connections; count++) open()
  if (warmUp !== undefined) {
    await setTimeout(warmUp)
    latencies.length = 0
    received = 0
    process.send?.('counting')
  }
  const started = performance.now()
  await setTimeout(milliseconds)
  stopped = true
  const seconds = (performance.now() - started) / 1000
  for (const socket of sockets) socket.destroy()
  latencies.sort((left, right) => left - right)
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return {
    requests: latencies.length,
    seconds,
    bytes: received,
    errors,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
  }
}

process.on('message', (message: LoadRequest) => void load(message).then((result) => process.send?.(result)))
