import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { linesOf } from '../attacks/_ways.js'
import { call } from '../gateway/_client.js'
import { type GatewayProcess, startGatewayProcess } from './_gateway.js'
import { collectFailures, grown, holdsWithin, mebibytes, type Report } from './_report.js'
import { pick, seeded } from './_seeded.js'
import { countingUpstream } from './_upstream.js'

export interface AbandonedCallsOptions {
  readonly count: number
  readonly parallel: number
  readonly seed: number
  /**
   * Bytes by which the resident memory may have grown from the first quarter's end to the last call's. Default: it is not
   * looked at.
   */
  readonly growthLimit?: number
}

type Phase = keyof typeof phases
/** What a call waits for before it is given up. */
type Until = 'nothing' | 'arrival' | 'answer'

const body = 'x'.repeat(1000)
const long = 'Content-Length: 1000000'
/** What is sent, and when it is given up. */
const phases = {
  'half a request line': ['', 'nothing'],
  'half a head': ['GET', 'nothing'],
  'a whole head, at once': ['GET', 'nothing'],
  'before the answer': ['GET', 'arrival'],
  'in the middle of an answer': ['GET', 'answer'],
  'in the middle of an event stream': ['GET', 'answer'],
  'a download that nobody reads': ['GET', 'arrival'],
  'in the middle of an upload': ['POST', 'arrival'],
  'an upload, at once': ['POST', 'nothing'],
  'between 100 Continue and the body': ['EXPECT', 'arrival'],
  'an upgrade, at once': ['UPGRADE', 'nothing'],
  'before the upgrade is answered': ['UPGRADE', 'arrival'],
  'an open WebSocket': ['UPGRADE', 'answer'],
  'an open WebSocket that nobody reads': ['UPGRADE', 'answer'],
} as const satisfies Record<string, readonly ['' | 'GET' | 'POST' | 'EXPECT' | 'UPGRADE', Until]>
const names = Object.keys(phases) as Phase[]

/** Requests and WebSockets that are given up in every phase: nothing may be left of them, here or there. */
export async function abandonedCalls({
  count,
  parallel,
  seed,
  growthLimit = Number.POSITIVE_INFINITY,
}: AbandonedCallsOptions): Promise<Report> {
  const failures = collectFailures()
  const random = seeded(seed)
  const upstream = await countingUpstream()
  const arrivals = new EventEmitter().setMaxListeners(0)
  const pieces = Buffer.alloc(65_536, 1)
  upstream.server.on('request', (request, response) => {
    const phase = String(request.headers['x-phase'])
    request.on('error', () => {}).once('data', () => arrivals.emit(String(request.headers['x-mark'])))
    if (request.method === 'GET') arrivals.emit(String(request.headers['x-mark']))
    // The request for a nonce that goes ahead of a large body.
    if (request.method === 'HEAD' || phase === 'undefined') response.end('ok')
    else if (phase === 'in the middle of an answer') response.writeHead(200, { 'Content-Length': 1000 }).write('begin')
    else if (phase === 'in the middle of an event stream')
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: begin\n\n')
    else if (phase === 'a download that nobody reads') {
      const pump = (): void => {
        while (!response.destroyed && response.write(pieces));
      }
      response.on('drain', pump).on('error', () => {})
      pump()
    }
  })
  upstream.server.on('upgrade', (request, socket: Socket) => {
    const phase = String(request.headers['x-phase'])
    socket.on('end', () => socket.destroy()).resume()
    arrivals.emit(String(request.headers['x-mark']))
    if (phases[phase as Phase]?.[1] !== 'answer') return
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi',
      'latin1',
    )
    // A message of 16 MB.
    if (phase.endsWith('nobody reads')) socket.write(Buffer.from('827f0000000001000000', 'hex'))
    if (phase.endsWith('nobody reads')) for (let piece = 0; piece < 256; piece++) socket.write(pieces)
  })
  const gateway = await startGatewayProcess({ routes: { '/api': upstream.url } })
  const byPhase = new Map<Phase, number>()

  const one = async (index: number): Promise<void> => {
    const phase = pick(names, random)
    const leave = pick(['resetAndDestroy', 'destroy'] as const, random)
    byPhase.set(phase, (byPhase.get(phase) ?? 0) + 1)
    const [, until] = phases[phase]
    const mark = `mark-${index}`
    const arrived = until === 'arrival' ? once(arrivals, mark) : undefined
    const socket = connect({ host: gateway.url.hostname, port: Number(gateway.url.port) }).on('error', () => {})
    const closed = new Promise<'closed'>((resolve) => socket.once('close', () => resolve('closed')))
    socket.write(bytesOf(phase, mark, gateway))
    if (phase === 'a download that nobody reads') socket.pause()
    else socket.on('data', () => {})
    if (phase === 'between 100 Continue and the body') socket.once('data', () => arrivals.emit(mark))
    const reached = until === 'answer' ? once(socket, 'data') : (arrived ?? once(socket, 'connect'))
    if ((await Promise.race([reached, closed])) === 'closed') failures.add(`closed by the gateway: ${phase}`)
    if (phase.endsWith('nobody reads')) socket.pause()
    socket[leave]()
    await closed
  }
  const many = async (from: number, to: number): Promise<void> => {
    let next = from
    const worker = async (): Promise<void> => {
      while (next < to && gateway.isRunning()) await one(next++)
    }
    await Promise.all(Array.from({ length: Math.min(parallel, to - from) }, worker))
  }
  const quiet = async (): Promise<boolean> =>
    (await holdsWithin(20, () => upstream.underWay() === 0)) && holdsWithin(20, () => upstream.sockets() === 0)

  try {
    // Every phase once before anything is measured: code is compiled, pools have their size.
    const warm = Math.ceil(count / 4)
    await many(0, Math.min(warm, 50))
    failures.unless(await quiet(), 'connections are left after the first calls')
    const baseline = await gateway.measure()
    await many(50, warm)
    await quiet()
    const before = await gateway.measure()
    const most = gateway.watchMemory()
    await many(warm, count)
    const isQuiet = await quiet()
    const left = `${upstream.underWay()} calls and ${upstream.sockets()} upstream connections`
    failures.unless(isQuiet, `${left} are left`)
    const same = async (): Promise<boolean> => sameHandles((await gateway.measure()).handles, baseline.handles)
    const areHandlesBack = await holdsWithin(10, same)
    const after = await gateway.measure()
    failures.unless(areHandlesBack, `handles: ${JSON.stringify(after.handles)} for ${JSON.stringify(baseline.handles)}`)
    failures.unless(after.uncaught === 0, `${after.uncaught} uncaught exceptions`)
    const growth = after.rss - before.rss
    failures.unless(growth < growthLimit, `resident memory grew by ${mebibytes(growth)}`)
    const reply = await call(gateway.url, '/api', { headers: gateway.headers })
    failures.unless(reply.status === 200 && reply.text === 'ok', `the next call got ${reply.status}`)
    const kinds = [...byPhase].length
    failures.unless(kinds === names.length, `only ${kinds} of ${names.length} phases`)
    const line = `${count} calls given up in ${kinds} phases, ${parallel} at a time: ${left} and ${difference(after.handles, baseline.handles)} handles left, ${after.uncaught} uncaught, memory ${grown(growth)} (most ${mebibytes(most())})`
    return { line, failures: failures.list() }
  } catch (error) {
    failures.add(String(error))
    return { line: 'calls given up', failures: failures.list() }
  } finally {
    failures.unless((await gateway.stop()) === 0, 'the gateway ended badly')
    await upstream.close()
  }
}

function bytesOf(phase: Phase, mark: string, { lines, webSocketHeaders }: GatewayProcess): string {
  const marks = [`X-Mark: ${mark}`, `X-Phase: ${phase}`]
  const head = (...all: readonly string[]): string => `${[...all, ...marks].join('\r\n')}\r\n\r\n`
  switch (phases[phase][0]) {
    case '':
      return 'GET /api/or'
    case 'GET': {
      const whole = head('GET /api HTTP/1.1', ...lines)
      return phase === 'half a head' ? whole.slice(0, -20) : whole
    }
    case 'POST':
      return head('POST /api HTTP/1.1', ...lines, long) + body
    case 'EXPECT':
      return head('POST /api HTTP/1.1', ...lines, 'Content-Length: 5', 'Expect: 100-continue')
    case 'UPGRADE': {
      const own = Object.entries(webSocketHeaders).map(([name, value]) => `${name}: ${value}`)
      return head('GET /api HTTP/1.1', ...linesOf('an upgrade'), 'Connection: Upgrade', ...own)
    }
  }
}

type Handles = Readonly<Record<string, number>>

function difference(left: Handles, right: Handles): number {
  return Object.keys(left).reduce((sum, name) => sum + Math.max(0, (left[name] ?? 0) - (right[name] ?? 0)), 0)
}

function sameHandles(left: Handles, right: Handles): boolean {
  return difference(left, right) === 0
}
