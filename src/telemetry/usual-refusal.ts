import type { SallyportEvent } from './events.js'

/** How a client gets its nonce (RFC 9449 §8): the beginning of an ordinary conversation, that no one has to do anything about. */
export function isUsualRefusal(event: SallyportEvent): boolean {
  const { type } = event
  return (type === 'as.request.refused' || type === 'validator.request.refused') && event.code === 'use_dpop_nonce'
}
