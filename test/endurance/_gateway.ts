import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TimeoutOptions } from '../../src/gateway/route-options.js'

export interface GatewayPlan {
  /** Upstream by path. */
  readonly routes: Readonly<Record<string, string>>
  readonly timeouts?: TimeoutOptions
}

export type Question = 'measure' | 'stop'

export interface Measures {
  readonly rss: number
  /** What keeps the process's event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>
  readonly uncaught: number
}

export interface GatewayProcess {
  readonly url: URL
  /** Lines of a request that our own page of a user with a session sends, but for the first. */
  readonly lines: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  /** What a WebSocket of such a page is opened with. */
  readonly webSocketHeaders: Readonly<Record<string, string>>
  isRunning(): boolean
  /** After a collection of garbage. */
  measure(): Promise<Measures>
  /** Begins to look at its memory; what is returned stops that, and says the most there was. */
  watchMemory(): () => number
  /** Resolves with the exit code. */
  stop(): Promise<number | null>
}

export async function startGatewayProcess(plan: GatewayPlan): Promise<GatewayProcess> {
  const file = fileURLToPath(new URL('./_gateway-process.js', import.meta.url))
  // The second as `main.ts` sets it.
  const child = fork(file, [JSON.stringify(plan)], {
    execArgv: ['--expose-gc', '--no-concurrent-array-buffer-sweeping'],
  })
  const [{ url, cookie }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('the gateway could not start')
    }),
  ])) as [{ readonly url: string; readonly cookie: string }]
  const headers = { Host: 'shop.example', 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin', Cookie: cookie }
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    url: new URL(url),
    headers,
    lines: Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    webSocketHeaders: { Origin: 'https://shop.example', Cookie: cookie },
    isRunning,
    async measure() {
      const answer = once(child, 'message')
      child.send('measure' satisfies Question)
      return ((await answer) as [Measures])[0]
    },
    watchMemory() {
      let most = 0
      const look = (): void => {
        most = Math.max(most, residentBytes(child.pid ?? 0))
      }
      look()
      const timer = setInterval(look, 20)
      return () => {
        clearInterval(timer)
        look()
        return most
      }
    },
    async stop() {
      if (!isRunning()) return child.exitCode
      const exited = once(child, 'exit')
      child.send('stop' satisfies Question)
      await exited
      return child.exitCode
    },
  }
}

/** Of another process, without asking it: it may be busy. 0 where there is no procfs. */
function residentBytes(pid: number): number {
  try {
    const [, kibibytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
    return Number(kibibytes) * 1024
  } catch {
    return 0
  }
}
