import type { IncomingMessage } from 'node:http'

/**
 * Whether a person is looking at what comes back. Sec-Fetch-Mode and Sec-Fetch-Dest say so; where they are missing,
 * Accept does. Only a navigation is ever redirected or shown a page.
 */
export function isNavigation({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination, accept = '' } = headers
  if (mode !== undefined) return mode === 'navigate' && (destination === undefined || destination === 'document')
  return /\btext\/html\b/i.test(accept) && headers['x-csrf'] === undefined
}

/**
 * Whether a person opened this address: not a picture, a script or a frame of some page, and not the browser that looks
 * ahead. Sec-Fetch-Dest alone says so: a document is never fetched but to be shown. A browser without Fetch Metadata says
 * in Accept what it wants to have; Node's fetch, which is no browser, sends a mode and no site.
 */
export function isOpenedByPerson({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' || aheadOfPerson.some((name) => /prefetch|prerender|preview/i.test(String(headers[name] ?? ''))))
    return false
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination, 'sec-fetch-site': site, accept = '*/*' } = headers
  // A frame on a page of ours is that page's own doing.
  if (destination !== undefined) return destination === 'document' || (mode === 'navigate' && site === 'same-origin')
  if (site !== undefined && mode !== undefined) return mode === 'navigate'
  return accept === '*/*' || /\btext\/html\b/i.test(accept)
}

/** How browsers say that they only look ahead: the standard's word, Chromium's, Firefox's and Safari's older ones. */
const aheadOfPerson = ['sec-purpose', 'purpose', 'x-moz', 'x-purpose']
