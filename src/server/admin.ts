import type { RequestListener } from 'node:http'
import { isAdminHost } from './admin-host.js'
import type { AdminApi } from './administration/api.js'
import type { Console } from './administration/console/console.js'
import { type ConfigurationStatus, lineOf } from './generations.js'
import { createStoreState } from './store-state.js'

export interface AdminOptions {
  /** The host of `Server.AdminListen`. */
  readonly listensOn: string
  /** Whether new requests may come. */
  readonly isReady: () => boolean
  /** Whether the store answers. Absent: not told. */
  readonly isStoreUp?: () => Promise<boolean>
  /** Seconds after which a store that does not answer makes this replica unready. Absent: it never does. */
  readonly storeGrace?: number | undefined
  /** Answers below `/admin`. Absent: there is none. */
  readonly api?: AdminApi | undefined
  /** Which configuration is served. Absent: not told. */
  readonly configuration?: () => ConfigurationStatus
  /** Answers `/console` and what is below. Absent: there is none. */
  readonly console?: Console | undefined
  readonly metrics: { readonly contentType: string; render(): Promise<string> }
}

/**
 * `/healthz`: the process lives. `/readyz`: it takes requests. `/metrics`: what it has done. A store that does not answer
 * is reported but does not make this replica unready, unless that is asked for: it would make all of them unready at once,
 * and then no replica would tell browsers to try again later.
 */
export function admin({
  listensOn,
  isReady,
  isStoreUp,
  storeGrace,
  configuration,
  api,
  console,
  metrics,
}: AdminOptions): RequestListener {
  const storeState = isStoreUp && createStoreState(isStoreUp, storeGrace)
  return async (request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    const state = (status: number, value: object): void =>
      answer(status, 'application/json', `${JSON.stringify(value)}\n`)
    if (!isAdminHost(request.headers.host, listensOn))
      return state(421, {
        status: "this host name is not the admin listener's",
        remedy: 'Call it by its IP address, by a name without dots, or by the name in Server.AdminListen.',
      })
    const path = request.url?.split('?', 1)[0] ?? ''
    if (api !== undefined && path.startsWith('/admin/')) return api(request, response)
    if (console !== undefined && /^\/console(?:\/|$)/.test(path)) return console(request, response)
    if (request.method !== 'GET' && request.method !== 'HEAD') return state(405, { status: 'method not allowed' })

    switch (path) {
      case '/healthz':
        return state(200, { status: 'alive' })
      case '/readyz': {
        const found = await storeState?.()
        const more = {
          ...(found && { store: found === 'up' ? 'up' : 'down' }),
          ...(configuration && { configuration: described(configuration()) }),
        }
        return isReady() && found !== 'gone'
          ? state(200, { status: 'ready', ...more })
          : state(503, { status: 'not ready', ...more })
      }
      case '/metrics': {
        const text = await metrics.render().catch(() => undefined)
        if (text === undefined) return state(503, { status: 'a worker does not answer' })
        return answer(200, metrics.contentType, text)
      }
      default:
        return state(404, { status: 'not found' })
    }
  }
}

/** One that was refused leaves the process ready: it serves what it served before. */
function described({ generation, takenOverAt, needsRestart, refused }: ConfigurationStatus) {
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString()
  return {
    generation,
    takenOverAt: time(takenOverAt),
    ...(needsRestart.length > 0 && { needsRestart: needsRestart.map(lineOf) }),
    ...(refused !== undefined && { refused: { at: time(refused.at), problems: refused.problems.map(lineOf) } }),
  }
}
