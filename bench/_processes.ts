import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'

export interface Running {
  readonly child: ChildProcess
  stop(): Promise<void>
}

/** Starts a program and waits until its port answers. */
export async function start(
  command: string,
  args: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Running> {
  const child = spawn(command, args, {
    env: { ...process.env, NODE_NO_WARNINGS: '1', Server__DrainDelay: '00:00:00', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk).slice(-4000)))
  child.on('error', (error) => (output += error.message))
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    await once(child, 'exit')
    clearTimeout(timer)
  }
  const deadline = Date.now() + 20_000
  while (!(await answers(port))) {
    if (Date.now() > deadline || child.exitCode !== null) {
      await stop()
      throw new Error(`${command} ${args.join(' ')} did not start:\n${output}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { child, stop }
}

export function startNode(script: string, port: number, env: NodeJS.ProcessEnv = {}): Promise<Running> {
  return start(process.execPath, [script], port, { PORT: String(port), ...env })
}

export function forkLoad(script: string): ChildProcess {
  return fork(script, { stdio: 'inherit' })
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/** What a process and its descendants have used, from their own accounting. */
export function usage(root: number): { readonly cpuSeconds: number; readonly rssMegabytes: number } {
  let cpuTicks = 0
  let pages = 0
  for (const pid of [root, ...descendants(root)]) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      cpuTicks += Number(fields[11]) + Number(fields[12])
      pages += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    } catch {
      // It has just ended.
    }
  }
  return { cpuSeconds: cpuTicks / 100, rssMegabytes: (pages * 4096) / 1e6 }
}

function descendants(root: number): number[] {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    } catch {
      // It has just ended.
    }
  }
  const found = parents.get(root) ?? []
  return found.flatMap((pid) => [pid, ...descendantsOf(pid, parents)])
}

function descendantsOf(pid: number, parents: ReadonlyMap<number, number[]>): number[] {
  return (parents.get(pid) ?? []).flatMap((child) => [child, ...descendantsOf(child, parents)])
}
