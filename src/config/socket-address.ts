import { resolve } from 'node:path'
import { unixPrefix } from '../http/unix-socket.js'
import { isListenAddress, type ListenAddress, listenAddress } from './listen-address.js'

/** `unix:` and a path. */
export function isUnixSocket(value: string): boolean {
  return value.startsWith(unixPrefix) && value.length > unixPrefix.length
}

/** `host:port`, or `unix:` and the path of a Unix socket: a file that this machine's programs connect to. */
export function isSocketAddress(value: string): boolean {
  return value.startsWith(unixPrefix) ? isUnixSocket(value) : isListenAddress(value)
}

/** @param directory what a relative path starts at */
export function socketAddress(value: string, directory: string): ListenAddress {
  if (!value.startsWith(unixPrefix)) return listenAddress(value)
  return { host: '', port: 0, path: resolve(directory, value.slice(unixPrefix.length)) }
}

/** Absolute paths of what is written as `unix:` and a path. */
export function socketPaths(values: readonly string[], directory: string): string[] {
  return values.flatMap((value) => socketAddress(value, directory).path ?? [])
}
