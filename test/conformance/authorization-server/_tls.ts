import { connect, getCiphers, type SecureVersion } from 'node:tls'
import type { ExecutionContext } from 'ava'

interface Offer {
  readonly versions: readonly [SecureVersion, SecureVersion]
  readonly ciphers?: string
}

type Handshake =
  | { readonly kind: 'agreed'; readonly protocol: string; readonly cipher: string }
  | { readonly kind: 'refused'; readonly code: string }

function handshake(url: string, { versions: [minVersion, maxVersion], ciphers = '' }: Offer): Promise<Handshake> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      rejectUnauthorized: false,
      minVersion,
      maxVersion,
      // Our own side must not be the one that refuses.
      ciphers: `${ciphers || 'ALL'}:@SECLEVEL=0`,
    })
    socket.once('secureConnect', () => {
      const protocol = socket.getProtocol() ?? ''
      const cipher = socket.getCipher().name
      socket.destroy()
      resolve({ kind: 'agreed', protocol, cipher })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.destroy()
      resolve({ kind: 'refused', code: error.code ?? error.message })
    })
  })
}

const recommended = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
]

const others = getCiphers()
  .map((name) => name.toUpperCase())
  .filter((name) => !name.startsWith('TLS_') && !recommended.includes(name))

/** FAPI 2.0 §5.2.1 and §5.2.2, as the suite probes an endpoint. */
export async function checkTls(t: ExecutionContext, url: string): Promise<void> {
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    const old = await handshake(url, { versions: [version, version] })
    t.is(old.kind === 'refused' && old.code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', `${version} at ${url}`)
  }
  const newest = await handshake(url, { versions: ['TLSv1.3', 'TLSv1.3'] })
  t.is(newest.kind === 'agreed' && newest.protocol, 'TLSv1.3')
  const preferred = await handshake(url, { versions: ['TLSv1.2', 'TLSv1.3'] })
  t.is(preferred.kind === 'agreed' && preferred.protocol, 'TLSv1.3', 'TLS 1.3 is not preferred')

  const usual = await handshake(url, { versions: ['TLSv1.2', 'TLSv1.2'] })
  t.true(usual.kind === 'agreed' && recommended.includes(usual.cipher), JSON.stringify(usual))
  const [offered, total] = [others.join(':'), others.length]
  t.true(total > 20, 'too few other suites to offer')
  const weak = await handshake(url, { versions: ['TLSv1.2', 'TLSv1.2'], ciphers: offered })
  // OpenSSL 3.5, which Node.js has from 24 on, calls the same alert by another name.
  t.regex(weak.kind === 'refused' ? weak.code : '', /^ERR_SSL_.*ALERT_HANDSHAKE_FAILURE$/, JSON.stringify(weak))
}
