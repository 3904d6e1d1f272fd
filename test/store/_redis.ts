import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '@redis/client'

export interface RunningRedis {
  readonly url: string
  stop(): Promise<void>
}

/** A real Redis that keeps nothing on disk; undefined where none is installed, which is an error in CI. A cluster has one node with all slots. */
export async function startRedis(topology: 'single' | 'cluster' = 'single'): Promise<RunningRedis | undefined> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-redis-'))
  const server = spawn('redis-server', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
    ...(topology === 'cluster' ? ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] : []),
  ])
  const started = await Promise.race([ready(server.stdout), once(server, 'error').then(() => false)])
  if (!started) {
    if (process.env.CI) throw new Error('redis-server is missing. In CI its tests have to run.')
    return undefined
  }
  if (topology === 'cluster') await becomeCluster(port)
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      server.kill('SIGKILL')
      await once(server, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Takes all slots and waits until the node says that its cluster is whole. */
async function becomeCluster(port: number): Promise<void> {
  const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect()
  await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
  while (!String(await client.sendCommand(['CLUSTER', 'INFO'])).includes('cluster_state:ok')) await delay(20)
  client.destroy()
}

async function ready(output: NodeJS.ReadableStream): Promise<boolean> {
  for await (const line of createInterface({ input: output })) if (/Ready to accept connections/.test(line)) return true
  return false
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
