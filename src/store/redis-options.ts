import type { Outage } from '../telemetry/outage.js'

/** Which Redis or Valkey, and how long it may take. */
export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, with user and password when needed. */
  readonly url: string
  /** Whether `url` is a node of a Redis Cluster: the others are found by asking it. Default: `single`. */
  readonly topology?: 'single' | 'cluster'
  /** PEM certificates of the authorities to trust for `rediss://`. Default: the system's. */
  readonly ca?: string
  /** Before every key, so that several installations can share one Redis. Default: `sallyport:`. */
  readonly prefix?: string
  /** Seconds one command may take before the store counts as unavailable. Default: 2. */
  readonly timeout?: number
  /** Is told of each command that fails and each that works. */
  readonly outage?: Outage
}

/** What holds where an option is left out, in the units of the options. */
export const redisStoreDefaults = {
  topology: 'single',
  prefix: 'sallyport:',
  timeout: 2,
} as const satisfies Partial<RedisStoreOptions>
