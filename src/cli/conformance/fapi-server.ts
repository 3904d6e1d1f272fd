import { futureSkew, lifetimeDefaults } from '../../authorization-server/defaults.js'
import type { ClientOptions } from '../../authorization-server/options.js'
import type { Configuration } from '../../config/load.js'
import { ofServer, type Requirement } from './requirement.js'

const modules = 'conformance/authorization-server/sallyport-ps256'
const beyond = 'conformance/authorization-server/sallyport-requirements'

/** §5.3.2 of the profile: the authorization server. */
export const serverRequirements: readonly Requirement[] = [
  row(
    '5.3.2.1-1',
    'Metadata is published (OpenID Connect Discovery, RFC 8414).',
    'Both documents.',
    [modules],
    /: discovery$/,
  ),
  row('5.3.2.1-2', 'The grant with a user’s password is refused.', 'It does not exist.', [
    'authorization-server/endpoints/token-request',
    beyond,
  ]),
  row(
    '5.3.2.1-3',
    'Clients are confidential.',
    ({ configuration }) =>
      `Each of its ${configuration.authorizationServer?.options.clients.length ?? 0} clients has a key or a certificate; a client without either is refused at start.`,
    ['authorization-server/client/authentication', 'config/rules'],
  ),
  row(
    '5.3.2.1-4, 5',
    'Access tokens are bound to a key, by mutual TLS or DPoP.',
    ({ configuration }) =>
      split(configuration, ({ certificateBoundAccessTokens }) =>
        certificateBoundAccessTokens === true ? 'mutual TLS' : 'DPoP',
      ),
    [modules, 'authorization-server/tokens/access-token', 'authorization-server/client/mutual-tls'],
  ),
  row(
    '5.3.2.1-6',
    'Clients authenticate by mutual TLS or private_key_jwt.',
    ({ configuration }) =>
      split(configuration, ({ certificateAuthentication }) => certificateAuthentication?.method ?? 'private_key_jwt'),
    [modules, 'authorization-server/client/authentication', 'authorization-server/client/mutual-tls'],
  ),
  row(
    '5.3.2.1-7',
    'There are no open redirectors.',
    'Redirect URIs are compared exactly, before anything else happens.',
    [beyond, 'attacks/authorization-error-redirect'],
  ),
  row(
    '5.3.2.1-8',
    'Assertions are taken with the issuer identifier as their audience, as a text.',
    'Neither lists nor endpoint URLs are taken.',
    [modules],
  ),
  row('5.3.2.1-9', 'Refresh tokens are not rotated.', 'They are not; they are bound to the client.', [modules, beyond]),
  row(
    '5.3.2.1-10',
    'Nonces may be demanded in proofs.',
    ({ configuration }) =>
      configuration.authorizationServer?.options.dpopNonces === 'off'
        ? 'RequireNonce is false.'
        : 'They are demanded, good for a minute or two, and need no store.',
    [modules],
    undefined,
    'may',
  ),
  row('5.3.2.1-11', 'An authorization code lives 60 seconds at most.', `${lifetimeDefaults.code} seconds.`, [
    modules,
    beyond,
  ]),
  row(
    '5.3.2.1-12',
    'Codes can be bound to a DPoP key, by dpop_jkt and by a proof at PAR.',
    'By both; a mismatch is refused.',
    [modules],
  ),
  row(
    '5.3.2.1-13',
    'JWTs dated up to 10 seconds ahead are taken, those of more than 60 are refused.',
    `Up to ${futureSkew} seconds are taken.`,
    [modules, beyond],
  ),
  row(
    '5.3.2.1-14',
    'Tokens give no more privileges than are needed.',
    'Scopes and resources that the client has permission for, and the user has agreed to.',
    ['authorization-server/client/permissions', 'attacks/foreign-resource'],
    undefined,
    'should',
  ),
  row('5.3.2.2-1', 'response_type is code.', 'Nothing else.', [modules]),
  row(
    '5.3.2.2-2, 3, 4',
    'Requests are pushed by an authenticated client, and others are refused.',
    'No switch turns it off.',
    [modules],
    /: pushed authorization request$/,
  ),
  row('5.3.2.2-5', 'PKCE with S256 is demanded.', 'plain, or none, is refused when the request is pushed.', [modules]),
  row('5.3.2.2-6', 'redirect_uri is demanded in the pushed request.', 'It is, and has to be a registered one.', [
    modules,
  ]),
  row(
    '5.3.2.2-7',
    'iss is in the authorization response (RFC 9207).',
    'Errors have it, too.',
    [modules],
    /: metadata$/,
  ),
  row('5.3.2.2-8', 'Redirect URIs are not plain http.', 'Refused at start, but for localhost.', [
    'config/rules',
    beyond,
  ]),
  row(
    '5.3.2.2-9',
    'A code is good once.',
    'Taken by one atomic operation; a second use ends the tokens of the first.',
    [modules, 'attacks/as-races'],
  ),
  row('5.3.2.2-10, 11', 'Redirects of requests that may carry credentials are 303, never 307.', '303, always.', [
    beyond,
  ]),
  row('5.3.2.2-12', 'A request_uri lives less than 600 seconds.', `${lifetimeDefaults.requestUri} seconds.`, [modules]),
  row(
    '5.3.2.2-13',
    'Users see enough to agree knowingly.',
    'The consent page names client, scopes and APIs.',
    ['authorization-server/interaction/authorization-decision', 'authorization-server/pages/pages'],
    undefined,
    'should',
  ),
  row('5.3.2.2-14', 'nonce is taken with up to 64 characters.', 'It is.', [modules]),
  row('5.3.2.3', 'Who the user is, is told by OpenID Connect.', 'By ID token and userinfo.', [
    'authorization-server/openid-client',
    'authorization-server/endpoints/userinfo',
  ]),
]

/** Of how many clients something holds: `private_key_jwt: 2 clients.` */
function split({ authorizationServer }: Configuration, kindOf: (client: ClientOptions) => string): string {
  const counts = new Map<string, number>()
  for (const client of authorizationServer?.options.clients ?? [])
    counts.set(kindOf(client), (counts.get(kindOf(client)) ?? 0) + 1)
  return `${[...counts].map(([kind, count]) => `${kind}: ${count} client${count === 1 ? '' : 's'}`).join(', ')}.`
}

function row(
  section: string,
  requirement: string,
  how: Parameters<typeof ofServer>[0],
  tests: readonly string[],
  trials?: RegExp,
  level: Requirement['level'] = 'shall',
): Requirement {
  return { section, level, requirement, tests, assess: ofServer(how), ...(trials !== undefined && { trials }) }
}
