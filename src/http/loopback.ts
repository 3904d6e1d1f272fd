/**
 * Whether a host can only be this machine: where plain http is accepted, since it never leaves it.
 * @param hostname as `URL.hostname` writes it
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(hostname)
}
