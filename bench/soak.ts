/**
 * `npm run bench:soak`: a day in the life of three replicas, in minutes. Real processes, behind nginx and HAProxy as they are in
 * deploy/, under mixed load, with one fault after the other; then calm load, for memory that grows. Loopback only. Exits 1 when
 * a line does not hold. `-- --only hangs --proxy haproxy --minutes 5 --rotating`, or `-- --url https://… --cookie 'name=value'` for a program
 * that runs already, which gets calls and pages only.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Agent } from 'undici'
import { createUserAgent } from '../test/flows/_user-agent.js'
import { type Fault, failovers, faults } from './_faults.js'
import { mixedLoad } from './_mixed-load.js'
import { createOutcomes, isRight, type Outcomes } from './_outcomes.js'
import { usage } from './_processes.js'
import { startWorld, type World, type WorldOptions } from './_soak-world.js'
import { createTrend } from './_trend.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    only: { type: 'string', default: '.' },
    proxy: { type: 'string', default: 'nginx,haproxy' },
    replicas: { type: 'string', default: '3' },
    sessions: { type: 'string', default: '30' },
    calls: { type: 'string', default: '60' },
    growth: { type: 'string', default: '1' },
    url: { type: 'string' },
    cookie: { type: 'string', default: '' },
    call: { type: 'string', default: '/api/orders' },
    rotating: { type: 'boolean', default: false },
  },
})
const load = { sessions: Number(values.sessions), callsPerSecond: Number(values.calls), call: values.call }
/** Before anything is measured that grows: times as much load, and minutes for each minute that is measured, an hour at most. */
const warmUp = { times: 5, minutes: 3, longest: 60 }
/** Seconds that access tokens live. They are refreshed 20 seconds before: in the warm-up, five times as often. */
const lifetimes = { calm: 45, warmUp: 25 }
const wanted = new RegExp(values.only)
let holds = true

function line(name: string, outcomes: Outcomes, problems: readonly string[]): void {
  if (problems.length > 0) holds = false
  const total = [...outcomes.counts.values()].reduce((sum, count) => sum + count, 0)
  const wrong = [...outcomes.counts].filter(([outcome]) => !isRight(outcome))
  const seen = wrong.map(([outcome, count]) => `${count} × ${outcome}`).join(', ') || 'nothing'
  console.log(`| ${name} | ${total} | ${seen} | ${outcomes.logouts} | ${problems.join('; ') || 'holds'} |`)
}

/** What of the outcomes no page of the documentation promises. */
function problemsOf(fault: Fault, outcomes: Outcomes, over: number): string[] {
  const problems: string[] = []
  for (const [outcome, count] of outcomes.counts)
    if (!isRight(outcome) && !fault.mayAnswer?.test(outcome)) problems.push(`${count} × ${outcome}`)
    else if (/^(?:socket|stream) done$/.test(outcome) && fault.mayEndStreams === undefined)
      problems.push(`${count} × ${outcome}`)
  if (outcomes.logouts > 0 && fault.mayLogOut === undefined) problems.push(`${outcomes.logouts} logouts`)
  const late = outcomes.lastWrong - over
  if (late > (fault.recovers ?? 5)) problems.push(`not right until ${late.toFixed(1)} s after it`)
  return problems
}

function faultsOf({ replicas }: World): string[] {
  return replicas.flatMap((one) => [
    ...(one.unexpectedEnds() > 0 ? [`${one.unexpectedEnds()} processes ended by themselves`] : []),
    ...one.faults().slice(0, 2),
  ])
}

async function soak(world: World, proxy: string, all: readonly Fault[]): Promise<void> {
  let outcomes = createOutcomes()
  const stop = await mixedLoad({ ...world, ...load, outcomes: () => outcomes })
  await delay(5000)
  for (const fault of all.filter(({ name }) => wanted.test(name))) {
    outcomes = createOutcomes()
    const started = performance.now()
    await fault.happen(world)
    const over = (performance.now() - started) / 1000
    await delay(Math.max(6, (fault.recovers ?? 5) + 3) * 1000)
    line(`${proxy}: ${fault.name}`, outcomes, [...problemsOf(fault, outcomes, over), ...faultsOf(world)])
    // What the fault has held up is not the next one's.
    outcomes = createOutcomes()
    await delay(3000)
  }
  await stop()
}

/** Nothing happens, for minutes: no answer may be wrong, and no process may grow. */
async function grow(world: World, minutes: number): Promise<void> {
  // The heap finds its size, and V8 compiles what is called often enough: what is called seldom, such as a login, last of all.
  const ignored = createOutcomes()
  await world.order({ tokenDelay: 0, accessTokenLifetime: lifetimes.warmUp })
  const stopWarmUp = await mixedLoad({ ...world, ...load, times: warmUp.times, outcomes: () => ignored })
  await delay(Math.min(minutes * warmUp.minutes, warmUp.longest) * 60_000)
  await stopWarmUp()
  await world.order({ tokenDelay: 0, accessTokenLifetime: lifetimes.calm })
  const outcomes = createOutcomes()
  const stop = await mixedLoad({ ...world, ...load, outcomes: () => outcomes })
  await delay(Math.min(minutes * 0.05, 1) * 60_000)
  const trends = world.replicas.map(() => createTrend())
  const until = performance.now() + minutes * 60_000
  while (performance.now() < until) {
    for (const [index, { pid }] of world.replicas.entries()) trends[index]?.add(usage(pid).rssMegabytes)
    await delay(1000)
  }
  await stop()
  const calm = { name: '', happen: () => Promise.resolve(), recovers: Number.POSITIVE_INFINITY }
  line(`${minutes} minutes of calm`, outcomes, [...problemsOf(calm, outcomes, 0), ...faultsOf(world)])
  const results = trends.map((trend) => trend.result())
  for (const [index, { perHour, from, to }] of results.entries())
    console.log(
      `| replica ${index + 1}: MB an hour | ${from.toFixed(0)} to ${to.toFixed(0)} MB | ${perHour.toFixed(2)} | | |`,
    )
  // What one process gains by chance another loses: what all of them keep is in the mean.
  const mean = results.reduce((sum, { perHour }) => sum + perHour, 0) / results.length
  const most = Number(values.growth)
  const verdict = mean <= most ? 'holds' : `more than ${most}`
  if (verdict !== 'holds') holds = false
  console.log(`| all of them, on average: MB an hour | | ${mean.toFixed(2)} | | ${verdict} |`)
}

async function foreign(url: string): Promise<void> {
  const outcomes = createOutcomes()
  const send = (target: URL, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('Cookie', values.cookie)
    return fetch(target, { ...init, headers })
  }
  const stop = await mixedLoad({
    ...load,
    origin: new URL(url).origin,
    signIn: async () => createUserAgent({ fetch: send }),
    dispatcher: new Agent(),
    ca: undefined,
    isWhole: false,
    outcomes: () => outcomes,
  })
  await delay(Number(values.minutes) * 60_000)
  await stop()
  line(url, outcomes, problemsOf({ name: '', happen: () => Promise.resolve() }, outcomes, Number.POSITIVE_INFINITY))
}

const rotation = values.rotating ? 'rotating' : 'constant'
const proxies = values.proxy.split(',') as ('nginx' | 'haproxy' | 'caddy')[]

/** Behind this proxy and on this store, from the start to the end. */
async function inWorld(
  proxy: (typeof proxies)[number],
  place: Pick<WorldOptions, 'topology' | 'collect'>,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const size = { replicas: Number(values.replicas), accessTokenLifetime: lifetimes.calm }
  const world = await startWorld({ proxy, rotation, ...place, ...size })
  if (world === undefined) return console.log(`| ${proxy} is not installed | | | | not tried |`)
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

console.log('| what happens | requests | wrong answers | logouts | |\n|---|---|---|---|---|')
if (values.url !== undefined) await foreign(values.url)
else {
  for (const proxy of proxies)
    if (faults.some(({ name }) => wanted.test(name))) await inWorld(proxy, {}, (world) => soak(world, proxy, faults))
  const [proxy = 'nginx'] = proxies
  for (const topology of ['Sentinel', 'Cluster'] as const)
    if (wanted.test(failovers[topology].name))
      await inWorld(proxy, { topology }, (world) => soak(world, proxy, [failovers[topology]]))
  const minutes = Number(values.minutes)
  if (minutes > 0) await inWorld(proxy, { collect: true }, (world) => grow(world, minutes))
}
process.exit(holds ? 0 : 1)
