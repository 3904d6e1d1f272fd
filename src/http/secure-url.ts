import { isLoopback } from './loopback.js'

/** Whether a URL is https, or http to this machine: where tokens, codes and keys may go (FAPI 2.0 §5.2.1, §5.3.2.2-8). */
export function isSecureUrl(url: URL | string): boolean {
  if (typeof url === 'string') return URL.canParse(url) && isSecureUrl(new URL(url))
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

/**
 * Whether browsers may be told never to come by plain http again (HSTS, RFC 6797). That holds for all ports of a host and for
 * months: for this machine's own name it would end every other program that is developed on it.
 */
export function mayPinHttps({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' && !isLoopback(hostname)
}
