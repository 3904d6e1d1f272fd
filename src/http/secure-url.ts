import { isLoopback } from './loopback.js'

/** Whether a URL is https, or http to this machine: where tokens, codes and keys may go (FAPI 2.0 §5.2.1, §5.3.2.2-8). */
export function isSecureUrl(url: URL | string): boolean {
  if (typeof url === 'string') return URL.canParse(url) && isSecureUrl(new URL(url))
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}
