import { resolve } from 'node:path'
import { isListenAddress, type ListenAddress, listenAddress } from './listen-address.js'

const prefix = 'unix:'

/** `host:port`, or `unix:` and the path of a Unix socket: a file that this machine's programs connect to. */
export function isSocketAddress(value: string): boolean {
  return value.startsWith(prefix) ? value.length > prefix.length : isListenAddress(value)
}

/** @param directory what a relative path starts at */
export function socketAddress(value: string, directory: string): ListenAddress {
  if (!value.startsWith(prefix)) return listenAddress(value)
  return { host: '', port: 0, path: resolve(directory, value.slice(prefix.length)) }
}
