import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface RunningRedis {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

/** A real Redis that keeps nothing on disk; undefined where none is installed, which is an error in CI. */
export async function startRedis(...settings: readonly string[]): Promise<RunningRedis | undefined> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-redis-'))
  const server = spawn('redis-server', [
    ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    ...settings,
  ])
  const started = await Promise.race([ready(server.stdout), once(server, 'error').then(() => false)])
  if (!started) {
    if (process.env.CI) throw new Error('redis-server is missing. In CI its tests have to run.')
    return undefined
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      server.kill('SIGKILL')
      await once(server, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function ready(output: NodeJS.ReadableStream): Promise<boolean> {
  for await (const line of createInterface({ input: output })) if (/Ready to accept connections/.test(line)) return true
  return false
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
