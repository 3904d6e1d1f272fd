import type { ConfigurationProblem } from '../errors.js'
import { isResourceIndicator } from '../http/resource-indicator.js'
import { isScope } from '../http/scope.js'
import { isSecureUrl } from '../http/secure-url.js'
import { createTrustedPeers } from '../http/trusted-peers.js'
import type { AuthorizationServerOptions, ClientOptions, UserOptions } from './options.js'
import { completeLifetimes, completeRotation } from './settings.js'
import { isPasswordHash } from './sign-in/password.js'
import { normalised, subjectOf } from './sign-in/users.js'

type Checked = Omit<AuthorizationServerOptions, 'store' | 'seal'>
/** Pointers name options: `/clients/0/redirectUris/1`. */
export type OptionProblem = Pick<ConfigurationProblem, 'pointer' | 'problem'>

/** What no FAPI 2.0 server can be made of. @throws TypeError with all of it */
export function checkOptions(options: Checked): void {
  const problems = [...optionProblems(options)]
  if (problems.length > 0)
    throw new TypeError(problems.map(({ pointer, problem }) => `${pointer} ${problem}`).join('; '))
}

/** The same as a list, for those who know where each option was written. */
export function* optionProblems(options: Checked): Generator<OptionProblem> {
  const { issuer, clients, users = [], scopes = [], audience, trustedProxies = [], signingKeys } = options
  if (issuer.search !== '' || issuer.hash !== '' || issuer.username !== '' || issuer.password !== '')
    yield { pointer: '/issuer', problem: 'has more than a host and a path' }
  yield* insecure(issuer.href, '/issuer')
  if (audience === '') yield { pointer: '/audience', problem: 'is empty' }
  for (const [index, client] of clients.entries()) {
    yield* clientProblems(client, `/clients/${index}`)
    const { idTokenAlgorithm } = client
    if (idTokenAlgorithm !== undefined && signingKeys?.algorithms?.includes(idTokenAlgorithm) === false)
      yield { pointer: `/clients/${index}/idTokenAlgorithm`, problem: 'is none that this server signs with' }
  }
  yield* repeated(clients, 'clients', 'clientId', ({ clientId }) => clientId)
  for (const [index, user] of users.entries()) yield* userProblems(user, clients, `/users/${index}`)
  yield* repeated(users, 'users', 'username', ({ username }) => normalised(username))
  yield* repeated(users, 'users', 'claims/sub', subjectOf)
  for (const [index, { name, resources = [] }] of scopes.entries()) {
    if (!isScope(name))
      yield { pointer: `/scopes/${index}/name`, problem: 'is not the name of a scope (RFC 6749 §3.3)' }
    for (const [at, resource] of resources.entries())
      if (resource === '') yield { pointer: `/scopes/${index}/resources/${at}`, problem: 'is empty' }
  }
  yield* repeated(scopes, 'scopes', 'name', ({ name }) => name)
  yield* lifetimeProblems(options)
  yield* limitProblems(options)
  for (const [index, network] of trustedProxies.entries())
    if (!isNetwork(network)) yield { pointer: `/trustedProxies/${index}`, problem: 'is not a CIDR range' }
}

function* clientProblems(client: ClientOptions, pointer: string): Generator<OptionProblem> {
  const { clientId, keys, redirectUris, postLogoutRedirectUris = [], backchannelLogoutUri, permissions } = client
  if (clientId === '') yield { pointer: `${pointer}/clientId`, problem: 'is empty' }
  if (keys.length === 0) yield { pointer: `${pointer}/keys`, problem: 'has no key' }
  for (const [index, uri] of redirectUris.entries()) yield* insecure(uri, `${pointer}/redirectUris/${index}`)
  for (const [index, uri] of postLogoutRedirectUris.entries())
    yield* insecure(uri, `${pointer}/postLogoutRedirectUris/${index}`)
  if (backchannelLogoutUri !== undefined) yield* insecure(backchannelLogoutUri, `${pointer}/backchannelLogoutUri`)
  if (permissions.grants.includes('authorization_code') && redirectUris.length === 0)
    yield { pointer: `${pointer}/redirectUris`, problem: 'is empty, and the client has gt:authorization_code' }
  if (!permissions.scopes.every(isScope))
    yield { pointer: `${pointer}/permissions`, problem: 'has a scope that is none (RFC 6749 §3.3)' }
  if (!permissions.resources.every(isResourceIndicator))
    yield {
      pointer: `${pointer}/permissions`,
      problem: 'has a resource that is no absolute URI without fragment (RFC 8707 §2)',
    }
}

function* userProblems(
  user: UserOptions,
  clients: readonly ClientOptions[],
  pointer: string,
): Generator<OptionProblem> {
  if (normalised(user.username) === '') yield { pointer: `${pointer}/username`, problem: 'is empty' }
  if (!isPasswordHash(user.passwordHash))
    yield { pointer: `${pointer}/passwordHash`, problem: 'is not one of hashPassword' }
  const sub = user.claims?.sub
  if (sub !== undefined && (typeof sub !== 'string' || sub === ''))
    yield { pointer: `${pointer}/claims/sub`, problem: 'is not a text' }
  if (clients.some(({ clientId }) => clientId === subjectOf(user)))
    yield {
      pointer: `${pointer}/claims/sub`,
      problem: 'is the clientId of a client: an API could take one for the other',
    }
}

function* lifetimeProblems({ lifetimes, signingKeys }: Checked): Generator<OptionProblem> {
  const complete = completeLifetimes(lifetimes)
  for (const [name, seconds] of Object.entries(complete))
    if (!(Number.isInteger(seconds) && seconds > 0))
      yield { pointer: `/lifetimes/${name}`, problem: 'is not a whole number of seconds above 0' }
  if (complete.code > 60) yield { pointer: '/lifetimes/code', problem: 'is above the 60 seconds that FAPI 2.0 allows' }
  if (complete.requestUri >= 600)
    yield { pointer: '/lifetimes/requestUri', problem: 'is not below the 600 seconds that FAPI 2.0 allows' }
  // A key must not sign before every replica and every verifier knows it.
  const { lifetime, publishBefore, refreshInterval } = completeRotation(signingKeys)
  if (!(refreshInterval > 0 && publishBefore > refreshInterval))
    yield { pointer: '/signingKeys/publishBefore', problem: 'is not longer than refreshInterval' }
  if (!(lifetime > publishBefore))
    yield { pointer: '/signingKeys/lifetime', problem: 'is not longer than publishBefore' }
}

function* limitProblems({ signInLimits = {} }: Checked): Generator<OptionProblem> {
  for (const [name, limit] of Object.entries(signInLimits))
    if (!(limit > 0)) yield { pointer: `/signInLimits/${name}`, problem: 'is not above 0' }
}

/** FAPI 2.0 §5.3.2.2-8 */
function* insecure(text: string, pointer: string): Generator<OptionProblem> {
  if (!isSecureUrl(text)) yield { pointer, problem: 'is not an https URL; http is for loopback only' }
  if (text.includes('#')) yield { pointer, problem: 'has a fragment' }
}

function* repeated<Entry>(
  entries: readonly Entry[],
  list: string,
  member: string,
  keyOf: (entry: Entry) => string,
): Generator<OptionProblem> {
  const seen = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const key = keyOf(entry)
    if (seen.has(key)) yield { pointer: `/${list}/${index}/${member}`, problem: 'comes twice' }
    seen.add(key)
  }
}

function isNetwork(text: string): boolean {
  try {
    createTrustedPeers([text])
    return true
  } catch {
    return false
  }
}
