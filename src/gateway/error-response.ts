import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ProtocolError, UpstreamError } from '../errors.js'
import { endWithAnswer, holdWithAnswer } from '../http/last-answer.js'
import { TooManyRequests } from '../http/limits/network-limit.js'
import { problemDetails, problemMediaType } from '../http/problem-details.js'
import { publish } from '../telemetry/events.js'
import { noteRefused } from '../telemetry/request-origin.js'
import { inTraceOf } from '../telemetry/tracing.js'
import { ofAuthority } from './authorities/authorities.js'
import { loginUrlTo } from './endpoints/login-url.js'
import { serverSaid } from './oauth/server-said.js'
import { cameByLink } from './page/come-again.js'
import { isNavigation } from './page/navigation.js'
import { answerPerson, type Refused } from './page/refusal-page.js'
import { Refusal, refusals, statusOf } from './refusal.js'

/** The one place where an error becomes a response: a document for scripts, a page or a redirect for people. */
export function answerError(response: ServerResponse, error: unknown, refused: Refused): void {
  const refusal = asked(refusalOf(error), refused)
  announce(refusal, error, refused)
  // The first bytes are out: all that can still be said is that it broke off.
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const [name, value] of ownHeaders(refused)) response.setHeader(name, value)
  const retryAfter = retryAfterOf(refusal)
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter))
  if (refused.isForPerson === true || isNavigation(refused.request)) answerPerson(response, refusal, refused)
  else answerScript(response, refusal, refused)
}

/** Another site's link begins no login by itself (FAPI 2.0 §5.3.3.1-12), not by way of a page that needs one either. */
function asked(refusal: Refusal, { request, frontend }: Refused): Refusal {
  const { code, loginParameters } = refusal
  if (statusOf(code) !== 401 || frontend === undefined || !isNavigation(request) || !cameByLink(request, frontend))
    return refusal
  return new Refusal('bff.login.confirm', 'A page of another site has sent you here, and you have to sign in.', {
    loginParameters,
  })
}

/** The same for an upgrade request, which has no response object. */
export function answerUpgradeError(socket: Duplex, error: unknown, refused: Refused): void {
  const refusal = refusalOf(error)
  announce(refusal, error, refused)
  if (socket.destroyed || !socket.writable) return
  const { status, body } = documentOf(refusal, refused)
  const retryAfter = retryAfterOf(refusal)
  const write = status === 429 ? holdWithAnswer : endWithAnswer
  write(
    socket,
    [
      `HTTP/1.1 ${status} ${statusText(status)}`,
      `Content-Type: ${problemMediaType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...ownHeaders(refused).map(([name, value]) => `${name}: ${value}`),
      ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

function ownHeaders({ requestId, frontend }: Refused): [string, string][] {
  return Object.entries({
    // A host that is no frontend's has nothing of its own to say.
    ...(frontend?.answerHeaders ?? { 'X-Content-Type-Options': 'nosniff' }),
    'X-Request-Id': requestId,
    'Cache-Control': 'no-store',
  })
}

/** Seconds. */
function retryAfterOf({ code, cause }: Refusal): number | undefined {
  if (cause instanceof TooManyRequests) return cause.retryAfter
  return statusOf(code) === 503 ? 2 : undefined
}

function answerScript(response: ServerResponse, refusal: Refusal, refused: Refused): void {
  const { status, body } = documentOf(refusal, refused)
  response.writeHead(status, { 'Content-Type': problemMediaType, 'Content-Length': Buffer.byteLength(body) })
  // node:http leaves it out where the answer is to a HEAD. A proxy that asks about one may ask by GET.
  response.end(body)
}

function documentOf(refusal: Refusal, { requestId, frontend }: Refused) {
  const status = statusOf(refusal.code)
  const { title } = refusals[refusal.code]
  const document = problemDetails({
    status,
    title,
    detail: refusal.message,
    code: refusal.code,
    requestId,
    ...(status === 401 &&
      frontend !== undefined && { loginUrl: loginUrlTo(frontend, { parameters: refusal.loginParameters }) }),
  })
  return { status, body: JSON.stringify(document) }
}

/** Whatever was thrown, as something we may say. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof UpstreamError) {
    return error.code === 'store_unavailable'
      ? new Refusal('bff.store.unavailable', 'the session store does not answer; you are not logged out', {
          cause: error,
        })
      : new Refusal('bff.issuer.unavailable', error.message, { cause: error })
  }
  if (error instanceof TooManyRequests) return new Refusal('bff.request.too_many', error.message, { cause: error })
  if (error instanceof ProtocolError) return new Refusal('bff.request.malformed', error.message, { cause: error })
  return new Refusal('bff.internal', 'an unexpected error; the log knows more', { cause: error })
}

function announce(refusal: Refusal, error: unknown, refused: Refused): void {
  const { requestId, request, origin, call } = refused
  if (origin !== undefined) noteRefused(requestId, origin, call?.open?.session)
  inTraceOf(request, () => tell(refusal, error, refused))
}

function tell(
  { code, message, cause, reason: forTheLog }: Refusal,
  error: unknown,
  { requestId, frontend, call, request: { method = '', url = '' } }: Refused,
): void {
  // Its limit reports it, once a minute.
  if (cause instanceof TooManyRequests) return
  const known = { requestId, ...(frontend !== undefined && { frontend: frontend.name }) }
  if (code === 'bff.internal') publish({ type: 'gateway.request.failed', ...known, error: whereabouts(error) })
  const reason =
    forTheLog ?? (cause instanceof UpstreamError || cause instanceof ProtocolError ? cause.message : message)
  publish({
    type: 'gateway.request.refused',
    ...known,
    code,
    status: statusOf(code),
    reason,
    method,
    path: url.replace(/\?.*/s, '').slice(0, 200),
    ...(call !== undefined && { route: call.route.path }),
    ...(frontend !== undefined && ofAuthority(frontend)),
    ...serverSaid(cause, frontend),
  })
}

/** The error's name and where it was thrown. Its message might quote a secret. */
function whereabouts(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [error.name, ...frames.slice(0, 4).map((frame) => frame.trim())].join(' ')
}

function statusText(status: number): string {
  return STATUS_CODES[status] ?? ''
}
