import type { ConfigurationFiles } from '../files.js'
import type { TlsFiles } from '../resolve/tls-files.js'

/** A certificate with its chain, and its private key. PEM. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

export function certificatesOf(
  tls: readonly TlsFiles[] | undefined,
  files: ConfigurationFiles,
): readonly Certificate[] | undefined {
  return tls?.map(({ certFile, keyFile }) => ({ cert: files.read(certFile), key: files.read(keyFile) }))
}
