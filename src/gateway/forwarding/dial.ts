import { unixSocketText } from '../../http/unix-socket.js'
import type { RouteOptions } from '../route-options.js'

/** One server of a route: the URL that is called, and how its connections are made. */
export interface Dial {
  /** What is called: `htu`, `Host` and the path come from here, whichever way leads there. */
  readonly url: URL
  /** Path of the Unix socket that the server listens on. Undefined: host and port of the URL. */
  readonly socket: string | undefined
  /** For logs and metrics: the origin, or `unix:` and the socket. */
  readonly place: string
  /** As node:http and http-proxy take it. */
  readonly target: DialTarget
}

export interface DialTarget {
  readonly protocol: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly socketPath?: string
}

/** The servers of a route: each URL, or each of the sockets that lead to the one URL. */
export function dialsOf({ upstreams, sockets }: Pick<RouteOptions, 'upstreams' | 'sockets'>): readonly Dial[] {
  return sockets === undefined
    ? upstreams.map((url) => dial(url, undefined))
    : upstreams.flatMap((url) => sockets.map((socket) => dial(url, socket)))
}

function dial(url: URL, socket: string | undefined): Dial {
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new TypeError('an upstream is an origin and a path')
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  return {
    url,
    socket,
    place: socket === undefined ? url.origin : unixSocketText(socket),
    target: {
      protocol: url.protocol,
      host: hostname,
      hostname,
      port: url.port || (url.protocol === 'https:' ? '443' : '80'),
      ...(socket !== undefined && { socketPath: socket }),
    },
  }
}
