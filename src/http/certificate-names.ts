import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** The host names that a PEM certificate is for, in small letters; `*.example.com` stands for one label. No addresses. */
export function namesOf(pem: Buffer): readonly string[] {
  return alternativeNames(new X509Certificate(pem), 'DNS').map((name) => name.toLowerCase())
}

/** The alternative names of one kind, as they stand in the certificate. None where the list cannot be read to its end. */
export function alternativeNames({ subjectAltName = '' }: X509Certificate, kind: 'DNS' | 'URI'): readonly string[] {
  const names: string[] = []
  // Node puts what could be taken for another entry in quotes, as JSON: so the list is read from its beginning.
  const entry = /([A-Za-z][\w ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y
  while (entry.lastIndex < subjectAltName.length) {
    const [, found, name = ''] = entry.exec(subjectAltName) ?? []
    if (found === undefined) return []
    if (found === kind) names.push(name.startsWith('"') ? (JSON.parse(name) as string) : name)
  }
  return names
}

/** Whether a browser that asks for this host takes the certificate, as far as names go. @param host without port or brackets */
export function isFor(pem: Buffer, host: string): boolean {
  const certificate = new X509Certificate(pem)
  return (
    (isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host)) !== undefined
  )
}

/** By exact name, then by wildcard; the first certificate of those that have the same. */
export function createNameTable<Entry>(entries: readonly (readonly [names: readonly string[], entry: Entry])[]) {
  const table = new Map<string, Entry>()
  for (const [names, entry] of entries) for (const name of names) if (!table.has(name)) table.set(name, entry)
  return (host: string): Entry | undefined => {
    const name = host.toLowerCase()
    return table.get(name) ?? table.get(`*${name.slice(name.indexOf('.'))}`)
  }
}
