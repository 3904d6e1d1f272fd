/** A header of the PROXY protocol, version 2. */
export function aProxyHeader({
  command = 0x21,
  family = 0x11,
  source = [203, 0, 113, 9],
  more = Buffer.alloc(0),
}: {
  readonly command?: number
  readonly family?: number
  /** Bytes of the client's address. */
  readonly source?: readonly number[]
  /** What the proxy tells besides. */
  readonly more?: Buffer
} = {}): Buffer {
  const addresses = [...source, ...source.map(() => 1), 0xc0, 0, 0x0b, 0xb8]
  const body = Buffer.concat([Buffer.from(addresses), more])
  const head = Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n'), command, family, 0, 0])
  head.writeUInt16BE(body.length, 14)
  return Buffer.concat([head, body])
}
