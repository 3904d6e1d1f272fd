import { isIP } from 'node:net'
import { hostname } from 'node:os'

/**
 * Whether a `Host` names this machine in a way that no page on the Internet can: browsers take a page's own name for its
 * origin, so that a name which its owner points at 127.0.0.1 would make our answers that page's to read (DNS rebinding).
 * An address is what probes and Prometheus write; a name of one word, `.localhost`, `.internal` and a cluster's own names
 * are in no public DNS.
 * @param listensOn The host of `AdminListen`: a name that the operator has chosen.
 */
export function isAdminHost(host: string | undefined, listensOn: string): boolean {
  // HTTP/1.0 probes send none; every browser does.
  if (host === undefined) return true
  const [, literal, name = ''] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host) ?? []
  if (literal !== undefined) return isIP(literal) === 6
  const lower = name.toLowerCase()
  if (isIP(lower) === 4) return true
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(lower)) return false
  return (
    // A number is an address in another spelling to some resolvers, and still no name of a page.
    !lower.includes('.') ||
    /\.(?:localhost|internal|svc|cluster\.local)$/.test(lower) ||
    [listensOn, hostname()].some((own) => own.toLowerCase() === lower)
  )
}
