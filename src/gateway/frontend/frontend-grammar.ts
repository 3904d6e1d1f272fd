/* How a frontend's names and paths are written. The configuration file and `createGateway` read one language. */

import { endpointBase, endpointSegment } from '../endpoints/endpoint-paths.js'

/** In the names of cookies: with a dot it could be read as another frontend's transaction. */
export const frontendName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/

/** A host as browsers send it, with the port where it is not the scheme's own. */
export const hostName = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

/** `''` or `/admin`: no way up, no slash at the end. */
export function isPathPrefix(text: string): boolean {
  return /^(?:\/[A-Za-z0-9._~-]+)*$/.test(text) && !hasDotSegment(text)
}

/** What routes are matched with: plain segments, no pattern, no encoding, no query. */
export function isRoutePath(text: string): boolean {
  return text === '/' || (/^(?:\/[\w.~!$&'()+,;=:@-]+)+$/.test(text) && !hasDotSegment(text))
}

/** Whether a prefix or a route would lie where the endpoints of a frontend are. */
export function hasEndpointSegment(path: string): boolean {
  return path.toLowerCase().split('/').includes(endpointSegment)
}

/** Whether a route would lie below the endpoints of its own frontend. */
export function isBelowEndpoints(routePath: string): boolean {
  return `${routePath.toLowerCase()}/`.startsWith(`${endpointBase('')}/`)
}

function hasDotSegment(path: string): boolean {
  return /\/\.{1,2}(?:\/|$)/.test(path)
}
