import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { call } from '../gateway/_client.js'
import { type GatewayProcess, startGatewayProcess } from './_gateway.js'
import { collectFailures, mebibytes, type Report } from './_report.js'
import { countingUpstream } from './_upstream.js'

export interface BulkOptions {
  /** Bytes each way. */
  readonly size: number
  /** Bytes by which the gateway's resident memory may grow. Default: it is not looked at. */
  readonly growthLimit?: number
}

const piece = 262_144

/** Bytes that are different everywhere: what is lost, doubled or swapped shows. */
function* content(size: number, hash: Hash): Generator<Buffer> {
  const random = createHash('sha256').update('content').digest()
  for (let sent = 0; sent < size; sent += piece) {
    const chunk = Buffer.alloc(Math.min(piece, size - sent), random)
    chunk.writeUInt32BE(sent / piece)
    hash.update(chunk)
    yield chunk
  }
}

function hashing(hash: Hash): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done()
    },
  })
}

/** A large download and a large upload, by length and in chunks: every byte arrives, and none stays in memory. */
export async function bulk({ size, growthLimit = Number.POSITIVE_INFINITY }: BulkOptions): Promise<Report> {
  const failures = collectFailures()
  const upstream = await countingUpstream()
  const sent = new Map<string, Hash>()
  upstream.server.on('request', async (incoming, response) => {
    try {
      if (incoming.method === 'HEAD') response.end()
      else if (incoming.method === 'GET') {
        const bytes = Number(incoming.headers['x-bytes'] ?? 1)
        const hash = createHash('sha256')
        sent.set(String(incoming.headers['x-mark']), hash)
        if (incoming.headers['x-framing'] === 'length') response.setHeader('Content-Length', bytes)
        await pipeline(Readable.from(content(bytes, hash)), response)
      } else {
        const hash = createHash('sha256')
        await pipeline(incoming, hashing(hash))
        response.end(hash.digest('hex'))
      }
    } catch {
      response.destroy()
    }
  })
  const gateway = await startGatewayProcess({ routes: { '/api': upstream.url } })

  const download = async (bytes: number, framing: 'length' | 'chunks'): Promise<void> => {
    const mark = `${framing} ${bytes}`
    const headers = { 'X-Mark': mark, 'X-Bytes': bytes, 'X-Framing': framing }
    const response = await answerTo(gateway, 'GET', headers)
    const hash = createHash('sha256')
    await pipeline(response, hashing(hash))
    const same = sent.get(mark)?.digest('hex') === hash.digest('hex')
    failures.unless(response.statusCode === 200 && same, `the download with ${framing} is not what was sent`)
  }
  const upload = async (bytes: number, framing: 'length' | 'chunks'): Promise<void> => {
    const hash = createHash('sha256')
    const headers = framing === 'length' ? { 'Content-Length': bytes } : { 'Transfer-Encoding': 'chunked' }
    const response = await answerTo(gateway, 'POST', headers, Readable.from(content(bytes, hash)))
    const [text] = await once(response.setEncoding('latin1'), 'data')
    failures.unless(response.statusCode === 200 && text === hash.digest('hex'), `the upload with ${framing} is another`)
  }
  const all = async (bytes: number): Promise<void> => {
    for (const framing of ['length', 'chunks'] as const) {
      await download(bytes, framing)
      await upload(bytes, framing)
    }
  }

  try {
    await call(gateway.url, '/api', { method: 'PUT', body: 'x', headers: gateway.headers })
    await all(Math.min(size / 8, 33_554_432))
    const before = (await gateway.measure()).rss
    const stopWatching = gateway.watchMemory()
    await all(size / 2)
    const growth = stopWatching() - before
    failures.unless(growth < growthLimit, `resident memory grew by ${mebibytes(growth)}`)
    failures.unless((await gateway.measure()).uncaught === 0, 'uncaught exceptions')
    const line = `${mebibytes(size)} down and ${mebibytes(size)} up, half by length and half in chunks, every byte compared: memory at most +${mebibytes(growth)}`
    return { line, failures: failures.list() }
  } catch (error) {
    failures.add(String(error))
    return { line: 'large bodies', failures: failures.list() }
  } finally {
    failures.unless((await gateway.stop()) === 0, 'the gateway ended badly')
    await upstream.close()
  }
}

async function answerTo(
  { url, headers: own }: GatewayProcess,
  method: string,
  headers: Readonly<Record<string, string | number>>,
  body?: Readable,
): Promise<IncomingMessage> {
  const { hostname: host, port } = url
  const sent = request({ host, port, path: '/api', method, agent: false, headers: { ...own, ...headers } })
  const answer = once(sent, 'response') as Promise<[IncomingMessage]>
  if (body === undefined) sent.end()
  else await pipeline(body, sent)
  return (await answer)[0]
}
