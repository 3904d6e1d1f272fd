import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from 'jsonc-parser'

/** The program as a user runs it: `sallyport start` with a file, in a folder of its own. */
export interface Stack {
  readonly gateway: URL
  readonly authorizationServer: URL
  readonly api: URL
  readonly admin: URL
  readonly folder: string
  /** Of the process that runs at the moment. */
  readonly pid: number
  /** All that was written to standard output and standard error. */
  output(): string
  /** SIGTERM, and the exit code once it has drained. */
  stop(): Promise<number | null>
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

/** The example configuration on free ports. */
export async function startStack({
  configure,
  environment = {},
  within = [],
  publicPorts = {},
}: StackOptions = {}): Promise<Stack & { readonly ports: Record<Part | 'admin', number> }> {
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
    await ready(new URL(`http://127.0.0.1:${admin}/readyz`), () => started.exitCode !== null).catch(async (cause) => {
      await end(started, 'SIGTERM')
      await rm(folder, { recursive: true, force: true })
      throw new Error(`the program did not become ready:\n${output}`, { cause })
    })
    return started
  }
  let child = await launch()
  return {
    gateway: new URL(`http://localhost:${seen.gateway}`),
    authorizationServer: new URL(`http://localhost:${seen.authorizationServer}`),
    api: new URL(`http://127.0.0.1:${seen.api}`),
    admin: new URL(`http://127.0.0.1:${admin}`),
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
  await once(child, 'exit')
}

async function ready(url: URL, gone: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline && !gone()) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    await new Promise((resume) => setTimeout(resume, 25))
  }
  throw new Error(gone() ? 'it has exited' : 'it took too long')
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
