import type { IncomingHttpHeaders } from 'node:http'
import type { CookieAttributes } from '../../http/cookie.js'
import type { FrontendOptions } from '../options.js'

/** How far the cookies of a frontend go. */
export interface CookieReach {
  readonly session: CookieAttributes
  /** Those that have to come back on a redirect from the authorization server's site. */
  readonly login: CookieAttributes
}

interface Embedded {
  readonly embedding?: FrontendOptions['embedding'] | undefined
}

/**
 * In a frame of another site a browser sends `SameSite=None` only, and of late only what it keeps apart for each site in the
 * address bar (CHIPS): the same frame below another site knows nothing of it.
 * @see {@link https://www.ietf.org/archive/id/draft-cutler-httpbis-partitioned-cookies-01.html#section-2.1 CHIPS §2.1}
 */
export function cookieReach({ embedding }: Embedded): CookieReach {
  if (embedding === undefined)
    return { session: { sameSite: 'strict', partitioned: false }, login: { sameSite: 'lax', partitioned: false } }
  const framed = { sameSite: 'none', partitioned: true } as const
  return { session: framed, login: framed }
}

/** A policy that answers get beside their own, from any source. Undefined: they speak for themselves. */
export function framePolicy(options: Embedded): string | undefined {
  return options.embedding && `frame-ancestors ${frameAncestors(options).join(' ')}`
}

/**
 * Whether an answer keeps itself out of frames by the older field, which a browser leaves unread beside `frame-ancestors`
 * (CSP3 §7.7.1): a second policy of ours would open what is closed.
 */
export function refusesFrames({
  'x-frame-options': older = '',
  'content-security-policy': policy = '',
}: IncomingHttpHeaders): boolean {
  return /\b(?:deny|sameorigin)\b/i.test(String(older)) && !/frame-ancestors/i.test(String(policy))
}

/** The sources of `frame-ancestors` (CSP3 §6.4.2). */
export function frameAncestors({ embedding }: Embedded): readonly string[] {
  return embedding === undefined ? ["'none'"] : embedding.origins
}
