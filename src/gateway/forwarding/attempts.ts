import { connectionCode } from '../../errors.js'
import { routeDefaults } from '../defaults.js'
import type { RouteOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { Credentials } from '../tokens/credentials.js'
import type { Answer, Forwarding, Send } from './attempt.js'
import type { Authorize } from './authorization.js'
import type { Headers } from './headers.js'
import { demandsNonce, type NonceMemory, nonceOf } from './nonce-memory.js'
import { noBody, type RequestBody } from './request-body.js'
import type { CalledUrl, Upstream, UpstreamPool } from './upstream.js'
import type { UpstreamResponse } from './upstream-response.js'

/** What a request needs to be answered, whichever upstream does it. */
export interface Plan {
  readonly route: RouteOptions
  readonly pool: UpstreamPool
  /** Whose request it is. */
  readonly visitor: string
  readonly upstreamTarget: string
  readonly method: string
  readonly headers: Headers
  readonly body: RequestBody
  readonly credentials: Credentials
}

/** The answer that counts, and whose it is. */
export interface Answered {
  readonly answer: Extract<Answer, { kind: 'answered' | 'upgraded' }>
  readonly upstream: Upstream
  readonly url: CalledUrl
  readonly attempts: number
}

/** RFC 9110 §9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const noneTried: ReadonlySet<Upstream> = new Set()

/**
 * Tries until there is an answer: another upstream when one cannot be reached, once more when a kept connection had died,
 * exactly once more when the upstream wants a nonce. Each attempt has a proof of its own.
 * @returns undefined when the browser has gone away meanwhile
 * @throws Refusal
 */
export async function attemptUntilAnswered(
  forwarding: Forwarding,
  { route, pool, visitor, upstreamTarget, method, headers, body, credentials }: Plan,
  { send, authorize, nonces }: { readonly send: Send; readonly authorize: Authorize; readonly nonces: NonceMemory },
): Promise<Answered | undefined> {
  const tried = new Set<Upstream>()
  let attempts = 0
  let retries = route.retries ?? routeDefaults.retries
  let freshConnections = 2
  let replayed = false
  /** Brought by the response that this attempt is the answer to. */
  let ownNonce: string | undefined
  let failure: Refusal | undefined

  while (!forwarding.isGone()) {
    const upstream = pool.choose(tried, visitor) ?? (failure && pool.choose(noneTried, visitor))
    if (upstream === undefined) throw failure ?? unavailable()
    const url = upstream.call(upstreamTarget)

    if (credentials.kind === 'dpop' && !body.fits && !replayed && !nonces.knows(upstream.origin)) {
      // What cannot be sent twice does not start before we know which nonce is wanted. A HEAD changes nothing over there.
      const nonce = nonces.recall(upstream.origin, credentials)
      const proven = await authorize({ ...headers }, credentials, { method: 'HEAD', url, nonce })
      const answer = await send(forwarding, { upstream, url, method: 'HEAD', headers: proven, body: noBody })
      if (answer.kind === 'answered') {
        // Kept for the request that follows: it could be good for one only, and that one cannot be repeated.
        ownNonce = nonceOf(answer.response)
        if (ownNonce === undefined) nonces.learn(upstream.origin, answer.response, credentials, nonce)
        answer.response.skip()
      }
      if (forwarding.isGone()) break
    }

    const nonce = ownNonce ?? nonces.recall(upstream.origin, credentials)
    ownNonce = undefined
    const authorized = authorize(headers, credentials, { method, url, nonce })
    const proven = authorized instanceof Promise ? await authorized : authorized
    if (forwarding.isGone()) break
    attempts++
    const answer = await send(forwarding, { upstream, url, method, headers: proven, body })
    if (answer.kind === 'upgraded') {
      upstream.breaker.answered(forwarding.caller, 'well')
      upstream.outage.worked()
      return { answer, upstream, url, attempts }
    }
    if (forwarding.isGone()) break

    if (answer.kind !== 'answered') {
      failure = answer.refusal
      if (isOurs(failure)) throw failure
      const isUnsent = answer.kind === 'unreached' || (answer.kind === 'stale' && answer.request === 'unsent')
      const mayRepeat = isUnsent ? body.isReplayable() : body.isEmpty && (method === 'GET' || method === 'HEAD')
      if (answer.kind === 'stale' && mayRepeat && freshConnections-- > 0) continue
      upstream.outage.failed(connectionCode(failure.cause) ?? failure.code)
      if (answer.kind === 'unreached') upstream.breaker.unreachable()
      else upstream.breaker.answered(forwarding.caller, 'down')
      if (!isUnsent || retries-- <= 0 || !idempotent.has(method) || !body.isReplayable()) throw failure
      tried.add(upstream)
      continue
    }

    const { response } = answer
    upstream.breaker.answered(forwarding.caller, isDown(response) ? 'down' : 'well')
    if (isDown(response)) upstream.outage.failed(`status ${response.status}`)
    else upstream.outage.worked()
    const learned = nonces.learn(upstream.origin, response, credentials, nonce)
    if (credentials.kind !== 'dpop' || !demandsNonce(response)) return { answer, upstream, url, attempts }

    body.detach()
    if (body.isSent()) response.skip()
    else forwarding.current?.destroy()
    if (replayed || learned === undefined || !body.isReplayable()) {
      if (learned !== undefined) nonces.remember(upstream.origin, learned, credentials)
      throw nonceRequired(replayed)
    }
    replayed = true
    ownNonce = learned
  }
  return undefined
}

/** Not the upstream's fault, and nothing another attempt would change. */
function isOurs({ code, message }: Refusal): boolean {
  if (code === 'bff.body.too_large' || code === 'bff.request.timeout') return true
  return code === 'bff.upstream.timeout' && message.endsWith('(timeout total)')
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
