import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Html, html } from '../../http/page.js'
import type { RequestOrigin, SessionNote } from '../../telemetry/request-origin.js'
import { frontendDefaults } from '../defaults.js'
import { addressAsReturnUrl, type LoginLink, loginUrlTo } from '../endpoints/login-url.js'
import { isFromOwnPage } from '../frontend/anti-forgery.js'
import type { Frontend } from '../frontend/frontend.js'
import type { Branding } from '../options.js'
import { loginOf, passes, type Refusal, statusOf } from '../refusal.js'
import { cameByLink, goToLogin, keepFragment } from './come-again.js'
import type { PageTexts } from './languages/page-texts.js'
import { isOpenedByPerson } from './navigation.js'
import { ownPage, textsFor } from './own-page.js'

/** What is known of a request when it has to be refused: perhaps not even its frontend. */
export interface Refused {
  readonly requestId: string
  /** What has come; where a proxy asks about another request, that one as soon as it is known. */
  request: IncomingMessage
  /** Set as soon as it is known. */
  frontend?: Frontend
  /** Which route of the frontend covers it, and what the steps have found out; set as soon as they begin. */
  call?: { readonly route: { readonly path: string }; readonly open: { readonly session: SessionNote } | undefined }
  /** Who is behind it, for the audit. Undefined: noted already. */
  readonly origin?: () => RequestOrigin
  /** Whether a person could not come back to the address from a login: reads of the route need the header too. */
  needsHeader?: boolean
  /** A page in a window, although it is no GET. */
  readonly isForPerson?: boolean
  /** Of the page for a request that is no frontend's. */
  readonly branding?: Branding | undefined
}

/** What a person gets for a refusal: a redirect to where it can be helped, or a page that says what to do. */
export function answerPerson(response: ServerResponse, refusal: Refusal, refused: Refused): void {
  const { code, message } = refusal
  const { requestId, frontend } = refused
  const location = frontend && elsewhere(refusal, refused, frontend)
  if (frontend !== undefined && location !== undefined) {
    if (takesFragment(refused.request, location, frontend))
      goToLogin(refused.request, response, { frontend, requestId, url: location })
    else response.writeHead(303, { Location: location }).end()
    return
  }
  const texts = textsFor(refused.request)
  // Asked at the very address that was wanted.
  const keeps = frontend !== undefined && code === 'bff.login.confirm' && cameByLink(refused.request, frontend)
  const { title, remedy } = texts.advice[code]
  const isEnglish = texts.language === 'en'
  const { headers, body } = ownPage(texts, frontend?.branding ?? refused.branding ?? {}, {
    title,
    ...(keeps && { script: keepFragment }),
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
  { signIn, signInAsOther, signOut, tryAgain }: PageTexts,
  { code, session = '', loginParameters }: Refusal,
  refused: Refused,
  frontend: Frontend,
): Html | false {
  const { url = '' } = refused.request
  const { loginUrl, logoutUrl, options } = frontend
  if (code === 'bff.access.denied') {
    const mayAsk = (options.loginParameters ?? frontendDefaults.loginParameters).includes('prompt')
    const again = `${loginUrl}?${new URLSearchParams({ prompt: 'login', returnUrl: url })}`
    return html`<a class="button" href="${mayAsk ? again : `${logoutUrl}?sid=${session}`}">${signInAsOther}</a>`
  }
  if (code === 'bff.logout.confirm')
    return html`<a class="button" href="${url.startsWith(logoutUrl) ? url : logoutUrl}">${signOut}</a>`
  if (code === 'bff.login.confirm') {
    const again = url.startsWith(loginUrl) ? url : loginUrlTo(frontend, comingBack(refused, frontend, loginParameters))
    return html`<a id="on" class="button" href="${again}">${signIn}</a>`
  }
  if (passes(code) && refused.request.method === 'GET' && /^\/(?![/\\])/.test(url))
    return html`<a class="button" href="${url}">${tryAgain}</a>`
  return loginOf(code) !== undefined && html`<a class="button" href="${loginUrl}">${signIn}</a>`
}

/** Where a person can do something about it: the login, or the application's own page for failed logins. */
function elsewhere({ code, loginParameters }: Refusal, refused: Refused, frontend: Frontend): string | undefined {
  const { options, origin } = frontend
  const { requestId } = refused
  if (statusOf(code) === 401) return loginUrlTo(frontend, comingBack(refused, frontend, loginParameters))
  if (options.errorRedirectPath === undefined || loginOf(code) !== 'failed') return undefined
  const url = new URL(options.errorRedirectPath, options.clientUrl ?? origin)
  url.searchParams.set('error', code)
  url.searchParams.set('request_id', requestId)
  return options.clientUrl === undefined ? url.pathname + url.search : url.href
}

/** To what was asked for, after the login. */
function comingBack(
  { request, needsHeader = false }: Refused,
  frontend: Frontend,
  parameters: LoginLink['parameters'],
): LoginLink {
  return { parameters, ...(!needsHeader && { returnUrl: addressAsReturnUrl(frontend, request.url) }) }
}

/** Whether a real browser is on its way to the login, and not one whom another site has sent: that one is asked there. */
function takesFragment(request: IncomingMessage, location: string, frontend: Frontend): boolean {
  const isBrowser =
    request.headers['upgrade-insecure-requests'] === '1' && request.headers['sec-fetch-dest'] === 'document'
  return (
    isBrowser && /[?&]returnUrl=[^&]+$/.test(location) && isOpenedByPerson(request) && isFromOwnPage(request, frontend)
  )
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
