import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import ipaddr from 'ipaddr.js'

/** Who called, as far as we may believe it. */
export interface Client {
  readonly address: string
  readonly protocol: 'http' | 'https'
  readonly host: string
}

/** Whether an address is one of our own proxies. */
export type IsTrustedPeer = (address: string | undefined) => boolean

/**
 * @param networks CIDR ranges such as `10.0.0.0/8`. None: no forwarded header is ever believed.
 * @throws Error when one is not a CIDR range.
 */
export function createTrustedPeers(networks: readonly string[]): IsTrustedPeer {
  const ranges = networks.map((network) => ipaddr.parseCIDR(network))
  return (address) => {
    if (address === undefined || ranges.length === 0 || !ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return ranges.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits))
  }
}

/**
 * The client at the far end of our own proxies. `X-Forwarded-*` counts only when the peer is trusted, and of
 * `X-Forwarded-For` only what trusted proxies appended: the rightmost address that is not one of them.
 */
export function clientOf(request: IncomingMessage, isTrustedPeer: IsTrustedPeer): Client {
  const peer = request.socket.remoteAddress ?? ''
  const direct: Client = {
    address: peer,
    protocol: (request.socket as TLSSocket).encrypted ? 'https' : 'http',
    host: request.headers.host ?? '',
  }
  if (!isTrustedPeer(peer)) return direct
  const hops = list(request.headers['x-forwarded-for'])
  const protocol = list(request.headers['x-forwarded-proto']).at(-1)
  return {
    address: hops.findLast((hop) => ipaddr.isValid(hop) && !isTrustedPeer(hop)) ?? peer,
    protocol: protocol === 'https' || protocol === 'http' ? protocol : direct.protocol,
    host: list(request.headers['x-forwarded-host']).at(-1) ?? direct.host,
  }
}

function list(header: string | readonly string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')
}
