import type { IncomingMessage, ServerResponse } from 'node:http'
import { ProtocolError } from '../../../errors.js'
import { readFormBody } from '../../../http/form-body.js'
import { type Html, html } from '../../../http/page.js'
import { actingSource } from '../acting-source.js'
import type { AdminToken } from '../admin-token.js'
import type { AdministrationSource } from '../source.js'
import { unknownFrontend } from '../views.js'
import { type Place, sendPage } from './console-page.js'
import { type ConsoleSession, createConsoleSessions } from './console-session.js'
import {
  configurationPage,
  keysPage,
  refusalsPage,
  type SessionSearch,
  sessionsView,
  upstreamsPage,
} from './console-views.js'

export interface ConsoleOptions {
  readonly token: AdminToken
  readonly source: AdministrationSource
}

/** Answers `/console` and everything below it. */
export type Console = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What a signed-in request is answered with. */
interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  readonly session: ConsoleSession
}

export function createConsole({ token, source }: ConsoleOptions): Console {
  const sessions = createConsoleSessions(token.keyFor, source)
  const show =
    (place: Place, title: string, content: (visit: Visit) => Promise<Html>) =>
    async (visit: Visit): Promise<void> =>
      sendPage(visit.response, { title, content: await content(visit) }, place, visit.session)

  const pages: Readonly<Record<Place, (visit: Visit) => Promise<void>>> = {
    '/console/sessions': show('/console/sessions', 'Sessions', async ({ query, session }) => {
      const search = {
        sub: query.get('sub') ?? '',
        frontend: query.get('frontend') ?? '',
        authority: query.get('authority') ?? '',
      }
      const after = query.get('after')
      const page = await source.listSessions({ query: meant(search), ...(after !== null && { paging: { after } }) })
      const ended = /^\d{1,9}$/.exec(query.get('ended') ?? '')?.[0]
      const misspelt = search.frontend === '' ? undefined : unknownFrontend(await source.report(), search.frontend)
      return sessionsView(page, search, { session, ended, misspelt })
    }),
    '/console/refusals': show('/console/refusals', 'Refusals', async () => refusalsPage(await source.report())),
    '/console/upstreams': show('/console/upstreams', 'Upstreams', async () => upstreamsPage(await source.report())),
    '/console/keys': show('/console/keys', 'Keys', async () => keysPage(await source.report(), Date.now() / 1000)),
    '/console/configuration': show('/console/configuration', 'Configuration', async () =>
      configurationPage(await source.report()),
    ),
  }

  const signIn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = await readFormBody(request, { limit: 4096 })
    const checked = token.check(form.get('token') ?? '', request.socket.remoteAddress ?? '')
    if (checked === 'right') {
      sessions.begin(response)
      return goTo(response, '/console/sessions')
    }
    if (checked === 'wrong') return sendSignIn(response, 403, 'This is not the token of this server.')
    const again = { 'Retry-After': String(checked.wait) }
    return sendSignIn(response, 429, `Too many wrong tokens. Wait ${checked.wait} seconds.`, again)
  }

  const act = async (path: string, { request, response, session }: Visit): Promise<void> => {
    const form = await readFormBody(request, { limit: 4096 })
    if (!sessions.isFormOf(session, form.get('form')))
      return sendNotice(
        response,
        403,
        'This form is not of this page',
        'Go back, load the page again and try once more.',
      )
    if (path === '/console/sign-out') {
      await sessions.end(session, response)
      return goTo(response, '/console/sign-in')
    }
    const acting = actingSource(source, { via: 'console', address: request.socket.remoteAddress ?? '' })
    const [handle, sub, frontend, authority] = ['handle', 'sub', 'frontend', 'authority'].map((name) => form.get(name))
    const where = frontend === undefined ? {} : { frontend }
    if (handle !== undefined) {
      const wasThere = await acting.endSession({ handle, ...where })
      return goTo(response, `/console/sessions?ended=${wasThere ? 1 : 0}`)
    }
    // Never all sessions by a form that has lost a field.
    if (sub === undefined) return sendNotice(response, 400, 'No session is named', 'Go back and try again.')
    const ended = await acting.endSessions({ subject: sub, ...where, ...(authority !== undefined && { authority }) })
    return goTo(response, `/console/sessions?${new URLSearchParams({ sub, ended: String(ended) }).toString()}`)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://admin')
    const isPost = request.method === 'POST'
    if (!isPost && request.method !== 'GET' && request.method !== 'HEAD')
      return sendNotice(response, 405, 'This cannot be done here', 'Go back to the console.', {
        Allow: 'GET, HEAD, POST',
      })
    if (isPost && isFromElsewhere(request))
      return sendNotice(response, 403, 'Another page has sent this', 'Open the console itself and go on from there.')
    if (pathname === '/console/sign-in') return isPost ? signIn(request, response) : sendSignIn(response)
    const session = await sessions.open(request, response)
    if (session === undefined) return goTo(response, '/console/sign-in')
    const visit = { request, response, query, session }
    if (isPost && (pathname === '/console/sign-out' || pathname === '/console/sessions/end'))
      return act(pathname, visit)
    if (pathname === '/console' || pathname === '/console/') return goTo(response, '/console/sessions')
    const page = Object.hasOwn(pages, pathname) ? pages[pathname as Place] : undefined
    if (page === undefined || isPost)
      return sendNotice(response, 404, 'There is nothing here', 'Go back to the console.')
    return page(visit)
  }

  return (request, response) =>
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy()
      if (error instanceof ProtocolError || error instanceof RangeError)
        return sendNotice(response, 400, 'This request cannot be understood', 'Go back and try again.')
      return sendNotice(
        response,
        503,
        'This cannot be told just now',
        'The store or a worker does not answer: look at the log.',
      )
    })
}

function meant({ sub, frontend, authority }: SessionSearch) {
  return {
    ...(sub !== '' && { subject: sub }),
    ...(frontend !== '' && { frontend }),
    ...(authority !== '' && { authority }),
  }
}

function goTo(response: ServerResponse, location: string): void {
  response.writeHead(303, { Location: location, 'Cache-Control': 'no-store' }).end()
}

/** Cookies ignore ports: a page of an application on this host is of the same site, and its forms bring ours along. */
function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin'
  return headers.origin !== undefined && headers.origin.replace(/^https?:\/\//, '') !== headers.host
}

function sendSignIn(
  response: ServerResponse,
  status = 200,
  problem?: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const content = html`${problem !== undefined && html`<p class="alert" role="alert">${problem}</p>`}
<p class="soft">Who has the <code>AdminToken</code> of this server sees who is signed in, and ends sessions.</p>
<form method="post" action="/console/sign-in"><label for="token">AdminToken</label><input id="token" name="token" type="password" autocomplete="off" required autofocus><button>Sign in</button></form>`
  sendPage(response, { title: 'Sign in to the console', content, status, headers })
}

function sendNotice(
  response: ServerResponse,
  status: number,
  title: string,
  remedy: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const content = html`<p>${remedy}</p><p><a href="/console/sessions">To the console</a></p>`
  sendPage(response, { title, content, status, headers })
}
