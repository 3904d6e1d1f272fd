import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type SecureVersion, type TlsOptions } from 'node:tls'
import test from 'ava'
import { tlsPreset } from '../../src/http/tls.js'
import { selfSigned } from './_self-signed.js'

const certificate = await selfSigned()

/** The protocol and cipher suite agreed on, or undefined when the server refuses. */
async function handshake(
  server: TlsOptions,
  client: { ciphers?: string; minVersion?: SecureVersion; maxVersion?: SecureVersion },
) {
  const listener = createServer({ ...certificate, ...server }).listen(0, '127.0.0.1')
  listener.on('tlsClientError', () => undefined)
  await once(listener, 'listening')
  const socket = connect({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...client,
  })
  try {
    await once(socket, 'secureConnect')
    return { protocol: socket.getProtocol(), cipher: socket.getCipher().name }
  } catch {
    return undefined
  } finally {
    socket.destroy()
    listener.close()
  }
}

for (const cipher of [
  'AES128-SHA',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-CCM',
]) {
  test(`refuses ${cipher} under TLS 1.2 (FAPI 2.0 §5.2.2)`, async (t) => {
    t.is(await handshake(tlsPreset, { maxVersion: 'TLSv1.2', ciphers: cipher }), undefined)
  })
}

test('a weak suite that the preset refuses is one that Node takes by default', async (t) => {
  t.like(await handshake({}, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }), { protocol: 'TLSv1.2' })
})

test('refuses TLS 1.1', async (t) => {
  t.is(
    await handshake(tlsPreset, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    undefined,
  )
})

for (const cipher of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']) {
  test(`takes ${cipher} under TLS 1.2`, async (t) => {
    t.like(await handshake(tlsPreset, { maxVersion: 'TLSv1.2', ciphers: cipher }), { protocol: 'TLSv1.2', cipher })
  })
}

test('prefers TLS 1.3', async (t) => {
  t.like(await handshake(tlsPreset, {}), { protocol: 'TLSv1.3' })
})
