import type { ErrorReply } from '@redis/client'
import { answeredWithin } from './answered-within.js'
import { type RedisStoreOptions, type RedisTls, redisStoreDefaults } from './redis-options.js'

/** Seconds until the first connection stands: Sentinels and clusters are asked for the others first. */
const startPatience = 10

/** What every node is called with. */
type NodeSettings = ReturnType<typeof nodeSettings>

/** A client of any topology, not connected yet. */
export async function redisClient(options: RedisStoreOptions) {
  // Loaded by those who have a Redis: its 478 files are a third of what a process would read before it listens.
  const redis = await import('@redis/client')
  let hasConnected = false
  const settings = nodeSettings(options, () => hasConnected)
  const client = clientOf(redis, options, settings)
  // Every failed command says so to its caller, but why the connection is gone is said only here.
  let disconnected: unknown
  client.on('error', (error: unknown) => {
    disconnected = error
  })

  return {
    client,
    isReply: (error: unknown): error is ErrorReply => error instanceof redis.ErrorReply,
    /** Why there was no connection the last time. */
    disconnected: () => disconnected,
    async connect(): Promise<void> {
      await answeredWithin<unknown>(startPatience, client.connect()).catch((error: unknown) => {
        client.destroy()
        throw error
      })
      hasConnected = true
    },
  }
}

function clientOf(
  { createClient, createCluster, createSentinel }: typeof import('@redis/client'),
  { topology = redisStoreDefaults.topology, url, nodes = [], database, sentinel, tls }: RedisStoreOptions,
  settings: NodeSettings,
) {
  const { commandOptions, ...node } = settings
  const rootNodes = (nodes.length > 0 ? nodes : url === undefined ? [] : [url]).map((text) => new URL(text))
  const secure = (isSecure: boolean) => ({ ...node, socket: { ...node.socket, ...(isSecure && tlsOf(tls)) } })
  const isSecure = rootNodes.some(({ protocol }) => protocol === 'rediss:')
  switch (topology) {
    case 'single': {
      const [{ hostname, port } = new URL('redis://127.0.0.1')] = rootNodes
      const { socket, ...rest } = secure(isSecure)
      return createClient({
        ...rest,
        commandOptions,
        database: database ?? databaseOf(url),
        socket: { ...socket, ...addressOf(hostname, port) },
      })
    }
    case 'cluster':
      // Every operation names one key, so a cluster needs no hash tags: it runs where that key's slot is.
      return createCluster({
        rootNodes: rootNodes.map(({ hostname, port }) => ({ socket: addressOf(hostname, port) })),
        // No address: each node is called at its own.
        defaults: secure(isSecure),
        commandOptions,
      })
    case 'sentinel': {
      const { name = '', username, password, primary = isSecure ? 'tls' : 'plain' } = sentinel ?? {}
      const { username: _user, password: _password, ...asked } = secure(isSecure)
      return createSentinel({
        name,
        commandOptions,
        sentinelRootNodes: rootNodes.map(({ hostname, port }) => addressOf(hostname, port, 26_379)),
        nodeClientOptions: { ...secure(primary === 'tls'), database: database ?? 0 },
        sentinelClientOptions: {
          ...asked,
          ...(username !== undefined && { username }),
          ...(password !== undefined && { password }),
        },
        passthroughClientErrorEvents: true,
        scanInterval: 1000,
      })
    }
  }
}

function nodeSettings(
  { url, username, password, timeout = redisStoreDefaults.timeout }: RedisStoreOptions,
  hasConnected: () => boolean,
) {
  const said = url === undefined ? undefined : new URL(url)
  const user = username ?? decodeURIComponent(said?.username ?? '')
  const secret = password ?? decodeURIComponent(said?.password ?? '')
  const socket = {
    connectTimeout: timeout * 1000,
    // A server that hangs, or a network that swallows everything, ends the connection: later calls fail at once. Twice as long as a call
    // waits: a process that was busy for that time has replies to read, and would end a good connection.
    socketTimeout: 2 * timeout * 1000,
    // Fail fast at start; reconnect afterwards.
    reconnectStrategy: (attempts: number, cause: Error) =>
      hasConnected() ? Math.min(50 * 2 ** attempts, 2000) : cause,
  }
  return {
    ...(user !== '' && { username: user }),
    ...(secret !== '' && { password: secret }),
    pingInterval: (timeout * 1000) / 2,
    // A command that cannot be sent now fails now: the caller answers 503 and the browser tries again.
    disableOfflineQueue: true,
    commandOptions: { timeout: timeout * 1000 },
    socket,
  }
}

function tlsOf({ ca, cert, key }: RedisTls = {}) {
  return {
    tls: true as const,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
}

function addressOf(hostname: string, port: string, usual = 6379): { readonly host: string; readonly port: number } {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port) }
}

/** `redis://host/1` names a database. */
function databaseOf(url: string | undefined): number {
  return url === undefined ? 0 : Number(new URL(url).pathname.slice(1) || 0)
}
