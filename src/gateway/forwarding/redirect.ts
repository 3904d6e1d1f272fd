import type { RouteMatch } from '../routing/route.js'
import type { CalledUrl, Upstream } from './upstream.js'

/**
 * An upstream's `Location`, as the browser has to follow it: one that leads to the upstream itself becomes the path of the
 * frontend that leads there, any other stays. Bytes beyond ASCII are written as what they stand for in a URL.
 * @param field with one character for each byte
 */
export function publicLocation(
  field: string,
  called: CalledUrl,
  { origin, basePath }: Pick<Upstream, 'origin' | 'basePath'>,
  { removedPrefix }: Pick<RouteMatch, 'removedPrefix'>,
): string {
  const location = field.replace(/[\x80-\xFF]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
  // Relative to the path that was asked for, which ends the same on both sides.
  if (!/^(?:\/(?![/\\])|https?:)/i.test(location)) return location
  const base = called.origin + called.path
  if (!URL.canParse(location, base)) return location
  const url = new URL(location, base)
  const inside = url.pathname === basePath || url.pathname.startsWith(`${basePath}/`)
  if (url.origin !== origin || !inside) return location
  const path = `${removedPrefix}${url.pathname.slice(basePath.length)}` || '/'
  // With two slashes in front it would name another host (RFC 3986 §4.2).
  return `${path.startsWith('//') ? '/.' : ''}${path}${url.search}${url.hash}`
}
