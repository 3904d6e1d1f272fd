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
