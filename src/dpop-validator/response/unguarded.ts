import type { Answer } from './challenge.js'

/**
 * What a request gets that no `protect` has let through: a CORS preflight that goes on to where a token is needed. (That
 * `protect` was forgotten is the developer's mistake, and a TypeError.)
 */
export const unguarded: Answer = {
  status: 401,
  headers: { 'WWW-Authenticate': ['DPoP'], 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' },
  body: JSON.stringify({
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    detail: 'an access token is required',
    code: 'missing_credentials',
  }),
}

/** @returns the answer for a preflight; for any other request there should have been a `protect`. */
export function answerUnguarded(method: string | undefined): Answer {
  if (method === 'OPTIONS') return unguarded
  throw new TypeError('protect(verifier) has to come before requireScopes() and its kin')
}
