/** Long enough for any page of an application, short enough for a cookie, however it is spelled. */
const maxLength = 2048
const controlCharacter = /\p{Cc}/u

/**
 * Where to go after login, as a path on `origin`; undefined for everything that is not certainly that. It is read by the
 * parser that browsers use and written back from what was parsed, so there is no second reading.
 * @param spaOrigin Where the SPA is served when that is another origin. Its URLs come back whole.
 */
export function safeReturnUrl(value: string | undefined, origin: URL, spaOrigin?: URL): string | undefined {
  if (value === undefined || value === '' || value.length > maxLength) return undefined
  // Browsers drop tabs and line breaks and take a backslash for a slash; no page of ours has either in its address.
  if (controlCharacter.test(value) || value.includes('\\')) return undefined
  const base = spaOrigin ?? origin
  // `https:host` is a host to one reader and a path to another.
  const url = /^(?:\/|https?:\/\/[^/])/i.test(value) ? parsed(value, base) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.origin !== base.origin) return undefined
  const path = url.pathname + url.search + url.hash
  // What begins with two slashes names a host when it is read alone.
  if (path.startsWith('//')) return undefined
  const whole = spaOrigin === undefined ? path : spaOrigin.origin + path
  return whole.length > maxLength ? undefined : whole
}

function parsed(value: string, base: URL): URL | undefined {
  try {
    return new URL(value, base.origin)
  } catch {
    return undefined
  }
}
