import type { Outage } from '../telemetry/outage.js'

/** Which Redis or Valkey, and how long it may take. */
export interface RedisStoreOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database when needed. With `nodes` it may be left out. */
  readonly url?: string
  /**
   * `single`: one server. `sentinel`: `nodes` are Sentinels, which know the primary. `cluster`: `nodes`, or `url`, are some of
   * a Redis Cluster's, which know the others. Default: `single`.
   */
  readonly topology?: 'single' | 'sentinel' | 'cluster'
  /** `redis://host:port` or `rediss://host:port`; more than one, so that one of them may be away. */
  readonly nodes?: readonly string[]
  /** Needed by the topology `sentinel`. */
  readonly sentinel?: RedisSentinelOptions
  /** User of the access control list. Goes before the one of `url`. */
  readonly username?: string
  /** Goes before the one of `url`. */
  readonly password?: string
  /** Number of the database; a cluster has one only. Default: 0. */
  readonly database?: number
  /** PEM, for `rediss://`. */
  readonly tls?: RedisTls
  /** Before every key, so that several installations can share one Redis. Default: `sallyport:`. */
  readonly prefix?: string
  /** Seconds one command may take before the store counts as unavailable. Default: 2. */
  readonly timeout?: number
  /** Is told of each command that fails and each that works. */
  readonly outage?: Outage
}

/** PEM texts. */
export interface RedisTls {
  /** Certificates of the authorities to trust. Default: the system's. */
  readonly ca?: string
  /** This client's certificate, where the server asks for one. */
  readonly cert?: string
  /** Its private key. */
  readonly key?: string
}

/** What is asked of Sentinels, and what they are asked with. */
export interface RedisSentinelOptions {
  /** Of the primary, as the Sentinels call it. */
  readonly name: string
  /** User of the Sentinels themselves. */
  readonly username?: string
  readonly password?: string
  /** Whether the primary speaks TLS, where it differs from what the Sentinels do. */
  readonly primary?: 'tls' | 'plain'
}

/** What holds where an option is left out, in the units of the options. */
export const redisStoreDefaults = {
  topology: 'single',
  database: 0,
  prefix: 'sallyport:',
  timeout: 2,
} as const satisfies Partial<RedisStoreOptions>

/** Host and port that it is called by in logs; of several nodes, the first. */
export function redisAddress({ url, nodes = [] }: Pick<RedisStoreOptions, 'url' | 'nodes'>): string {
  const [first = url ?? ''] = nodes
  return URL.canParse(first) ? new URL(first).host : ''
}
