import { setTimeout as delay } from 'node:timers/promises'
import type { Agent } from 'undici'
import { WebSocket } from 'ws'
import type { UserAgent } from '../test/flows/_user-agent.js'
import type { Outcomes } from './_outcomes.js'

export interface LoadOptions {
  readonly origin: string
  /** A browser that is signed in. */
  readonly signIn: () => Promise<UserAgent>
  readonly dispatcher: Agent
  readonly ca: string | undefined
  readonly sessions: number
  readonly callsPerSecond: number
  /** How often as much of all this: calls, messages of WebSockets, logins and logouts. Default: 1. */
  readonly times?: number
  /** Default: `/api/orders`. */
  readonly call?: string
  /** Whether there are logins, streams and WebSockets too. Default: yes. */
  readonly isWhole?: boolean
  /** Where outcomes go at the moment. */
  readonly outcomes: () => Outcomes
}

/** What a company does all day: pages, calls, streams, WebSockets, logins, logouts, people who go away. Returns what ends it. */
export async function mixedLoad(options: LoadOptions): Promise<() => Promise<void>> {
  const {
    origin,
    signIn,
    sessions,
    callsPerSecond,
    times = 1,
    call = '/api/orders',
    isWhole = true,
    outcomes,
  } = options
  const browsers: UserAgent[] = []
  for (let count = 0; count < sessions; count++) browsers.push(await signIn())
  const ending = new AbortController()
  const { signal } = ending
  const underway = new Set<Promise<unknown>>()
  const begin = (work: Promise<unknown>): void => {
    const whole = work.catch(() => undefined).finally(() => underway.delete(whole))
    underway.add(whole)
  }

  /** A session that is none any more is counted once, and followed by another. */
  const replaced = new Set<UserAgent>()
  const isNone = (browser: UserAgent): void => {
    const index = browsers.indexOf(browser)
    if (index === -1 || replaced.has(browser)) return
    replaced.add(browser)
    outcomes().loggedOut()
    begin(
      signIn()
        .then((fresh) => (browsers[index] = fresh))
        .finally(() => replaced.delete(browser)),
    )
  }

  let turn = 0
  const one = async (): Promise<void> => {
    const browser = browsers[turn++ % browsers.length] as UserAgent
    const [kind, init] = kinds[turn % kinds.length] as (typeof kinds)[number]
    const url = `${origin}${kind === 'page' ? '/' : call}`
    const outcome = await outcomeOf(
      kind,
      browser.call(url, { ...init(), ...(kind !== 'abort' && { signal: AbortSignal.timeout(30_000) }) }),
    )
    if (/ 401\b/.test(outcome)) isNone(browser)
    else outcomes().add(outcome)
  }

  begin(
    (async () => {
      const started = performance.now()
      for (let index = 0; !signal.aborted; index++) {
        begin(one())
        await delay(Math.max(0, started + (index * 1000) / (callsPerSecond * times) - performance.now()))
      }
    })(),
  )
  if (isWhole) {
    for (let index = 0; index < Math.min(10, sessions); index++) {
      const who = { browser: () => browsers[index] as UserAgent, isNone }
      begin(webSocket(who, options, signal))
      begin(eventStream(who, options, signal))
    }
    for (let people = 0; people < times; people++) begin(comingAndGoing(options, signal))
  }
  return async () => {
    ending.abort()
    await Promise.race([Promise.all(underway), delay(35_000, undefined, { ref: false })])
  }
}

const body = 'x'.repeat(10_000)
const kinds: readonly (readonly [kind: string, init: () => RequestInit])[] = [
  ['GET', () => ({})],
  ['page', () => ({ headers: { Accept: 'text/html' } })],
  ['GET', () => ({})],
  ['POST', () => ({ method: 'POST', body })],
  ['GET', () => ({})],
  ['abort', () => ({ signal: AbortSignal.timeout(3) })],
]

/** In one line: the status, and what the gateway or the proxy says of it. */
async function outcomeOf(kind: string, answer: Promise<Response>): Promise<string> {
  try {
    const response = await answer
    const text = await response.text()
    if (response.status < 400) return `${kind} ${response.status}`
    const code = /"code":"([\w.]+)"/.exec(text)?.[1] ?? /\b(bff\.[\w.]+)/.exec(text)?.[1]
    return `${kind} ${response.status} ${code ?? 'of the proxy'}`
  } catch (error) {
    if (kind === 'abort') return `${kind} aborted`
    const { cause, name, message } = error as Error & { readonly cause?: NodeJS.ErrnoException }
    return `${kind} ${name === 'TimeoutError' ? name : (cause?.code ?? message)}`
  }
}

const cookieOf = (browser: UserAgent, origin: string): string =>
  [...browser.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ')

/** Whose page it is; another one once their session is none. */
interface Who {
  readonly browser: () => UserAgent
  readonly isNone: (browser: UserAgent) => void
}

/** Says something each second, or `times` as often; comes again when it ends, as pages do. */
async function webSocket(
  { browser: now, isNone }: Who,
  { origin, ca, times = 1, outcomes }: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const browser = now()
    const tls = ca === undefined ? {} : { ca }
    const url = `${origin.replace(/^http/, 'ws')}/api/socket`
    const socket = new WebSocket(url, { ...tls, origin, headers: { Cookie: cookieOf(browser, origin) } })
    const talking = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('there'), 1000 / times)
    await new Promise<void>((resolve) => {
      socket
        .on('message', () => outcomes().add('socket 200'))
        .on('unexpected-response', (_request, response) => {
          if (response.statusCode === 401) isNone(browser)
          else outcomes().add(`socket ${response.statusCode} refused`)
          socket.terminate()
          resolve()
        })
        .on('error', () => resolve())
        .on('close', () => resolve())
      signal.addEventListener('abort', () => socket.terminate(), { once: true })
    })
    clearInterval(talking)
    if (!signal.aborted) outcomes().add('socket done')
    await delay(300)
  }
}

async function eventStream(
  { browser: now, isNone }: Who,
  { origin, outcomes }: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const browser = now()
    const response = await browser
      .call(`${origin}/api/events`, { headers: { Accept: 'text/event-stream' }, signal })
      .catch(() => undefined)
    if (response?.status === 200)
      try {
        for await (const _ of response.body ?? []) outcomes().add('stream 200')
      } catch {
        // Broken off, by the fault or by us.
      }
    else await response?.body?.cancel()
    if (response?.status === 401) isNone(browser)
    else if (!signal.aborted)
      outcomes().add(
        response === undefined || response.status === 200 ? 'stream done' : `stream ${response.status} refused`,
      )
    await delay(300)
  }
}

/** Somebody signs in, uses it, signs out; and the session they had is none. */
async function comingAndGoing({ origin, signIn, outcomes, call = '/api/orders' }: LoadOptions, signal: AbortSignal) {
  while (!signal.aborted) {
    try {
      const browser = await signIn()
      outcomes().add('login 200')
      const answer = await browser.call(`${origin}/bff/user`)
      // Without the link that it has there is no logout to be refused.
      if (answer.status !== 200) throw new Error(`the user was answered ${answer.status}`)
      const user = (await answer.json()) as { readonly logoutUrl?: string }
      await (await browser.call(`${origin}${call}`)).body?.cancel()
      const cookie = cookieOf(browser, origin)
      const left = await browser.navigate(new URL(user.logoutUrl ?? '/bff/logout', origin), {
        stopAt: (url) => url.origin !== new URL(origin).origin,
      })
      outcomes().add(`logout ${left.status === 0 ? 303 : left.status}`)
      const after = await browser.fetch(`${origin}${call}`, {
        headers: { Cookie: cookie, 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' },
      })
      await after.body?.cancel()
      // One that was refused has ended nothing.
      if (after.status === 200 && left.status < 400) outcomes().add('logout revived')
    } catch (error) {
      const [, what = 'failed'] = /\b(bff\.[\w.]+|\d{3}|E[A-Z]+)\b/.exec(String(error)) ?? []
      outcomes().add(`login ${what}`)
    }
    await delay(1000)
  }
}
