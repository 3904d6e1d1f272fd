import type { Frontend } from '../frontend/frontend.js'
import { safeReturnUrl } from './return-url.js'

export interface LoginLink {
  /** Where the login comes back to. Left out of the link where that is no page to come back to. */
  readonly returnUrl?: string
  /** What the login has to ask for. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

/** The link that begins a login. */
export function loginUrlTo(
  frontend: Pick<Frontend, 'loginUrl' | 'base' | 'options'>,
  { returnUrl, parameters = {} }: LoginLink,
): string {
  const query = new URLSearchParams(parameters)
  const safe = safeReturnUrl(returnUrl, frontend)
  if (safe !== undefined) query.set('returnUrl', safe)
  return query.size === 0 ? frontend.loginUrl : `${frontend.loginUrl}?${query}`
}

/** An address that was asked for at this host, as a return URL: where pages are served elsewhere it is none of theirs. */
export function addressAsReturnUrl({ origin }: Pick<Frontend, 'origin'>, address = ''): string {
  return origin + address
}
