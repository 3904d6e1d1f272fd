import type { RouteMatch } from '../routing/route.js'
import type { Upstream } from './upstream.js'

/**
 * An upstream's cookie as the browser has to keep it: below the path that leads to the upstream, and of this host only, for
 * an API does not speak for the hosts beside it.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2 RFC 6265 §4.1.2}
 */
export function publicCookie(
  cookie: string,
  { basePath }: Pick<Upstream, 'basePath'>,
  { removedPrefix }: Pick<RouteMatch, 'removedPrefix'>,
): string {
  const [pair = '', ...attributes] = cookie.split(';')
  // Browsers take it with `Path=/` only, and it names the whole host anyhow.
  const isHostCookie = /^\s*__host-/i.test(pair)
  const kept = attributes.flatMap((attribute) => {
    const [name = '', ...value] = attribute.split('=')
    switch (name.trim().toLowerCase()) {
      case 'domain':
        return []
      case 'path':
        return isHostCookie ? [attribute] : [` Path=${publicPath(value.join('=').trim(), basePath, removedPrefix)}`]
      default:
        return [attribute]
    }
  })
  return [pair, ...kept].join(';')
}

function publicPath(path: string, basePath: string, removedPrefix: string): string {
  if (!path.startsWith('/')) return path
  const inside = path === basePath || path.startsWith(`${basePath}/`)
  if (!inside) return path
  const below = path.slice(basePath.length)
  // `/api/` would not cover `/api` itself.
  return below === '/' && removedPrefix !== '' ? removedPrefix : `${removedPrefix}${below}` || '/'
}
