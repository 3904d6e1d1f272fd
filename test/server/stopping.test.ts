import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'ava'
import { createStoreState } from '../../src/server/store-state.js'
import { watchLife } from '../../src/server/worker-life.js'
import { eventually } from '../_eventually.js'
import { startStack } from '../flows/_stack.js'

async function ask(url: URL, host: string, agent: Agent | false = false): Promise<IncomingMessage> {
  const headers = { Host: host, 'Sec-Fetch-Site': 'same-origin' }
  const sent = request(url, { agent, headers }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  await once(response.resume(), 'end')
  return response
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test.serial(
  'SIGTERM: red at once; while DrainDelay lasts all is served, each answer the last of its connection',
  async (t) => {
    const stack = await startStack({ environment: { Server__DrainDelay: '00:00:02' } })
    t.teardown(stack.stop)
    const page = new URL(`http://127.0.0.1:${stack.gateway.port}/bff/user`)
    const readiness = new URL('/readyz', stack.admin)
    const agent = new Agent({ keepAlive: true })
    t.teardown(() => agent.destroy())
    t.is((await ask(page, stack.gateway.host, agent)).headers.connection, 'keep-alive')
    process.kill(stack.pid, 'SIGTERM')
    await eventually(async () => (await ask(readiness, readiness.host)).statusCode === 503)
    for (const way of [agent, agent, false] as const) {
      const { statusCode, headers } = await ask(page, stack.gateway.host, way)
      t.deepEqual([statusCode, headers.connection], [200, 'close'])
    }
    await eventually(() => !isRunning(stack.pid))
    t.is(await stack.stop(), 0)
  },
)

test.serial('a second signal ends the process at once, and SIGINT does not wait for a balancer', async (t) => {
  const [twice, byPerson] = await Promise.all([
    startStack({ environment: { Server__DrainDelay: '00:01:00' } }),
    startStack({ environment: { Server__DrainDelay: '00:01:00' } }),
  ])
  process.kill(twice.pid, 'SIGTERM')
  process.kill(byPerson.pid, 'SIGINT')
  await eventually(() => twice.output().includes('server.draining'))
  t.is(await twice.stop(), 1)
  await eventually(() => !isRunning(byPerson.pid))
  t.is(await byPerson.stop(), 0)
})

test.serial('SIGTERM during the start stops the start', async (t) => {
  // A Redis that takes connections and says nothing.
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-stopping-'))
  let child: ChildProcess | undefined
  t.teardown(async () => {
    child?.kill('SIGKILL')
    silent.close()
    await rm(folder, { recursive: true, force: true })
  })
  const file = join(folder, 'frontends.json')
  const frontend = {
    Name: 'app',
    ClientId: 'app',
    Authority: 'https://auth.example.com',
  }
  await writeFile(
    file,
    JSON.stringify({
      Server: { Listen: '127.0.0.1:1', LogLevel: 'silent' },
      Store: { Redis: { Url: `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`, Timeout: '00:01:00' } },
      Bff: {
        PublicUrl: 'http://localhost:3000',
        SealingKeys: [Buffer.alloc(32, 1).toString('base64url')],
        Profile: 'Baseline',
        Frontends: [
          {
            ...frontend,
            ClientAuthenticationMethod: 'ClientSecretPost',
            ClientSecret: 'secret',
            UseDPoP: false,
          },
        ],
      },
    }),
  )
  child = spawn(process.execPath, [resolve('dist/main.js'), 'start', '--config', file], { cwd: folder })
  let said = ''
  child.stderr?.on('data', (chunk) => (said += chunk))
  const exited = once(child, 'exit')
  const first = await Promise.race([once(silent, 'connection').then(() => 'connected'), exited.then(() => said)])
  t.is(first, 'connected')
  child.kill('SIGTERM')
  t.deepEqual(await exited, [0, null])
})

test('a store that has been gone for longer than it may be is told apart from one that is down, until it is back', async (t) => {
  let isUp = true
  const [patient, strict] = [createStoreState(async () => isUp), createStoreState(async () => isUp, 0.05)]
  t.deepEqual([await patient(), await strict()], ['up', 'up'])
  isUp = false
  t.deepEqual([await patient(), await strict()], ['down', 'down'])
  await eventually(async () => (await strict()) === 'gone')
  t.is(await patient(), 'down')
  isUp = true
  t.is(await strict(), 'up')
  isUp = false
  t.is(await strict(), 'down')
})

test('a worker that answers no more is ended; one that answers is not', async (t) => {
  const killed: string[] = []
  class AWorker extends EventEmitter {
    readonly process = { kill: (signal: string) => killed.push(signal) }
    isHanging = false
    isConnected = () => true
    asked = 0
    send(message: unknown): void {
      t.is(message, 'alive?')
      this.asked++
      if (!this.isHanging) this.emit('message', 'alive')
    }
  }
  const worker = new AWorker()
  let hanging = 0
  watchLife(worker as never, () => hanging++, { interval: 0.05, patience: 0.3 })
  // For twice as long as one is waited for that does not answer.
  await eventually(() => worker.asked > 12)
  t.deepEqual([killed.length, hanging], [0, 0])
  worker.isHanging = true
  await eventually(() => killed.length > 0)
  worker.emit('exit')
  t.deepEqual([killed[0], hanging], ['SIGKILL', killed.length])
})
