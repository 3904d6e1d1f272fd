import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createAuthorizationServer } from '../../src/authorization-server/authorization-server.js'
import { createGateway } from '../../src/gateway/gateway.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { startServer } from '../authorization-server/_running.js'
import { aFrontend, aRoute, gatewayOptions } from '../gateway/_gateway.js'
import { collectFailures, grown, type Report } from './_report.js'

export interface MadeAndClosedOptions {
  readonly what: keyof typeof products
  readonly times: number
  /** Bytes by which the heap may have grown. Default: it is not looked at. */
  readonly growthLimit?: number
}

export const products = {
  'a gateway with 50 frontends': async () => aGatewayOf(() => [aPolledRoute()]),
  'a gateway whose 50 frontends share their routes': async () => {
    const routes = [aPolledRoute()]
    return aGatewayOf(() => routes)
  },
  'an authorization server': async () => {
    const { options, stop } = await startServer()
    return { make: () => createAuthorizationServer(options), stop }
  },
} as const satisfies Record<string, () => Promise<Made>>

interface Made {
  make(): Promise<{ close(): Promise<void> }>
  stop(): Promise<void>
}

function aPolledRoute(): RouteOptions {
  return aRoute({ upstreams: [new URL('http://127.0.0.1:9')], healthCheck: { path: '/health' } })
}

function aGatewayOf(routes: () => readonly RouteOptions[]): Made {
  const frontends = Array.from({ length: 50 }, (_, index) =>
    aFrontend({
      name: `app${index}`,
      pathPrefix: `/app${index}`,
      publicUrl: new URL('http://localhost:3000'),
      authority: 'http://localhost:9',
      routes: routes(),
    }),
  )
  const options = gatewayOptions(frontends)
  return { make: () => createGateway(options), stop: async () => {} }
}

/** A reload makes products anew and closes the old ones: what is left over each time would end the process in the end. */
export async function madeAndClosed({ what, times, growthLimit }: MadeAndClosedOptions): Promise<Report> {
  const failures = collectFailures()
  const { make, stop } = await products[what]()
  const several = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await (await make()).close()
      await new Promise(setImmediate)
    }
  }
  // Code is compiled, and caches have their size.
  await several(growthLimit === undefined ? 3 : 50)
  const before = await measured(growthLimit)
  await several(times)
  const after = await measured(growthLimit)
  await stop()

  const [growth, handles] = [after.heap - before.heap, after.handles.length - before.handles.length]
  failures.unless(handles <= 0, `${handles} handles more: ${after.handles.join(' ')}`)
  if (growthLimit !== undefined) failures.unless(growth < growthLimit, `the heap grew by ${grown(growth)}`)
  const heap = growthLimit === undefined ? '' : `heap ${grown(growth)}, `
  const line = `${what} made and closed ${times} times: ${heap}handles ${before.handles.length} and ${after.handles.length}`
  return { line, failures: failures.list() }
}

interface Measured {
  /** Bytes that are in use once all is freed that can be. */
  readonly heap: number
  readonly handles: readonly string[]
}

async function measured(growthLimit: number | undefined): Promise<Measured> {
  for (let n = 0; n < 3; n++) {
    await new Promise(setImmediate)
    if (growthLimit !== undefined) collectGarbage()
  }
  return { heap: process.memoryUsage().heapUsed, handles: process.getActiveResourcesInfo() }
}

/** What the program is not started with. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}
