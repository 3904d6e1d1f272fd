import { ConfigurationError, type ConfigurationProblem } from '../../errors.js'
import { isResourceIndicator } from '../../http/resource-indicator.js'
import { isScope } from '../../http/scope.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { accessProblems } from '../access/check-access.js'
import type { FrontendOptions } from '../options.js'
import type { RouteOptions } from '../route-options.js'
import { authenticationProblems, parameterProblems } from './check-authentication.js'
import {
  frontendName,
  hasEndpointSegment,
  hostName,
  isBelowEndpoints,
  isPathPrefix,
  isRoutePath,
} from './frontend-grammar.js'
import { limitProblems } from './limit-problems.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** What cannot work, whether the options come from a file or from code. @throws ConfigurationError with all of it */
export function assertFrontends(frontends: readonly FrontendOptions[]): void {
  const problems = [...frontendProblems(frontends)]
  if (problems.length > 0) throw new ConfigurationError(problems)
}

/** Pointers are those of the configuration file. */
export function* frontendProblems(frontends: readonly FrontendOptions[]): Generator<ConfigurationProblem> {
  if (frontends.length === 0)
    yield { pointer: '/Bff/Frontends', problem: 'there is no frontend', remedy: 'Add at least one.' }
  for (const [index, frontend] of frontends.entries()) {
    const pointer = `/Bff/Frontends/${index}`
    const earlier = frontends.slice(0, index)
    for (const { member, problem, remedy } of [
      ...namesAndPlaces(frontend, earlier),
      ...conversation(frontend),
      ...parameterProblems(frontend),
      ...accessProblems(frontend),
      ...limitProblems(frontend),
      ...frontend.routes.flatMap((route, at) => [
        ...routeProblems(route, frontend.routes.slice(0, at), `Routes/${at}`),
        ...authenticationProblems(route, frontend, `Routes/${at}`),
      ]),
    ])
      yield { pointer: `${pointer}/${member}`, problem, remedy }
  }
}

function* namesAndPlaces(
  { name, hosts, pathPrefix, publicUrl }: FrontendOptions,
  earlier: readonly FrontendOptions[],
): Generator<MemberProblem> {
  if (!frontendName.test(name))
    yield wrong(
      'Name',
      'is not a name for a cookie',
      'Use 1 to 32 letters, digits, "-" or "_", a letter or digit first.',
    )
  // Cookie names differ by case, but people and file systems do not.
  if (earlier.some((other) => other.name.toLowerCase() === name.toLowerCase()))
    yield wrong('Name', 'is taken by another frontend', 'Choose another.')
  for (const [index, host] of hosts.entries())
    if (!hostName.test(host))
      yield wrong(`Hosts/${index}`, 'is not a host name in small letters', 'Write it as in "admin.example.com".')
  if (!isPathPrefix(pathPrefix))
    yield wrong(
      'PathPrefix',
      'is not a path prefix',
      'Write "" or a path such as "/admin", without a slash at its end.',
    )
  if (hasEndpointSegment(pathPrefix))
    yield wrong('PathPrefix', 'contains the segment "bff", where the endpoints of frontends are', 'Use another word.')
  if (earlier.some((other) => other.pathPrefix === pathPrefix && shareAHost(other.hosts, hosts)))
    yield wrong(
      'PathPrefix',
      'is taken by another frontend on the same host',
      'Give one of them another prefix or host.',
    )
  if (!isSecureUrl(publicUrl))
    yield wrong('PublicUrl', 'is not https', 'Use https: browsers keep the session cookie only there and on localhost.')
  if (!isOrigin(publicUrl)) yield wrong('PublicUrl', 'is more than an origin', `Write "${publicUrl.origin}".`)
}

function* conversation({
  authority,
  clientId,
  clientAuthentication,
  scopes,
  session,
}: FrontendOptions): Generator<MemberProblem> {
  const issuer = URL.canParse(authority) ? new URL(authority) : undefined
  if (issuer === undefined || !isSecureUrl(issuer) || issuer.search !== '' || issuer.hash !== '')
    yield wrong('Authority', 'is not an issuer identifier', 'Write an https URL without query and fragment.')
  if (clientId === '') yield wrong('ClientId', 'is empty', 'Write the one that the authorization server knows.')
  if (clientAuthentication.method === 'private_key_jwt' && clientAuthentication.keys.length === 0)
    yield wrong('ClientSigningKeyJwk', 'is missing', 'Make one with `npx --no-install sallyport keygen`.')
  if (clientAuthentication.method === 'client_secret_post' && clientAuthentication.secret === '')
    yield wrong('ClientSecret', 'is missing', 'Write the one that the authorization server knows.')
  for (const [index, scope] of scopes.entries())
    if (!isScope(scope))
      yield wrong(`Scopes/${index}`, 'is not the name of one scope', 'Write each as an entry of its own.')
  if (!(session.idle > 0) || !(session.absolute > 0))
    yield wrong('SessionDuration', 'is not a positive duration', 'Write one such as "08:00:00".')
}

function* routeProblems(
  { path, upstreams, resource, scopes }: RouteOptions,
  earlier: readonly RouteOptions[],
  at: string,
): Generator<MemberProblem> {
  if (!isRoutePath(path)) yield wrong(`${at}/Path`, 'is not a plain path', 'Write it as in "/api".')
  if (isBelowEndpoints(path)) yield wrong(`${at}/Path`, 'lies below /bff, where the endpoints are', 'Use another path.')
  if (earlier.some((other) => other.path === path))
    yield wrong(`${at}/Path`, 'is the path of another route', 'Join the two, or give one a longer path.')
  if (upstreams.length === 0)
    yield wrong(`${at}/Upstreams`, 'is empty', 'Write where the API is, as in ["http://orders:8080"].')
  for (const [index, url] of upstreams.entries())
    if (!/^https?:$/.test(url.protocol) || !isPlain(url))
      yield wrong(
        `${at}/Upstreams/${index}`,
        'is more than an origin and a path',
        'Write it as in "http://orders:8080".',
      )
  if (resource !== undefined && !isResourceIndicator(resource))
    yield wrong(
      `${at}/Resource`,
      'is not an absolute URI without fragment (RFC 8707 §2)',
      'Write the identifier that the API expects in its tokens, as in "https://orders.example.com".',
    )
  for (const [index, scope] of scopes.entries())
    if (!isScope(scope))
      yield wrong(`${at}/Scopes/${index}`, 'is not the name of one scope', 'Write each as an entry of its own.')
}

function isPlain({ search, hash, username, password }: URL): boolean {
  return search === '' && hash === '' && username === '' && password === ''
}

function isOrigin(url: URL): boolean {
  return url.pathname === '/' && isPlain(url)
}

function shareAHost(left: readonly string[], right: readonly string[]): boolean {
  if (left.length === 0 || right.length === 0) return left.length === right.length
  return left.some((host) => right.some((other) => other.toLowerCase() === host.toLowerCase()))
}
