import type { RedisStoreOptions } from '../../store/redis-options.js'
import { seconds } from '../duration.js'
import type { ConfigurationFiles } from '../files.js'
import type { RedisPlan, StorePlan } from '../resolve/store.js'

/** What the stores are made from. */
export type StoreSettings =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  | ({ readonly kind: 'redis' } & RedisStoreOptions)

const topologies = { Single: 'single', Sentinel: 'sentinel', Cluster: 'cluster' } as const

export function storeSettings(plan: StorePlan, files: ConfigurationFiles): StoreSettings {
  return plan.kind === 'redis' ? redisSettings(plan, files) : plan
}

function redisSettings(plan: RedisPlan, files: ConfigurationFiles): StoreSettings {
  const { settings, url, username, password, sentinelUsername, sentinelPassword } = plan
  const { Sentinel } = settings
  const pem = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : files.read(path).toString()
  const [ca, cert, key] = [plan.tls.ca, plan.tls.cert, plan.tls.key].map(pem)
  return {
    kind: 'redis',
    topology: topologies[settings.Topology],
    nodes: settings.Nodes,
    prefix: settings.Prefix,
    timeout: seconds(settings.Timeout),
    tls: given({ ca, cert, key }),
    ...given({ url, username, password, database: settings.Database }),
    ...(Sentinel !== undefined && {
      sentinel: {
        name: Sentinel.Name,
        ...given({ username: sentinelUsername, password: sentinelPassword }),
        ...(Sentinel.PrimaryTls !== undefined && { primary: Sentinel.PrimaryTls ? 'tls' : 'plain' }),
      },
    }),
  }
}

/** Without what was not said: an option is there or absent, never undefined. */
function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
