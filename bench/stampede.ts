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
  /** Happens to the last replica, a second after the calls began. */
  readonly fault?: (world: StampedeWorld) => Promise<void> | void
  /** Calls at the last replica may fail: it is gone. */
  readonly isLost?: boolean
  /** An answer that a killed replica took with it costs its session where refresh tokens are used once. */
  readonly mayLogOut?: boolean
}

async function stampede(name: string, { rotation, fault, isLost = false, mayLogOut = false }: Stampede): Promise<void> {
  const world = await startStampedeWorld(rotation)
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
async function watched({ origins }: StampedeWorld, browser: UserAgent): Promise<{ readonly ended: Promise<number> }> {
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

async function logoutRaces(name: string): Promise<void> {
  const world = await startStampedeWorld('rotating')
  let [revived, notLeft, slowest, open] = [0, 0, 0, 0]
  try {
    for (let done = 0; done < races; done += 50) {
      const browsers = await expired(world, Math.min(50, races - done), 200)
      const [origin = ''] = world.origins
      const cookies = browsers.map((browser) => cookieOf(browser, origin))
      const ends = done === 0 ? await Promise.all(browsers.map((one) => watched(world, one))) : []
      await Promise.all(
        browsers.map(async (browser, index) => {
          const user = (await (await browser.call(`${origin}/bff/user`)).json()) as { readonly logoutUrl?: string }
          const others = Array.from({ length: 4 }, (_, call) =>
            statusOf(calledWith(cookies[index] ?? '', `${world.origins[1 + (call % 2)]}/api/race`)),
          )
          await delay(Math.random() * 250)
          const left = await browser.navigate(new URL(user.logoutUrl ?? '/bff/logout', origin), {
            stopAt: (url) => url.origin !== origin,
          })
          const at = performance.now()
          if (left.status >= 400) notLeft++
          const ended = ends[index]?.ended
          if (ended !== undefined) {
            const late = await Promise.race([ended, delay(5000, undefined)])
            if (late === undefined) open++
            else slowest = Math.max(slowest, late - at)
          }
          await Promise.all(others)
        }),
      )
      for (const at of world.origins)
        for (const status of await Promise.all(
          cookies.map((cookie) => statusOf(calledWith(cookie, `${at}/api/after`))),
        ))
          if (status !== 401) revived++
    }
    const seen = `${races} logouts; ${revived} live again; slowest end elsewhere ${slowest.toFixed(0)} ms`
    line(name, seen, [
      revived > 0 && `${revived} answers were not 401`,
      notLeft > 0 && `${notLeft} logouts failed`,
      open > 0 && `${open} sessions had a socket or stream open after 5 s`,
      slowest > 1000 && 'a socket or stream ended after more than 1 s',
    ])
  } finally {
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
  'logout races': logoutRaces,
}

console.log('| what happens | seen | |\n|---|---|---|')
const wanted = new RegExp(values.only)
for (const [name, scenario] of Object.entries(scenarios)) if (wanted.test(name)) await scenario(name)
process.exit(holds ? 0 : 1)
