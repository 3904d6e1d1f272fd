import { isAbsolute } from 'node:path'
import type { ConfigurationProblem } from '../../errors.js'
import { isResourceIndicator } from '../../http/resource-indicator.js'
import { isScope } from '../../http/scope.js'
import { authenticationProblems } from '../frontend/check-authentication.js'
import {
  isBelowEndpoints,
  isListenedOnOnly,
  isPlain,
  isRoutePath,
  methodName,
  repeatsPrefix,
  routePathKey,
} from '../frontend/frontend-grammar.js'
import { type MemberProblem, wrong } from '../frontend/member-problem.js'
import { assertionProblems } from '../identity/check-assertions.js'
import type { FrontendOptions } from '../options.js'
import type { RouteOptions } from '../route-options.js'

/** What is wrong with the routes of a frontend, each by itself and beside those before it. */
export function* routeProblems(frontend: FrontendOptions, pointer: string): Generator<ConfigurationProblem> {
  const { routes, pathPrefix } = frontend
  for (const [index, route] of routes.entries()) {
    const at = `${pointer}/routes/${index}`
    for (const { member, problem, remedy } of [
      ...pathProblems(route, pathPrefix, routes.slice(0, index)),
      ...upstreamProblems(route),
      ...socketProblems(route),
      ...tokenProblems(route),
      ...numberProblems(route),
      ...authenticationProblems(route, frontend),
      ...assertionProblems(route, frontend),
    ])
      yield { pointer: `${at}/${member}`, problem, remedy }
  }
}

function* pathProblems(
  { path, methods }: RouteOptions,
  pathPrefix: string,
  earlier: readonly RouteOptions[],
): Generator<MemberProblem> {
  if (!isRoutePath(path)) yield wrong('path', 'is not a plain path', 'Write it as in "/api".')
  if (isBelowEndpoints(path)) yield wrong('path', 'lies below /bff, where the endpoints are', 'Use another path.')
  if (repeatsPrefix(path, pathPrefix))
    yield wrong('path', 'begins with the prefix of its frontend, and is counted from there', 'Leave the prefix out.')
  if (earlier.some((other) => routePathKey(other.path) === routePathKey(path)))
    yield wrong('path', 'is the path of another route', 'Join the two, or give one a longer path.')
  for (const [index, method] of methods.entries())
    if (!methodName.test(method))
      yield wrong(`methods/${index}`, 'is not an HTTP method in capitals', 'Write it as in "GET".')
}

function* upstreamProblems({ upstreams, tls }: RouteOptions): Generator<MemberProblem> {
  if (upstreams.length === 0)
    yield wrong('upstreams', 'is empty', 'Write where the API is, as in ["http://orders:8080"].')
  for (const [index, url] of upstreams.entries()) {
    const member = `upstreams/${index}`
    if (!/^https?:$/.test(url.protocol) || !isPlain(url))
      yield wrong(member, 'is more than an origin and a path', 'Write it as in "http://orders:8080".')
    if (isListenedOnOnly(url))
      yield wrong(member, 'is an address that servers listen on, and no client calls', 'Write the name of the host.')
    if (upstreams.slice(0, index).some(({ href }) => href === url.href))
      yield wrong(member, 'is there twice', 'Keep one of the two.')
  }
  if (tls === undefined) return
  if (upstreams.every(({ protocol }) => protocol === 'http:'))
    yield wrong('tls', 'is for https, and no upstream here is https', 'Write https upstreams, or leave it out.')
  if ((tls.cert === undefined) !== (tls.key === undefined))
    yield wrong('tls', 'has a certificate without its key, or a key without its certificate', 'Give both, or neither.')
}

function* socketProblems({ upstreams, sockets }: RouteOptions): Generator<MemberProblem> {
  if (sockets === undefined) return
  if (sockets.length === 0) yield wrong('sockets', 'is empty', 'Write the socket of the API, or leave it out.')
  if (upstreams.length > 1)
    yield wrong(
      'upstreams',
      'has several URLs, and sockets lead to one',
      'Write the URL by which the API knows itself.',
    )
  for (const [index, socket] of sockets.entries()) {
    const member = `sockets/${index}`
    if (!isAbsolute(socket)) yield wrong(member, 'is not an absolute path', 'Write it as in "/run/orders.sock".')
    if (sockets.indexOf(socket) < index) yield wrong(member, 'is there twice', 'Keep one of the two.')
  }
}

function* tokenProblems({ tokenType, resource, scopes }: RouteOptions): Generator<MemberProblem> {
  if (resource !== undefined && !isResourceIndicator(resource))
    yield wrong(
      'resource',
      'is not an absolute URI without fragment (RFC 8707 §2)',
      'Write the identifier that the API expects in its tokens, as in "https://orders.example.com".',
    )
  for (const [index, scope] of scopes.entries()) {
    if (!isScope(scope))
      yield wrong(`scopes/${index}`, 'is not the name of one scope', 'Write each as an entry of its own.')
    if ((tokenType === 'Client' || tokenType === 'UserOrClient') && needsUser(scope))
      yield wrong(`scopes/${index}`, "needs a user, and the token may be the gateway's own", 'Leave it out.')
  }
  if (tokenType === 'None' && (resource !== undefined || scopes.length > 0))
    yield wrong('tokenType', 'is None, so that resource and scopes have no token to be in', 'Leave them out.')
}

export function needsUser(scope: string): boolean {
  return scope === 'openid' || scope === 'offline_access'
}

function* numberProblems(route: RouteOptions): Generator<MemberProblem> {
  const { timeouts = {}, healthCheck, circuitBreaker, webSocket } = route
  const isWhole = (value: number | undefined, least: number, most = Number.MAX_SAFE_INTEGER): boolean =>
    value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)
  if (!isWhole(route.bodyLimit, 0)) yield wrong('bodyLimit', 'is not a number of bytes', 'Leave it out for no limit.')
  if (!isWhole(route.replayLimit, 0)) yield wrong('replayLimit', 'is not a number of bytes', 'Leave it out.')
  if (!isWhole(route.retries, 0, 5)) yield wrong('retries', 'is not a number from 0 to 5', 'Leave it out.')
  if (!isWhole(circuitBreaker?.failures, 1))
    yield wrong('circuitBreaker/failures', 'is not a number above 0', 'Leave it out.')
  if (healthCheck !== undefined && !isRoutePath(healthCheck.path))
    yield wrong('healthCheck/path', 'is not a plain path', 'Write it as in "/healthz".')
  for (const [member, value] of [
    ...Object.entries(timeouts).map(([name, value]) => [`timeouts/${name}`, value] as const),
    ['healthCheck/interval', healthCheck?.interval] as const,
    ['healthCheck/timeout', healthCheck?.timeout] as const,
  ])
    if (value !== undefined && !(value > 0)) yield wrong(member, 'is no time at all', 'Leave it out, or write a time.')
  for (const [member, value] of [
    ['circuitBreaker/openFor', circuitBreaker?.openFor] as const,
    ['webSocket/pingInterval', webSocket?.pingInterval] as const,
  ])
    if (value !== undefined && !(value >= 0)) yield wrong(member, 'is not a number of seconds', 'Leave it out.')
}
