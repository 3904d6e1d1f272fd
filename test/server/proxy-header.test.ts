import test from 'ava'
import fc from 'fast-check'
import { readProxyHeader } from '../../src/server/proxy-header.js'
import { aProxyHeader } from './_proxy-header.js'

const ipv6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

test('the address of the client is read, over IPv4 and IPv6, with what the proxy tells besides', (t) => {
  const four = aProxyHeader({ more: Buffer.from('04000100', 'hex') })
  t.deepEqual(readProxyHeader(Buffer.concat([four, Buffer.from('GET')])), {
    kind: 'proxied',
    length: four.length,
    address: '203.0.113.9',
  })
  const six = aProxyHeader({ family: 0x21, source: ipv6 })
  t.deepEqual(readProxyHeader(six), { kind: 'proxied', length: six.length, address: '2001:db8:0:0:0:0:0:1' })
})

test('a proxy that speaks for itself names no client, whatever addresses it writes', (t) => {
  for (const family of [0x00, 0x11, 0x31]) {
    const header = aProxyHeader({ command: 0x20, family })
    t.deepEqual(readProxyHeader(header), { kind: 'local', length: header.length })
  }
})

test('each beginning of a header is waited for, and no more than 4,112 bytes', (t) => {
  for (const header of [aProxyHeader(), aProxyHeader({ more: Buffer.alloc(4084) })])
    for (let length = 0; length < header.length; length++)
      t.is(readProxyHeader(header.subarray(0, length)).kind, 'incomplete')
  t.is(readProxyHeader(aProxyHeader({ more: Buffer.alloc(4085) }).subarray(0, 16)).kind, 'malformed')
})

for (const [what, bytes] of [
  ['version 1', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 49152 443\r\n')],
  ['a request', Buffer.from('GET / HTTP/1.1\r\n')],
  ['a handshake of TLS', Buffer.from('160301', 'hex')],
  ['version 1 in binary', aProxyHeader({ command: 0x11 })],
  ['another command', aProxyHeader({ command: 0x22 })],
  ['a client that is not named', aProxyHeader({ family: 0x00 })],
  ['datagrams', aProxyHeader({ family: 0x12 })],
  ['a client on a Unix socket', aProxyHeader({ family: 0x31 })],
  ['an address that is too short for its family', aProxyHeader({ family: 0x21 })],
] as const)
  test(`refused is ${what}`, (t) => {
    t.deepEqual(readProxyHeader(bytes), { kind: 'malformed' })
  })

test('no bytes make it throw, wait for ever or name what is no address', (t) => {
  const near = fc.tuple(fc.nat(40), fc.nat(255)).map(([at, value]) => {
    const bytes = aProxyHeader({ family: 0x21, source: ipv6 })
    bytes[at] = value
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }).map(Buffer.from), near), (bytes) => {
      const padded = readProxyHeader(Buffer.concat([bytes, Buffer.alloc(4112)]))
      t.not(padded.kind, 'incomplete')
      if (padded.kind === 'proxied')
        t.regex(padded.address, /^(?:(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4})$/)
    }),
    { numRuns: 500 },
  )
  t.pass()
})
