import { unixSocketText } from '../http/unix-socket.js'

/** Where a server listens. */
export interface ListenAddress {
  /** A name or an address, without brackets. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Of a Unix socket, absolute: then there are neither host (`''`) nor port (0). */
  readonly path?: string
}

/** As a setting has it. */
export function addressText({ host, port, path }: ListenAddress): string {
  return path === undefined ? `${host.includes(':') ? `[${host}]` : host}:${port}` : unixSocketText(path)
}

const form = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i

export function isListenAddress(value: string): boolean {
  const match = form.exec(value)
  return match !== null && Number(match[3]) < 65_536
}

/** `host:port`; an IPv6 address is in brackets. */
export function listenAddress(value: string): ListenAddress {
  const [, address, name = '127.0.0.1', port] = form.exec(value) ?? []
  return { host: address ?? name, port: Number(port) }
}
