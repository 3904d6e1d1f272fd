import { endpointBase, endpointSegment } from '../endpoints/endpoint-paths.js'

/* How a frontend's names, paths and origins are written. The configuration file and `createGateway` read one language. */

/** In the names of cookies: with a dot it could be read as another frontend's transaction. */
export const frontendName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/

/** A host as browsers send it, with the port where it is not the scheme's own. */
export const hostName = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

/** An HTTP method that a route may be limited to. */
export const methodName = /^[A-Z]+$/

/** `''` or `/admin`: no way up, no slash at the end. */
export function isPathPrefix(text: string): boolean {
  return /^(?:\/[A-Za-z0-9._~-]+)*$/.test(text) && !hasDotSegment(text)
}

/** What routes are matched with: plain segments, no pattern, no encoding, no query. */
export function isRoutePath(text: string): boolean {
  return text === '/' || (/^(?:\/[\w.~!$&'()+,;=:@-]+)+$/.test(text) && !hasDotSegment(text))
}

/** Routes of one key cover the same paths. */
export function routePathKey(path: string): string {
  return path.replace(/\/$/, '').toLowerCase()
}

/** Whether a route's path has the prefix of its frontend, from which it is counted already. */
export function repeatsPrefix(routePath: string, pathPrefix: string): boolean {
  return pathPrefix !== '' && `${routePath}/`.startsWith(`${pathPrefix}/`)
}

/** A path on our own origin: neither another origin in disguise nor a way up. */
export function isLocalPath(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop tabs and newlines, so that "/\t/host" is "//host".
  if (!text.startsWith('/') || /[\u0000-\u0020\\]/.test(text)) return false
  return new URL(text, 'https://here.invalid').origin === 'https://here.invalid'
}

/** Whether a prefix or a route would lie where the endpoints of a frontend are. */
export function hasEndpointSegment(path: string): boolean {
  return path.toLowerCase().split('/').includes(endpointSegment)
}

/** Whether a route would lie below the endpoints of its own frontend. */
export function isBelowEndpoints(routePath: string): boolean {
  return `${routePath.toLowerCase()}/`.startsWith(`${endpointBase('')}/`)
}

/** Whether a browser that lands there would be at an endpoint, and go round in circles. */
export function landsOnEndpoint(path: string, pathPrefix: string): boolean {
  return path.startsWith(`${endpointBase(pathPrefix)}/`)
}

/** Whether it is one line that a header field can carry. */
export function isHeaderText(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text)
}

/** Scheme, host and port, and nothing behind them. */
export function isOrigin(url: URL): boolean {
  return url.pathname === '/' && isPlain(url)
}

/** Neither query nor fragment, and no secret in it. */
export function isPlain({ search, hash, username, password }: URL): boolean {
  return search === '' && hash === '' && username === '' && password === ''
}

/**
 * Whether a page may have our Strict cookie. Which domains belong together is in a list that changes (publicsuffix.org):
 * two names that differ in their last two labels never do, and a scheme of its own is a site of its own.
 */
export function mayBeSameSite(page: URL, gateway: URL): boolean {
  const lastTwo = ({ hostname }: URL): string =>
    /^[\d.]+$|^\[/.test(hostname) ? hostname : hostname.split('.').slice(-2).join('.')
  return page.protocol === gateway.protocol && lastTwo(page) === lastTwo(gateway)
}

/** Whether an upstream's host is where servers listen, which no client calls. */
export function isListenedOnOnly({ hostname }: URL): boolean {
  return hostname === '0.0.0.0' || hostname === '[::]'
}

function hasDotSegment(path: string): boolean {
  return /\/\.{1,2}(?:\/|$)/.test(path)
}
