import type { ServerResponse } from 'node:http'
import { type CookieAttributes, cookieValue, setCookie } from '../../http/cookie.js'

/** How often something has happened in a browser of late, as the browser itself keeps it. */
export interface RecentTimes {
  readonly cookie: string
  /** It has to come along from the authorization server's site. */
  readonly reach: CookieAttributes
  /** Seconds. */
  readonly window: number
  /** At most so many are kept: the last ones. */
  readonly most: number
}

/** Seconds since the epoch. */
export function recentTimes(
  cookieHeader: string | undefined,
  { cookie, window, most }: RecentTimes,
  now: number,
): readonly number[] {
  const times = (cookieValue(cookieHeader, cookie) ?? '').split('.')
  if (times.length > most || !times.every((time) => /^[0-9a-z]{1,9}$/.test(time))) return []
  return times.map((time) => Number.parseInt(time, 36)).filter((time) => now - time < window && time <= now + 1)
}

export function addTime(
  cookieHeader: string | undefined,
  response: ServerResponse,
  times: RecentTimes,
  now: number,
): void {
  const kept = [...recentTimes(cookieHeader, times, now), Math.floor(now)].slice(-times.most)
  const value = kept.map((time) => time.toString(36)).join('.')
  setCookie(response, times.cookie, value, { ...times.reach, maxAge: times.window })
}
