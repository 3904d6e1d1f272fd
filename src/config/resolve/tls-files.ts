import { resolve } from 'node:path'
import type { Settings } from '../schema/schema.js'
import type { FrontendPlan } from './frontend-plan.js'
import type { SecretFile } from './secrets.js'

/** The PEM files of one certificate. */
export interface TlsFiles {
  readonly pointer: string
  /** Absolute. */
  readonly certFile: string
  /** Absolute. */
  readonly keyFile: string
}

/** One certificate, or a list of them. */
export function tlsFiles(
  settings: Settings['Server']['Tls'],
  pointer: string,
  directory: string,
): readonly TlsFiles[] | undefined {
  if (settings === undefined) return undefined
  const absolute = ({ CertFile, KeyFile }: { readonly CertFile: string; readonly KeyFile: string }) => ({
    certFile: resolve(directory, CertFile),
    keyFile: resolve(directory, KeyFile),
  })
  return Array.isArray(settings)
    ? settings.map((one, index) => ({ pointer: `${pointer}/${index}`, ...absolute(one) }))
    : [{ pointer, ...absolute(settings) }]
}

/** All private keys for TLS: those of our listeners, and those of what we show to authorization servers and upstreams. */
export function tlsKeyFiles(
  listeners: readonly (readonly TlsFiles[] | undefined)[],
  frontends: readonly FrontendPlan[],
): SecretFile[] {
  return [
    ...listeners
      .flatMap((files) => files ?? [])
      .map(({ pointer, keyFile }) => ({ pointer: `${pointer}/KeyFile`, path: keyFile })),
    ...frontends.flatMap(({ pointer, directory, settings: { ClientCertificate } }) =>
      ClientCertificate === undefined
        ? []
        : [{ pointer: `${pointer}/ClientCertificate/KeyFile`, path: resolve(directory, ClientCertificate.KeyFile) }],
    ),
    ...frontends.flatMap(({ pointer, directory, settings: { Routes = [] } }) =>
      Routes.flatMap(({ Tls }, index) =>
        Tls?.KeyFile === undefined
          ? []
          : [{ pointer: `${pointer}/Routes/${index}/Tls/KeyFile`, path: resolve(directory, Tls.KeyFile) }],
      ),
    ),
  ]
}
