/**
 * `npm run bench:stampede`: what many tabs do to three replicas (real processes, one Redis) when tokens expire, at a foreign server
 * that needs 3 s for a refresh. Loopback only. Exits 1 when a line does not hold. `-- --only expiry --sessions 200 --races 10000`
 */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import type { UserAgent } from '../test/flows/_user-agent.js'
import { type StampedeWorld, startStampedeWorld } from './_stampede-world.js'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '.' },
    sessions: { type: 'string', default: '200' },
    calls: { type: 'string', default: '20' },
    races: { type: 'string', default: '2000' },
  },
})
const [sessions, calls, races] = [Number(values.sessions), Number(values.calls), Number(values.races)]
/** How many races at once. */
const lanes = 50
/** So short that each race has something to refresh, and so slow that the logout comes in the midst of it. */
const raceTokens = { tokenDelay: 200, accessTokenLifetime: 5 }
let holds = true

function line(name: string, seen: string, problems: readonly (string | false)[]): void {
  const wrong = problems.filter((problem) => problem !== false)
  if (wrong.length > 0) holds = false
  console.log(`| ${name} | ${seen} | ${wrong.join('; ') || 'holds'} |`)
}

const statusOf = (call: Promise<Response>): Promise<number> =>
  call.then((response) => response.arrayBuffer().then(() => response.status)).catch(() => 0)

async function expired(world: StampedeWorld, count: number, tokenDelay: number): Promise<UserAgent[]> {
  await world.order({ tokenDelay: 0, accessTokenLifetime: 5 })
  const browsers = await world.signIn(count)
  await delay(5000)
  await world.order({ tokenDelay, accessTokenLifetime: 3600 })
  return browsers
}

interface Stampede {
  readonly rotation: 'rotating' | 'constant'
  /** Seconds by which the replicas' clocks are ahead. Default: they are right. */
  readonly clocks?: readonly number[]
  /** Happens to the last replica, a second after the calls began. */
  readonly fault?: (world: StampedeWorld) => Promise<void> | void
  /** Calls at the last replica may fail: it is gone. */
  readonly isLost?: boolean
  /** An answer that a killed replica took with it costs its session where refresh tokens are used once. */
  readonly mayLogOut?: boolean
}

async function stampede(
  name: string,
  { rotation, clocks, fault, isLost = false, mayLogOut = false }: Stampede,
): Promise<void> {
  const world = await startStampedeWorld(rotation, clocks)
  try {
    const browsers = await expired(world, sessions, 3000)
    const underway = browsers.flatMap((browser) =>
      Array.from({ length: calls }, async (_, index) => {
        const at = index % 3
        return { at, status: await statusOf(browser.call(`${world.origins[at]}/api/${index}`)) }
      }),
    )
    await delay(1000)
    await fault?.(world)
    const failed = (await Promise.all(underway)).filter(({ status }) => status !== 200)
    // While a holder is stopped no one may know what it has done: 503 with Retry-After is the documented answer.
    const isDocumented = (status: number): boolean => fault === stop && status === 503
    const elsewhere = failed.filter(({ at, status }) => !(isLost && at === 2) && !isDocumented(status))
    const { granted, refused } = await world.order({ count: 'refreshes' })
    await world.order({ tokenDelay: 0, accessTokenLifetime: 3600 })
    const after = await Promise.all(browsers.map((browser) => statusOf(browser.call(`${world.origins[0]}/api/after`))))
    const logouts = after.filter((status) => status === 401).length
    const kinds = [...new Set(elsewhere.map(({ status }) => status))].join(', ')
    line(
      name,
      `${granted} refreshes, ${refused} refused; ${failed.length} of ${underway.length} calls failed; ${logouts} logouts`,
      [
        fault === undefined && granted !== sessions && `${granted} refreshes of ${sessions} sessions`,
        !mayLogOut && elsewhere.length > 0 && `${elsewhere.length} calls failed elsewhere (${kinds})`,
        !mayLogOut && logouts > 0 && `${logouts} logouts`,
      ],
    )
  } finally {
    await world.close()
  }
}

/** A socket and a stream of each of these sessions, at the replicas where it will not log out: when they end. */
async function watched(
  { origins }: Pick<StampedeWorld, 'origins'>,
  browser: UserAgent,
): Promise<{ readonly ended: Promise<number> }> {
  const [origin = '', second = '', third = ''] = origins
  const headers = { Cookie: cookieOf(browser, origin) }
  const socket = new WebSocket(`${second.replace('http', 'ws')}/api/socket`, { origin, headers })
  const closed = once(
    socket.on('error', () => undefined),
    'close',
  )
  await once(socket, 'open')
  const stream = await browser.call(`${third}/api/events`)
  const streamed = stream.text().catch(() => undefined)
  return { ended: Promise.all([closed, streamed]).then(() => performance.now()) }
}

const cookieOf = (browser: UserAgent, origin: string): string =>
  [...browser.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ')

const calledWith = (cookie: string, url: string): Promise<Response> =>
  fetch(url, { headers: { Cookie: cookie, 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' } })

/** The refreshes of expired tokens of one session at two replicas, and a logout at the third in the midst of them. */
async function race(
  { origins }: Pick<StampedeWorld, 'origins'>,
  browser: UserAgent,
  isWatched: boolean,
): Promise<Race> {
  const [origin = '', ...others] = origins
  const cookie = cookieOf(browser, origin)
  const watching = isWatched ? await watched({ origins }, browser) : undefined
  const user = (await (await browser.call(`${origin}/bff/user`)).json()) as { readonly logoutUrl?: string }
  const underway = Array.from({ length: 4 }, (_, call) =>
    statusOf(calledWith(cookie, `${others[call % others.length]}/api/race`)),
  )
  await delay(Math.random() * 250)
  const left = await browser.navigate(new URL(user.logoutUrl ?? '/bff/logout', origin), {
    stopAt: (url) => url.origin !== origin,
  })
  const at = performance.now()
  const ended = watching && (await Promise.race([watching.ended, delay(5000, Number.POSITIVE_INFINITY)])) - at
  await Promise.all(underway)
  const after = await Promise.all(origins.map((one) => statusOf(calledWith(cookie, `${one}/api/after`))))
  return { isLeft: left.status < 400, revived: after.filter((status) => status !== 401).length, ended }
}

interface Race {
  readonly isLeft: boolean
  /** Answers after the logout that are not 401. */
  readonly revived: number
  /** Milliseconds until socket and stream had ended elsewhere, where they were watched. */
  readonly ended: number | undefined
}

async function logoutRaces(name: string): Promise<void> {
  const world = await startStampedeWorld('rotating')
  let [begun, done, revived, notLeft, slowest, open] = [0, 0, 0, 0, 0, 0]
  /** On a machine that has no time a login may end with a 503. That is no race: it begins again. */
  const signIn = async (tries = 10): Promise<UserAgent> => {
    const [browser] = await world.signIn(1).catch((error: unknown) => {
      if (tries === 1) throw error
      return []
    })
    return browser ?? signIn(tries - 1)
  }
  const progress = setInterval(() => console.error(`${done} of ${races} races, ${revived} live again`), 10_000)
  // Who waits for tokens to expire leaves the processor to those who sign in.
  const lane = async (): Promise<void> => {
    while (begun < races) {
      const isWatched = begun++ < lanes
      const browser = await signIn()
      await delay(raceTokens.accessTokenLifetime * 1000)
      const { isLeft, ended = 0, ...seen } = await race(world, browser, isWatched)
      revived += seen.revived
      if (!isLeft) notLeft++
      if (ended === Number.POSITIVE_INFINITY) open++
      else slowest = Math.max(slowest, ended)
      done++
    }
  }
  try {
    await world.order(raceTokens)
    await Promise.all(Array.from({ length: lanes }, lane))
    const seen = `${done} logouts; ${revived} live again; slowest end elsewhere ${slowest.toFixed(0)} ms`
    line(name, seen, [
      done < races && `${races} were asked for`,
      revived > 0 && `${revived} answers were not 401`,
      notLeft > 0 && `${notLeft} logouts failed`,
      open > 0 && `${open} sessions had a socket or stream open after 5 s`,
      slowest > 1000 && 'a socket or stream ended after more than 1 s',
    ])
  } finally {
    clearInterval(progress)
    await world.close()
  }
}

const kill = ({ replicas }: StampedeWorld) => replicas[2]?.end('SIGKILL')
const stop = async ({ replicas }: StampedeWorld): Promise<void> => {
  replicas[2]?.signal('SIGSTOP')
  await delay(9000)
  replicas[2]?.signal('SIGCONT')
}
const scenarios: Readonly<Record<string, (name: string) => Promise<void>>> = {
  expiry: (name) => stampede(name, { rotation: 'rotating' }),
  'holder killed': (name) => stampede(name, { rotation: 'constant', fault: kill, isLost: true }),
  'holder killed, tokens used once': (name) =>
    stampede(name, { rotation: 'rotating', fault: kill, isLost: true, mayLogOut: true }),
  'holder stopped': (name) => stampede(name, { rotation: 'rotating', fault: stop }),
  // Those of Redis and of the authorization server are right. What a replica believes of a lock must not depend on its own.
  'clocks differ': (name) => stampede(name, { rotation: 'rotating', clocks: [0, -8, 8] }),
  'logout races': logoutRaces,
}

console.log('| what happens | seen | |\n|---|---|---|')
const wanted = new RegExp(values.only)
for (const [name, scenario] of Object.entries(scenarios)) if (wanted.test(name)) await scenario(name)
process.exit(holds ? 0 : 1)
