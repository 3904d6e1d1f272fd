import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

export interface RunningRedis {
  readonly url: string
  stop(): Promise<void>
}

/** A real Redis that keeps nothing on disk; undefined where none is installed. */
export async function startRedis(): Promise<RunningRedis | undefined> {
  const port = await freePort()
  const server = spawn('redis-server', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ])
  const started = await Promise.race([ready(server.stdout), once(server, 'error').then(() => false)])
  if (!started) return undefined
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      server.kill('SIGKILL')
      await once(server, 'exit')
    },
  }
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
