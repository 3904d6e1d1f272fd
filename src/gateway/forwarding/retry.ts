import { connectionCode } from '../../errors.js'
import { inSpan } from '../../telemetry/spans.js'
import { routeDefaults } from '../defaults.js'
import { Refusal } from '../refusal.js'
import { type ProxiedRequest, visitorOf } from '../request.js'
import type { Credentials } from '../tokens/credentials.js'
import { type Authorize, demandsNonce, type NonceMemory, nonceOf, refusesToken } from './dpop.js'
import type { Headers } from './headers.js'
import { noBody, type RequestBody } from './request-body.js'
import { UpstreamTimeout } from './timeouts.js'
import type { Attempt, Send, TransportResult } from './transport.js'
import type { CalledUrl, Upstream } from './upstream.js'
import type { UpstreamResponse } from './upstream-response.js'

/** What goes up, whichever upstream it is sent to, and by what. */
export interface Outgoing {
  readonly headers: Headers
  readonly body: RequestBody
  readonly send: Send
}

/** What all calls have in common. */
export interface Proofs {
  readonly authorize: Authorize
  readonly nonces: NonceMemory
}

/** The answer that counts, and whose it is. */
export interface Answered {
  readonly result: Extract<TransportResult, { kind: 'answered' | 'upgraded' }>
  readonly upstream: Upstream
  readonly url: CalledUrl
  readonly attempts: number
}

/** What may still be tried. */
export interface Left {
  /** On another upstream. */
  retries: number
  /** In place of kept ones that had died. */
  connections: number
  /** With the nonce that a refusal brought (RFC 9449 §8). */
  replays: number
  /** With another token than the one that was refused (RFC 6750 §3.1). */
  tokens: number
}

export type Next = 'done' | 'fresh connection' | 'another upstream' | 'with its nonce' | 'with another token' | 'refuse'

/**
 * Tries until there is an answer: another upstream when one cannot be reached, once more when a kept connection had died,
 * exactly once more when the upstream wants a nonce, and once more when it refuses the token. Each attempt has a proof of its own.
 * @returns undefined when the browser has gone away meanwhile
 * @throws Refusal
 */
export async function sendUntilAnswered(
  call: ProxiedRequest,
  { headers, body, send }: Outgoing,
  proofs: Proofs,
): Promise<Answered | undefined> {
  const { route, connection, upstreamTarget } = call
  const { nonces } = proofs
  const method = call.request.method ?? 'GET'
  const visitor = visitorOf(call)
  const left: Left = { retries: route.retries ?? routeDefaults.retries, connections: 2, replays: 1, tokens: 1 }
  let tried = noneTried
  let attempts = 0
  /** Brought by the response that this attempt is the answer to. */
  let ownNonce: string | undefined
  let failure: Refusal | undefined

  while (!connection.destroyed) {
    const { credentials } = call
    const upstream = route.pool.choose(tried, visitor) ?? (failure && route.pool.choose(noneTried, visitor))
    if (upstream === undefined) throw failure ?? unavailable()
    const url = upstream.call(upstreamTarget)
    const attempt = { upstream, url, method, headers, body }

    if (credentials.kind === 'dpop' && !body.fits && left.replays > 0 && !nonces.knows(upstream.origin)) {
      ownNonce = await askedForNonce(call, attempt, send, proofs)
      if (connection.destroyed) break
    }
    const nonce = ownNonce ?? nonces.recall(upstream.origin, credentials)
    ownNonce = undefined
    const authorize = () => proofs.authorize(headers, credentials, { method, url, nonce })
    const authorized = credentials.kind === 'dpop' ? inSpan(call.request, 'proof', authorize) : authorize()
    if (authorized instanceof Promise) await authorized
    if (connection.destroyed) break
    attempts++
    const begun = attempts === 1 ? call.times.forwarded : performance.now()
    const result = await send(call, attempt)
    if (connection.destroyed && result.kind !== 'upgraded') break

    const brought =
      result.kind === 'answered' ? nonces.learn(upstream.origin, result.response, credentials, nonce) : undefined
    const next = nextAfter(result, { method, body, credentials: credentials.kind, brought, left })
    if (next !== 'fresh connection') judge(upstream, call, result, begun)
    switch (result.kind) {
      case 'upgraded':
        return { result, upstream, url, attempts }
      case 'answered':
        if (next === 'done') return { result, upstream, url, attempts }
        if (next === 'with another token') {
          left.tokens--
          // While the answer waits: it is the one that counts where there is no other token.
          if (!(await changeToken(call))) return { result, upstream, url, attempts }
        }
        // The upstream wants a nonce or another token.
        body.detach()
        if (body.isSent()) result.response.skip()
        else call.current?.destroy()
        if (next === 'with another token') continue
        if (next === 'with its nonce') {
          ownNonce = brought
          left.replays--
          continue
        }
        if (brought !== undefined) nonces.remember(upstream.origin, brought, credentials)
        throw nonceRequired(left.replays === 0)
      default:
        failure = result.refusal
        if (next === 'refuse') throw failure
        if (next === 'fresh connection') {
          left.connections--
          continue
        }
        left.retries--
        tried = new Set([...tried, upstream])
    }
  }
  return undefined
}

const noneTried: ReadonlySet<Upstream> = new Set()
/** RFC 9110 §9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** What an attempt was, as far as it decides what comes after it. */
export interface Tried {
  readonly method: string
  readonly body: Pick<RequestBody, 'isReplayable' | 'isEmpty'>
  /** What it carried. */
  readonly credentials: Credentials['kind']
  /** The nonce that its answer brought. */
  readonly brought: string | undefined
  readonly left: Readonly<Left>
}

/** What follows from how an attempt ended. */
export function nextAfter(result: TransportResult, { method, body, credentials, brought, left }: Tried): Next {
  if (result.kind === 'upgraded') return 'done'
  if (result.kind === 'answered') {
    if (result.response.status !== 401 || credentials === 'none' || credentials === 'assertion') return 'done'
    if (credentials !== 'dpop' || !demandsNonce(result.response))
      return left.tokens > 0 && body.isReplayable() && refusesToken(result.response) ? 'with another token' : 'done'
    return left.replays > 0 && brought !== undefined && body.isReplayable() ? 'with its nonce' : 'refuse'
  }
  if (isOfTheCall(result.refusal)) return 'refuse'
  const isUnsent = result.kind === 'unreached' || (result.kind === 'stale' && result.request === 'unsent')
  const mayRepeat = isUnsent ? body.isReplayable() : body.isEmpty && (method === 'GET' || method === 'HEAD')
  if (result.kind === 'stale' && mayRepeat && left.connections > 0) return 'fresh connection'
  const mayGoElsewhere = isUnsent && left.retries > 0 && idempotent.has(method) && body.isReplayable()
  return mayGoElsewhere ? 'another upstream' : 'refuse'
}

/**
 * What cannot be sent twice does not start before we know which nonce is wanted. A HEAD changes nothing over there.
 * @returns the nonce to use: it could be good for one request only, and this one cannot be repeated
 */
async function askedForNonce(
  call: ProxiedRequest,
  { upstream, url, headers }: Attempt,
  send: Send,
  { authorize, nonces }: Proofs,
): Promise<string | undefined> {
  const { credentials } = call
  const nonce = nonces.recall(upstream.origin, credentials)
  const proven = await authorize({ ...headers }, credentials, { method: 'HEAD', url, nonce })
  const result = await send(call, { upstream, url, method: 'HEAD', headers: proven, body: noBody })
  if (result.kind !== 'answered') return undefined
  const brought = nonceOf(result.response)
  if (brought === undefined) nonces.learn(upstream.origin, result.response, credentials, nonce)
  result.response.skip()
  return brought
}

/** @throws Refusal `bff.session.ended`, `bff.access.denied` when the refresh has told that the user may not in any more */
async function changeToken(call: ProxiedRequest): Promise<boolean> {
  const { credentials, open, frontend, route, response } = call
  if (credentials.kind === 'none' || credentials.kind === 'assertion') return false
  const user = route.tokenType === 'Client' ? undefined : open
  const other = await inSpan(call.request, 'access token', (trace) =>
    frontend.tokens.insteadOf(credentials.accessToken, user, route.audiences, trace),
  )
  if (other === undefined) return false
  call.credentials = other.credentials
  if (other.refreshed !== undefined) {
    call.open = other.refreshed
    route.mayIn?.(other.refreshed.session)
    response?.setHeader('X-Bff-Session-Refreshed', 'true')
  }
  return true
}

/** Tells the upstream's breaker, its log and its times how it did. @param begun when it was sent to it */
function judge(upstream: Upstream, { client, times }: ProxiedRequest, result: TransportResult, begun: number): void {
  const caller = client.address
  times.answered = performance.now()
  if (result.kind === 'answered' || result.kind === 'upgraded') {
    upstream.answerTimes.add(times.answered - begun, times.answered)
    const isBad = result.kind === 'answered' && isDown(result.response)
    upstream.breaker.answered(caller, isBad ? 'down' : 'well')
    if (isBad) upstream.outage.failed(`status ${result.response.status}`)
    else upstream.outage.worked()
    return
  }
  const { refusal } = result
  if (isOfTheCall(refusal)) return
  // One that cannot be reached is not slow: that is soon known.
  if (refusal instanceof UpstreamTimeout) upstream.answerTimes.add(times.answered - begun, times.answered)
  upstream.outage.failed(connectionCode(refusal.cause) ?? refusal.code)
  if (result.kind === 'unreached') upstream.breaker.unreachable()
  else upstream.breaker.answered(caller, 'down')
}

/** Not the upstream's fault, and nothing that another attempt would change. */
function isOfTheCall(refusal: Refusal): boolean {
  if (refusal.code === 'bff.body.too_large' || refusal.code === 'bff.request.timeout') return true
  return refusal instanceof UpstreamTimeout && refusal.timeout === 'total'
}

function isDown({ status }: UpstreamResponse): boolean {
  return status === 502 || status === 503 || status === 504
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
