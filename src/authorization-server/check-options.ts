import { ConfigurationError, type ConfigurationProblem } from '../errors.js'
import { compileSchema } from '../http/json-schema.js'
import { isResourceIndicator } from '../http/resource-indicator.js'
import { isScope } from '../http/scope.js'
import { isSecureUrl } from '../http/secure-url.js'
import { isNetwork } from '../http/trusted-peers.js'
import { certificateProblems } from './client/check-certificates.js'
import type { AuthorizationServerOptions, ClientOptions, UserOptions } from './options.js'
import { completeLifetimes, completeRotation } from './settings.js'
import { isPasswordHash } from './sign-in/password.js'
import { normalised, subjectOf } from './sign-in/users.js'

type Checked = Omit<AuthorizationServerOptions, 'store' | 'seal'>
type Problems = Generator<ConfigurationProblem>

/** What no FAPI 2.0 server can be made of. @throws ConfigurationError with all of it */
export function checkOptions(options: Checked): void {
  const problems = [...optionProblems(options)]
  if (problems.length > 0) throw new ConfigurationError(problems)
}

/** The same as a list, for those who know where each option was written. Pointers name options: `/clients/0/redirectUris/1`. */
export function* optionProblems(options: Checked): Problems {
  const { issuer, clients, users = [], scopes = [], audience, trustedProxies = [], signingKeys } = options
  if (issuer.search !== '' || issuer.hash !== '' || issuer.username !== '' || issuer.password !== '')
    yield wrong('/issuer', 'has more than a host and a path', 'Write it as in "https://auth.example.com".')
  yield* insecure(issuer.href, '/issuer')
  if (audience === '') yield wrong('/audience', 'is empty', 'Leave it out for the issuer.')
  for (const [index, client] of clients.entries()) {
    yield* clientProblems(client, `/clients/${index}`)
    const { idTokenAlgorithm } = client
    if (idTokenAlgorithm !== undefined && signingKeys?.algorithms?.includes(idTokenAlgorithm) === false)
      yield wrong(
        `/clients/${index}/idTokenAlgorithm`,
        'is none that this server signs with',
        'Add it to signingKeys.algorithms.',
      )
  }
  yield* repeated(clients, 'clients', 'clientId', ({ clientId }) => clientId)
  for (const [index, user] of users.entries()) yield* userProblems(user, clients, `/users/${index}`)
  yield* repeated(users, 'users', 'username', ({ username }) => normalised(username))
  yield* repeated(users, 'users', 'claims/sub', subjectOf)
  for (const [index, { name, resources = [] }] of scopes.entries()) {
    if (!isScope(name))
      yield wrong(`/scopes/${index}/name`, 'is not the name of a scope (RFC 6749 §3.3)', 'Write it as in "orders".')
    for (const [at, resource] of resources.entries())
      if (resource === '') yield wrong(`/scopes/${index}/resources/${at}`, 'is empty', 'Name an API, or leave it out.')
  }
  yield* repeated(scopes, 'scopes', 'name', ({ name }) => name)
  yield* detailProblems(options)
  yield* certificateProblems(options)
  yield* lifetimeProblems(options)
  yield* limitProblems(options)
  for (const [index, network] of trustedProxies.entries())
    if (!isNetwork(network))
      yield wrong(`/trustedProxies/${index}`, 'is not a CIDR range', 'Write it as in "10.0.0.0/8".')
}

function* clientProblems(client: ClientOptions, pointer: string): Problems {
  const { clientId, keys, redirectUris, postLogoutRedirectUris = [], permissions } = client
  if (clientId === '') yield wrong(`${pointer}/clientId`, 'is empty', 'Write a name for the client.')
  if (keys.length === 0 && client.certificateAuthentication === undefined)
    yield wrong(`${pointer}/keys`, 'has no key', 'Give the public key that the client signs its assertions with.')
  for (const [index, uri] of redirectUris.entries()) yield* insecure(uri, `${pointer}/redirectUris/${index}`)
  for (const [index, uri] of postLogoutRedirectUris.entries())
    yield* insecure(uri, `${pointer}/postLogoutRedirectUris/${index}`)
  for (const member of ['backchannelLogoutUri', 'frontchannelLogoutUri'] as const) {
    const uri = client[member]
    if (uri !== undefined) yield* insecure(uri, `${pointer}/${member}`)
  }
  const frame = client.frontchannelLogoutUri
  if (frame !== undefined && !redirectUris.some((uri) => originOf(uri) === originOf(frame)))
    yield wrong(
      `${pointer}/frontchannelLogoutUri`,
      'has another origin than all redirect URIs (OpenID Connect Front-Channel Logout 1.0 §2)',
      'Write one below the address that the client takes its codes at.',
    )
  if (permissions.grants.includes('authorization_code') && redirectUris.length === 0)
    yield wrong(
      `${pointer}/redirectUris`,
      'is empty, and the client has gt:authorization_code',
      'Write where the client takes its codes.',
    )
  if (!permissions.scopes.every(isScope))
    yield wrong(
      `${pointer}/permissions`,
      'has a scope that is none (RFC 6749 §3.3)',
      'Write each as an entry of its own, as in "scp:orders".',
    )
  if (!permissions.resources.every(isResourceIndicator))
    yield wrong(
      `${pointer}/permissions`,
      'has a resource that is no absolute URI without fragment (RFC 8707 §2)',
      'Write it as in "rsrc:https://orders.example.com".',
    )
}

function* detailProblems({ authorizationDetailTypes: types = [], clients }: Checked): Problems {
  yield* repeated(types, 'authorizationDetailTypes', 'type', ({ type }) => type)
  for (const [index, { type, schema, consent }] of types.entries()) {
    const at = `/authorizationDetailTypes/${index}`
    if (type === '') yield wrong(`${at}/type`, 'is empty', 'Write it as in "payment".')
    if (consent === '') yield wrong(`${at}/consent`, 'is empty', 'Leave it out, or say what the user allows.')
    try {
      compileSchema(schema)
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'is no JSON Schema'
      yield wrong(`${at}/schema`, problem, 'Write a JSON Schema of the draft 2020-12.')
    }
  }
  const known = new Set(types.map(({ type }) => type))
  for (const [index, { authorizationDetailTypes = [] }] of clients.entries())
    for (const [at, type] of authorizationDetailTypes.entries())
      if (!known.has(type))
        yield wrong(
          `/clients/${index}/authorizationDetailTypes/${at}`,
          'is no type of this server',
          'Add it to the authorizationDetailTypes of the server, or leave it out.',
        )
}

function* userProblems(user: UserOptions, clients: readonly ClientOptions[], pointer: string): Problems {
  if (normalised(user.username) === '') yield wrong(`${pointer}/username`, 'is empty', 'Write a name to sign in with.')
  if (!isPasswordHash(user.passwordHash))
    yield wrong(
      `${pointer}/passwordHash`,
      'is not one of hashPassword',
      'Write what `npx --no-install sallyport keygen --password` prints.',
    )
  const sub = user.claims?.sub
  if (sub !== undefined && (typeof sub !== 'string' || sub === ''))
    yield wrong(`${pointer}/claims/sub`, 'is not a text', 'Write a text that identifies the user permanently.')
  if (clients.some(({ clientId }) => clientId === subjectOf(user)))
    yield wrong(
      `${pointer}/claims/sub`,
      'is the clientId of a client: an API could take one for the other',
      'Give the user another "sub".',
    )
}

function* lifetimeProblems({ lifetimes, signingKeys }: Checked): Problems {
  const complete = completeLifetimes(lifetimes)
  for (const [name, seconds] of Object.entries(complete))
    if (!(Number.isInteger(seconds) && seconds > 0))
      yield wrong(`/lifetimes/${name}`, 'is not a whole number of seconds above 0', 'Leave it out for the default.')
  if (complete.code > 60)
    yield wrong('/lifetimes/code', 'is above the 60 seconds that FAPI 2.0 allows', 'Leave it out for 60.')
  if (complete.requestUri >= 600)
    yield wrong('/lifetimes/requestUri', 'is not below the 600 seconds that FAPI 2.0 allows', 'Leave it out.')
  // A key must not sign before every replica and every verifier knows it.
  const { lifetime, publishBefore, refreshInterval } = completeRotation(signingKeys)
  if (!(refreshInterval > 0 && publishBefore > refreshInterval))
    yield wrong('/signingKeys/publishBefore', 'is not longer than refreshInterval', 'Leave both out.')
  if (!(lifetime > publishBefore))
    yield wrong('/signingKeys/lifetime', 'is not longer than publishBefore', 'Leave both out.')
}

function* limitProblems({ signInLimits = {} }: Checked): Problems {
  for (const [name, limit] of Object.entries(signInLimits))
    if (!(limit > 0)) yield wrong(`/signInLimits/${name}`, 'is not above 0', 'Leave it out for the default.')
}

function originOf(uri: string): string | undefined {
  return URL.canParse(uri) ? new URL(uri).origin : undefined
}

/** FAPI 2.0 §5.3.2.2-8 */
function* insecure(text: string, pointer: string): Problems {
  if (!isSecureUrl(text))
    yield wrong(pointer, 'is not an https URL; http is for loopback only', 'Write it as in "https://app.example.com".')
  if (text.includes('#')) yield wrong(pointer, 'has a fragment', 'Leave out the "#" and what follows.')
}

function* repeated<Entry>(
  entries: readonly Entry[],
  list: string,
  member: string,
  keyOf: (entry: Entry) => string,
): Problems {
  const seen = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const key = keyOf(entry)
    if (seen.has(key)) yield wrong(`/${list}/${index}/${member}`, 'comes twice', 'Give each its own.')
    seen.add(key)
  }
}

function wrong(pointer: string, problem: string, remedy: string): ConfigurationProblem {
  return { pointer, problem, remedy }
}
