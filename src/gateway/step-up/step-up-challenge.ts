import { type RequirementParameters, type Requirements, requirementsOf } from './requirements.js'

/** What an API asks of the sign-in. `unusable`: it does ask, but not so that it can be asked for. */
export type StepUpChallenge =
  | { readonly kind: 'none' }
  | { readonly kind: 'unusable' }
  | { readonly kind: 'requirements'; readonly requirements: Requirements }

/** Characters of a field that are read. */
const maxLength = 8192
/** A scheme, or a parameter of the one before it (RFC 9110 §11.2). */
const element = /[\s,]*([!#$%&'*+\-.^_`|~\w]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~\w]+)))?/y

/**
 * Reads `WWW-Authenticate`, which may hold several challenges.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 RFC 9470 §3}
 */
export function stepUpChallenge(field: string): StepUpChallenge {
  if (field.length > maxLength) return { kind: 'none' }
  const challenge = challengesOf(field).find(
    ({ scheme, parameters }) =>
      /^(?:DPoP|Bearer)$/i.test(scheme) && parameters.get('error') === 'insufficient_user_authentication',
  )
  if (challenge === undefined) return { kind: 'none' }
  const { parameters, isClear } = challenge
  const asked: RequirementParameters = Object.fromEntries(
    (['acr_values', 'max_age'] as const).flatMap((name) => {
      const value = parameters.get(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const requirements = isClear ? requirementsOf(asked) : undefined
  return requirements === undefined ? { kind: 'unusable' } : { kind: 'requirements', requirements }
}

interface Challenge {
  readonly scheme: string
  /** By name in lower case. */
  readonly parameters: Map<string, string>
  /** No parameter comes twice. */
  isClear: boolean
}

/** Up to what is not written as it has to be. */
function challengesOf(field: string): readonly Challenge[] {
  const challenges: Challenge[] = []
  element.lastIndex = 0
  for (let found = element.exec(field); found !== null; found = element.exec(field)) {
    const [, name = '', quoted, token] = found
    const current = challenges.at(-1)
    const value = quoted?.replace(/\\(.)/g, '$1') ?? token
    if (value === undefined) challenges.push({ scheme: name, parameters: new Map(), isClear: true })
    else if (current !== undefined) {
      const lower = name.toLowerCase()
      if (current.parameters.has(lower)) current.isClear = false
      current.parameters.set(lower, value)
    }
  }
  return challenges
}
