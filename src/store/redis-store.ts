import { connectionCode, UpstreamError } from '../errors.js'
import { answeredWithin } from './answered-within.js'
import { type RedisStoreOptions, redisStoreDefaults } from './redis-options.js'
import { createRedisSignals } from './redis-signals.js'
import { slicesOfWindow } from './sliding-counts.js'
import type { Expiry, Lifetime, Store } from './store.js'

// Redis runs a script alone: that is what makes compare-and-set atomic.
const replaceScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local at, kind = tonumber(ARGV[3]), 'PXAT'
if ARGV[4] == 'atLeast' then at = math.max(at, redis.call('PEXPIRETIME', KEYS[1])) end
if ARGV[4] == 'lasts' then kind = 'PX' end
redis.call('SET', KEYS[1], ARGV[2], kind, at)
return 1`
const deleteIfScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`
/** A sorted set whose scores are expiries: each member has its own, and the whole goes with the last. */
const addMemberScript = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
if tonumber(ARGV[2]) > tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1]) end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], last[2]) end
return 1`
/** A hash of counts by slice of the window. The time is Redis' own: the clocks of replicas differ. */
const countScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, limit, slice, slices = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local current = math.floor(now / slice)
local fields = redis.call('HGETALL', KEYS[1])
local used, oldest, newest = 0, nil, nil
for i = 1, #fields, 2 do
  local at = tonumber(fields[i])
  if at < current - slices then
    redis.call('HDEL', KEYS[1], fields[i])
  else
    used = used + tonumber(fields[i + 1])
    if not oldest or at < oldest then oldest = at end
    if not newest or at > newest then newest = at end
  end
end
local counted = cost <= 0 or used + cost <= limit
if counted and cost > 0 then
  redis.call('HINCRBY', KEYS[1], current, cost)
  redis.call('PEXPIRE', KEYS[1], math.ceil(slice * (slices + 1)))
  if not oldest then oldest = current end
  used = used + cost
elseif cost < 0 and newest then
  if redis.call('HINCRBY', KEYS[1], newest, cost) <= 0 then redis.call('HDEL', KEYS[1], newest) end
  used = used + cost
end
local reset = oldest and (oldest + slices + 1) * slice - now or 0
return { counted and 1 or 0, math.max(0, limit - used), math.ceil(reset) }`

/**
 * The store of several processes: Redis 7 or Valkey. A lost connection is taken up again by the client.
 * @throws UpstreamError `store_unavailable` when there is none at the start, and by each operation while there is none
 * @example
 * ```ts
 * import { createRedisStore } from 'sallyport'
 *
 * export const open = () => createRedisStore({ url: 'rediss://:password@redis.example.com:6380', timeout: 1 })
 * ```
 */
export async function createRedisStore({
  url,
  topology = redisStoreDefaults.topology,
  ca,
  prefix = redisStoreDefaults.prefix,
  timeout = redisStoreDefaults.timeout,
  outage,
}: RedisStoreOptions): Promise<Store> {
  // Loaded by those who have a Redis: its 478 files are a third of what a process would read before it listens.
  const { createClient, createCluster, ErrorReply } = await import('@redis/client')
  let hasConnected = false
  const settings = {
    url,
    // A command that cannot be sent now fails now: the caller answers 503 and the browser tries again.
    disableOfflineQueue: true,
    commandOptions: { timeout: timeout * 1000 },
    socket: {
      connectTimeout: timeout * 1000,
      ...(ca !== undefined && { tls: true as const, ca }),
      // A Redis that is not there at start is a mistake to be told; one that goes away later comes back.
      // Often, since refreshed tokens may wait to be written down, and other replicas wait two seconds for them at most.
      reconnectStrategy: (attempts: number, cause: Error) => (hasConnected ? Math.min(50 * 2 ** attempts, 500) : cause),
    },
  }
  const { username, password } = new URL(url)
  // Every operation names one key, so a cluster needs no hash tags: it runs where that key's slot is.
  const client =
    topology === 'single'
      ? createClient(settings)
      : createCluster({
          rootNodes: [{ url }],
          defaults: {
            ...settings,
            ...(username !== '' && { username: decodeURIComponent(username) }),
            ...(password !== '' && { password: decodeURIComponent(password) }),
          },
        })
  // Every failed command says so to its caller, but why the connection is gone is said only here.
  let disconnected: unknown
  client.on('error', (error: unknown) => {
    disconnected = error
  })

  const unavailable = (cause: unknown): UpstreamError =>
    new UpstreamError('store_unavailable', 'the Redis store did not answer', { cause })
  const available = async <Reply>(command: () => Promise<Reply>): Promise<Reply> => {
    try {
      // The client's own limit ends when a command has been sent.
      const reply = await answeredWithin(timeout, command())
      disconnected = undefined
      outage?.worked()
      return reply
    } catch (cause) {
      outage?.failed((cause instanceof ErrorReply && saidBy(cause)) || causeOf(cause, disconnected))
      throw unavailable(cause)
    }
  }
  const evaluate = (text: string, key: string, values: string[]) =>
    available(() => client.eval(text, { keys: [prefix + key], arguments: values }))
  const script = async (text: string, key: string, ...values: string[]): Promise<boolean> =>
    (await evaluate(text, key, values)) === 1

  await client.connect().catch((cause: unknown) => {
    throw unavailable(cause)
  })
  hasConnected = true
  const signals = createRedisSignals(client, prefix)

  return {
    get: async (key) => (await available(() => client.get(prefix + key))) ?? undefined,
    async set(key, value, expiresAt) {
      await available(() => client.set(prefix + key, value, { expiration: { type: 'PXAT', value: at(expiresAt) } }))
    },
    async addIfAbsent(key, value, expiresAt) {
      const expiration = expirationOf(expiresAt)
      return (await available(() => client.set(prefix + key, value, { condition: 'NX', expiration }))) === 'OK'
    },
    replace: (key, expected, value, expiresAt) => script(replaceScript, key, expected, value, ...expiryOf(expiresAt)),
    extend: async (key, expiresAt) => (await available(() => client.pExpireAt(prefix + key, at(expiresAt)))) === 1,
    take: async (key) => (await available(() => client.getDel(prefix + key))) ?? undefined,
    delete: async (key) => (await available(() => client.del(prefix + key))) === 1,
    deleteIf: (key, expected) => script(deleteIfScript, key, expected),
    async addMember(key, member, expiresAt) {
      await script(addMemberScript, key, member, String(at(expiresAt)), String(Date.now()))
    },
    async removeMember(key, member) {
      await available(() => client.zRem(prefix + key, member))
    },
    members: (key) => available(() => client.zRangeByScore(prefix + key, `(${Date.now()}`, '+inf')),
    async count(key, cost, { limit, window }) {
      const slice = (window * 1000) / slicesOfWindow
      const reply = await evaluate(countScript, key, [cost, limit, slice, slicesOfWindow].map(String))
      const [counted = 0, left = 0, reset = 0] = Array.isArray(reply) ? reply.map(Number) : []
      return { counted: counted === 1, left, reset: reset / 1000 }
    },
    signals,
    async close() {
      signals.close()
      client.destroy()
    },
  }
}

function at(seconds: number): number {
  return Math.ceil(seconds * 1000)
}

function expirationOf(expiry: number | Lifetime): { readonly type: 'PX' | 'PXAT'; readonly value: number } {
  return typeof expiry === 'number' ? { type: 'PXAT', value: at(expiry) } : { type: 'PX', value: at(expiry.lasts) }
}

/** What the script takes. */
function expiryOf(expiry: Expiry): readonly [milliseconds: string, kind: string] {
  if (typeof expiry === 'number') return [String(at(expiry)), 'exactly']
  return 'lasts' in expiry ? [String(at(expiry.lasts)), 'lasts'] : [String(at(expiry.atLeast)), 'atLeast']
}

/** Redis' own word, such as `READONLY`. */
function saidBy({ message }: Error): string | undefined {
  return /^([A-Z]{2,20}) /.exec(message)?.[1]
}

/** The system's word, such as `ECONNREFUSED`; without one, the client's. */
function causeOf(error: unknown, disconnected: unknown): string {
  if (error instanceof DOMException) return error.name
  const code = connectionCode(error) ?? connectionCode(disconnected)
  return code ?? (error instanceof Error ? error.constructor.name : 'unknown')
}
