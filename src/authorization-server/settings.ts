import { isLoopback } from '../http/loopback.js'
import type { AuthorizationServerOptions, ClientOptions, Lifetimes } from './options.js'
import { isPasswordHash } from './password.js'
import { subjectOf } from './users.js'

export type CompleteLifetimes = Required<Lifetimes>

/** All lifetimes, in seconds. @throws TypeError for one that the profile does not allow. */
export function completeLifetimes({
  code = 60,
  requestUri = 60,
  interaction = 900,
  accessToken = 600,
  idToken = 600,
  refreshToken = 1_209_600,
  session = 28_800,
  consent = 7_776_000,
}: Lifetimes = {}): CompleteLifetimes {
  const all = { code, requestUri, interaction, accessToken, idToken, refreshToken, session, consent }
  for (const [name, seconds] of Object.entries(all))
    if (!(Number.isInteger(seconds) && seconds > 0)) fail(`lifetimes.${name} is not a whole number of seconds above 0`)
  if (code > 60) fail('lifetimes.code is above the 60 seconds that FAPI 2.0 allows')
  if (requestUri >= 600) fail('lifetimes.requestUri is not below the 600 seconds that FAPI 2.0 allows')
  return all
}

/** What no server can be made of. @throws TypeError */
export function checkOptions({ issuer, clients, users = [], scopes = [] }: AuthorizationServerOptions): void {
  if (issuer.search !== '' || issuer.hash !== '' || issuer.username !== '')
    fail('issuer has more than a host and a path')
  checkSecure(issuer.href, 'issuer')
  for (const client of clients) checkClient(client)
  unique(
    clients.map(({ clientId }) => clientId),
    'clientId',
  )
  unique(
    users.map(({ username }) => username.trim().toLowerCase()),
    'username',
  )
  unique(users.map(subjectOf), 'sub')
  for (const user of users) {
    if (!isPasswordHash(user.passwordHash)) fail(`passwordHash of user ${user.username} is not one of hashPassword`)
    if (clients.some(({ clientId }) => clientId === subjectOf(user)))
      fail(`sub of user ${user.username} is the clientId of a client`)
  }
  unique(
    scopes.map(({ name }) => name),
    'scope',
  )
}

/** @throws TypeError for a rotation in which a key could sign before every replica and every verifier knows it. */
export function checkRotation({
  lifetime,
  publishBefore,
  refreshInterval,
}: {
  readonly lifetime: number
  readonly publishBefore: number
  readonly refreshInterval: number
}): void {
  if (!(refreshInterval > 0 && publishBefore > refreshInterval))
    fail('signingKeys.publishBefore is not longer than signingKeys.refreshInterval')
  if (!(lifetime > publishBefore)) fail('signingKeys.lifetime is not longer than signingKeys.publishBefore')
}

function checkClient(client: ClientOptions): void {
  const { clientId, keys, redirectUris, postLogoutRedirectUris = [], backchannelLogoutUri, permissions } = client
  if (clientId === '') fail('a clientId is empty')
  if (keys.length === 0) fail(`client ${clientId} has no key`)
  for (const uri of [...redirectUris, ...postLogoutRedirectUris]) checkSecure(uri, `client ${clientId}: ${uri}`)
  if (backchannelLogoutUri !== undefined)
    checkSecure(backchannelLogoutUri, `client ${clientId}: ${backchannelLogoutUri}`)
  if (permissions.grants.includes('authorization_code') && redirectUris.length === 0)
    fail(`client ${clientId} has gt:authorization_code and no redirect URI`)
}

/** FAPI 2.0 §5.3.2.2-8 */
function checkSecure(text: string, name: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (!secure) fail(`${name} is not an https URL; http is for loopback only`)
  if (text.includes('#')) fail(`${name} has a fragment`)
}

function unique(values: readonly string[], name: string): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index)
  if (twice !== undefined) fail(`${name} ${twice} comes twice`)
}

function fail(message: string): never {
  throw new TypeError(message)
}
