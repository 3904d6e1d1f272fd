import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createFileStore } from '../src/store/file-store.js'
import { type Stack, startStack } from '../test/flows/_stack.js'
import { createUserAgent, type UserAgent } from '../test/flows/_user-agent.js'

/*
 * SIGKILL under load, again and again, on the file store: no session is lost that a browser had been told of, no file is
 * torn, and the process is back soon, also with many sessions. Exits with 1 when one of these does not hold.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    sessions: { type: 'string', default: '100000' },
    /** Seconds until the process is ready again. */
    within: { type: 'string', default: '2' },
  },
})
const [kills, sessions, within] = [values.kills, values.sessions, values.within].map(Number) as [number, number, number]

const stack = await startStack({
  configure(configuration) {
    delete configuration.Store
    configuration.Server.LogLevel = 'error'
    configuration.Server.AccessLog = false
  },
})
const told = new Set<UserAgent>()
let calls = 0
let stopped = false
try {
  await fill(join(stack.folder, '.sallyport', 'store'), sessions)
  for (let count = 0; count < 10; count++) told.add(await login(stack))
  const load = [callers(), callers(), callers(), logins(), logins()]
  const starts: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    await delay(200 + Math.random() * 2000)
    const before = performance.now()
    await stack.restart('SIGKILL')
    starts.push((performance.now() - before) / 1000)
  }
  stopped = true
  await Promise.all(load)
  let lost = 0
  for (const agent of told) if ((await call(agent)) !== 200) lost += 1
  const longest = Math.max(...starts)
  const median = starts.sort((one, other) => one - other)[starts.length >> 1] ?? 0
  process.stdout.write(
    [
      '| what | came to | asked |',
      '|---|---|---|',
      `| SIGKILL | ${kills} | |`,
      `| sessions in the store besides | ${sessions} | |`,
      `| sessions that a browser had been told of | ${told.size} | |`,
      `| of these lost | ${lost} | 0 |`,
      `| calls answered meanwhile | ${calls} | |`,
      `| seconds until ready again, median and longest | ${median.toFixed(2)}, ${longest.toFixed(2)} | ${within} (median) |`,
      '',
    ].join('\n'),
  )
  if (lost > 0 || median > within) process.exitCode = 1
} finally {
  stopped = true
  await stack.stop()
}

/** Records of the size of a session. */
async function fill(path: string, count: number): Promise<void> {
  const store = await createFileStore({ path, timeout: 60 })
  const later = Date.now() / 1000 + 8 * 3600
  for (let done = 0; done < count; done += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, count - done) }, () =>
        store.set(`session app:${randomUUID()}`, 'x'.repeat(3000), later),
      ),
    )
  await store.close()
}

/** Resolves when the browser has been told of its session. */
async function login({ gateway }: Stack): Promise<UserAgent> {
  const agent = createUserAgent()
  let page = await agent.navigate(new URL('/bff/login', gateway))
  for (let forms = 0; page.url.origin !== gateway.origin; forms++) {
    if (page.status !== 200) throw new Error(`${page.status} at ${page.url}`)
    page = await agent.submit(page, forms === 0 ? { username: 'alice', password: 'wonderland' } : {})
  }
  const user = (await (await agent.fetch(new URL('/bff/user', gateway))).json()) as { readonly authenticated: boolean }
  if (!user.authenticated) throw new Error(`no session at ${page.url.pathname}: ${page.status}`)
  return agent
}

async function call(agent: UserAgent): Promise<number> {
  const response = await agent.call(new URL('/api/orders', stack.gateway), { headers: { Connection: 'close' } })
  await response.arrayBuffer()
  return response.status
}

async function callers(): Promise<void> {
  while (!stopped)
    for (const agent of told) {
      if (stopped) return
      await call(agent).then(
        () => (calls += 1),
        () => delay(20),
      )
    }
}

async function logins(): Promise<void> {
  while (!stopped) {
    const agent = await login(stack).catch(() => undefined)
    if (agent === undefined) await delay(20)
    else told.add(agent)
  }
}
