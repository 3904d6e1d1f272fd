/** What one listener gives to connections, and one caller among them. Times in seconds. */
export interface ListenerLimits {
  /** Open at once, in this process. */
  readonly connections: number
  /** Open at once from one address, or one /64 of IPv6; a proxy of ours has no such limit. */
  readonly connectionsPerAddress: number
  /** Bytes of a request's line and header fields. */
  readonly headerBytes: number
  /** From the connection, or from the first byte of a further request, to the end of the header. */
  readonly headTimeout: number
  /** Between two requests on one connection. */
  readonly keepAliveTimeout: number
  /** Until the client sends more of a body that is waited for, or takes more of an answer that is ready. */
  readonly clientTimeout: number
}

/** What holds where the configuration says nothing. */
export const listenerLimitDefaults = {
  connections: 20_000,
  connectionsPerAddress: 4000,
  headerBytes: 32_768,
  headTimeout: 30,
  keepAliveTimeout: 75,
  clientTimeout: 60,
} as const satisfies ListenerLimits
