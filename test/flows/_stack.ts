import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from 'jsonc-parser'
import { readConfiguration } from '../../src/config/load.js'
import { run } from '../../src/server/run.js'
import { channelName } from '../../src/telemetry/events.js'
import { isReady } from './_program.js'

/** Gateway, authorization server and sample API of one file, in a folder of its own. */
export interface Stack {
  readonly gateway: URL
  readonly authorizationServer: URL
  readonly api: URL
  readonly admin: URL
  readonly folder: string
  /** All that was written to standard output and standard error; events, of what runs in this process. */
  output(): string
  /** Drains. Resolves with the exit code. */
  stop(): Promise<number | null>
}

/** The program as a user runs it: `sallyport start` with a file. */
export interface StackProcess extends Stack {
  /** Of the process that runs at the moment. */
  readonly pid: number
  /** Ends it by this signal and starts it again, in the same folder. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export interface StackOptions {
  /** Changes the example configuration before it is written. */
  readonly configure?: (configuration: Configuration) => void
  readonly environment?: Readonly<Record<string, string>>
  /** A command that ends by becoming the program, such as one that takes something away from it. */
  readonly within?: readonly string[]
  /** Ports that browsers and clients see, where a wire tap stands in front of a listener. */
  readonly publicPorts?: Partial<Record<Part, number>>
}

type Part = 'gateway' | 'authorizationServer' | 'api'

/** The configuration file, loosely: these tests break it on purpose. */
// biome-ignore lint/suspicious/noExplicitAny: a configuration file is whatever its writer put there.
export type Configuration = any

const main = resolve('dist/main.js')

interface LaidOut {
  readonly ports: Record<Part | 'admin', number>
  /** The samples, and the configuration. */
  readonly folder: string
  readonly file: string
  /** Where clients find it. */
  readonly addresses: Pick<Stack, 'gateway' | 'authorizationServer' | 'api' | 'admin'>
}

/** The example configuration on free ports, in a folder of its own. */
async function layOut({ configure, publicPorts = {} }: StackOptions): Promise<LaidOut> {
  const [gateway = 0, authorizationServer = 0, api = 0, admin = 0] = await freePorts(4)
  const ports = { gateway, authorizationServer, api, admin }
  const seen = { ...ports, ...publicPorts }
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  await cp('samples', join(folder, 'samples'), { recursive: true })
  const example = (await readFile('frontends.example.json', 'utf8'))
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${ports.gateway}`)
    .replaceAll('127.0.0.1:3001', `127.0.0.1:${ports.authorizationServer}`)
    .replaceAll('//127.0.0.1:3002', `//127.0.0.1:${seen.api}`)
    .replaceAll('127.0.0.1:3002', `127.0.0.1:${ports.api}`)
    .replaceAll('127.0.0.1:9464', `127.0.0.1:${ports.admin}`)
    .replaceAll('localhost:3000', `localhost:${seen.gateway}`)
    .replaceAll('localhost:3001', `localhost:${seen.authorizationServer}`)
    .replaceAll('localhost:3002', `localhost:${seen.api}`)
  const configuration: Configuration = parse(example)
  configure?.(configuration)
  const file = join(folder, 'frontends.json')
  await writeFile(file, JSON.stringify(configuration, null, 2))
  const addresses = {
    gateway: new URL(`http://localhost:${seen.gateway}`),
    authorizationServer: new URL(`http://localhost:${seen.authorizationServer}`),
    api: new URL(`http://127.0.0.1:${seen.api}`),
    admin: new URL(`http://127.0.0.1:${admin}`),
  }
  return { ports, folder, file, addresses }
}

/** The example configuration on free ports, in this process: a program takes a second of processor time to start. */
export async function runStack(options: Pick<StackOptions, 'configure'> = {}): Promise<Stack> {
  const { folder, file, addresses } = await layOut({
    configure(configuration) {
      // The file store has tests of its own.
      configuration.Store = { Memory: {} }
      configuration.Server.DrainDelay = '00:00:00'
      options.configure?.(configuration)
    },
  })
  let output = ''
  const listen = (event: unknown): void => {
    output += `${JSON.stringify(event)}\n`
  }
  subscribe(channelName, listen)
  const running = await run(readConfiguration({ file, environment: {} }))
  return {
    ...addresses,
    folder,
    output: () => output,
    async stop() {
      await running.stop()
      unsubscribe(channelName, listen)
      await rm(folder, { recursive: true, force: true })
      return 0
    },
  }
}

/** The same as a program. */
export async function startStack(
  options: StackOptions = {},
): Promise<StackProcess & { readonly ports: Record<Part | 'admin', number> }> {
  const { environment = {}, within = [] } = options
  const { ports, folder, file, addresses } = await layOut(options)
  const [command = '', ...parameters] = [...within, process.execPath, main, 'start', '--config', file]
  let output = ''
  const launch = async (): Promise<ChildProcess> => {
    const started = spawn(command, parameters, {
      cwd: folder,
      // No balancer has to notice.
      env: { ...process.env, NO_COLOR: '1', Server__DrainDelay: '00:00:00', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => (output += chunk))
    await isReady(new URL('/readyz', addresses.admin), started).catch(async (cause) => {
      await end(started, 'SIGTERM')
      await rm(folder, { recursive: true, force: true })
      throw new Error(`the program did not become ready:\n${output}`, { cause })
    })
    return started
  }
  let child = await launch()
  return {
    ...addresses,
    folder,
    get pid() {
      return child.pid ?? 0
    },
    ports,
    output: () => output,
    async stop() {
      await end(child, 'SIGTERM')
      await rm(folder, { recursive: true, force: true })
      return child.exitCode
    },
    async restart(signal) {
      await end(child, signal)
      child = await launch()
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'close')
}

/**
 * All at once, so that none is given twice. Not those that the system gives, which start at 32768: while a port waits for
 * its program, the system would give it to the next connection that some other test opens. Nor those that begin like
 * 3000, which is replaced in the example.
 */
export async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(Array.from({ length: count }, probed))
  await Promise.all(probes.map(({ probe }) => once(probe.close(), 'close')))
  return probes.map(({ port }) => port)
}

async function probed(): Promise<{ readonly probe: Server; readonly port: number }> {
  for (;;) {
    const port = randomInt(10_000, 30_000)
    const probe = createServer().listen(port, '127.0.0.1')
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    )
    if (isFree) return { probe, port }
  }
}
