import { join } from 'node:path'
import type { AuthorizationServerOptions } from '../authorization-server/options.js'
import { createFileKeySource } from '../authorization-server/tokens/key-source.js'
import type { Configuration } from '../config/load.js'
import { makeStateDirectory } from '../config/resolve/state-directory.js'
import { otherStores, wholeCopy } from '../config/rules/store-rules.js'
import { ConfigurationError, UpstreamError, unreachable } from '../errors.js'
import type { GatewayOptions } from '../gateway/options.js'
import { DamagedFile } from '../store/file-soundness.js'
import { createFileStore, type FileStore } from '../store/file-store.js'
import { createMemoryStore, type MemoryStore } from '../store/memory-store.js'
import { redisAddress } from '../store/redis-options.js'
import { createRedisStore } from '../store/redis-store.js'
import { createSeal, type Seal } from '../store/seal.js'
import type { Store } from '../store/store.js'
import { publish } from '../telemetry/events.js'
import { createOutage, type Outage } from '../telemetry/outage.js'

/** A configuration as the options of its products. */
export interface ProductOptions {
  readonly gateway: GatewayOptions | undefined
  readonly authorizationServer: AuthorizationServerOptions | undefined
}

/** @param store The one that the products share. @param seal The same. */
export function productOptions(
  configuration: Configuration,
  store: Store,
  seal: Seal = createSeal(configuration.sealingKeys),
): ProductOptions {
  const { gateway, authorizationServer } = configuration
  return {
    gateway: gateway && { ...gateway, store, seal },
    authorizationServer: authorizationServer && {
      ...authorizationServer.options,
      store,
      seal,
      // The sessions of one machine may be thrown away, with the store's folder; its signing keys are not to go with them.
      ...(configuration.store.kind !== 'redis' && { signingKeys: { source: keysOnDisk(configuration, seal) } }),
    },
  }
}

function keysOnDisk({ stateDirectory }: Configuration, seal: Seal) {
  makeStateDirectory(stateDirectory)
  return createFileKeySource(join(stateDirectory, 'signing-keys'), seal)
}

export async function openStore({ store }: Configuration): Promise<Store | MemoryStore | FileStore> {
  switch (store.kind) {
    case 'memory':
      return createMemoryStore()
    case 'file':
      return openFileStore(store.path)
    case 'redis':
      return createRedisStore({ ...store, outage: outageOf(redisAddress(store)) })
    default:
      return unreachable(store)
  }
}

async function openFileStore(path: string): Promise<FileStore> {
  try {
    return await createFileStore({ path, outage: outageOf('file') })
  } catch (cause) {
    const reason = cause instanceof UpstreamError && cause.cause instanceof Error ? cause.cause.message : String(cause)
    const problem = `is a database in ${path}, which cannot be opened (${reason.split('\n', 1)[0]})`
    const isDamaged = /^MDB_(?:CORRUPTED|INVALID|VERSION_MISMATCH|PAGE_NOTFOUND)/.test(reason) || isDamagedFile(cause)
    throw new ConfigurationError([{ pointer: '/Store/File', problem, remedy: isDamaged ? wholeCopy : otherStores }], {
      cause,
    })
  }
}

function isDamagedFile(error: unknown): boolean {
  return error instanceof UpstreamError && error.cause instanceof DamagedFile
}

function outageOf(store: string): Outage {
  return createOutage({
    onFailing: (cause, count) => publish({ type: 'server.store.failing', store, cause, count }),
    onBack: (seconds, count) => publish({ type: 'server.store.back', store, seconds, count }),
  })
}
