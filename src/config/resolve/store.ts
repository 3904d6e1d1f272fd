import { resolve } from 'node:path'
import type { Settings } from '../schema/schema.js'
import type { SecretReader } from './secrets.js'

/** The store that is meant, whether said or not. Paths are absolute. */
export type StorePlan =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'redis'
      readonly settings: NonNullable<Settings['Store']['Redis']>
      readonly url: string | undefined
    }

export function storeOf(
  { Store: { File, Memory, Redis }, Server }: Settings,
  directory: string,
  secrets: SecretReader,
): StorePlan {
  if (Redis !== undefined) return { kind: 'redis', settings: Redis, url: secrets.text(Redis.Url, '/Store/Redis/Url') }
  if (Memory !== undefined) return { kind: 'memory' }
  return { kind: 'file', path: resolve(directory, File?.Path ?? `${Server.StateDirectory}/store`) }
}
