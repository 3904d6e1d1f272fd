import { clientsOf } from '../authorities/authorities.js'
import { type MemberProblem, wrong } from '../frontend/member-problem.js'
import { keysOf } from '../oauth/client-authentication.js'
import type { FrontendOptions } from '../options.js'
import type { RouteOptions } from '../route-options.js'
import { tokenClaims } from '../session/session-claims.js'

/** No browser can send such a field through the gateway: it is one of `refusedFromBrowser`. */
const assertionHeader = /^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*-Assertion$/i

/** What is wrong with the keys that sign assertions of identity. */
export function* assertionKeyProblems(options: FrontendOptions): Generator<MemberProblem> {
  const { assertionKeys: keys = [], routes } = options
  if (keys.length === 0 && routes.some(({ identityAssertion }) => identityAssertion !== undefined))
    yield wrong(
      'assertionKeys',
      'is empty, and a route asserts the identity of users',
      'Write a private JWK, as `npx --no-install sallyport keygen` prints it.',
    )
  const kids = keys.map(({ kid }) => kid)
  if (new Set(kids).size < kids.length)
    yield wrong('assertionKeys', 'has two keys with one "kid"', 'Give each a "kid" of its own.')
  const ofClient = clientsOf(options).flatMap(({ options: { clientAuthentication } }) => keysOf(clientAuthentication))
  if (keys.some(({ publicJwk: { x, n } }) => ofClient.some(({ publicJwk: other }) => other.x === x && other.n === n)))
    yield wrong(
      'assertionKeys',
      'has a key of the client: what one signs could be taken for the other',
      'Make a key of its own with `npx --no-install sallyport keygen`.',
    )
}

/** What is wrong with an assertion of identity. */
export function* assertionProblems(route: RouteOptions, frontend: FrontendOptions): Generator<MemberProblem> {
  const { identityAssertion, tokenType } = route
  if (identityAssertion === undefined) return
  const { audience, claims = [], header } = identityAssertion
  const at = 'identityAssertion'
  if (tokenType !== 'User' && tokenType !== 'UserOrNone')
    yield wrong(at, `is about a user, and TokenType is "${tokenType}"`, 'Write "User" as TokenType, or leave it out.')
  for (const member of ['resource', 'tokenExchange', 'authorizationDetails'] as const)
    if (route[member] !== undefined)
      yield wrong(
        member,
        'is about an access token, and the assertion of identity goes in its place',
        'Leave one of the two out.',
      )
  if (route.scopes.length > 0)
    yield wrong(
      'scopes',
      'is about an access token, and the assertion of identity goes in its place',
      'Leave one of the two out.',
    )
  if (clientsOf(frontend).some(({ options }) => !options.scopes.includes('openid')))
    yield wrong(at, 'has no user to name: the frontend\'s scopes have no "openid"', 'Add "openid" to them.')
  if (audience === '')
    yield wrong(`${at}/audience`, 'is empty', 'Write the name of the API, as in "https://reports.internal".')
  if (header !== undefined && !assertionHeader.test(header))
    yield wrong(
      `${at}/header`,
      'does not end in "-Assertion"',
      'Write such a name, as in "X-Identity-Assertion": no browser can send one through the gateway.',
    )
  for (const [index, claim] of claims.entries())
    if (claim === 'sub' || claim === 'idp' || tokenClaims.has(claim))
      yield wrong(`${at}/claims/${index}`, `is "${claim}", which each assertion says by itself`, 'Leave it out.')
}
