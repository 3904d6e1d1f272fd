import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { freePorts } from '../test/flows/_stack.js'
import {
  apache,
  bareHttpProxy,
  type Contender,
  direct,
  expressOpenidConnect,
  floor,
  nginx,
  type Started,
  sallyport,
} from './_contenders.js'
import type { LoadRequest, LoadResult } from './_load.js'
import { forkLoad, startNode, usage } from './_processes.js'
import { meanRatio } from './_ratio.js'

/**
 * What forwarding costs, beside what else does it, on the same upstream in one run. Rounds are interleaved and ratios are
 * of pairs within a round, so that a busy neighbour disturbs both sides of a ratio.
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1.5' },
    connections: { type: 'string', default: '32' },
    processes: { type: 'string', default: '1' },
    only: { type: 'string' },
    bodies: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const rounds = Number(options.rounds)
const milliseconds = Number(options.seconds) * 1000
const connections = Number(options.connections)

interface Measured extends LoadResult {
  /** Microseconds of CPU per request, of the contender alone. */
  readonly cpu: number
  readonly rss: number
}

interface Sample extends Measured {
  /** Which process of the contender, from 0 on: it is compared with that of the same number. */
  readonly pair: number
}

const known: readonly Contender[] = [
  direct,
  nginx,
  bareHttpProxy,
  floor,
  expressOpenidConnect('default'),
  expressOpenidConnect('keep-alive'),
  apache,
  sallyport('Bearer'),
  sallyport('DPoP'),
  sallyport('DPoP', { store: 'file' }),
  sallyport('DPoP', { store: 'Redis' }),
  sallyport('DPoP', { telemetry: 'none' }),
  sallyport('DPoP', { telemetry: 'metrics' }),
  sallyport('DPoP', { telemetry: 'log' }),
  sallyport('DPoP', { telemetry: 'audit' }),
  sallyport('DPoP', { telemetry: 'traces' }),
  sallyport('DPoP', { telemetry: 'all' }),
  sallyport('Bearer', { workers: 2 }),
  sallyport('DPoP', { workers: 2 }),
  sallyport('DPoP', { frontends: 1000 }),
].filter(({ name }) => options.only === undefined || new RegExp(options.only, 'i').test(name))
/** Two processes of one program can differ by a quarter for as long as they live. */
const contenders = Array.from({ length: Number(options.processes) }, () => known).flat()

const ports = await freePorts(2 + contenders.length * 4)
const take = (): number => ports.pop() ?? 0
const [upstreamPort, issuerPort] = [take(), take()]
const places = contenders.map(() => ({ port: take(), more: [take(), take(), take()] }))
const scripts = resolve('build/bench')
const upstream = await startNode(join(scripts, '_upstream.js'), upstreamPort)
const issuer = await startNode(join(scripts, '_issuer.js'), issuerPort, {
  REDIRECT_URIS: places
    .flatMap(({ port }) => ['/callback', '/bff/callback'].map((path) => `http://localhost:${port}${path}`))
    .join(' '),
})
const loader = forkLoad(join(scripts, '_load.js'))
const started: { readonly name: string; readonly pair: number; readonly running: Started }[] = []

async function measure(
  { port, headers, child }: Started,
  path: string,
  load: Partial<LoadRequest> = {},
): Promise<Measured> {
  const bytes = `${[`GET ${path} HTTP/1.1`, `Host: localhost:${port}`, 'User-Agent: bench', 'Accept: application/json', ...headers].join('\r\n')}\r\n\r\n`
  loader.send({ port, bytes, connections, milliseconds, warmUp: 0, ...load })
  await once(loader, 'message')
  const before = usage(child.pid ?? 0)
  const [result] = (await once(loader, 'message')) as [LoadResult]
  const after = usage(child.pid ?? 0)
  return {
    ...result,
    cpu: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / Math.max(1, result.requests),
    rss: after.rssMegabytes,
  }
}

/**
 * A turn begins with a second that does not count, for every contender alike: who has stood idle while the others had
 * theirs has a shrunken heap and a cold cache, which a server under load has not. The connections stay: 32 that come at once, just
 * after 32 calls were broken off, would be the slowest of a turn, and p99.9 would say what they cost.
 */
function takeTurn(running: Started, path: string, load: Partial<LoadRequest> = {}): Promise<Measured> {
  return measure(running, path, { ...load, warmUp: 1000 })
}

const bodySizes = [
  {
    what: '100 KB, req/s',
    path: '/api/100k',
    load: { milliseconds: 3000 },
    amount: ({ requests }: Measured) => requests,
  },
  {
    what: '200 MiB, MB/s',
    path: '/api/200m',
    load: { connections: 1, milliseconds: 3000 },
    amount: ({ bytes }: Measured) => bytes / 1e6,
  },
]

const results = new Map<string, Sample[]>()
const bodies: Record<string, Record<string, number[]>> = {}
try {
  for (const [index, contender] of contenders.entries()) {
    const place = places[index]
    if (place === undefined) continue
    const running = await contender.start({
      ...place,
      upstream: `http://127.0.0.1:${upstreamPort}`,
      issuer: `http://localhost:${issuerPort}`,
    })
    if (running === undefined) console.error(`${contender.name}: not installed, left out`)
    else started.push({ name: contender.name, pair: Math.floor(index / known.length), running })
  }
  // By requests, not by time: on a busy machine code stays cold for long.
  for (const { running } of started) {
    let warm = 0
    for (let turn = 0; turn < 10 && warm < 20_000; turn++)
      warm += (await measure(running, '/api/200b', { milliseconds: 2000 })).requests
  }
  for (let round = 0; round < rounds; round++) {
    for (const { name, pair, running } of round % 2 === 0 ? started : [...started].reverse()) {
      const result = await takeTurn(running, '/api/200b')
      results.set(name, [...(results.get(name) ?? []), { ...result, pair }])
    }
    process.stderr.write(`round ${round + 1}/${rounds}\n`)
  }
  // One size after the other: what a large download leaves in a heap would be paid by the next small one.
  const compared = started.filter(({ name }) => /http-proxy, keep|Sallyport, DPoP$/.test(name))
  for (const { what, path, load, amount } of options.bodies ? bodySizes : []) {
    for (let round = 0; round < rounds; round++) {
      for (const { name, running } of round % 2 === 0 ? compared : compared.toReversed()) {
        const result = await takeTurn(running, path, load)
        const own = bodies[name] ?? {}
        bodies[name] = own
        own[what] = [...(own[what] ?? []), amount(result) / result.seconds]
      }
    }
  }
} finally {
  for (const { running } of started) await running.stop()
  await Promise.all([upstream.stop(), issuer.stop()])
  loader.disconnect()
}

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
const column = (name: string, of: (measured: Measured) => number): number => median((results.get(name) ?? []).map(of))
/** One contender's CPU divided by another's in the same round: the rounds of each pair of processes. */
const pairs = (name: string, base: string): number[][] => {
  const cpu = (of: string, number: number): number[] =>
    (results.get(of) ?? []).filter(({ pair }) => pair === number).map(({ cpu }) => cpu)
  return Array.from({ length: Number(options.processes) }, (_, number) => {
    const others = cpu(base, number)
    return cpu(name, number).map((own, round) => own / (others[round] ?? Number.NaN))
  })
}
const ratioRow = (name: string, base: string): Record<string, string> => ({
  'CPU per request': `${name} ÷ ${base}`,
  'median of turns': median(pairs(name, base).flat()).toFixed(3),
  'mean of processes': meanRatio(pairs(name, base)),
})

const names = [...new Set(started.map(({ name }) => name))]
const rows = names.map((name) => ({
  contender: name,
  'CPU µs/req': column(name, ({ cpu }) => cpu).toFixed(1),
  'req/s': column(name, ({ requests, seconds }) => requests / seconds).toFixed(0),
  'p50 ms': column(name, ({ p50 }) => p50).toFixed(2),
  'p99 ms': column(name, ({ p99 }) => p99).toFixed(2),
  'p99.9 ms': column(name, ({ p999 }) => p999).toFixed(2),
  'RSS MB': column(name, ({ rss }) => rss).toFixed(0),
  errors: String((results.get(name) ?? []).reduce((sum, { errors }) => sum + errors, 0)),
}))
const own = 'Sallyport, DPoP'
const ratios = [
  bareHttpProxy.name,
  expressOpenidConnect('default').name,
  expressOpenidConnect('keep-alive').name,
  apache.name,
  floor.name,
  nginx.name,
  'Sallyport, DPoP, 1000 frontends',
]
  .filter((base) => results.has(base) && results.has(own))
  .map((base) => ratioRow(own, base))
const silent = 'Sallyport, DPoP, telemetry: none'
const telemetryRatios = names
  .filter((name) => results.has(silent) && /^Sallyport, DPoP(?:$|, telemetry: (?!none))/.test(name))
  .map((name) => ratioRow(name, silent))
const bodyRows = Object.entries(bodies).map(([name, of]) => ({
  contender: name,
  ...Object.fromEntries(Object.entries(of).map(([what, numbers]) => [what, median(numbers).toFixed(0)])),
}))

const [bareBodies, ownBodies] = [bodies[bareHttpProxy.name], bodies[own]]
const bodyRatios = Object.entries(ownBodies ?? {}).map(([what, numbers]) => ({
  throughput: `${own} ÷ ${bareHttpProxy.name}, ${what}`,
  ratio: median(numbers.map((number, round) => number / (bareBodies?.[what]?.[round] ?? Number.NaN))).toFixed(2),
}))

for (const table of [rows, ratios, telemetryRatios, bodyRows, bodyRatios])
  if (table.length > 0) console.log(`${markdown(table)}\n`)
const machine = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  connections,
  rounds,
  seconds: milliseconds / 1000,
  processes: Number(options.processes),
}
console.log(JSON.stringify(machine))
if (options.json !== undefined) {
  mkdirSync(dirname(resolve(options.json)), { recursive: true })
  writeFileSync(
    options.json,
    JSON.stringify(
      { machine, rows, ratios, telemetryRatios, bodies: bodyRows, bodyRatios, samples: Object.fromEntries(results) },
      null,
      2,
    ),
  )
}

function markdown(rows: readonly Record<string, string>[]): string {
  const names = Object.keys(rows[0] ?? {})
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(names),
    line(names.map(() => '---')),
    ...rows.map((row) => line(names.map((name) => row[name] ?? ''))),
  ].join('\n')
}
