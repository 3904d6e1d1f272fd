import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { IsTrustedPeer } from './trusted-peers.js'

/** What may stand in a log line, a header and an address. */
const usable = /^[\w.~:+/=-]{1,128}$/

/** A proxy of ours may have given it one already, by which its own log knows it. */
export function requestIdOf({ socket, headers }: IncomingMessage, isTrustedPeer: IsTrustedPeer): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && usable.test(given) && isTrustedPeer(socket.remoteAddress) ? given : randomUUID()
}
