import type { ServerResponse } from 'node:http'
import { stringifySetCookie } from 'cookie'

/** Whose cookie it is: the gateway's, the authorization server's or the administrator's console's. */
export type CookieOwner = 'bff' | 'as' | 'admin'

/** Proves to the browser that only this host, over HTTPS, by an HTTP header, has set the cookie. It needs `Secure`. */
const hostPrefix = '__Host-Http-'
/** WebKit keeps no `Secure` cookie over plain http, not from this machine either, and no prefix without `Secure`. */
const plainPrefix = 'sallyport-'

/**
 * The name of a cookie of ours. Both products make theirs here, so that {@link isOwnCookie} knows all of them.
 * @param origin where the browser sees us. Plain http is accepted for loopback hosts only.
 */
export function ownCookieName(owner: CookieOwner, name: string, origin: URL): string {
  return `${origin.protocol === 'http:' ? plainPrefix : hostPrefix}${owner}-${name}`
}

/**
 * Whether a cookie is one that we could have made, in any spelling that a server behind us might fold into ours: it never
 * goes to an API, and no API may set it.
 */
export function isOwnCookie(name: string): boolean {
  return /^[\s="]*(?:__(?:host|secure)-(?:http-)?|sallyport-)(?:bff|as|admin)-/i.test(name)
}

/** A cookie goes over TLS only, unless its name says that it is one of a plain-http loopback origin. */
export function isSecureCookie(name: string): boolean {
  return !name.startsWith(plainPrefix)
}

export interface CookieAttributes {
  readonly sameSite: 'strict' | 'lax' | 'none'
  /** Whether the browser keeps one for each site in its address bar. Needs `Secure`. */
  readonly partitioned?: boolean
  /** Seconds. 0 takes the cookie away. Undefined: it goes with the browser. */
  readonly maxAge?: number
}

/** One `Set-Cookie` field of a cookie of ours. */
export function cookieField(
  name: string,
  value: string,
  { sameSite, partitioned = false, maxAge }: CookieAttributes,
): string {
  const lifetime = maxAge !== undefined && { maxAge: Math.floor(maxAge) }
  const cookie = {
    name,
    value,
    path: '/',
    httpOnly: true,
    secure: isSecureCookie(name),
    sameSite,
    partitioned,
    ...lifetime,
  }
  // Ours need no encoding, and what reads them decodes nothing.
  return stringifySetCookie(cookie, { encode: (text) => text })
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
export function setCookie(response: ServerResponse, name: string, value: string, attributes: CookieAttributes): void {
  const kept = cookieHeaders(response).filter((cookie) => !cookie.startsWith(`${name}=`))
  response.setHeader('Set-Cookie', [...kept, cookieField(name, value, attributes)])
}

/** Leaves the cookie as the browser has it, whatever was said of it in this response before. */
export function leaveCookie(response: ServerResponse, name: string): void {
  const kept = cookieHeaders(response).filter((cookie) => !cookie.startsWith(`${name}=`))
  if (kept.length > 0) response.setHeader('Set-Cookie', kept)
  else response.removeHeader('Set-Cookie')
}

/** @param attributes As it was set: a browser keeps one of each kind. */
export function removeCookie(response: ServerResponse, name: string, attributes: CookieAttributes): void {
  setCookie(response, name, '', { ...attributes, maxAge: 0 })
}

function cookieHeaders(response: ServerResponse): readonly string[] {
  const header = response.getHeader('Set-Cookie')
  return header === undefined ? [] : Array.isArray(header) ? header : [String(header)]
}
