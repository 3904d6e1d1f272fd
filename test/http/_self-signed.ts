import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', args)
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** A certificate that no program trusts, made now by OpenSSL and kept nowhere. @param hosts Default: localhost and 127.0.0.1. */
export function selfSigned(hosts: readonly string[] = ['localhost', '127.0.0.1']): Promise<Certificate> {
  const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join()
  return inFolder(async (key, cert) => {
    const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names}`]
    await openssl('req', '-x509', ...curve, '-days', '2', '-keyout', key, '-out', cert, ...subject)
  })
}

/** What a certificate says. */
export interface Said {
  /** As OpenSSL writes it. Default: `/CN=client`. */
  readonly subject?: string
  /** As OpenSSL writes it: `URI:spiffe://example/app`. Default: none. */
  readonly names?: string
  /** Lines of an OpenSSL configuration. */
  readonly extensions?: readonly string[]
}

export interface Authority extends Certificate {
  /** A certificate of a client, good for two days. */
  issue(said?: Said): Promise<Certificate>
  /** An authority below this one. @param extensions lines of an OpenSSL configuration */
  intermediate(subject: string, extensions?: readonly string[]): Promise<Authority>
}

/** An authority that issues certificates to clients. */
export async function anAuthority(subject = '/CN=Authority of clients'): Promise<Authority> {
  const made = await inFolder(async (key, cert) => {
    await openssl('req', '-x509', ...curve, '-days', '2', '-keyout', key, '-out', cert, '-subj', subject)
  })
  return authorityOf(made)
}

function authorityOf(authority: Certificate): Authority {
  const issue = ({ subject = '/CN=client', names, extensions = [] }: Said = {}): Promise<Certificate> =>
    inFolder(async (key, cert) => {
      const [request, issuerKey, issuerCert, lines] = ['csr', 'ca.key', 'ca.pem', 'ext'].map(
        (name) => `${cert}.${name}`,
      )
      await writeFile(issuerKey ?? '', authority.key)
      await writeFile(issuerCert ?? '', authority.cert)
      const san = names === undefined ? [] : [`subjectAltName=${names}`]
      await writeFile(lines ?? '', ['[ext]', ...san, ...extensions].join('\n'))
      await openssl('req', '-new', '-utf8', ...curve, '-keyout', key, '-out', request ?? '', '-subj', subject)
      const by = ['-CA', issuerCert ?? '', '-CAkey', issuerKey ?? '', '-CAcreateserial', '-days', '2']
      const said = ['-extfile', lines ?? '', '-extensions', 'ext']
      await openssl('x509', '-req', '-in', request ?? '', ...by, ...said, '-out', cert)
    })
  return {
    ...authority,
    issue,
    intermediate: async (subject, extensions = []) =>
      authorityOf(await issue({ subject, extensions: ['basicConstraints=critical,CA:TRUE', ...extensions] })),
  }
}

/** @param make writes the two files */
async function inFolder(make: (key: string, cert: string) => Promise<void>): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    await make(key, cert)
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
  } finally {
    await rm(folder, { recursive: true })
  }
}
