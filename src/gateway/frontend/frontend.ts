import { ownCookieName } from '../../http/cookie.js'
import { canonicalHost, isHost } from '../../http/host.js'
import type { AuthorityName } from '../authorities/authorities.js'
import { endpointBase, endpointPaths } from '../endpoints/endpoint-paths.js'
import { boundCertificate } from '../oauth/client-certificate.js'
import type { Branding, FrontendOptions } from '../options.js'
import { answerHeaders, strictTransportSecurity } from '../page/security-headers.js'
import { Refusal } from '../refusal.js'
import { lenientReading } from '../routing/lenient-reading.js'
import type { RequestTarget } from '../routing/request-target.js'
import { foreignPageOrigins } from './cors.js'
import { type CookieReach, cookieReach, framePolicy } from './embedding.js'

/** What follows from a frontend's options and never changes: its addresses and its cookies' names. */
export interface Frontend {
  readonly options: FrontendOptions
  readonly name: string
  /** Which of its authorization servers it is a client of here. Undefined for the frontend as a whole, and where there is one. */
  readonly authority?: AuthorityName | undefined
  /** Where the gateway's own endpoints are: `{PathPrefix}/bff`. */
  readonly base: string
  /** The origin that browsers see. */
  readonly origin: string
  /** Origins whose pages are ours: the public one and, where pages are served elsewhere, those. */
  readonly pageOrigins: ReadonlySet<string>
  readonly loginUrl: string
  readonly logoutUrl: string
  readonly redirectUri: string
  readonly sessionCookie: string
  /** What the names of the login transactions' cookies begin with. */
  readonly transactionCookie: string
  /** Counts logins, to stop a loop. */
  readonly loopCookie: string
  /** Tells that another site has sent the browser here, and how often. */
  readonly linkCookie: string
  /** Of a frame that has opened a window to log in: its secret. */
  readonly popupCookie: string
  /** Names the authorization server that the user chose last. */
  readonly authorityCookie: string
  readonly cookieReach: CookieReach
  /** Path of the application's first page, or its whole URL where it is served elsewhere. */
  readonly home: string
  /** What goes with every answer, from any source. */
  readonly answerHeaders: Readonly<Record<string, string>>
  /** `Strict-Transport-Security`, unless it is not ours to say. */
  readonly transportSecurity: string | undefined
  /** Who may frame it, said beside the policy of any answer. Undefined where nothing is embedded. */
  readonly framePolicy: string | undefined
  readonly publicPlace: PublicPlace
  /** Thumbprint of the certificate that access tokens are bound to (RFC 8705). */
  readonly boundTo: string | undefined
  /** Of our own pages. */
  readonly branding?: Branding | undefined
}

/** What an API is told of the place that browsers see: from the configuration, never from the request. */
export interface PublicPlace {
  readonly host: string
  readonly scheme: string
  /** The same in a `Forwarded` element (RFC 7239 §5). */
  readonly forwarded: string
}

export function createFrontend(options: FrontendOptions): Frontend {
  const base = endpointBase(options.pathPrefix)
  const origin = options.publicUrl.origin
  const sessionCookie = ownCookieName('bff', options.name, options.publicUrl)
  return {
    options,
    name: options.name,
    base,
    origin,
    pageOrigins: new Set([origin, ...foreignPageOrigins(options)]),
    loginUrl: base + endpointPaths.login,
    logoutUrl: base + endpointPaths.logout,
    redirectUri: origin + base + endpointPaths.callback,
    sessionCookie,
    transactionCookie: `${sessionCookie}.`,
    loopCookie: `${sessionCookie}~n`,
    linkCookie: `${sessionCookie}~f`,
    popupCookie: `${sessionCookie}~p`,
    authorityCookie: `${sessionCookie}~a`,
    cookieReach: cookieReach(options),
    home: pageUrl(options, options.postLoginRedirectPath),
    answerHeaders: answerHeaders(options),
    framePolicy: framePolicy(options),
    transportSecurity: strictTransportSecurity(options),
    publicPlace: publicPlaceOf(options.publicUrl),
    boundTo: boundCertificate(options),
  }
}

function publicPlaceOf({ host, protocol }: URL): PublicPlace {
  const scheme = protocol.slice(0, -1)
  return { host, scheme, forwarded: `;host="${host}";proto=${scheme}` }
}

/** A page of the application: a path, or a URL when the SPA is served from another origin. */
export function pageUrl({ clientUrl }: FrontendOptions, path: string): string {
  return clientUrl === undefined ? path : clientUrl.origin + path
}

/** @throws Refusal `bff.frontend.unknown`, `bff.request.ambiguous_target` */
export type SelectFrontend<Selected extends Frontend> = (
  host: string,
  target: Pick<RequestTarget, 'path' | 'reading'>,
) => Selected

/**
 * The frontend a request is for: exactly its host, then the longest path prefix. A host that no frontend names
 * belongs to none; only a frontend without hosts takes any. A path that a lenient server could take for another frontend's is
 * refused.
 */
export function createFrontendSelection<Selected extends Frontend>(
  frontends: readonly Selected[],
): SelectFrontend<Selected> {
  const byPath = filed(frontends, (pathPrefix) => pathPrefix)
  const byReading = filed(frontends, lenientReading)
  const served = addressesOf(frontends.map(({ options }) => options))

  return (host, { path, reading }) => {
    const found = isHost(host) ? byPath(host, path) : undefined
    if (found === undefined)
      // Which hosts there are is for the log: a stranger learns nothing of them.
      throw new Refusal('bff.frontend.unknown', 'no frontend is configured for this host and path', {
        reason: `${isHost(host) ? host : 'no host name'} is no frontend's; there are ${served}`,
      })
    if (reading !== path && byReading(host, reading) !== found)
      throw new Refusal('bff.request.ambiguous_target', 'the path can be read as one of another frontend')
    return found
  }
}

/** Finds a frontend by host and path. @param prefixOf what stands for its path prefix */
function filed<Selected extends Frontend>(
  frontends: readonly Selected[],
  prefixOf: (pathPrefix: string) => string,
): (host: string, path: string) => Selected | undefined {
  const entries = frontends
    .map((frontend) => ({ frontend, prefix: prefixOf(frontend.options.pathPrefix) }))
    .sort((a, b) => b.prefix.length - a.prefix.length)
  const hosts = new Map<string, ByFirstSegment<Selected>>()
  const anyHost: ByFirstSegment<Selected> = new Map()
  for (const entry of entries) {
    const { options } = entry.frontend
    for (const host of options.hosts) {
      const key = canonicalHost(host, options.publicUrl.protocol)
      const sameHost: ByFirstSegment<Selected> = hosts.get(key) ?? new Map()
      hosts.set(key, sameHost)
      file(sameHost, entry)
    }
    if (options.hosts.length === 0) file(anyHost, entry)
  }

  // A port that is the scheme's own may be spelled out, whatever scheme the last proxy spoke.
  const namedBy = (host: string): ByFirstSegment<Selected> =>
    hosts.get(host.toLowerCase()) ??
    hosts.get(canonicalHost(host, 'https:')) ??
    hosts.get(canonicalHost(host, 'http:')) ??
    new Map()
  return (host, path) => covering(namedBy(host), path) ?? covering(anyHost, path)
}

/** Where browsers find them, for a line of text: some, when there are many. */
export function addressesOf(frontends: readonly Pick<FrontendOptions, 'publicUrl' | 'pathPrefix'>[], most = 5): string {
  const addresses = frontends.slice(0, most).map(({ publicUrl, pathPrefix }) => `${publicUrl.origin}${pathPrefix}/`)
  return `${addresses.join(', ')}${frontends.length > most ? ` and ${frontends.length - most} more` : ''}`
}

interface Filed<Selected> {
  readonly frontend: Selected
  readonly prefix: string
}

/** Frontends by the first segment of their prefix, longest prefix first: a thousand cost no more than one. */
type ByFirstSegment<Selected> = Map<string, Filed<Selected>[]>

function file<Selected>(frontends: ByFirstSegment<Selected>, entry: Filed<Selected>): void {
  const segment = firstSegment(entry.prefix)
  const same = frontends.get(segment) ?? []
  frontends.set(segment, same)
  same.push(entry)
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1)
  return end === -1 ? path : path.slice(0, end)
}

function covering<Selected>(frontends: ByFirstSegment<Selected>, path: string): Selected | undefined {
  const covers = ({ prefix }: Filed<Selected>): boolean =>
    path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/' || prefix === '')
  return (frontends.get(firstSegment(path))?.find(covers) ?? frontends.get('')?.find(covers))?.frontend
}
