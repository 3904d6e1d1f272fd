import { resolve } from 'node:path'
import { isListenAddress, type ListenAddress, listenAddress } from './listen-address.js'

/** A Unix socket: a file that this machine's programs connect to. */
export interface UnixAddress {
  /** Absolute. */
  readonly path: string
}

export type SocketAddress = ListenAddress | UnixAddress

const prefix = 'unix:'

/** `host:port`, or `unix:` and the path of a file. */
export function isSocketAddress(value: string): boolean {
  return value.startsWith(prefix) ? value.length > prefix.length : isListenAddress(value)
}

/** @param directory what a relative path starts at */
export function socketAddress(value: string, directory: string): SocketAddress {
  return value.startsWith(prefix) ? { path: resolve(directory, value.slice(prefix.length)) } : listenAddress(value)
}
