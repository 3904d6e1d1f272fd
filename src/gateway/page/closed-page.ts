import type { ServerResponse } from 'node:http'
import { isFromForeignPage } from '../frontend/anti-forgery.js'
import { Refusal } from '../refusal.js'
import type { GatewayRequest } from '../request.js'
import { sessionIdentifier } from '../session/koa-session.js'
import { keepSession } from '../session/sliding-expiration.js'
import { comeAgain, lacksCookie } from './come-again.js'
import { isNavigation } from './navigation.js'

/**
 * `RequireLogin: "Page"`: the page's files are for users with a session. A person without one is sent to the login, a script or
 * a picture is refused, and neither learns which files there are.
 * @returns `answered`: the browser was asked to come again from a page of ours
 * @throws Refusal `bff.session.absent`, `bff.session.ended`, `bff.csrf.cross_site`
 */
export async function enterClosedPage(
  call: GatewayRequest,
  response: ServerResponse,
  now: number,
): Promise<'answered' | 'open'> {
  const { request, frontend } = call
  const id = sessionIdentifier(request.headers.cookie, frontend)
  const session = id === undefined ? undefined : await frontend.sessions.open(id)
  if (id !== undefined && session !== undefined) {
    // A document may be linked to from anywhere. What makes it up is for this origin.
    if (!isNavigation(request) && isFromForeignPage(request))
      throw new Refusal('bff.csrf.cross_site', 'a file of the page is asked for by a page of another origin')
    if (isNavigation(request)) await keepSession(call, { id, session }, response)
    return 'open'
  }
  if (lacksCookie(call)) {
    comeAgain(call, response, now)
    return 'answered'
  }
  throw id === undefined
    ? new Refusal('bff.session.absent', 'log in first')
    : new Refusal('bff.session.ended', 'the session has ended; log in again')
}
