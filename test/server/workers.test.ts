import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { eventually } from '../_eventually.js'
import { startStack } from '../flows/_stack.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { startRedis } from '../store/_redis.js'

const redis = await startRedis()
if (redis === undefined) test.skip('several workers: no redis-server is installed', () => {})
else
  test('several workers share sessions and listeners, are replaced when they die, and drain together', async (t) => {
    t.timeout(150_000)
    t.teardown(redis.stop)
    const stack = await startStack({
      configure(configuration) {
        configuration.Server.Workers = 2
        configuration.Server.LogLevel = 'warn'
        configuration.Store = { Redis: { Url: redis.url } }
        configuration.Bff.SealingKeys = [Buffer.alloc(32, 1).toString('base64url')]
      },
    })
    t.teardown(stack.stop)

    const agent = createUserAgent()
    const signIn = await agent.navigate(new URL('/bff/login', stack.gateway))
    const consent = await agent.submit(signIn, { username: 'alice', password: 'wonderland' })
    await agent.submit(consent, {})
    // Each on a connection of its own, so that both workers get some.
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        agent.call(new URL('/api/orders', stack.gateway), { headers: { Connection: 'close' } }),
      ),
    )
    t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])

    const metrics = await (await fetch(new URL('/metrics', stack.admin))).text()
    const forwarded =
      /sallyport_forwarded_seconds_count\{frontend="app",route="\/api",method="GET",status="2xx"\} (\d+)/
    t.is(forwarded.exec(metrics)?.[1], '20', 'the metrics of all workers, added up')
    t.regex(metrics, /sallyport_store_up 1/)
    t.regex(metrics, /sallyport_configuration_generation 1/)
    const readiness = async () => (await fetch(new URL('/readyz', stack.admin))).json()
    t.like(await readiness(), { status: 'ready', store: 'up', configuration: { generation: 1 } })

    // All of them take another configuration over, or none does.
    const file = join(stack.folder, 'frontends.json')
    const before = JSON.parse(await readFile(file, 'utf8'))
    before.Bff.Frontends.push({ Name: 'late', PathPrefix: '/late', Routes: [] })
    await writeFile(file, JSON.stringify(before))
    const configuration = async () =>
      ((await readiness()) as { configuration: { generation: number; refused?: object } }).configuration
    await eventually(async () => (await configuration()).generation === 2)
    const late = async () => {
      const url = new URL('/late/bff/user', stack.gateway)
      const calls = Array.from({ length: 20 }, () => agent.call(url, { headers: { Connection: 'close' } }))
      return [...new Set((await Promise.all(calls)).map(({ status }) => status))]
    }
    t.deepEqual(await late(), [200])
    await writeFile(file, '{')
    await eventually(async () => (await configuration()).refused !== undefined)
    t.is((await configuration()).generation, 2)

    const [first = 0] = await workersOf(stack.pid)
    process.kill(first, 'SIGKILL')
    // A new process takes its time on a busy machine; the test itself is ended only when it never comes.
    t.timeout(150_000, 'the dead worker is replaced')
    const meanwhile = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(stack.gateway, { headers: { Connection: 'close' }, signal: AbortSignal.timeout(5000) }).then(
          ({ status }) => status,
          (error: Error) => error.name,
        ),
      ),
    )
    t.false(meanwhile.includes('TimeoutError'), 'no connection waits for the one that has died')
    await eventually(() => twoOthers(stack.pid, first), { within: 140 })
    t.is((await agent.call(new URL('/api/orders', stack.gateway), { headers: { Connection: 'close' } })).status, 200)
    await eventually(() => stack.output().includes('server.worker.exited'))
    t.deepEqual(await late(), [200], 'a worker that comes later serves what the others do, whatever the file says')

    t.is(await stack.stop(), 0)
    t.deepEqual(await workersOf(stack.pid), [])
  })

async function twoOthers(primary: number, gone: number): Promise<boolean> {
  const workers = await workersOf(primary)
  return workers.length === 2 && !workers.includes(gone)
}

async function workersOf(primary: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid='])
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === primary)
    .map(([pid = 0]) => pid)
}
