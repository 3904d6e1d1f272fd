import { lifetimeDefaults, signingKeyDefaults } from './defaults.js'
import type { Lifetimes, SigningKeyOptions } from './options.js'

export type CompleteLifetimes = Required<Lifetimes>

/** All lifetimes, in seconds. */
export function completeLifetimes({
  code = lifetimeDefaults.code,
  requestUri = lifetimeDefaults.requestUri,
  interaction = lifetimeDefaults.interaction,
  accessToken = lifetimeDefaults.accessToken,
  idToken = lifetimeDefaults.idToken,
  refreshToken = lifetimeDefaults.refreshToken,
  session = lifetimeDefaults.session,
  consent = lifetimeDefaults.consent,
}: Lifetimes = {}): CompleteLifetimes {
  return { code, requestUri, interaction, accessToken, idToken, refreshToken, session, consent }
}

/** When keys come and go, in seconds. */
export function completeRotation({
  lifetime = signingKeyDefaults.lifetime,
  publishBefore = signingKeyDefaults.publishBefore,
  refreshInterval = signingKeyDefaults.refreshInterval,
}: SigningKeyOptions = {}) {
  return { lifetime, publishBefore, refreshInterval }
}
