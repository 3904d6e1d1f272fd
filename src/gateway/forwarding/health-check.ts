import { type Agent, type ClientRequest, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { healthCheckDefaults } from '../defaults.js'
import type { HealthCheckOptions } from '../route-options.js'
import type { DialTarget } from './dial.js'

/** What is asked, as far as asking takes it. */
export interface Asked {
  /** Kept connections, of its own. */
  readonly agent: Agent
  readonly dial: DialTarget
  call(target: string): { readonly pathname: string }
}

export interface HealthCheck {
  /** True until two checks in a row have failed. */
  readonly healthy: boolean
  /** Resolves when the first check has been answered, well or not. */
  readonly asked: Promise<void>
  stop(): void
}

/** Asks an upstream every few seconds whether it is well. Without options it always is. */
export function createHealthCheck({ call, agent, dial }: Asked, options: HealthCheckOptions | undefined): HealthCheck {
  if (options === undefined) return { healthy: true, asked: Promise.resolve(), stop() {} }
  const { path, interval = healthCheckDefaults.interval, timeout = healthCheckDefaults.timeout } = options
  const { pathname } = call(path)
  let failures = 0
  let underway: ClientRequest | undefined

  const check = async (): Promise<void> => {
    failures = (await isWell()) ? 0 : failures + 1
  }
  const isWell = (): Promise<boolean> =>
    new Promise((resolve) => {
      const send = dial.protocol === 'https:' ? secureRequest : request
      const asking = send({ ...dial, path: pathname, agent }, (answer) => {
        answer.on('error', () => resolve(false)).resume()
        resolve(answer.statusCode !== undefined && answer.statusCode >= 200 && answer.statusCode < 300)
      })
      const deadline = setTimeout(() => asking.destroy(), timeout * 1000).unref()
      asking
        .on('error', () => resolve(false))
        .on('close', () => {
          clearTimeout(deadline)
          resolve(false)
        })
        .end()
      underway = asking
    })

  const asked = check()
  const timer = setInterval(check, interval * 1000).unref()
  return {
    get healthy() {
      return failures < 2
    },
    asked,
    stop() {
      clearInterval(timer)
      underway?.destroy()
    },
  }
}
