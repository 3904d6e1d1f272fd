import { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { ConfigurationFiles } from '../files.js'
import type { Plan } from '../resolve/resolved.js'
import type { TlsFiles } from '../resolve/tls-files.js'
import { problem, type Rule } from './rule.js'

export const fileRules: readonly Rule[] = [
  function* filesAreThere(plan) {
    for (const { pointer, file, directory } of filesOf(plan))
      if (contentOf(resolve(directory, file), plan.files) === undefined)
        yield problem(
          pointer,
          `names ${file}, which is not there or cannot be read`,
          `Relative paths start at ${directory}.`,
        )
  },

  function* authoritiesAreCertificates(plan) {
    for (const { pointer, file, directory } of filesOf(plan)) {
      const pem = pointer.endsWith('CaFile') ? contentOf(resolve(directory, file), plan.files) : undefined
      if (pem !== undefined && !isCertificate(pem))
        yield problem(
          pointer,
          'has no PEM certificate at its beginning',
          'Give the certificate of the authority, "-----BEGIN CERTIFICATE-----" and all.',
        )
      else if (pem !== undefined && !certificatesIn(pem).some(canBeTrusted))
        yield problem(
          pointer,
          'has no certificate of an authority, only what another one has issued: no connection would trust it',
          'Give the certificate of the authority that has issued it.',
        )
    }
  },

  function* certificatesWork({ tls, authorizationServer: server, files }) {
    const listeners = [tls, server?.tls, server?.mutualTls?.ownTls].flatMap((files) => files ?? [])
    for (const { pointer, certFile, keyFile } of listeners) {
      const cert = contentOf(certFile, files)
      const key = contentOf(keyFile, files)
      if (cert === undefined || key === undefined) continue
      try {
        createSecureContext({ cert, key })
      } catch {
        const [said, remedy] = pairProblem(cert.toString('latin1'), key.toString('latin1'))
        const broken = said === undefined ? notPem(cert, key) : undefined
        if (said !== undefined) yield problem(pointer, said, remedy)
        else if (broken !== undefined) yield problem(`${pointer}/${broken.member}`, broken.said, broken.remedy)
        else
          yield problem(
            pointer,
            'is not a certificate with its private key',
            'Give PEM files that belong together, the certificate first and then its chain.',
          )
      }
    }
  },

  function* eachCertificateIsAnother({ tls = [], authorizationServer: server }) {
    for (const files of [tls, server?.tls ?? [], server?.mutualTls?.ownTls ?? []])
      for (const [index, { pointer, certFile }] of files.entries())
        if (files.slice(0, index).some((earlier) => earlier.certFile === certFile))
          yield problem(
            `${pointer}/CertFile`,
            'is the certificate of an entry before it, which is always the one that is chosen',
            'Name the other certificate, or leave the entry out.',
          )
  },
]

/** What can be told of two files that are no pair. */
function pairProblem(cert: string, key: string): [problem: string, remedy: string] | [problem: undefined, remedy: ''] {
  const isKey = (pem: string): boolean => /-----BEGIN (?:[A-Z]+ )?(?:ENCRYPTED )?PRIVATE KEY-----/.test(pem)
  const isCert = (pem: string): boolean => pem.includes('-----BEGIN CERTIFICATE-----')
  if (isKey(cert) && isCert(key) && !isCert(cert))
    return ['has the key in CertFile and the certificate in KeyFile', 'Exchange the two.']
  if (/ENCRYPTED/.test(key))
    return [
      'has a private key with a passphrase, which is not asked for',
      'Write it without one: `openssl pkey -in KEY -out KEY.plain`, readable by the user that runs sallyport only.',
    ]
  return [undefined, '']
}

interface NamedFile {
  readonly pointer: string
  /** As it is written. */
  readonly file: string
  /** What it starts at where it is relative. */
  readonly directory: string
}

/** Every file that is named and is not a secret's. */
function* filesOf(plan: Plan): Generator<NamedFile> {
  const { settings, directory, bff, frontends, authorizationServer: server, sampleApi } = plan
  yield* ofListener(plan.tls, settings.Server.Tls, directory)
  yield* ofListener(server?.tls, server?.settings.Tls, directory)
  yield* ofListener(server?.mutualTls?.ownTls, server?.settings.MutualTls?.Tls, directory)
  const others: (readonly [string, string | undefined])[] = [
    [`${server?.pointer}/Branding/ThemeFile`, server?.settings.Branding?.ThemeFile],
    [`${server?.pointer}/MutualTls/CaFile`, server?.settings.MutualTls?.CaFile],
    ['/Bff/AuthorityCaFile', bff?.AuthorityCaFile],
    ['/Bff/Branding/ThemeFile', bff?.Branding?.ThemeFile],
    ['/Authentication/OpenIddict/AuthorityCaFile', sampleApi?.settings.OpenIddict.AuthorityCaFile],
    ['/Server/ForwardAuth/Validate/AuthorityCaFile', settings.Server.ForwardAuth?.Validate?.AuthorityCaFile],
    ['/Store/Redis/CaFile', settings.Store.Redis?.CaFile],
    ['/Store/Redis/CertFile', settings.Store.Redis?.CertFile],
    ['/Store/Redis/KeyFile', settings.Store.Redis?.KeyFile],
  ]
  for (const [pointer, file] of others) if (file !== undefined) yield { pointer, file, directory }
  for (const { pointer, directory, settings: frontend } of frontends) {
    for (const member of ['CertFile', 'KeyFile'] as const) {
      const file = frontend.ClientCertificate?.[member]
      if (file !== undefined) yield { pointer: `${pointer}/ClientCertificate/${member}`, file, directory }
    }
    for (const [index, { Tls }] of (frontend.Routes ?? []).entries())
      for (const member of ['CaFile', 'CertFile', 'KeyFile'] as const) {
        const file = Tls?.[member]
        if (file !== undefined) yield { pointer: `${pointer}/Routes/${index}/Tls/${member}`, file, directory }
      }
  }
}

function* ofListener(
  files: readonly TlsFiles[] | undefined,
  settings: Plan['settings']['Server']['Tls'],
  directory: string,
): Generator<NamedFile> {
  const named = settings === undefined ? [] : [settings].flat()
  for (const [index, { pointer }] of (files ?? []).entries())
    for (const member of ['CertFile', 'KeyFile'] as const) {
      const file = named[index]?.[member]
      if (file !== undefined) yield { pointer: `${pointer}/${member}`, file, directory }
    }
}

function contentOf(path: string, files: ConfigurationFiles): Buffer | undefined {
  try {
    return files.read(path)
  } catch {
    return undefined
  }
}

function certificatesIn(pem: Buffer): readonly X509Certificate[] {
  const texts =
    pem
      .toString('latin1')
      .match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g) ?? []
  return texts.filter((text) => isCertificate(Buffer.from(text))).map((text) => new X509Certificate(text))
}

/** Where chains may end: at an authority, or at a certificate that has issued itself. */
function canBeTrusted(certificate: X509Certificate): boolean {
  return certificate.ca || certificate.issuer === certificate.subject
}

function isCertificate(pem: Buffer): boolean {
  try {
    return new X509Certificate(pem).subject !== ''
  } catch {
    return false
  }
}

/** Which of the two files is no PEM at all: DER, or a mount that left it empty. */
function notPem(cert: Buffer, key: Buffer): { member: string; said: string; remedy: string } | undefined {
  for (const [member, content, command] of [
    ['CertFile', cert, 'openssl x509 -inform der -in FILE -out FILE.pem'],
    ['KeyFile', key, 'openssl pkey -inform der -in FILE -out FILE.pem'],
  ] as const) {
    const text = content.toString('latin1')
    if (text.trim() === '')
      return { member, said: 'names an empty file', remedy: 'See that what writes or mounts it has done so.' }
    // A SEQUENCE, which certificates and keys are in DER.
    if (content[0] === 0x30 && !text.includes('-----BEGIN '))
      return { member, said: 'names a file in DER, and PEM goes here', remedy: `Convert it: \`${command}\`.` }
    if (!text.includes('-----BEGIN '))
      return { member, said: 'names a file that is not PEM', remedy: 'Give one that has "-----BEGIN …" in it.' }
  }
  return undefined
}
