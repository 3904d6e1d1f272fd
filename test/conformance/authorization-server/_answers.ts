import type { ExecutionContext } from 'ava'
import type { Answer } from '../_http.js'

export function isJson(answer: Answer): boolean {
  return /^application\/json\b/i.test(answer.header('content-type').join())
}

/** The suite's measure: Shannon entropy of the characters, times the length. */
export function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits * text.length
}

/** FAPI 2.0 §5.4.1-4: 128 bits by its length, and the suite wants 96 of them measured. */
export function checkUnguessable(t: ExecutionContext, text: string, what: string): void {
  t.regex(text, /^[\x20-\x7e]+$/, what)
  t.true(text.length * 6 >= 128 && entropy(text) >= 96, `length and entropy of the ${what}`)
}

/** Error codes, each with the statuses that it may come with. */
export type Refusals = Readonly<Record<string, readonly number[]>>

/** RFC 6749 §5.2: the shape of every refusal of PAR and of the token endpoint. */
export function checkRefusal(t: ExecutionContext, answer: Answer, expected: Refusals): void {
  t.true(isJson(answer), `${answer.status} ${answer.header('content-type').join()} ${answer.body}`)
  const { error, error_description, error_uri } = answer.json()
  const statuses = expected[String(error)]
  t.not(statuses, undefined, `${answer.status} ${answer.body}`)
  t.true(statuses?.includes(answer.status), `${answer.status} ${answer.body}`)
  if (error_description !== undefined) t.regex(String(error_description), /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
  if (error_uri !== undefined) t.regex(String(error_uri), /^[\x21\x23-\x5b\x5d-\x7e]+$/)
}

/** Who answered: an endpoint of the authorization server, or a protected resource. */
export type Side = 'server' | 'resource'

/** Any answer: what a nonce and a challenge have to look like. Says whether it is one. */
export function checkNonce(t: ExecutionContext, side: Side, answer: Answer): boolean {
  const given = answer.header('dpop-nonce')
  t.true(given.length <= 1, 'more than one DPoP-Nonce header')
  const [nonce] = given
  // RFC 9449 §8.1: 1*NQCHAR.
  if (nonce !== undefined)
    t.regex(nonce, /^[\x21\x23-\x5b\x5d-\x7e]+$/, 'DPoP-Nonce is empty or has illegal characters')
  t.true(answer.status < 500, `${answer.status}: ${answer.body}`)
  const challenges = answer.header('www-authenticate')
  const challenged =
    side === 'server'
      ? answer.status >= 400 && isJson(answer) && answer.json().error === 'use_dpop_nonce'
      : challenges.some((challenge) => /error="use_dpop_nonce"/.test(challenge))
  if (!challenged) return false
  t.is(answer.status, side === 'server' ? 400 : 401, 'status of a nonce challenge')
  t.not(nonce, undefined, 'a nonce challenge without a nonce')
  if (side === 'resource') t.regex(challenges.join(), /\bDPoP /)
  return true
}
