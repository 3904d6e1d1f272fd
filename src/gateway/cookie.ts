import type { ServerResponse } from 'node:http'

/** Proves to the browser that only this host, over HTTPS, by an HTTP header, has set the cookie. */
export const cookiePrefix = '__Host-Http-bff-'

export interface CookieAttributes {
  readonly sameSite: 'Strict' | 'Lax'
  /** Seconds. 0 takes the cookie away. */
  readonly maxAge: number
}

/**
 * The first value of that name, by one pass over the header: its length is bounded by the server, and nothing is
 * allocated for the cookies of others.
 */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  for (let from = 0; ; ) {
    const at = header.indexOf(`${name}=`, from)
    if (at === -1) return undefined
    from = at + name.length + 1
    if (!startsAName(header, at)) continue
    const end = header.indexOf(';', from)
    return header.slice(from, end === -1 ? undefined : end).trim()
  }
}

/** Name and value of every cookie whose name begins with `prefix`. */
export function cookiesNamed(header: string | undefined, prefix: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  if (header === undefined) return found
  for (let from = 0; ; ) {
    const at = header.indexOf(prefix, from)
    if (at === -1) return found
    from = at + prefix.length
    if (!startsAName(header, at)) continue
    const end = header.indexOf(';', from)
    const pair = header.slice(at, end === -1 ? undefined : end)
    const equals = pair.indexOf('=')
    if (equals !== -1) found.set(pair.slice(0, equals), pair.slice(equals + 1).trim())
  }
}

function startsAName(header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && header[before] === ' ') before -= 1
  return before < 0 || header[before] === ';'
}

/** Adds the cookie to the response; an earlier one of the same name in the same response gives way. */
export function setCookie(
  response: ServerResponse,
  name: string,
  value: string,
  { sameSite, maxAge }: CookieAttributes,
): void {
  const kept = cookieHeaders(response).filter((cookie) => !cookie.startsWith(`${name}=`))
  const cookie = `${name}=${value}; Path=/; Max-Age=${Math.floor(maxAge)}; HttpOnly; Secure; SameSite=${sameSite}`
  response.setHeader('Set-Cookie', [...kept, cookie])
}

export function removeCookie(response: ServerResponse, name: string): void {
  setCookie(response, name, '', { sameSite: 'Lax', maxAge: 0 })
}

function cookieHeaders(response: ServerResponse): readonly string[] {
  const header = response.getHeader('Set-Cookie')
  return header === undefined ? [] : Array.isArray(header) ? header : [String(header)]
}
