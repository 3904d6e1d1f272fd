import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Who called, as far as we may believe it. */
export interface Client {
  /** In its one usual spelling, so that limits and lists that go by it count one client as one. */
  readonly address: string
  readonly host: string
}

/** Whether an address is one of our own proxies. */
export type IsTrustedPeer = (address: string | undefined) => boolean

/**
 * @param networks CIDR ranges such as `10.0.0.0/8`. None: no forwarded header is ever believed.
 * @throws Error when one is not a CIDR range.
 */
export function createTrustedPeers(networks: readonly string[]): IsTrustedPeer {
  const ranges = networks.map(rangeOf)
  return (address) => {
    if (address === undefined || ranges.length === 0 || isIP(address) === 0) return false
    const peer = parsed(address)
    return ranges.some(([range, bits]) => range.kind() === peer.kind() && peer.match(range, bits))
  }
}

/** Whether a text is a CIDR range such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  try {
    rangeOf(text)
    return true
  } catch {
    return false
  }
}

/**
 * The caller, or behind our own proxies whom they were called by, and the host that was asked for.
 * @param saysHost Whose `X-Forwarded-Host` counts. Many proxies pass the field of a client on, so by default `Host` decides.
 */
export function clientOf(
  request: IncomingMessage,
  isTrustedPeer: IsTrustedPeer,
  saysHost: IsTrustedPeer = untrusted,
): Client {
  const peer = plainAddress(request.socket.remoteAddress ?? '') ?? ''
  const { host = '', 'x-forwarded-for': hops, 'x-forwarded-host': forwardedHost } = request.headers
  return {
    address: isTrustedPeer(peer) ? farthestHop(peer, String(hops ?? ''), isTrustedPeer) : peer,
    host: forwardedHost !== undefined && saysHost(peer) ? lastOf(String(forwardedHost)) : host,
  }
}

/**
 * The caller whom a proxy tells of that is trusted by the way it has come: the first address in the list, read from the right,
 * that is no proxy of ours. Undefined when the proxy itself has written none.
 */
export function addressBehind(forwardedFor: string, isTrustedPeer: IsTrustedPeer): string | undefined {
  return farthestHop('', forwardedFor, (address) => address === '' || isTrustedPeer(address)) || undefined
}

/** Written by the nearest proxy, where it appends. */
function lastOf(list: string): string {
  return list.slice(list.lastIndexOf(',') + 1).trim()
}

/** Enough to recognise one's own network by, too little to be found by: /24 and /48. */
export function maskedAddress(address: string): string {
  const v4 = /(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(address)
  if (v4 !== null) return `${v4[1]}.x`
  return address.includes(':') ? `${address.split(':').slice(0, 3).join(':')}:x` : ''
}

function untrusted(): boolean {
  return false
}

/**
 * Each proxy appends whom it was called by, so the list is read from the right, and an entry counts only when a trusted
 * proxy wrote it. The first that is no proxy of ours is the client. What cannot be read ends the walk, also when it is
 * empty: to skip it would be to believe what the client itself wrote before it.
 */
function farthestHop(peer: string, list: string, isTrustedPeer: IsTrustedPeer): string {
  const hops = list.split(',')
  let address = peer
  while (isTrustedPeer(address)) {
    const next = nodeAddress(hops.pop() ?? '')
    if (next === undefined) break
    address = next
  }
  return address
}

/** An entry as proxies write them: perhaps in quotes, perhaps with a port, IPv6 perhaps in brackets (RFC 7239 §6). */
function nodeAddress(entry: string): string | undefined {
  // Longer than an address can be. So much for expressions that are slow on long texts, too.
  if (entry.length > 100) return undefined
  const node = /^[ \t]*(?:"(.*)"|(.*?))[ \t]*$/.exec(entry)
  const text = node?.[1] ?? node?.[2] ?? ''
  const [, bracketed, v4] = /^(?:\[(.*:.*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/.exec(text) ?? []
  return plainAddress(bracketed ?? v4 ?? text)
}

/** In one spelling: without a zone, and IPv4 also where it is wrapped in IPv6. Short, octal and hexadecimal forms are none. */
function plainAddress(text: string): string | undefined {
  const version = isIP(text)
  if (version === 0) return undefined
  return version === 4 ? text : parsed(text).toString()
}

function parsed(address: string): ipaddr.IPv4 | ipaddr.IPv6 {
  return ipaddr.process(address.replace(/%.*$/, ''))
}

function rangeOf(network: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [range, bits] = ipaddr.parseCIDR(network)
  const written = network.slice(0, network.lastIndexOf('/'))
  // `10/8` would be 0.0.0.0/8. What wraps IPv4 in IPv6 would fit nothing, for addresses are compared unwrapped.
  if (isIP(written) === 0 || parsed(written).kind() !== range.kind())
    throw new RangeError(`${network} is not a CIDR range`)
  return [range, bits]
}
