import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** A certificate that no program trusts, made now by OpenSSL and kept nowhere. @param hosts Default: localhost and 127.0.0.1. */
export async function selfSigned(hosts: readonly string[] = ['localhost', '127.0.0.1']): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join()
    const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names}`]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    await promisify(execFile)('openssl', [
      'req',
      '-x509',
      ...curve,
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ])
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
  } finally {
    await rm(folder, { recursive: true })
  }
}
