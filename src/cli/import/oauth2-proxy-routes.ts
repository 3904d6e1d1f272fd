import type { Notes } from './imported.js'
import type { Section } from './section.js'
import { durationFrom } from './time.js'

interface Route {
  readonly Path: string
  readonly Upstreams: readonly string[]
  readonly Sockets?: readonly string[]
  readonly [name: string]: unknown
}

/** One server of a path: by its origin, or by the Unix socket on which it listens. */
interface Server {
  readonly path: string
  readonly origin: string
  readonly socket?: string
}

/** `upstreams` and the paths that need no session. A folder at the root is the application's own. */
export function routesOf(options: Section, notes: Notes) {
  const timeout = durationFrom(options.text('upstream_timeout') ?? '')
  const shared = timeout === undefined ? {} : { Timeouts: { ResponseHeaders: timeout } }
  let folder: string | undefined
  const routes: Route[] = []
  for (const upstream of (options.texts('upstreams') ?? []).flatMap((text) => text.split(','))) {
    const url = URL.canParse(upstream) ? new URL(upstream) : undefined
    if (url !== undefined && (url.username !== '' || url.password !== ''))
      notes.dropped('upstreams', `user and password for ${url.host}: upstreams get the access token.`)
    const server = serverAt(upstream, url)
    if (server !== undefined) addServer(routes, server, shared, notes)
    else if (url?.protocol === 'file:' && ['', '#/'].includes(url.hash) && folder === undefined) folder = url.pathname
    else
      notes.dropped(
        'upstreams',
        `${url === undefined ? upstream : `${url.protocol}//${url.host}${url.pathname}`}: upstreams are http, https and Unix sockets, and one folder (StaticFilesPath) at the root.`,
      )
  }
  for (const [name, rule] of ['skip_auth_routes', 'skip_auth_regex'].flatMap((name) =>
    (options.texts(name) ?? []).map((rule) => [name, rule] as const),
  ))
    routes.push(...openRoute(name, rule, routes, notes))
  return { routes, folder }
}

/** `http://orders:9000/api/`, `unix:///run/app.sock` or `unix:///run/app.sock:/api/`. */
function serverAt(upstream: string, url: URL | undefined): Server | undefined {
  const [, socket, below = ''] = /^unix:(?:\/\/)?(\/[^:]+)(?::(\/.*))?$/.exec(upstream) ?? []
  if (socket !== undefined) return { path: pathOf(below), origin: 'http://localhost', socket: `unix:${socket}` }
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined
  return { path: pathOf(url.pathname), origin: url.origin }
}

function pathOf(pathname: string): string {
  return pathname.replace(/\/+$/, '') || '/'
}

/** To the route of its path, where there is one. */
function addServer(routes: Route[], { path, origin, socket }: Server, shared: object, notes: Notes): void {
  const at = routes.findIndex(({ Path }) => Path === path)
  const { Upstreams = [], Sockets } = routes[at] ?? {}
  if (at === -1)
    routes.push({
      Path: path,
      Upstreams: [origin],
      ...(socket !== undefined && { Sockets: [socket] }),
      ...shared,
    })
  else if ((socket === undefined) !== (Sockets === undefined))
    notes.dropped(
      'upstreams',
      `${socket ?? origin} for ${path}: a route goes to URLs or to sockets, and it has ${(Sockets ?? Upstreams).join(', ')}.`,
    )
  else
    routes[at] = {
      ...routes[at],
      Path: path,
      ...(socket === undefined
        ? { Upstreams: [...Upstreams, origin] }
        : { Upstreams, Sockets: [...(Sockets ?? []), socket] }),
    }
}

/** `GET=^/health$` or `^/public/`: what is a plain path becomes a route that needs no session. */
function openRoute(name: string, rule: string, routes: readonly Route[], notes: Notes): readonly Route[] {
  const [, method, pattern = ''] = /^(?:([A-Z]+)=)?(.*)$/.exec(rule) ?? []
  const [, path] = /^\^((?:\/[\w-]+(?:\\?\.[\w-]+)*)+)(?:\/|\/?\.\*|\/\.\+)?\$?$/.exec(pattern) ?? []
  const plain = path?.replaceAll('\\', '')
  const parent = routes.filter(({ Path }) => Path === '/' || `${plain}/`.startsWith(`${Path}/`)).at(-1)
  if (plain === undefined || parent === undefined || routes.some(({ Path }) => Path === plain)) {
    notes.dropped(
      name,
      `${rule}: write a route with "TokenType": "None" for its path; routes have plain paths, no patterns.`,
    )
    return []
  }
  if (pattern.endsWith('$') && !/[*+]\$$/.test(pattern))
    notes.changed(name, `${rule}: the route covers what is below ${plain}, too.`)
  return [
    {
      Path: plain,
      Upstreams: parent.Upstreams,
      ...(parent.Sockets !== undefined && { Sockets: parent.Sockets }),
      TokenType: 'None',
      ...(method !== undefined && { Methods: [method] }),
    },
  ]
}
