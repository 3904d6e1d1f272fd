import ipaddr from 'ipaddr.js'

/** A part of the internet that one party is likely to hold, from its address up. */
export interface Network {
  /** In CIDR notation for IPv6. */
  readonly name: string
  /** How many times the room of one address it has: an office has more than one household. */
  readonly room: number
}

/** IPv6 by what providers hand out: a /64 to a household or a host, a /56 to a line, a /48 to a company. */
const ipv6Prefixes = [
  { bits: 64, room: 1 },
  { bits: 56, room: 2 },
  { bits: 48, room: 4 },
] as const

/** Where IPv6 carries IPv4 addresses whole (RFC 6052 §2.1): there the last 32 bits say who it is. */
const translated = ipaddr.IPv6.parse('64:ff9b::')

/** The networks of an address, the narrowest first. What cannot be read as an address is a network of its own. */
export function networksOf(address: string): readonly [Network, ...Network[]] {
  if (!ipaddr.isValid(address)) return [{ name: address.slice(0, 64), room: 1 }]
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv4) return [{ name: parsed.toString(), room: 1 }]
  const bytes = parsed.toByteArray()
  if (parsed.match(translated, 96)) return [{ name: bytes.slice(12).join('.'), room: 1 }]
  const [household, ...wider] = ipv6Prefixes
  const network = ({ bits, room }: (typeof ipv6Prefixes)[number]): Network => {
    const kept = bytes.map((byte, index) => (index < bits / 8 ? byte : 0))
    return { name: `${ipaddr.fromByteArray(kept)}/${bits}`, room }
  }
  return [network(household), ...wider.map(network)]
}

/** The widest network of an address: who shares one takes turns. */
export function widestNetworkOf(address: string): string {
  const networks = networksOf(address)
  return (networks.at(-1) ?? networks[0]).name
}
