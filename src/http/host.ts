/** A host as it is compared: in lower case, without the port that is the scheme's own. */
export function canonicalHost(host: string, protocol: string): string {
  const port = protocol === 'https:' ? ':443' : ':80'
  const lowered = host.toLowerCase()
  return lowered.endsWith(port) ? lowered.slice(0, -port.length) : lowered
}

/** A name or address with an optional port, and nothing that another parser could read as more. */
export function isHost(host: string): boolean {
  return host.length <= 255 && /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)
}

/** Whether a request's host is this one. The scheme's own port may be spelled out, whatever scheme the last proxy spoke. */
export function isSameHost(requested: string, host: string): boolean {
  return (
    requested.toLowerCase() === host ||
    canonicalHost(requested, 'https:') === host ||
    canonicalHost(requested, 'http:') === host
  )
}
