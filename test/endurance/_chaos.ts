import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { type GatewayProcess, startGatewayProcess } from './_gateway.js'
import { collectFailures, grown, holdsWithin, type Report } from './_report.js'
import { pick, seeded } from './_seeded.js'
import { countingUpstream } from './_upstream.js'

export interface ChaosOptions {
  readonly seconds: number
  readonly parallel: number
  readonly seed: number
  /** Bytes by which the gateway's resident memory may grow. Default: it is not looked at. */
  readonly growthLimit?: number
}

/** What an upstream does with one request, and what its caller may then be told. */
interface Fault {
  readonly play: (socket: Socket, mark: string) => void
  readonly may: RegExp
}

const head = (length: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`
const whole = (mark: string): string => head(mark.length) + mark
const thenReset = (bytes: string) => (socket: Socket) => void socket.write(bytes, () => socket.resetAndDestroy())
const thenEnd = (bytes: string) => (socket: Socket) => void socket.end(bytes)

const own = '200 own'
const broken = 'broken off'
const brokeOff = '502 bff\\.upstream\\.broke_off'
const invalid = '502 bff\\.upstream\\.(?:invalid_response|broke_off)'
const unreachable = '502 bff\\.upstream\\.(?:unreachable|broke_off)'
const timeout = '504 bff\\.upstream\\.timeout'
const only = (...outcomes: readonly string[]): RegExp => new RegExp(`^(?:${outcomes.join('|')})$`)
// A reset may take bytes along that have been sent before it: then less has arrived than was sent.
const faults: Readonly<Record<string, Fault>> = {
  none: { play: (socket, mark) => socket.write(whole(mark)), may: only(own) },
  'none, in chunks': {
    play: (socket, mark) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${mark.length.toString(16)}\r\n${mark}\r\n0\r\n\r\n`,
      ),
    may: only(own),
  },
  'none, in pieces': {
    play(socket, mark) {
      const bytes = whole(mark)
      const next = (at: number): void => {
        if (at < bytes.length) socket.write(bytes.slice(at, at + 9), () => setImmediate(next, at + 9))
      }
      next(0)
    },
    may: only(own),
  },
  'reset after the request': { play: (socket) => socket.resetAndDestroy(), may: only(brokeOff) },
  'end after the request': { play: (socket) => socket.end(), may: only(brokeOff) },
  'reset in the head': { play: thenReset('HTTP/1.1 200 O'), may: only(invalid) },
  'end in the head': { play: thenEnd('HTTP/1.1 200 OK\r\nContent-Le'), may: only(invalid) },
  'reset in the body': { play: thenReset(`${head(100)}part`), may: only(broken, brokeOff) },
  'end in the body': { play: thenEnd(`${head(100)}part`), may: only(broken, brokeOff) },
  'reset between chunks': {
    play: thenReset('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'),
    may: only(broken, brokeOff),
  },
  'end without the last chunk': {
    play: thenEnd('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'),
    may: only(broken),
  },
  'reset after the body': {
    play: (socket, mark) => thenReset(whole(mark))(socket),
    may: only(own, broken, brokeOff),
  },
  'end after the body': { play: (socket, mark) => socket.end(whole(mark)), may: only(own) },
  'silence before the head': { play: () => {}, may: only(timeout) },
  'silence in the head': { play: (socket) => socket.write('HTTP/1.1 200 OK\r\nX-A: '), may: only(timeout) },
  'silence in the body': { play: (socket) => socket.write(`${head(100)}part`), may: only(broken) },
  'a length too short': {
    play: (socket, mark) => socket.end(`${whole(mark)} and more`),
    may: only(own, invalid, broken),
  },
  'a length too long': { play: (socket, mark) => socket.end(head(mark.length + 1) + mark), may: only(broken) },
  'two lengths': {
    play: (socket, mark) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n${whole(mark).slice(17)}`),
    may: only(invalid),
  },
  'a length and chunks': {
    play: (socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    may: only(invalid),
  },
  'no chunk size': {
    play: (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n'),
    may: only(broken, invalid),
  },
  garbage: { play: (socket) => socket.write('\0\0\0\0garbage\r\n\r\n'), may: only(invalid) },
  'a switch that nobody asked for': {
    play: (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    may: only(invalid),
  },
  'hints and no answer': {
    play: thenEnd('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n'),
    may: only(invalid),
  },
  'hints and then the answer': {
    play: (socket, mark) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${whole(mark)}`),
    may: only(own),
  },
  'an answer to nobody behind the own one': {
    play: (socket, mark) => socket.write(`${whole(mark)}${whole('stray')}`),
    may: only(own, invalid, broken),
  },
}
const names = Object.keys(faults)

/** The same for an upgrade: what its caller may see. `echo`: joined, and its own message came back. */
const upgradeFaults: Readonly<Record<string, Fault>> = {
  none: { play: () => {}, may: only('echo') },
  'reset after the request': { play: (socket) => socket.resetAndDestroy(), may: only('502') },
  'reset in the head': { play: thenReset('HTTP/1.1 101 Switch'), may: only('502') },
  'silence before the head': { play: () => {}, may: only('504') },
  garbage: { play: (socket) => socket.write('\0\0garbage\r\n\r\n'), may: only('502') },
  'another answer': {
    play: (socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
    may: only('403'),
  },
  'a switch and a reset': {
    // The accept key is wrong as well: a browser would not go on either.
    play: thenReset('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    may: only('closed', '502'),
  },
}
const upgradeNames = Object.keys(upgradeFaults)

/** Everything that an upstream can do wrong, under load, with restarts in between. */
export async function chaos({
  seconds,
  parallel,
  seed,
  growthLimit = Number.POSITIVE_INFINITY,
}: ChaosOptions): Promise<Report> {
  const failures = collectFailures()
  const random = seeded(seed)
  const upstream = await countingUpstream()
  const webSockets = new WebSocketServer({ noServer: true })
  upstream.server.on('request', (incoming, response) => {
    const fault = faults[String(incoming.headers['x-fault'])]
    const mark = String(incoming.headers['x-mark'])
    response.on('error', () => {})
    if (incoming.method === 'HEAD' || fault === undefined)
      return void incoming.resume().on('end', () => response.end('ok'))
    // Unread, it would not notice that the other end has gone. Every other one answers before it has all of the request.
    incoming.on('error', () => {})
    if (mark.endsWith('0')) fault.play(incoming.resume().socket, mark)
    else incoming.on('end', () => fault.play(incoming.socket, mark)).resume()
  })
  upstream.server.on('upgrade', (incoming, socket: Socket, first) => {
    const name = String(incoming.headers['x-fault'])
    socket.on('error', () => {}).on('end', () => socket.destroy())
    if (name !== 'none') return void upgradeFaults[name]?.play(socket.resume(), '')
    webSockets.handleUpgrade(incoming, socket, first, (accepted) =>
      accepted.on('error', () => {}).on('message', (data) => accepted.send(`${incoming.headers['x-mark']} ${data}`)),
    )
  })
  // One that resets whoever connects, and one that nobody listens at.
  const resetting = createServer((socket) => socket.on('error', () => {}).resetAndDestroy()).listen(0, '127.0.0.1')
  const absent = createServer().listen(0, '127.0.0.1')
  await Promise.all([once(resetting, 'listening'), once(absent, 'listening')])
  const placeOf = (server: typeof absent): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const routes = { '/api': upstream.url, '/resetting': placeOf(resetting), '/absent': placeOf(absent) }
  await once(absent.close(), 'close')
  const gateway = await startGatewayProcess({ routes, timeouts: { connect: 2, responseHeaders: 1, idle: 1.2 } })

  let isUp = true
  let upSince = performance.now()
  let restarts = 0
  let sequence = 0
  // This process is the upstream too: when the machine keeps it from running, a time-out is no more than true.
  let stalls = 0
  let lastTick = performance.now()
  const ticking = setInterval(() => {
    const now = performance.now()
    if (now - lastTick > 400) stalls++
    lastTick = now
  }, 50)
  let checking = false
  const outcomes = new Map<string, number>()
  const agent = new Agent({ keepAlive: true, maxSockets: parallel })

  /** Kept connections that had just been closed: what may have been done is not done again (RFC 9110 §9.2.2). */
  let stale = 0
  let posts = 0
  /** The same for a GET, which is tried once more and may meet another one. */
  let staleTwice = 0
  const excuse = new Map<string, number>()

  const judge = (kind: string, outcome: string, may: RegExp, disturbed: boolean): void => {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (may.test(outcome)) return
    if (disturbed && only(broken, unreachable, '502', 'closed', timeout, '504').test(outcome)) return
    if (kind.startsWith('POST') && only(unreachable).test(outcome)) stale++
    else if (kind.startsWith('GET') && only(brokeOff).test(outcome)) {
      staleTwice++
      excuse.set(kind, (excuse.get(kind) ?? 0) + 1)
    } else failures.add(`${kind}: ${outcome}`)
  }
  const one = async (): Promise<void> => {
    const mark = `mark-${++sequence}`
    const dice = random()
    const [restartsBefore, upBefore] = [restarts, isUp]
    const stallsBefore = stalls
    // A moment after a restart there are still connections whose end has not been read.
    const isFresh = performance.now() - upSince < 500
    const disturbed = (): boolean =>
      !upBefore || !isUp || isFresh || restarts !== restartsBefore || stalls !== stallsBefore
    if (dice < 0.1) {
      const name = pick(upgradeNames, random)
      const fault = upgradeFaults[name] as Fault
      judge(`WebSocket, ${name}`, await upgraded(gateway, name, mark), fault.may, disturbed())
    } else if (dice < 0.14) {
      const path = pick(['/resetting', '/absent'], random)
      judge(path, await called(gateway, agent, { path, mark, fault: 'none', size: 0 }), only(unreachable), disturbed())
    } else {
      const fault = pick(names, random)
      const size = pick([0, 0, 0, 100, 60_000, 200_000], random)
      const leaves = random() < 0.1 && Math.floor(random() * 4)
      const outcome = await called(gateway, agent, { path: '/api', mark, fault, size, leaves })
      if (size > 0) posts++
      if (leaves === false)
        judge(
          `${size === 0 ? 'GET' : `POST of ${size} bytes`}, ${fault}`,
          outcome,
          (faults[fault] as Fault).may,
          disturbed(),
        )
    }
  }
  const worker = async (until: number): Promise<void> => {
    while (performance.now() < until && gateway.isRunning()) await one()
  }
  /** Down until a few calls have noticed, up until many have been answered, and so on. */
  const restarting = async (until: number): Promise<void> => {
    const pause = Math.min(5, seconds / 4)
    while (performance.now() < until) {
      const from = sequence
      const started = performance.now()
      await holdsWithin(
        seconds,
        () => performance.now() > until || (sequence > from + 200 && performance.now() - started > pause * 1000),
      )
      if (performance.now() > until) return
      isUp = false
      await upstream.goDown()
      const noticed = sequence
      await holdsWithin(5, () => sequence > noticed + parallel)
      await upstream.comeBack()
      restarts++
      upSince = performance.now()
      isUp = true
    }
  }

  try {
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: parallel }, one))
    const begun = performance.now()
    const until = begun + seconds * 1000
    checking = true
    // Memory is looked at from the first quarter's end on: until then pools, caches and compiled code find their size.
    const early = holdsWithin(seconds, () => performance.now() > begun + seconds * 250).then(() => gateway.measure())
    await Promise.all([restarting(until), ...Array.from({ length: parallel }, () => worker(until))])
    const before = await early
    checking = false
    failures.unless(gateway.isRunning(), 'the gateway has ended')
    agent.destroy()
    const isQuiet = await holdsWithin(20, () => upstream.sockets() === 0)
    failures.unless(isQuiet, `${upstream.sockets()} connections are left`)
    const mostTwice = Math.max(2, sequence / 1000)
    const twice = `${staleTwice} GETs met two of them`
    failures.unless(staleTwice <= mostTwice, `${twice}: ${[...excuse].join(', ')}`)
    failures.unless(stale < posts / 20, `${stale} of ${posts} POSTs met a connection that had been closed`)
    const after = await gateway.measure()
    failures.unless(after.uncaught === 0, `${after.uncaught} uncaught exceptions`)
    const growth = after.rss - before.rss
    failures.unless(growth < growthLimit, `resident memory grew by ${grown(growth)}`)
    const last = await called(gateway, new Agent(), { path: '/api', mark: 'last', fault: 'none', size: 0 })
    failures.unless(last === own, `the next call got ${last}`)
    failures.unless((outcomes.get(own) ?? 0) > 0, 'nobody got an answer')
    const summary = [...outcomes].sort().map(([outcome, count]) => `${count} × ${outcome}`)
    const line = `${seconds} s of chaos: ${sequence} calls, ${names.length} faults and ${upgradeNames.length} of upgrades, ${restarts} restarts, ${stalls} stalls of the machine, ${stale} POSTs on connections just closed (${twice}): ${summary.join(', ')}; ${after.uncaught} uncaught, memory ${grown(growth)}`
    return { line, failures: failures.list() }
  } catch (error) {
    failures.add(`${checking ? 'under load: ' : ''}${error}`)
    return { line: 'chaos', failures: failures.list() }
  } finally {
    clearInterval(ticking)
    failures.unless((await gateway.stop()) === 0, 'the gateway ended badly')
    resetting.close()
    webSockets.close()
    await upstream.close()
  }
}

interface ChaosCall {
  readonly path: string
  readonly mark: string
  readonly fault: string
  /** Bytes of the body; 0: a GET. */
  readonly size: number
  /** Pieces of news after which the caller leaves. */
  readonly leaves?: number | false
}

/** What a caller can tell of its call. `200 other` would be somebody else's answer. */
function called(
  { url, headers }: GatewayProcess,
  agent: Agent,
  { path, mark, fault, size, leaves = false }: ChaosCall,
): Promise<string> {
  return new Promise((resolve) => {
    const { hostname: host, port } = url
    const sent = request({
      host,
      port,
      path,
      agent,
      method: size === 0 ? 'GET' : 'POST',
      headers: { ...headers, 'X-Mark': mark, 'X-Fault': fault, ...(size > 0 && { 'Content-Length': size }) },
    })
    let news = 0
    const tell = (): void => {
      if (leaves !== false && news++ >= leaves) sent.destroy()
    }
    let text = ''
    sent.once('socket', tell).once('finish', tell)
    sent.on('error', () => resolve('broken off'))
    sent.once('response', (response) => {
      tell()
      response.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk
        tell()
      })
      response.on('error', () => resolve('broken off'))
      response.on('end', () => {
        const { statusCode } = response
        const [, code] = /"code":"([^"]+)"/.exec(text) ?? []
        resolve(
          statusCode === 200 ? `200 ${text === mark ? 'own' : `other: ${text.slice(0, 40)}`}` : `${statusCode} ${code}`,
        )
      })
    })
    sent.end(size > 0 ? Buffer.alloc(size, 1) : undefined)
  })
}

function upgraded({ url, webSocketHeaders }: GatewayProcess, fault: string, mark: string): Promise<string> {
  return new Promise((resolve) => {
    const headers = { ...webSocketHeaders, 'X-Mark': mark, 'X-Fault': fault }
    const socket = new WebSocket(`ws://${url.host}/api/socket`, { headers })
    socket.on('unexpected-response', (sent, response) => {
      resolve(String(response.statusCode))
      sent.destroy()
    })
    socket.on('open', () => socket.send('hello'))
    socket.on('message', (data) => {
      resolve(String(data) === `${mark} hello` ? 'echo' : `another's message: ${data}`)
      socket.terminate()
    })
    socket.on('close', () => resolve('closed')).on('error', () => resolve('closed'))
  })
}
