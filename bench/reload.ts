/**
 * `npm run bench:reload`: a thousand frontends, one file each; one more or one fewer each time, a hundred reloads under load. No
 * request fails, no socket of an untouched frontend closes, memory stays, and a spoiled file in between changes nothing. Exits with
 * 1 when a line does not hold.
 */
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { generateSigningJwk } from '../src/jose/jwk.js'
import { freePorts } from '../test/flows/_stack.js'
import { webSocketUpstream } from '../test/gateway/_web-socket-upstream.js'
import { onInterruption } from './_interruption.js'
import { start, usage } from './_processes.js'

const { values } = parseArgs({
  options: {
    frontends: { type: 'string', default: '1000' },
    reloads: { type: 'string', default: '100' },
    sockets: { type: 'string', default: '100' },
  },
})
const [frontends, reloads, sockets] = [values.frontends, values.reloads, values.sockets].map(Number) as [
  number,
  number,
  number,
]
/**
 * Extra CPU seconds that one reload may take, megabytes that the process may keep more of once it is warm, and the slowest call. What V8
 * has not collected yet is no growth: beside 90 MB that are in use, it lets hundreds come and go.
 */
const limits = { cpuSeconds: 2, growth: 10, slowestMs: 250 }
/** After how many reloads all garbage is collected, to see what the process keeps. */
const weighing = 5

const folder = await mkdtemp(join(tmpdir(), 'sallyport-reload-'))
const [listen = 0, admin = 0, api = 0] = await freePorts(3)
const upstream = createServer((_, response) => void response.end('ok')).listen(api, '127.0.0.1')
const echo = await webSocketUpstream()
const key = generateSigningJwk('ES256')

const frontend = (index: number) =>
  JSON.stringify({
    Name: `f${index}`,
    Hosts: [`f${index}.example.com`],
    PublicUrl: `https://f${index}.example.com`,
    ClientId: `c${index}`,
    ClientSigningKeyJwk: key,
    Routes: [
      { Path: '/api', Upstreams: [`http://127.0.0.1:${api}`], TokenType: 'None' },
      { Path: '/ws', Upstreams: [echo.url.origin], TokenType: 'None' },
    ],
  })
const fileOf = (index: number): string => join(folder, 'frontends.d', `f${index}.json`)

await mkdir(join(folder, 'frontends.d'))
for (let index = 0; index < frontends; index++) await writeFile(fileOf(index), frontend(index))
await writeFile(
  join(folder, 'frontends.json'),
  JSON.stringify({
    Server: {
      Listen: `127.0.0.1:${listen}`,
      AdminListen: `127.0.0.1:${admin}`,
      Watch: false,
      LogLevel: 'warn',
      Limits: { ConnectionsPerAddress: 10_000, StreamsPerAddress: 10_000 },
    },
    Store: { Memory: {} },
    Bff: {
      Authority: 'https://auth.example.com',
      SealingKeys: [Buffer.alloc(32, 1).toString('base64url')],
      FrontendsFolder: 'frontends.d',
    },
  }),
)
const program = await start(
  process.execPath,
  [
    '--import',
    new URL('./_collecting-on-signal.js', import.meta.url).href,
    resolve('dist/main.js'),
    'start',
    '--config',
    join(folder, 'frontends.json'),
  ],
  listen,
)
const pid = program.child.pid ?? 0
onInterruption(program.stop)

interface Status {
  readonly generation: number
  readonly refused?: { readonly problems: readonly string[] }
}
const status = async (): Promise<Status> =>
  ((await (await fetch(`http://127.0.0.1:${admin}/readyz`)).json()) as { configuration: Status }).configuration

/** Of untouched frontends. A call that began before `heldUntil` was held by a collection that this bench has asked for. */
const load = { answered: 0, failed: 0, slowest: 0, heldUntil: 0, isOver: false }
const agent = new Agent({ keepAlive: true, maxSockets: 8 })
const call = (index: number): Promise<void> =>
  new Promise((done) => {
    const started = performance.now()
    const fail = (): void => {
      load.failed++
      done()
    }
    request(
      {
        agent,
        port: listen,
        host: '127.0.0.1',
        path: '/api/x',
        headers: { Host: `f${index}.example.com`, 'X-CSRF': '1' },
      },
      (response) => {
        response
          .resume()
          .on('end', () => {
            if (response.statusCode !== 200) return fail()
            load.answered++
            if (started >= load.heldUntil) load.slowest = Math.max(load.slowest, performance.now() - started)
            done()
          })
          .on('error', fail)
      },
    )
      .on('error', fail)
      .end()
  })
const caller = async (first: number): Promise<void> => {
  for (let index = first; !load.isOver; index = (index + 7) % (frontends - 1)) {
    await call(index)
    await delay(10)
  }
}

let dropped = 0
const open = await Promise.all(
  Array.from({ length: sockets }, async (_, index) => {
    const host = `f${index % (frontends - 1)}.example.com`
    const socket = new WebSocket(`ws://127.0.0.1:${listen}/ws/x`, {
      headers: { Host: host, Origin: `https://${host}` },
    })
    await once(socket, 'open')
    return socket.on('close', () => dropped++)
  }),
)
const running = Array.from({ length: 8 }, (_, index) => caller(index))
/** CPU seconds per second that the load takes by itself. */
const calmRate = async (): Promise<number> => {
  const before = usage(pid).cpuSeconds
  const since = performance.now()
  await delay(1000)
  return (usage(pid).cpuSeconds - before) / ((performance.now() - since) / 1000)
}
await delay(5000)

const costs: number[] = []
const memory: number[] = []
const kept: number[] = []
let refusals = 0
for (let round = 0; round < reloads; round++) {
  const isMore = round % 2 === 0
  const before = await status()
  if (round % 10 === 5) {
    // A spoiled file in between.
    await writeFile(fileOf(0), frontend(0).slice(0, 80))
    process.kill(pid, 'SIGHUP')
    while ((await status()).refused === undefined) await delay(20)
    const spoiled = await status()
    const isNamed = spoiled.refused?.problems.some((line) => line.startsWith('frontends.d/f0.json:'))
    if (isNamed && spoiled.generation === before.generation) refusals++
    await writeFile(fileOf(0), frontend(0))
  }
  if (isMore) await writeFile(fileOf(frontends), frontend(frontends))
  else await rm(fileOf(frontends))
  const rate = await calmRate()
  const { cpuSeconds } = usage(pid)
  const started = performance.now()
  process.kill(pid, 'SIGHUP')
  while ((await status()).generation === before.generation) await delay(20)
  // What comes after the swap, such as closing the old, counts too.
  await delay(300)
  const elapsed = (performance.now() - started) / 1000
  const after = usage(pid)
  costs.push(after.cpuSeconds - cpuSeconds - rate * elapsed)
  memory.push(after.rssMegabytes)
  if (round % weighing === weighing - 1) {
    load.heldUntil = Number.POSITIVE_INFINITY
    process.kill(pid, 'SIGUSR2')
    await delay(1000)
    load.heldUntil = performance.now()
    kept.push(usage(pid).rssMegabytes)
  }
}
load.isOver = true
await Promise.all(running)
const stillOpen = open.filter(({ readyState }) => readyState === WebSocket.OPEN).length
for (const socket of open) socket.terminate()

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
const fifth = Math.max(1, Math.floor(kept.length / 5))
const [early, late] = [mean(kept.slice(fifth, 2 * fifth)), mean(kept.slice(-fifth))]
const rows: readonly (readonly [string, string, boolean])[] = [
  ['frontends, reloads', `${frontends}, ${costs.length}`, costs.length === reloads],
  ['calls answered, failed', `${load.answered}, ${load.failed}`, load.failed === 0 && load.answered > 0],
  ['slowest call', `${load.slowest.toFixed(0)} ms`, load.slowest < limits.slowestMs],
  ['sockets open, dropped', `${stillOpen}, ${dropped}`, stillOpen === sockets && dropped === 0],
  [
    'extra CPU of a reload, mean and most',
    `${mean(costs).toFixed(2)} s, ${Math.max(...costs).toFixed(2)} s`,
    Math.max(...costs) <= limits.cpuSeconds,
  ],
  ['spoiled files refused and named', String(refusals), refusals === Math.floor((reloads + 4) / 10)],
  [
    'memory kept, second fifth to last',
    `${early.toFixed(0)} to ${late.toFixed(0)} MB; before collections ${Math.max(...memory).toFixed(0)} at most`,
    late - early <= limits.growth,
  ],
]
for (const [what, value, holds] of rows) console.log(`${holds ? 'ok    ' : 'FAILED'} ${what.padEnd(40)} ${value}`)
agent.destroy()
await program.stop()
upstream.closeAllConnections()
upstream.close()
await echo.close()
await rm(folder, { recursive: true })
process.exit(rows.every(([, , holds]) => holds) ? 0 : 1)
