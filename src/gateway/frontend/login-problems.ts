import { routeAccess } from '../access/route-access.js'
import type { FrontendOptions } from '../options.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** Pages that cannot be closed, and ways out of a failed login that lead into the next one. */
export function* loginProblems(frontend: FrontendOptions): Generator<MemberProblem> {
  const {
    frontchannelLogout,
    scopes,
    requireLogin,
    staticFilesPath,
    developmentServer,
    errorRedirectPath,
    clientUrl,
    embedding,
  } = frontend
  if (frontchannelLogout === true && !scopes.includes('openid'))
    yield wrong(
      'frontchannelLogout',
      'is true, and without the scope "openid" no session has a "sid" to be ended by',
      'Add "openid" to the scopes, or leave it out.',
    )
  if (requireLogin === 'Page' && staticFilesPath === undefined && developmentServer === undefined)
    yield wrong(
      'RequireLogin',
      'is "Page", and no page is served from here',
      'Leave it out. A page at another place has to be closed there; calls of its routes need a session anyway.',
    )
  if (requireLogin === 'Page' && embedding !== undefined)
    yield wrong(
      'RequireLogin',
      'is "Page", and a frame of another site cannot be sent to the login',
      'Leave it out, and let the page in the frame begin the login; or leave Embedding out.',
    )
  if (errorRedirectPath !== undefined && clientUrl === undefined && needsSession(frontend, errorRedirectPath))
    yield wrong(
      'ErrorRedirectPath',
      'needs a session itself: a login that has failed would begin again, and fail again',
      'Leave it out for a page of ours, or write the path of a route with "TokenType": "None".',
    )
}

/** Whether a person who opens the address is sent to the login. */
export function needsSession(frontend: FrontendOptions, address: string): boolean {
  const path = address.replace(/[?#].*$/s, '')
  const [closest] = frontend.routes
    .map((route) => ({ route, path: frontend.pathPrefix + route.path.replace(/\/$/, '') }))
    .filter((candidate) => path === candidate.path || path.startsWith(`${candidate.path}/`))
    .sort((left, right) => right.path.length - left.path.length)
  return closest === undefined
    ? frontend.requireLogin === 'Page'
    : routeAccess(closest.route, frontend).session === 'required'
}
