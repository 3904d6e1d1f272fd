import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { faketime } from '../test/server/_faketime.js'

/** A process that can be killed, stopped for a while, and started again as it was. */
export interface Restartable {
  readonly pid: number
  start(): Promise<void>
  /** Sends the signal, and waits for the end where it ends the process. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Ends of the process that were not asked for. */
  unexpectedEnds(): number
  /** Lines of its output that say that something is wrong with the program itself. */
  faults(): readonly string[]
}

interface RestartableOptions {
  readonly command: string
  readonly parameters: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Asked every 50 ms after each start. */
  readonly isReady: () => Promise<boolean>
  /** Of the output, what is a fault. Default: none is. */
  readonly isFault?: (line: string) => boolean
}

export function restartable({
  command,
  parameters,
  environment = {},
  isReady,
  isFault = () => false,
}: RestartableOptions): Restartable {
  let child: ChildProcess | undefined
  let isAskedToEnd = false
  let unexpected = 0
  const faults: string[] = []
  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null

  return {
    get pid() {
      return child?.pid ?? 0
    },
    async start() {
      isAskedToEnd = false
      let output = ''
      const started = spawn(command, parameters, { env: { ...process.env, NO_COLOR: '1', ...environment } })
      child = started
      for (const stream of [started.stdout, started.stderr]) {
        let rest = ''
        stream.setEncoding('utf8').on('data', (text: string) => {
          output = (output + text).slice(-4000)
          const lines = (rest + text).split('\n')
          rest = lines.pop() ?? ''
          faults.push(...lines.filter(isFault).slice(0, 20 - Math.min(20, faults.length)))
        })
      }
      started.on('exit', () => {
        if (!isAskedToEnd) unexpected++
      })
      const limit = performance.now() + 120_000
      while (!(await isReady())) {
        if (!isRunning() || performance.now() > limit) throw new Error(`${command} did not start:\n${output}`)
        await delay(50)
      }
    },
    async end(signal) {
      if (!isRunning()) return
      isAskedToEnd = true
      const ended = once(child as ChildProcess, 'exit')
      child?.kill(signal)
      await ended
    },
    signal: (signal) => void child?.kill(signal),
    unexpectedEnds: () => unexpected,
    faults: () => faults,
  }
}

/** A Redis that keeps what it is given over a restart, unless it is told to forget. */
export function restartableRedis(port: number): Restartable & { forget(): void; close(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'soak-redis-'))
  const redis = restartable({
    command: 'redis-server',
    parameters: `--port ${port} --bind 127.0.0.1 --dir ${folder} --appendonly yes --save`.split(' ').concat(''),
    isReady: () => answers(`PING\r\n`, port),
  })
  return Object.assign(redis, {
    forget: () => rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true }),
    async close() {
      redis.signal('SIGCONT')
      await redis.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  })
}

async function answers(question: string, port: number): Promise<boolean> {
  const { connect } = await import('node:net')
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    socket.write(question)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return String(answer).startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** @throws where the library is not installed */
function clockAhead(seconds: number): Readonly<Record<string, string>> {
  if (faketime === undefined) throw new Error('libfaketime is not installed')
  return { LD_PRELOAD: faketime, FAKETIME: `${seconds < 0 ? '' : '+'}${seconds}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}

export interface ReplicaPlace {
  readonly host: string
  readonly port: number
  readonly adminPort: number
  /** Whether it collects all garbage every few seconds: what its memory is then, it keeps. Default: no. */
  readonly collects?: boolean
  /** Seconds by which its clock is ahead of this machine's. Default: 0. */
  readonly ahead?: number
}

/** `sallyport start` at this place, with the configuration that all replicas have. */
export function replica(
  configuration: object,
  { host, port, adminPort, collects = false, ahead = 0 }: ReplicaPlace,
): Restartable {
  const folder = mkdtempSync(join(tmpdir(), 'soak-replica-'))
  const file = join(folder, 'frontends.json')
  writeFileSync(file, JSON.stringify(configuration))
  return restartable({
    command: process.execPath,
    parameters: [resolve('dist/main.js'), 'start', '--config', file],
    environment: {
      Server__Listen: `${host}:${port}`,
      Server__AdminListen: `${host}:${adminPort}`,
      ...(collects && { NODE_OPTIONS: `--import ${new URL('./_collecting.js', import.meta.url).href}` }),
      ...(ahead !== 0 && clockAhead(ahead)),
    },
    isReady: async () =>
      (await fetch(`http://${host}:${adminPort}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined))
        ?.status === 200,
    isFault: (line) => line.includes('"level":"error"') || /^\s+at .*\.js:\d|uncaught/i.test(line),
  })
}
