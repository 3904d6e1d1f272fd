import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import forge from 'node-forge'

/** A certificate for this machine, and the authority that signed it. Paths of PEM files. */
export interface LocalCertificate {
  readonly certFile: string
  readonly keyFile: string
  /** What browsers have to trust. */
  readonly caFile: string
}

const days = 86_400_000
/** Apple takes no certificate that lives longer than 825 days. */
const lifetime = 397 * days
const authorityLifetime = 3650 * days
const renewBefore = 30 * days

/**
 * The certificate of `https://localhost`, made where it is not there yet and renewed before it ends. Its authority is this
 * folder's own, and good for localhost only: with its key no other site can be imitated.
 */
export async function localCertificate(folder: string, now = Date.now()): Promise<LocalCertificate> {
  const file = (name: string): string => join(folder, name)
  const files = { certFile: file('localhost.pem'), keyFile: file('localhost.key'), caFile: file('ca.pem') }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const authority = kept(files.caFile, file('ca.key'), now) ?? (await newAuthority(now))
  if (authority.isNew) keep(authority, files.caFile, file('ca.key'))
  const own = authority.isNew ? undefined : kept(files.certFile, files.keyFile, now)
  if (own === undefined) keep(await newCertificate(authority, now), files.certFile, files.keyFile)
  return files
}

interface Identity {
  readonly certificate: forge.pki.Certificate
  readonly key: forge.pki.rsa.PrivateKey
  readonly isNew: boolean
}

/** Undefined: not there, or about to end. */
function kept(certFile: string, keyFile: string, now: number): Identity | undefined {
  if (!existsSync(certFile) || !existsSync(keyFile)) return undefined
  const certificate = forge.pki.certificateFromPem(readFileSync(certFile, 'utf8'))
  if (certificate.validity.notAfter.getTime() - renewBefore < now) return undefined
  return { certificate, key: forge.pki.privateKeyFromPem(readFileSync(keyFile, 'utf8')), isNew: false }
}

function keep({ certificate, key }: Identity, certFile: string, keyFile: string): void {
  writeFileSync(keyFile, forge.pki.privateKeyToPem(key), { mode: 0o600 })
  writeFileSync(certFile, forge.pki.certificateToPem(certificate), { mode: 0o644 })
}

async function newAuthority(now: number): Promise<Identity> {
  const { privateKey, publicKey } = await keyPair()
  const certificate = blank(publicKey, now, authorityLifetime)
  const name = [{ name: 'commonName', value: 'Sallyport on this machine, for localhost only' }]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
    { id: '2.5.29.30', critical: true, value: localNamesOnly() },
  ])
  certificate.sign(privateKey, forge.md.sha256.create())
  return { certificate, key: privateKey, isNew: true }
}

async function newCertificate(authority: Identity, now: number): Promise<Identity> {
  const { privateKey, publicKey } = await keyPair()
  const certificate = blank(publicKey, now, lifetime)
  certificate.setSubject([{ name: 'commonName', value: 'localhost' }])
  certificate.setIssuer(authority.certificate.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
        { type: 7, ip: '::1' },
      ],
    },
  ])
  certificate.sign(authority.key, forge.md.sha256.create())
  return { certificate, key: privateKey, isNew: true }
}

function blank(publicKey: forge.pki.rsa.PublicKey, now: number, lives: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  // A first byte below 0x80: serial numbers are positive.
  certificate.serialNumber = `01${forge.util.bytesToHex(forge.random.getBytesSync(15))}`
  // Clocks differ.
  certificate.validity.notBefore = new Date(now - days)
  certificate.validity.notAfter = new Date(now - days + lives)
  return certificate
}

function keyPair(): Promise<forge.pki.rsa.KeyPair> {
  return new Promise((resolve, reject) =>
    forge.pki.rsa.generateKeyPair({ bits: 2048 }, (error, pair) => (error ? reject(error) : resolve(pair))),
  )
}

/** Name constraints (RFC 5280 §4.2.1.10): localhost, 127.0.0.1 and ::1, and nothing else. */
function localNamesOnly(): string {
  const { asn1 } = forge
  const choice = (type: number, content: string): forge.asn1.Asn1 =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
      asn1.create(asn1.Class.CONTEXT_SPECIFIC, type, false, content),
    ])
  const ones = (count: number): string => '\xff'.repeat(count)
  const permitted = asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, [
    choice(2, 'localhost'),
    choice(7, `\x7f\x00\x00\x01${ones(4)}`),
    choice(7, `${'\x00'.repeat(15)}\x01${ones(16)}`),
  ])
  return asn1.toDer(asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [permitted])).getBytes()
}
