import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ProtocolError, UpstreamError } from '../errors.js'
import { endWithAnswer, holdWithAnswer } from '../http/last-answer.js'
import { TooManyRequests } from '../http/limits/network-limit.js'
import { type Html, html } from '../http/page.js'
import { problemDetails, problemMediaType } from '../http/problem-details.js'
import { publish } from '../telemetry/events.js'
import { frontendDefaults } from './defaults.js'
import { addressAsReturnUrl, loginUrlTo } from './endpoints/login-url.js'
import type { Frontend } from './frontend/frontend.js'
import { serverSaid } from './oauth/server-said.js'
import type { Branding } from './options.js'
import type { PageTexts } from './page/languages/page-texts.js'
import { isNavigation } from './page/navigation.js'
import { ownPage, textsFor } from './page/own-page.js'
import { loginOf, Refusal, refusals, statusOf } from './refusal.js'

/** What is known of a request when it has to be refused: perhaps not even its frontend. */
export interface Refused {
  readonly requestId: string
  readonly request: IncomingMessage
  /** Set as soon as it is known. */
  frontend?: Frontend
  /** Path of the frontend's route that covers it; set as soon as it is known. */
  route?: string
  /** Of the page for a request that is no frontend's. */
  readonly branding?: Branding | undefined
}

/** The one place where an error becomes a response: a document for scripts, a page or a redirect for people. */
export function answerError(response: ServerResponse, error: unknown, refused: Refused): void {
  const refusal = refusalOf(error)
  announce(refusal, error, refused)
  // The first bytes are out: all that can still be said is that it broke off.
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const [name, value] of ownHeaders(refused)) response.setHeader(name, value)
  const retryAfter = retryAfterOf(refusal)
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter))
  if (isNavigation(refused.request)) answerPerson(response, refusal, refused)
  else answerScript(response, refusal, refused)
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
  response.end(refused.request.method === 'HEAD' ? undefined : body)
}

function answerPerson(response: ServerResponse, refusal: Refusal, refused: Refused): void {
  const { code, message } = refusal
  const { requestId, frontend } = refused
  const location = frontend && elsewhere(refusal, refused, frontend)
  if (location !== undefined) {
    response.writeHead(303, { Location: location })
    response.end()
    return
  }
  const texts = textsFor(refused.request)
  const { title, remedy } = texts.advice[code]
  const isEnglish = texts.language === 'en'
  const { headers, body } = ownPage(texts, frontend?.branding ?? refused.branding ?? {}, {
    title,
    content: html`<h1>${title}</h1>
${isEnglish && html`<p>${sentence(message)}</p>`}
<p class="soft">${remedy}</p>
${
  frontend !== undefined &&
  html`${goingOn(texts, refusal, refused, frontend)}
<a class="button quiet" href="${frontend.home}">${texts.back}</a>`
}
<dl>${!isEnglish && html`<dt>${texts.reason}</dt><dd lang="en">${message}</dd>`}<dt>${texts.code}</dt><dd>${code}</dd><dt>${texts.request}</dt><dd>${requestId}</dd></dl>`,
  })
  response.writeHead(statusOf(code), headers)
  response.end(body)
}

/** The button that goes on. What only has to be confirmed goes on as it was asked for. */
function goingOn(
  { signIn, signInAsOther, signOut }: PageTexts,
  { code, session = '' }: Refusal,
  { request: { url = '' } }: Refused,
  { loginUrl, logoutUrl, options }: Frontend,
): Html | false {
  if (code === 'bff.access.denied') {
    const mayAsk = (options.loginParameters ?? frontendDefaults.loginParameters).includes('prompt')
    const again = `${loginUrl}?${new URLSearchParams({ prompt: 'login', returnUrl: url })}`
    return html`<a class="button" href="${mayAsk ? again : `${logoutUrl}?sid=${session}`}">${signInAsOther}</a>`
  }
  if (code === 'bff.logout.confirm')
    return html`<a class="button" href="${url.startsWith(logoutUrl) ? url : logoutUrl}">${signOut}</a>`
  const again = code === 'bff.login.confirm' && url.startsWith(loginUrl) ? url : loginUrl
  return loginOf(code) !== undefined && html`<a class="button" href="${again}">${signIn}</a>`
}

/** Where a person can do something about it: the login, or the application's own page for failed logins. */
function elsewhere(
  { code, loginParameters: parameters }: Refusal,
  { requestId, request }: Refused,
  frontend: Frontend,
): string | undefined {
  const { options, origin } = frontend
  if (code === 'bff.step_up.required')
    return loginUrlTo(frontend, { returnUrl: addressAsReturnUrl(frontend, request.url), parameters })
  if (statusOf(code) === 401) return loginUrlTo(frontend, { parameters })
  if (options.errorRedirectPath === undefined || loginOf(code) !== 'failed') return undefined
  const url = new URL(options.errorRedirectPath, options.clientUrl ?? origin)
  url.searchParams.set('error', code)
  url.searchParams.set('request_id', requestId)
  return options.clientUrl === undefined ? url.pathname + url.search : url.href
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

function announce(
  { code, message, cause, reason: forTheLog }: Refusal,
  error: unknown,
  { requestId, frontend, route, request: { method = '', url = '' } }: Refused,
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
    ...(route !== undefined && { route }),
    ...serverSaid(cause, frontend),
  })
}

/** The error's name and where it was thrown. Its message might quote a secret. */
function whereabouts(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [error.name, ...frames.slice(0, 4).map((frame) => frame.trim())].join(' ')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}

function statusText(status: number): string {
  return STATUS_CODES[status] ?? ''
}
