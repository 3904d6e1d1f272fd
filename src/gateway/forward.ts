import type { IncomingMessage, ServerResponse } from 'node:http'
import httpProxy from 'http-proxy'
import type { Client } from '../http/trusted-peers.js'
import { publish } from '../telemetry/events.js'
import type { Credentials } from './credentials.js'
import { type Headers, requestHeaders, responseHeaders } from './headers.js'
import { createNonceMemory, demandsNonce } from './nonce-memory.js'
import type { FrontendOptions } from './options.js'
import { publicLocation } from './redirect.js'
import { Refusal } from './refusal.js'
import { relay, skip } from './relay.js'
import { createRequestBody, noBody, type RequestBody } from './request-body.js'
import type { RouteMatch } from './route.js'
import { timeoutRefusal, timeoutsOf } from './timeouts.js'
import { createTransport, type Forwarding, type ForwardWeb } from './transport.js'
import { createAgents, createUpstreamPool, type Upstream } from './upstream.js'

/** One request of a browser that has passed every check, and all that forwarding it takes. */
export interface ForwardExchange {
  readonly frontend: FrontendOptions
  readonly match: RouteMatch
  readonly credentials: Credentials
  readonly client: Client
  readonly requestId: string
}

export interface ForwarderOptions {
  readonly frontends: readonly FrontendOptions[]
  /** Requests waiting for an upstream up to which proofs are signed at once; above it on the thread pool. Default: 4. */
  readonly signAtOnce?: number
}

export interface Forwarder {
  /**
   * Forwards a request and its response. Resolves when the exchange is over, also when either side broke it off.
   * @throws Refusal only while nothing has been sent to the browser
   */
  forward(request: IncomingMessage, response: ServerResponse, exchange: ForwardExchange): Promise<void>
  close(): void
}

export function createForwarder({ frontends, signAtOnce = 4 }: ForwarderOptions): Forwarder {
  const agents = createAgents()
  const prepared = new Map(
    frontends
      .flatMap(({ routes }) => routes)
      .map((route) => [route, { pool: createUpstreamPool(route, agents), timeouts: timeoutsOf(route.timeouts) }]),
  )
  const nonces = createNonceMemory()
  const send = createTransport(hardenedHttpProxy())
  let waiting = 0

  /** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1} */
  const authorized = async (headers: Headers, method: string, url: URL, credentials: Credentials, fresh?: string) => {
    switch (credentials.kind) {
      case 'none':
        return headers
      case 'bearer':
        return { ...headers, authorization: `Bearer ${credentials.accessToken}` }
      case 'dpop': {
        const { accessToken, prover } = credentials
        const nonce = fresh ?? prover.recallNonce(url.origin) ?? nonces.recall(url.origin)
        const target = { method, url, accessToken, ...(nonce !== undefined && { nonce }) }
        const dpop = waiting <= signAtOnce ? prover.prove(target) : await prover.proveOnThreadPool(target)
        return { ...headers, authorization: `DPoP ${accessToken}`, dpop }
      }
    }
  }

  return {
    async forward(request, response, exchange) {
      const { frontend, match, credentials } = exchange
      const { route } = match
      const settings = prepared.get(route)
      if (settings === undefined) throw new TypeError('the route is not one that the forwarder was made for')
      const { pool, timeouts } = settings
      const started = performance.now()
      const method = request.method ?? 'GET'
      const body = createRequestBody(request, response, route)
      const headers = requestHeaders(request, { ...exchange, ...match, publicUrl: frontend.publicUrl })
      const forwarding: Forwarding = { request, response, timeouts, current: undefined }
      const closed = new Promise<void>((resolve) => response.once('close', resolve))
      void closed.then(() => forwarding.current?.destroy())
      const deadline = startDeadline(forwarding)

      const tried = new Set<Upstream>()
      let attempts = 0
      let retries = route.retries ?? 1
      let staleRetries = 1
      let replayed = false
      let nonce: string | undefined
      let failure: Refusal | undefined
      waiting++
      try {
        while (!response.destroyed) {
          const upstream = pool.choose(tried) ?? (failure && pool.choose(noneTried))
          if (upstream === undefined) throw failure ?? unavailable()
          const url = upstream.urlOf(match.upstreamTarget)

          if (credentials.kind === 'dpop' && !body.fits && !replayed && !nonces.knows(upstream.origin)) {
            // What cannot be sent twice does not start before we know what nonce is wanted; a HEAD changes nothing there.
            const proven = await authorized(headers, 'HEAD', url, credentials)
            const answer = await send(forwarding, { upstream, url, method: 'HEAD', headers: proven, body: noBody })
            if (answer.kind === 'answered') {
              nonce = nonces.learn(upstream.origin, answer.message, credentials)
              skip(answer.message)
            }
            if (response.destroyed) break
          }

          const proven = await authorized(headers, method, url, credentials, nonce)
          if (response.destroyed) break
          attempts++
          const answer = await send(forwarding, { upstream, url, method, headers: proven, body })
          nonce = undefined
          if (response.destroyed) break
          if (answer.kind !== 'answered') {
            failure = answer.refusal
            if (failure.code === 'bff.body.too_large' || deadline.expired) throw deadline.expired ?? failure
            if (answer.kind !== 'stale') upstream.breaker.failed()
            if (answer.kind === 'stale' && staleRetries-- > 0 && safeAgain(method, body)) continue
            if (answer.kind === 'unreached' && retries-- > 0 && idempotent.has(method) && body.replayable) {
              tried.add(upstream)
              continue
            }
            throw failure
          }

          const { message } = answer
          if (isUpstreamDown(message)) upstream.breaker.failed()
          else upstream.breaker.succeeded()
          const learned = nonces.learn(upstream.origin, message, credentials)
          if (credentials.kind === 'dpop' && demandsNonce(message)) {
            body.detach()
            if (forwarding.current?.writableEnded) skip(message)
            else forwarding.current?.destroy()
            if (replayed || learned === undefined || !body.replayable) throw nonceRequired(replayed)
            replayed = true
            nonce = learned
            continue
          }
          body.settle()
          relay(
            message,
            response,
            responseHeaders(message, response, {
              personal: credentials.kind !== 'none',
              publicLocation: (location) => publicLocation(location, url, upstream, match),
            }),
          )
          break
        }
      } catch (error) {
        forwarding.current?.destroy()
        body.discard()
        throw error
      } finally {
        waiting--
        if (!response.headersSent) deadline.stop()
      }
      await closed
      deadline.stop()
      if (!request.complete) body.discard()
      publish({
        type: 'gateway.request.forwarded',
        frontend: frontend.name,
        requestId: exchange.requestId,
        route: route.path,
        method,
        status: response.headersSent ? response.statusCode : 499,
        seconds: (performance.now() - started) / 1000,
        attempts,
      })
    },

    close() {
      for (const { pool } of prepared.values()) pool.close()
      agents.close()
    },
  }
}

const noneTried: ReadonlySet<Upstream> = new Set()
/** RFC 9110 §9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** A kept connection that was closed just as we used it: nobody knows whether the request arrived, so only what is safe. */
function safeAgain(method: string, body: RequestBody): boolean {
  return body.isEmpty && (method === 'GET' || method === 'HEAD')
}

function isUpstreamDown({ statusCode }: IncomingMessage): boolean {
  return statusCode === 502 || statusCode === 503 || statusCode === 504
}

function unavailable(): Refusal {
  return new Refusal('bff.upstream.unavailable', 'no upstream of this route takes requests at the moment')
}

function nonceRequired(replayed: boolean): Refusal {
  return new Refusal(
    'bff.upstream.nonce_required',
    replayed
      ? 'the upstream refused its own nonce'
      : 'the upstream wants a nonce, and the body is too large to be sent again: repeat the request',
  )
}

/** The time for everything, all attempts and the response's body together. */
function startDeadline(forwarding: Forwarding): { readonly expired: Refusal | undefined; stop(): void } {
  const { timeouts, response } = forwarding
  let expired: Refusal | undefined
  if (timeouts.total === 0) return { expired, stop() {} }
  const timer = setTimeout(() => {
    expired = timeoutRefusal('total', timeouts)
    forwarding.current?.destroy(expired)
    if (response.headersSent) response.destroy()
  }, timeouts.total * 1000)
  return {
    get expired() {
      return expired
    },
    stop: () => clearTimeout(timer),
  }
}

/**
 * http-proxy with nothing left of it but the pass that makes the request: the others rewrite the framing of DELETE and
 * OPTIONS and append to forwarded headers. Its events are not used, for not all of them come for every request.
 */
function hardenedHttpProxy(): ForwardWeb {
  const proxy = httpProxy.createProxyServer({ toProxy: true, prependPath: false, selfHandleResponse: true })
  const passes = proxy as typeof proxy & { webPasses: { readonly name: string }[] }
  passes.webPasses = passes.webPasses.filter(({ name }) => name === 'stream')
  // Without a listener an error ends the process.
  proxy.on('error', () => {})
  return (request, response, options, onError) => proxy.web(request, response, options, onError)
}
