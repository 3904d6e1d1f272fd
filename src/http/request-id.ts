import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { IsTrustedPeer } from './trusted-peers.js'

/** What may stand in a log line, a header and an address. */
const usable = /^[\w.~:+/=-]{1,128}$/

/** A proxy of ours may have given it one already, by which its own log knows it. */
export function requestIdOf(request: IncomingMessage, isTrustedPeer: IsTrustedPeer): string {
  const claimed = claimedRequestId(request)
  return claimed !== undefined && isTrustedPeer(request.socket.remoteAddress) ? claimed : randomUUID()
}

/** What the sender calls it. Only of some senders that is to be believed. */
export function claimedRequestId({ headers }: IncomingMessage): string | undefined {
  return usableRequestId(headers['x-request-id'])
}

/** Undefined for what has no place in a line of a log. */
export function usableRequestId(given: unknown): string | undefined {
  return typeof given === 'string' && usable.test(given) ? given : undefined
}
