import type { Frontend } from '../frontend/frontend.js'

/** Long enough for any page of an application, short enough for a cookie, however it is spelled. */
export const maxReturnUrlLength = 2048
const controlCharacter = /\p{Cc}/u

/**
 * Where to go after login, as a path on our origin; undefined for everything that is not certainly that. It is read by the
 * parser that browsers use and written back from what was parsed, so there is no second reading. Where the SPA is served
 * from another origin, its URLs come back whole.
 */
export function safeReturnUrl(
  value: string | undefined,
  { base: endpoints, options: { publicUrl, clientUrl } }: Pick<Frontend, 'base' | 'options'>,
): string | undefined {
  if (value === undefined || value === '' || value.length > maxReturnUrlLength) return undefined
  // Browsers drop tabs and line breaks and take a backslash for a slash; no page of ours has either in its address.
  if (controlCharacter.test(value) || value.includes('\\')) return undefined
  const base = clientUrl ?? publicUrl
  // `https:host` is a host to one reader and a path to another.
  const url = /^(?:\/|https?:\/\/[^/])/i.test(value) ? parsed(value, base) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.origin !== base.origin) return undefined
  const path = url.pathname + url.search + url.hash
  // What begins with two slashes names a host when it is read alone.
  if (path.startsWith('//')) return undefined
  // A login must not end at a logout, or begin again.
  if (isBelow(endpoints, url.pathname)) return undefined
  const whole = clientUrl === undefined ? path : clientUrl.origin + path
  return whole.length > maxReturnUrlLength ? undefined : whole
}

/** Escapes within escapes of an address that some page really has. Each layer more is a pass over all of it. */
const mostLayers = 8

/** In any spelling that a router might fold into ours. What is hidden deeper than any page's address counts as below. */
function isBelow(endpoints: string, pathname: string): boolean {
  let path = pathname
  for (let layer = 0; layer < mostLayers; layer++) {
    const before = path
    path = decoded(path)
      .normalize('NFKC')
      .replaceAll('\\', '/')
      .replace(/\/{2,}/g, '/')
      .toLowerCase()
    if (path === before)
      return path.startsWith(endpoints.toLowerCase()) && !/^[a-z0-9_-]/.test(path.slice(endpoints.length))
  }
  return true
}

/** Escapes of what is no character stay as they are. */
function decoded(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes
    }
  })
}

function parsed(value: string, base: URL): URL | undefined {
  try {
    return new URL(value, base.origin)
  } catch {
    return undefined
  }
}
