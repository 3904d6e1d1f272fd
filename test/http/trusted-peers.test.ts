import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import test from 'ava'
import { clientOf, createTrustedPeers } from '../../src/http/trusted-peers.js'

function aRequest(peer: string, headers: Record<string, string>): IncomingMessage {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: peer })
  const request = new IncomingMessage(socket)
  Object.assign(request.headers, headers)
  return request
}

const forged = {
  host: 'app.example.com',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
}

test('believes no forwarded header by default', (t) => {
  const isTrustedPeer = createTrustedPeers([])
  t.deepEqual(clientOf(aRequest('127.0.0.1', forged), isTrustedPeer), {
    address: '127.0.0.1',
    protocol: 'http',
    host: 'app.example.com',
  })
})

test('believes no forwarded header of a peer outside the trusted networks', (t) => {
  const isTrustedPeer = createTrustedPeers(['10.0.0.0/8'])
  t.is(clientOf(aRequest('192.0.2.1', forged), isTrustedPeer).address, '192.0.2.1')
})

test('takes what a trusted proxy says', (t) => {
  const isTrustedPeer = createTrustedPeers(['10.0.0.0/8'])
  t.deepEqual(clientOf(aRequest('10.1.2.3', forged), isTrustedPeer), {
    address: '203.0.113.9',
    protocol: 'https',
    host: 'evil.example',
  })
})

test('sees a trusted IPv4 proxy through its IPv6-mapped address', (t) => {
  t.true(createTrustedPeers(['10.0.0.0/8'])('::ffff:10.0.0.1'))
})

test('counts only what trusted proxies appended, not what the client wrote before', (t) => {
  const isTrustedPeer = createTrustedPeers(['10.0.0.0/8'])
  const headers = { 'x-forwarded-for': '1.2.3.4, 203.0.113.9, 10.0.0.7' }
  t.is(clientOf(aRequest('10.1.2.3', headers), isTrustedPeer).address, '203.0.113.9')
})

test('keeps to the peer when the header holds no address', (t) => {
  const isTrustedPeer = createTrustedPeers(['10.0.0.0/8'])
  t.is(clientOf(aRequest('10.1.2.3', { 'x-forwarded-for': 'unknown, <script>' }), isTrustedPeer).address, '10.1.2.3')
})

test('refuses what is not a network', (t) => {
  t.throws(() => createTrustedPeers(['10.0.0.0/99']))
})
