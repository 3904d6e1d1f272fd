import type { ConfigurationProblem } from '../../errors.js'
import { isScope } from '../../http/scope.js'
import { isSecureUrl } from '../../http/secure-url.js'
import type { Sliced } from '../../slices.js'
import { accessProblems } from '../access/check-access.js'
import { authorityProblems } from '../authorities/check-authorities.js'
import { assertionKeyProblems } from '../identity/check-assertions.js'
import { keysOf } from '../oauth/client-authentication.js'
import type { FrontendOptions } from '../options.js'
import { routeProblems } from '../routing/check-routes.js'
import { certificateProblems } from './certificate-problems.js'
import { parameterProblems } from './check-authentication.js'
import { detailProblems } from './check-details.js'
import { embeddingProblems } from './check-embedding.js'
import {
  frontendName,
  hasEndpointSegment,
  hostName,
  isHeaderText,
  isLocalPath,
  isOrigin,
  isPathPrefix,
  landsOnEndpoint,
  mayBeSameSite,
} from './frontend-grammar.js'
import { limitProblems } from './limit-problems.js'
import { loginProblems } from './login-problems.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** What is wrong with frontends, each by itself and beside those before it. */
export function* frontendProblems(frontends: readonly FrontendOptions[]): Sliced<ConfigurationProblem[]> {
  const problems: ConfigurationProblem[] = []
  if (frontends.length === 0)
    problems.push({ pointer: '/frontends', problem: 'there is no frontend', remedy: 'Add at least one.' })
  const names = new Set<string>()
  const hidden = new Set(sameAddress(frontends, (frontend) => frontend).map(([later]) => later))
  for (const [index, frontend] of frontends.entries()) {
    const at = `/frontends/${index}`
    // Cookie names differ by case, but people and file systems do not.
    const name = frontend.name.toLowerCase()
    const taken = { name: names.has(name), address: hidden.has(frontend) }
    names.add(name)
    for (const { member, problem, remedy } of [
      ...nameProblems(frontend, taken),
      ...pageProblems(frontend),
      ...authorityProblems(frontend, clientProblems),
      ...profileProblems(frontend),
      ...sessionProblems(frontend),
      ...detailProblems(frontend),
      ...accessProblems(frontend),
      ...limitProblems(frontend),
      ...embeddingProblems(frontend),
      ...loginProblems(frontend),
      ...assertionKeyProblems(frontend),
    ])
      problems.push({ pointer: `${at}/${member}`, problem, remedy })
    problems.push(...routeProblems(frontend, at))
    yield
  }
  return problems
}

function* nameProblems(
  { name, hosts, pathPrefix, publicUrl }: FrontendOptions,
  taken: { readonly name: boolean; readonly address: boolean },
): Generator<MemberProblem> {
  if (!frontendName.test(name))
    yield wrong(
      'name',
      'is not a name for a cookie',
      'Use 1 to 32 letters, digits, "-" or "_", a letter or digit first.',
    )
  if (taken.name) yield wrong('name', 'is taken by another frontend', 'Choose another.')
  for (const [index, host] of hosts.entries())
    if (!hostName.test(host))
      yield wrong(`hosts/${index}`, 'is not a host name in small letters', 'Write it as in "admin.example.com".')
  if (!isPathPrefix(pathPrefix))
    yield wrong(
      'pathPrefix',
      'is not a path prefix',
      'Write "" or a path such as "/admin", without a slash at its end.',
    )
  if (hasEndpointSegment(pathPrefix))
    yield wrong('pathPrefix', 'contains the segment "bff", where the endpoints of frontends are', 'Use another word.')
  if (taken.address)
    yield wrong(
      'pathPrefix',
      'is taken by another frontend on the same host',
      'Give one of them another prefix or host.',
    )
  if (!isSecureUrl(publicUrl))
    yield wrong('publicUrl', 'is not https', 'Use https: browsers keep the session cookie only there and on localhost.')
  if (!isOrigin(publicUrl)) yield wrong('publicUrl', 'is more than an origin', `Write "${publicUrl.origin}".`)
}

function* pageProblems(options: FrontendOptions): Generator<MemberProblem> {
  const { pathPrefix, publicUrl, clientUrl, developmentServer, cors, contentSecurityPolicy } = options
  for (const member of ['postLoginRedirectPath', 'postLogoutRedirectPath', 'errorRedirectPath'] as const) {
    const path = options[member]
    if (path === undefined) continue
    if (!isLocalPath(path)) yield wrong(member, 'is not a path on this origin', 'Write it as in "/".')
    if (landsOnEndpoint(path, pathPrefix))
      yield wrong(member, 'is an endpoint of the gateway: browsers would go round in circles', 'Write a page.')
  }
  for (const [member, url] of [
    ['clientUrl', clientUrl] as const,
    ['developmentServer', developmentServer] as const,
    ...(cors?.origins ?? []).map((origin, index) => [`cors/origins/${index}`, origin] as const),
  ])
    if (url !== undefined && !isSecureOrigin(url))
      yield wrong(
        member,
        'is not an origin of https, or of http on loopback',
        'Write it as in "https://www.example.com".',
      )
  if (clientUrl !== undefined && !mayBeSameSite(clientUrl, publicUrl))
    yield wrong(
      'clientUrl',
      `is on another site than ${publicUrl.origin}: the session cookie is SameSite=Strict, and no call of that page would have it`,
      'Put both below one domain with one scheme.',
    )
  if (contentSecurityPolicy !== undefined && !isHeaderText(contentSecurityPolicy))
    yield wrong(
      'contentSecurityPolicy',
      'is empty, has line breaks, or characters that a header cannot carry',
      'Write it in one line, in ASCII.',
    )
}

/** At one authorization server. */
function* clientProblems(options: FrontendOptions): Generator<MemberProblem> {
  yield* conversationProblems(options)
  yield* certificateProblems(options)
  yield* parameterProblems(options)
  if (options.profile !== 'Baseline' && 'secret' in options.clientAuthentication)
    yield wrong(
      'clientAuthentication/method',
      `is ${options.clientAuthentication.method}, which FAPI 2.0 does not allow`,
      asFapiHasIt,
    )
}

function* conversationProblems({
  authority,
  clientId,
  clientAuthentication,
  pushedAuthorizationRequests,
  signedRequests,
  scopes,
}: FrontendOptions): Generator<MemberProblem> {
  const issuer = URL.canParse(authority) ? new URL(authority) : undefined
  if (issuer === undefined || !isSecureUrl(issuer) || issuer.search !== '' || issuer.hash !== '')
    yield wrong('authority', 'is not an issuer identifier', 'Write an https URL without query and fragment.')
  if (clientId === '' || clientId !== clientId.trim())
    yield wrong('clientId', 'is empty, or begins or ends with a space', 'Write the one that the server knows.')
  if (clientAuthentication.method === 'private_key_jwt' && clientAuthentication.keys.length === 0)
    yield wrong('clientAuthentication/keys', 'is empty', 'Make one with `npx --no-install sallyport keygen`.')
  if ('secret' in clientAuthentication && clientAuthentication.secret === '')
    yield wrong('clientAuthentication/secret', 'is empty', 'Write the one that the server knows.')
  if (signedRequests === true && !pushedAuthorizationRequests)
    yield wrong(
      'signedRequests',
      'is true, and requests are not pushed: no others are signed',
      'Push them, or leave it out.',
    )
  if (signedRequests === true && keysOf(clientAuthentication).length === 0)
    yield wrong(
      'signedRequests',
      'is true, and the client has no key to sign requests with',
      'Give it one (`npx --no-install sallyport keygen`), which a client with a secret cannot have; or leave it out.',
    )
  for (const [index, scope] of scopes.entries())
    if (!isScope(scope))
      yield wrong(`scopes/${index}`, 'is not the name of one scope', 'Write each as an entry of its own.')
}

/** FAPI 2.0 is the default: what is weaker is said by its name. */
function* profileProblems(options: FrontendOptions): Generator<MemberProblem> {
  if (options.profile === 'Baseline') return
  const remedy = asFapiHasIt
  if (!options.pushedAuthorizationRequests)
    yield wrong('pushedAuthorizationRequests', 'is false, which FAPI 2.0 does not allow (RFC 9126)', remedy)
  if (!options.dpop && options.certificateBoundAccessTokens !== true)
    yield wrong('dpop', 'is false, which FAPI 2.0 does not allow (RFC 9449)', remedy)
  if (!options.requireIssuer) yield wrong('requireIssuer', 'is false, which FAPI 2.0 does not allow (RFC 9207)', remedy)
}

const asFapiHasIt = 'Leave it as FAPI 2.0 has it, or set the profile to Baseline and give up what it protects from.'

function* sessionProblems({ session }: FrontendOptions): Generator<MemberProblem> {
  if (!(session.idle > 0)) yield wrong('session/idle', 'is not a positive duration', 'Write seconds.')
  if (!(session.absolute > 0)) yield wrong('session/absolute', 'is not a positive duration', 'Write seconds.')
  if (session.idle > session.absolute)
    yield wrong('session/idle', 'is longer than absolute, which ends the session before', 'Make it the shorter one.')
  if (!(session.refreshGracePeriod >= 0 && session.refreshGracePeriod <= longestGracePeriod))
    yield wrong(
      'session/refreshGracePeriod',
      'is more than ten minutes, so that many a token would be refreshed on every call',
      'Write 60.',
    )
}

/** Seconds. */
export const longestGracePeriod = 600

function isSecureOrigin(url: URL | string): boolean {
  return isSecureUrl(url) && isOrigin(new URL(url))
}

/** Where a frontend answers. Without hosts it answers to any, and stands back behind one that names it. */
interface Address {
  readonly hosts: readonly string[]
  readonly pathPrefix: string
}

/** Pairs of which the later answers to a host and path of the earlier, so that one of the two is never reached. */
export function sameAddress<Frontend>(
  frontends: readonly Frontend[],
  addressOf: (frontend: Frontend) => Address | undefined,
): (readonly [later: Frontend, earlier: Frontend])[] {
  const owners = new Map<string, Frontend>()
  return frontends.flatMap((frontend) => {
    const address = addressOf(frontend)
    if (address === undefined) return []
    const { hosts, pathPrefix } = address
    const places = (hosts.length === 0 ? [''] : hosts).map((host) => `${host.toLowerCase()} ${pathPrefix}`)
    const earlier = places.map((place) => owners.get(place)).find((owner) => owner !== undefined)
    for (const place of places) if (!owners.has(place)) owners.set(place, frontend)
    return earlier === undefined ? [] : [[frontend, earlier] as const]
  })
}
