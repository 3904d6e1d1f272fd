import { join } from 'node:path'
import type { AuthorizationServerOptions } from '../authorization-server/options.js'
import { createFileKeySource } from '../authorization-server/tokens/key-source.js'
import type { Configuration } from '../config/load.js'
import { makeStateDirectory } from '../config/resolve/state-directory.js'
import type { GatewayOptions } from '../gateway/options.js'
import { createMemoryStore, type MemoryStore } from '../store/memory-store.js'
import { createRedisStore } from '../store/redis-store.js'
import { createSeal } from '../store/seal.js'
import type { Store } from '../store/store.js'
import { publish } from '../telemetry/events.js'
import { createOutage } from '../telemetry/outage.js'

/** A configuration as the options of its products. */
export interface ProductOptions {
  readonly gateway: GatewayOptions | undefined
  readonly authorizationServer: AuthorizationServerOptions | undefined
}

/** @param store The one that the products share. */
export function productOptions(configuration: Configuration, store: Store): ProductOptions {
  const seal = createSeal(configuration.sealingKeys)
  const { gateway, authorizationServer } = configuration
  return {
    gateway: gateway && { ...gateway, store, seal },
    authorizationServer: authorizationServer && {
      ...authorizationServer.options,
      store,
      seal,
      // A store that goes with the process would take the signing keys along, and with them every token.
      ...(configuration.store.kind === 'memory' && { signingKeys: { source: keysOnDisk(configuration, seal) } }),
    },
  }
}

function keysOnDisk({ stateDirectory }: Configuration, seal: GatewayOptions['seal']) {
  makeStateDirectory(stateDirectory)
  return createFileKeySource(join(stateDirectory, 'signing-keys'), seal)
}

export async function openStore({ store }: Configuration): Promise<Store | MemoryStore> {
  if (store.kind === 'memory') return createMemoryStore()
  const { host } = new URL(store.url)
  const outage = createOutage({
    onFailing: (cause, count) => publish({ type: 'server.store.failing', store: host, cause, count }),
    onBack: (seconds, count) => publish({ type: 'server.store.back', store: host, seconds, count }),
  })
  return createRedisStore({ ...store, outage })
}
