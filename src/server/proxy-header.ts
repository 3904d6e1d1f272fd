/** What the beginning of a connection says of who has opened it. */
export type ProxyHeader =
  /** So far it may become one. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' }
  /** The proxy speaks for itself, to see whether we are well. */
  | { readonly kind: 'local'; readonly length: number }
  | { readonly kind: 'proxied'; readonly length: number; readonly address: string }

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const fixedLength = 16
/** Bytes behind the fixed part: addresses, and what the proxy may tell besides. HAProxy and balancers of clouds write under 1,000. */
const mostBytes = 4096

/** Transport protocols over TCP, with the bytes that their addresses take; each begins with the source's. */
const addressesOf = new Map([
  [0x11, { bytes: 12, size: 4, text: textOfIPv4 }],
  [0x21, { bytes: 36, size: 16, text: textOfIPv6 }],
])

/**
 * Reads a header of version 2. It says whose connection this is, or it is refused: one that leaves open who the client is
 * (`UNSPEC`, or a socket) would give a stranger the trust that the proxy has.
 * @param bytes all that has come so far
 * @see {@link https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt PROXY protocol §2.2}
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const begun = Math.min(bytes.length, signature.length)
  if (bytes.compare(signature, 0, begun, 0, begun) !== 0) return { kind: 'malformed' }
  if (bytes.length < fixedLength) return { kind: 'incomplete' }
  const command = bytes.readUInt8(12)
  const following = bytes.readUInt16BE(14)
  // Version 2, LOCAL or PROXY.
  if ((command !== 0x20 && command !== 0x21) || following > mostBytes) return { kind: 'malformed' }
  const addresses = addressesOf.get(bytes.readUInt8(13))
  if (command === 0x21 && (addresses === undefined || following < addresses.bytes)) return { kind: 'malformed' }
  const length = fixedLength + following
  if (bytes.length < length) return { kind: 'incomplete' }
  if (command === 0x20 || addresses === undefined) return { kind: 'local', length }
  const { size, text } = addresses
  return { kind: 'proxied', length, address: text(bytes.subarray(fixedLength, fixedLength + size)) }
}

function textOfIPv4(bytes: Buffer): string {
  return bytes.join('.')
}

/** In full: those who compare addresses bring them into one spelling. */
function textOfIPv6(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':')
}
