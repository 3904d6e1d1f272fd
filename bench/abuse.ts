/**
 * `npm run bench:abuse`: what one caller costs the others. A calm, signed-in user calls an API 50 times a second, once by
 * herself and once next to each flood; all of it is the program as a user runs it, on this machine's loopback only.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startStack } from '../test/flows/_stack.js'
import { createUserAgent, type UserAgent } from '../test/flows/_user-agent.js'
import { webSocketUpstream } from '../test/gateway/_web-socket-upstream.js'
import { usage } from './_processes.js'

const floods = ['wrong passwords', 'anonymous logins', 'pipelining', 'half bodies', 'unread downloads', 'sockets']

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    settle: { type: 'string', default: '120' },
    only: { type: 'string', default: '.' },
  },
})
const seconds = Number(values.seconds)
const callsPerSecond = 50

interface Calm {
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

/** Each call begins when its time has come, whether the one before has been answered or not. */
async function calm(url: URL, cookie: string): Promise<Calm> {
  const agent = new Agent({ keepAlive: true })
  const headers = { Cookie: cookie, 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' }
  const one = (): Promise<number> =>
    new Promise((resolve) => {
      const started = performance.now()
      const failed = (): void => resolve(Number.POSITIVE_INFINITY)
      request(url, { agent, headers, timeout: 20_000 }, (response) => {
        response
          .resume()
          .on('end', () => (response.statusCode === 200 ? resolve(performance.now() - started) : failed()))
      })
        .on('error', failed)
        .end()
    })
  const times: Promise<number>[] = []
  const started = performance.now()
  for (let index = 0; index < seconds * callsPerSecond; index++) {
    times.push(one())
    await delay(Math.max(0, started + ((index + 1) * 1000) / callsPerSecond - performance.now()))
  }
  const sorted = (await Promise.all(times)).toSorted((a, b) => a - b)
  agent.destroy()
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), failed: sorted.filter((time) => !Number.isFinite(time)).length }
}

async function signedIn(gateway: URL, username: string, password: string): Promise<string> {
  const browser: UserAgent = createUserAgent()
  const page = await browser.navigate(new URL('/bff/login', gateway))
  const consent = await browser.submit(page, { username, password })
  if (consent.url.origin !== gateway.origin) await browser.submit(consent, {}, { button: 'allow' })
  return [...browser.cookies(gateway)].map(([name, value]) => `${name}=${value}`).join('; ')
}

async function heapMegabytes(admin: URL): Promise<number> {
  const text = await (await fetch(new URL('/metrics', admin))).text()
  return Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(text)?.[1]) / 1e6
}

/** The lowest of a while: what a collection has left. */
async function heapLeft(admin: URL): Promise<number> {
  const readings: number[] = []
  for (let reading = 0; reading < 20; reading++) {
    readings.push(await heapMegabytes(admin))
    await delay(250)
  }
  return Math.min(...readings)
}

const upstream = await webSocketUpstream()
const stack = await startStack({
  configure(configuration) {
    configuration.Server.LogLevel = 'warn'
    configuration.Bff.Frontends[0].Routes.push({ Path: '/socket', Upstreams: [upstream.url.origin] })
  },
})
const ms = (value: number): string => value.toFixed(1)
try {
  const { gateway, authorizationServer, admin, pid } = stack
  await writeFile(join(stack.folder, 'samples', 'spa', 'download.txt'), Buffer.alloc(16_777_216, 'x'))
  const alice = await signedIn(gateway, 'alice', 'wonderland')
  const bob = await signedIn(gateway, 'bob', 'builder')
  const orders = new URL('/api/orders', gateway)
  await calm(orders, alice)
  const heapBefore = await heapLeft(admin)

  console.log('| flood | calm p50, p99 ms | p50, p99 ms next to it | p99, times | calls that failed | RSS MB after |')
  console.log('| --- | --- | --- | --- | --- | --- |')
  for (const flood of floods.filter((name) => new RegExp(values.only).test(name))) {
    const before = await calm(orders, alice)
    const child = fork(new URL('./_flood.js', import.meta.url), [
      flood,
      gateway.origin,
      authorizationServer.origin,
      bob,
    ])
    await delay(1000)
    const during = await calm(orders, alice)
    child.kill()
    await once(child, 'exit')
    const { rssMegabytes } = usage(pid)
    console.log(
      `| ${flood} | ${ms(before.p50)}, ${ms(before.p99)} | ${ms(during.p50)}, ${ms(during.p99)} | ${(during.p99 / before.p99).toFixed(2)} | ${during.failed} | ${rssMegabytes.toFixed(0)} |`,
    )
    await delay(2000)
  }
  await delay(Number(values.settle) * 1000)
  const heapAfter = await heapLeft(admin)
  console.log(
    `\nheap: ${heapBefore.toFixed(1)} MB before, ${heapAfter.toFixed(1)} MB ${values.settle} s after the last flood`,
  )
} finally {
  await stack.stop()
  await upstream.close()
}
