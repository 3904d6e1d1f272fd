import { redisClient } from './redis-client.js'
import type { RedisStoreOptions } from './redis-options.js'
import { countScript } from './redis-scripts.js'

/** What a server says of itself. Undefined: it does not say so to this user. */
export interface RedisInspection {
  /** As Redis counts; Valkey says which Redis it equals. */
  readonly version: string | undefined
  /** `standalone`, `cluster` or `sentinel`. */
  readonly mode: string | undefined
  /** What goes when the memory is full. */
  readonly evictionPolicy: string | undefined
  /** Bytes; 0: all that the machine has. */
  readonly maxMemory: number | undefined
}

/**
 * Writes and takes away a record, counts and says something, as the store would, and asks for what decides whether records are
 * safe there.
 * @throws Error in the server's own words
 */
export async function inspectRedis(options: RedisStoreOptions): Promise<RedisInspection> {
  const { client, connect } = await redisClient(options)
  await connect()
  try {
    const key = `${options.prefix ?? ''}check`
    await client.set(key, '', { expiration: { type: 'PX', value: 1000 } })
    await client.del(key)
    await client.eval(countScript, { keys: [key], arguments: ['1', '1', '1', '1'] })
    await client.publish(key, '')
    // A user that may not ask is no fault.
    const info = await client
      .eval("return redis.call('INFO', 'everything')", { keys: [key], arguments: [] })
      .then(String, () => '')
    const said = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
    const maxMemory = said('maxmemory')
    return {
      version: said('redis_version'),
      mode: said('redis_mode'),
      evictionPolicy: said('maxmemory_policy'),
      maxMemory: maxMemory === undefined ? undefined : Number(maxMemory),
    }
  } finally {
    client.destroy()
  }
}
