import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import { type Product, productOfEvent } from './request-origin.js'
import type { Trace } from './trace.js'
import { toldTraceId, tracing, wholeOf } from './tracing.js'

/*
 * What is known of a request is told to its span, and to the log which trace it is in. Events of the validator are told inside
 * that of their request (`inTraceOf`): its ids are its own.
 */

/** Of the latest that were noted. A login has one id in both products, and a trace in each. */
const traces: Readonly<Partial<Record<Product, LRUCache<string, Trace>>>> = {
  gateway: new LRUCache({ max: 10_000 }),
  as: new LRUCache({ max: 10_000 }),
}

/**
 * Log lines with this id get the trace of the request, also when they come late, and an authorization server that is asked
 * for it hears of the trace. What is forwarded goes without: its few events are told in its trace (`inTraceOf`), and a note
 * for each call would outlive it.
 */
export function noteTrace(request: IncomingMessage, product: Exclude<Product, 'validator'>, requestId: string): void {
  if (tracing !== undefined) noteTraceOf(product, requestId, wholeOf(request)?.trace)
}

/** The same for a part of a request that has an id of its own. @param trace as `inSpan` gives it */
export function noteTraceOf(product: Exclude<Product, 'validator'>, requestId: string, trace: Trace | undefined): void {
  if (trace !== undefined) traces[product]?.set(requestId, trace)
}

/** What was noted for this id. */
export function traceOf(product: Exclude<Product, 'validator'>, requestId: string | undefined): Trace | undefined {
  return tracing && requestId !== undefined ? traces[product]?.get(requestId) : undefined
}

/** Adds to the span of the whole request. */
export function describeRequest(request: IncomingMessage, requestId: string, frontend?: string): void {
  const span = tracing && wholeOf(request)?.span
  if (span === undefined) return
  if (frontend !== undefined) span.attributes['sallyport.frontend'] = frontend
  span.attributes['sallyport.request_id'] = requestId
}

/** Names the span of the whole request. @param route a path of the configuration, never the caller's */
export function nameRequest(request: IncomingMessage, route: string): void {
  const span = tracing && wholeOf(request)?.span
  if (span === undefined) return
  span.attributes['http.route'] = route
  span.name = `${request.method} ${route}`
}

/** For the log. @param type of an event */
export function traceId(type: string, requestId: string | undefined): string | undefined {
  if (tracing === undefined) return undefined
  return toldTraceId() ?? (requestId === undefined ? undefined : traces[productOfEvent(type)]?.get(requestId)?.traceId)
}
