import { connectionCode, UpstreamError } from '../errors.js'
import { answeredWithin } from './answered-within.js'
import { redisClient } from './redis-client.js'
import { type RedisStoreOptions, redisStoreDefaults } from './redis-options.js'
import { addMemberScript, countScript, deleteIfScript, replaceScript } from './redis-scripts.js'
import { createRedisSignals } from './redis-signals.js'
import { slicesOfWindow } from './sliding-counts.js'
import type { Expiry, Lifetime, Store } from './store.js'

/**
 * The store of several machines: Redis 7 or Valkey; one server, Sentinels and what they watch, or a cluster. A lost connection is taken up again by the client.
 * @throws UpstreamError `store_unavailable` when there is none at the start, and by each operation while there is none
 * @example
 * ```ts
 * import { createRedisStore } from 'sallyport'
 *
 * export const open = () => createRedisStore({ url: 'rediss://:password@redis.example.com:6380', timeout: 1 })
 * ```
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { prefix = redisStoreDefaults.prefix, timeout = redisStoreDefaults.timeout, outage } = options
  const { client, isReply, connect, disconnected } = await redisClient(options)

  const unavailable = (cause: unknown): UpstreamError =>
    new UpstreamError('store_unavailable', 'the Redis store did not answer', { cause })
  /** What a command is answered with, in the form that this command has: anything else is the answer to another one. */
  const available = async <Reply>(form: ReplyForm<Reply>, command: () => Promise<unknown>): Promise<Reply> => {
    try {
      // The client's own limit ends when a command has been sent.
      const reply = await answeredWithin(timeout, command())
      if (!form(reply)) throw new UnexpectedReply()
      outage?.worked()
      return reply
    } catch (cause) {
      outage?.failed((isReply(cause) && saidBy(cause)) || causeOf(cause, disconnected()))
      throw unavailable(cause)
    }
  }
  const evaluate = <Reply>(form: ReplyForm<Reply>, text: string, key: string, values: string[]) =>
    available(form, () => client.eval(text, { keys: [prefix + key], arguments: values }))
  const script = async (text: string, key: string, ...values: string[]): Promise<boolean> =>
    (await evaluate(isNumber, text, key, values)) === 1

  await connect().catch((cause: unknown) => {
    throw unavailable(cause)
  })
  const signals = createRedisSignals(client, prefix)

  return {
    get: async (key) => (await available(isTextOrNone, () => client.get(prefix + key))) ?? undefined,
    async set(key, value, expiresAt) {
      await available(isDone, () =>
        client.set(prefix + key, value, { expiration: { type: 'PXAT', value: at(expiresAt) } }),
      )
    },
    async addIfAbsent(key, value, expiresAt) {
      const expiration = expirationOf(expiresAt)
      return (
        (await available(isDoneOrNone, () => client.set(prefix + key, value, { condition: 'NX', expiration }))) === 'OK'
      )
    },
    replace: (key, expected, value, expiresAt) => script(replaceScript, key, expected, value, ...expiryOf(expiresAt)),
    extend: async (key, expiresAt) =>
      (await available(isNumber, () => client.pExpireAt(prefix + key, at(expiresAt)))) === 1,
    take: async (key) => (await available(isTextOrNone, () => client.getDel(prefix + key))) ?? undefined,
    delete: async (key) => (await available(isNumber, () => client.del(prefix + key))) === 1,
    deleteIf: (key, expected) => script(deleteIfScript, key, expected),
    async addMember(key, member, expiresAt) {
      await script(addMemberScript, key, member, String(at(expiresAt)), String(Date.now()))
    },
    async removeMember(key, member) {
      await available(isNumber, () => client.zRem(prefix + key, member))
    },
    members: (key) => available(isTexts, () => client.zRangeByScore(prefix + key, `(${Date.now()}`, '+inf')),
    async count(key, cost, { limit, window }) {
      const slice = (window * 1000) / slicesOfWindow
      const reply = await evaluate(isCount, countScript, key, [cost, limit, slice, slicesOfWindow].map(String))
      const [counted = 0, left = 0, reset = 0] = reply.map(Number)
      return { counted: counted === 1, left, reset: reset / 1000 }
    },
    signals,
    async close() {
      signals.close()
      client.destroy()
    },
  }
}

type ReplyForm<Reply> = (reply: unknown) => reply is Reply

/** Its name is the cause that the log and the metrics tell. */
class UnexpectedReply extends Error {}

const isNumber = (reply: unknown): reply is number => typeof reply === 'number'
const isTextOrNone = (reply: unknown): reply is string | null => reply === null || typeof reply === 'string'
const isDone = (reply: unknown): reply is 'OK' => reply === 'OK'
const isDoneOrNone = (reply: unknown): reply is 'OK' | null => reply === null || isDone(reply)
const isTexts = (reply: unknown): reply is string[] =>
  Array.isArray(reply) && reply.every((text) => typeof text === 'string')
const isCount = (reply: unknown): reply is readonly unknown[] => Array.isArray(reply) && reply.length === 3

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
