import { resolve } from 'node:path'
import type { Settings } from '../schema/schema.js'
import type { SecretFile, SecretReader } from './secrets.js'

type RedisSettings = NonNullable<Settings['Store']['Redis']>

/** Redis, with its secrets read. */
export interface RedisPlan {
  readonly kind: 'redis'
  readonly settings: RedisSettings
  readonly url: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
  /** Absolute paths of PEM files. */
  readonly tls: { readonly ca: string | undefined; readonly cert: string | undefined; readonly key: string | undefined }
}

/** The store that is meant, whether said or not. Paths are absolute. */
export type StorePlan = { readonly kind: 'memory' } | { readonly kind: 'file'; readonly path: string } | RedisPlan

export function storeOf(
  { Store: { File, Memory, Redis }, Server }: Settings,
  directory: string,
  secrets: SecretReader,
): StorePlan {
  if (Redis !== undefined) return redisOf(Redis, directory, secrets)
  if (Memory !== undefined) return { kind: 'memory' }
  return { kind: 'file', path: resolve(directory, File?.Path ?? `${Server.StateDirectory}/store`) }
}

function redisOf(settings: RedisSettings, directory: string, secrets: SecretReader): RedisPlan {
  const { Url, Username, Password, Sentinel, CaFile, CertFile, KeyFile } = settings
  const path = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : resolve(directory, file)
  return {
    kind: 'redis',
    settings,
    url: secrets.text(Url, '/Store/Redis/Url'),
    username: secrets.text(Username, '/Store/Redis/Username'),
    password: secrets.text(Password, '/Store/Redis/Password'),
    sentinelUsername: secrets.text(Sentinel?.Username, '/Store/Redis/Sentinel/Username'),
    sentinelPassword: secrets.text(Sentinel?.Password, '/Store/Redis/Sentinel/Password'),
    tls: { ca: path(CaFile), cert: path(CertFile), key: path(KeyFile) },
  }
}

/** The private key for TLS. */
export function storeKeyFiles(store: StorePlan): SecretFile[] {
  if (store.kind !== 'redis' || store.tls.key === undefined) return []
  return [{ pointer: '/Store/Redis/KeyFile', path: store.tls.key }]
}
