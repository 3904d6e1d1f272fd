import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { startGatewayProcess } from './_gateway.js'
import { collectFailures, grown, holdsWithin, mebibytes, type Report } from './_report.js'
import { countingUpstream } from './_upstream.js'

export interface StalledOptions {
  /** Clients that stop reading, and as many uploads that nobody reads. */
  readonly count: number
  /** Bytes of each body. */
  readonly size: number
  /** Bytes by which the gateway's resident memory may grow. Default: it is not looked at. */
  readonly growthLimit?: number
}

const piece = Buffer.alloc(65_536, 7)

/** Clients that stop reading and an upstream that does: both hold the other end back, and cost next to nothing. */
export async function stalled({
  count,
  size,
  growthLimit = Number.POSITIVE_INFINITY,
}: StalledOptions): Promise<Report> {
  const failures = collectFailures()
  const upstream = await countingUpstream()
  let moved = 0
  const uploads: IncomingMessage[] = []
  let isReading = false
  upstream.server.on('request', (incoming, response) => {
    if (incoming.method === 'HEAD') return void response.end()
    incoming.on('error', () => {})
    response.on('error', () => {})
    if (incoming.method === 'POST') {
      let received = 0
      incoming.on('data', (chunk: Buffer) => {
        received += chunk.length
      })
      incoming.on('end', () => response.end(String(received)))
      if (!isReading) incoming.pause()
      uploads.push(incoming)
      return
    }
    const bytes = Number(incoming.headers['x-bytes'] ?? 2)
    let left = bytes
    response.setHeader('Content-Length', bytes)
    const pump = (): void => {
      while (left > 0 && !response.destroyed) {
        const chunk = piece.subarray(0, Math.min(left, piece.length))
        left -= chunk.length
        moved += chunk.length
        if (!response.write(chunk)) break
      }
      if (left === 0) response.end()
    }
    response.on('drain', pump)
    pump()
  })
  const gateway = await startGatewayProcess({ routes: { '/api': upstream.url } })
  const { hostname: host, port } = gateway.url
  const open = (method: string, more: Readonly<Record<string, string | number>>): ClientRequest =>
    request({ host, port, path: '/api', method, agent: false, headers: { ...gateway.headers, ...more } }).on(
      'error',
      () => {},
    )
  const download = async (bytes: number): Promise<IncomingMessage> => {
    const [response] = (await once(open('GET', { 'X-Bytes': bytes }).end(), 'response')) as [IncomingMessage]
    return response.on('error', () => {})
  }
  const drained = async (response: IncomingMessage): Promise<number> => {
    let received = 0
    response.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    await Promise.race([once(response, 'end'), once(response, 'close')])
    return received
  }
  /** Until the buffers on the way are full: nothing has moved for a few looks. */
  const standstill = async (): Promise<void> => {
    let before = -1
    let same = 0
    await holdsWithin(60, () => {
      same = moved === before ? same + 1 : 0
      before = moved
      return same > 10
    })
  }

  try {
    await drained(await download(2))
    for (let round = 0; round < 3; round++)
      await Promise.all(Array.from({ length: count }, async () => drained(await download(1_000_000))))
    const before = (await gateway.measure()).rss

    moved = 0
    const downloads = await Promise.all(Array.from({ length: count }, () => download(size)))
    await standstill()
    const pushed = moved
    const byDownloads = (await gateway.measure()).rss - before
    failures.unless(pushed < (count * size) / 2, `the upstream was not held back: ${mebibytes(pushed)} went`)
    // Half of them read on, and get all; the others leave.
    const readOn = downloads.filter((_, index) => index % 2 === 0)
    for (const response of downloads) if (!readOn.includes(response)) response.destroy()
    const results = await Promise.all(readOn.map(drained))
    failures.unless(
      results.every((received) => received === size),
      'a download that was read on is not complete',
    )

    moved = 0
    let unsent = 0
    const posts = Array.from({ length: count }, () => {
      const post = open('POST', { 'Content-Length': size })
      let left = size
      const pump = (): void => {
        while (left > 0 && !post.destroyed) {
          const chunk = piece.subarray(0, Math.min(left, piece.length))
          left -= chunk.length
          moved += chunk.length
          if (!post.write(chunk)) break
        }
        if (left === 0) post.end()
      }
      post.on('drain', pump)
      pump()
      return post
    })
    await holdsWithin(20, () => uploads.length === count)
    await standstill()
    unsent = count * size - moved
    const byUploads = (await gateway.measure()).rss - before
    failures.unless(unsent > (count * size) / 2, `the clients were not held back: ${mebibytes(moved)} went`)
    isReading = true
    const answers = posts.map(async (post) => {
      const [response] = (await once(post, 'response')) as [IncomingMessage]
      const [text] = (await once(response, 'data')) as [Buffer]
      return Number(text)
    })
    for (const upload of uploads) upload.resume()
    failures.unless(
      (await Promise.all(answers)).every((received) => received === size),
      'an upload is not complete',
    )

    const growth = Math.max(byDownloads, byUploads)
    failures.unless(growth < growthLimit, `resident memory grew by ${mebibytes(growth)}`)
    failures.unless(await holdsWithin(20, () => upstream.underWay() === 0), `${upstream.underWay()} calls are left`)
    failures.unless((await gateway.measure()).uncaught === 0, 'uncaught exceptions')
    const each = mebibytes(size)
    const line = `${count} clients that stop reading ${each} (${mebibytes(pushed)} left the upstream): memory ${grown(byDownloads)}; ${count} uploads of ${each} that nobody reads: ${grown(byUploads)}; both complete when read on`
    return { line, failures: failures.list() }
  } catch (error) {
    failures.add(String(error))
    return { line: 'bodies that nobody reads', failures: failures.list() }
  } finally {
    failures.unless((await gateway.stop()) === 0, 'the gateway ended badly')
    await upstream.close()
  }
}
