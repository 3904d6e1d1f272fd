import type { Lifetimes, SigningKeyOptions } from './options.js'

export type CompleteLifetimes = Required<Lifetimes>

/** All lifetimes, in seconds. */
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
  return { code, requestUri, interaction, accessToken, idToken, refreshToken, session, consent }
}

/** When keys come and go, in seconds. */
export function completeRotation({
  lifetime = 7_776_000,
  publishBefore = 86_400,
  refreshInterval = 60,
}: SigningKeyOptions = {}) {
  return { lifetime, publishBefore, refreshInterval }
}
