/*
 * Who is behind a request, for the events of it that an auditor gets. They know its id; what else there is to know is noted
 * here, where it is known. While there is no audit, a note costs one comparison. It is no `AsyncLocalStorage`: Node 20 and 22
 * pay for every promise of the process while one is in use, a proxied call a third more.
 */

export interface RequestOrigin {
  readonly address: string
  readonly userAgent: string
  readonly subject?: string
  /** Handle of the session. */
  readonly session?: string
}

/** The gateway calls the embedded server with its own request's id: each has its own notes. */
export type Product = 'gateway' | 'as' | 'validator'

export interface Notes {
  get(key: string): RequestOrigin | undefined
  set(key: string, origin: RequestOrigin): unknown
}

let notes: Notes | undefined

/** From now on, until it is called without. */
export function noteOriginsIn(next: Notes | undefined): void {
  notes = next
}

/** A request begins whose events may be an auditor's. */
export function noteOrigin(product: Product, requestId: string, originOf: () => RequestOrigin): void {
  if (notes !== undefined) notes.set(`${product} ${requestId}`, originOf())
}

/** It is refused. Of what is forwarded only then anything is noted: most calls leave nothing that an auditor asks about. */
export function noteRefused(requestId: string, originOf: () => RequestOrigin, session: SessionNote | undefined): void {
  noteOrigin('gateway', requestId, originOf)
  if (session !== undefined) noteSession(requestId, session)
}

/** Its session is known. */
export function noteSession(requestId: string, session: SessionNote): void {
  if (notes === undefined) return
  const origin = notes.get(`gateway ${requestId}`)
  const { handle, record } = session
  const { subject = '' } = record
  if (origin === undefined) return
  const { address, userAgent } = origin
  notes.set(`gateway ${requestId}`, { address, userAgent, subject, session: handle })
}

export interface SessionNote {
  readonly handle: string
  readonly record: { readonly subject?: string | undefined }
}

/** It turns out to be part of another: its events go by that one's id. */
export function continueOrigin(product: Product, before: string, after: string): void {
  if (notes === undefined || before === after) return
  const origin = notes.get(`${product} ${before}`)
  if (origin !== undefined) notes.set(`${product} ${after}`, origin)
}

/** @param type of an event */
export function originOfEvent(type: string, requestId: string | undefined): RequestOrigin | undefined {
  if (requestId === undefined) return undefined
  return notes?.get(`${productOfEvent(type)} ${requestId}`)
}

/** @param type of an event */
export function productOfEvent(type: string): Product {
  if (type.startsWith('as.')) return 'as'
  return type.startsWith('validator.') ? 'validator' : 'gateway'
}
