import type { FrontendOptions } from '../options.js'
import type { RouteOptions } from '../route-options.js'
import { insteadOfParameter, isAcrValues, isMaxAge, isParameterName } from './authentication-grammar.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** Of a login link itself, in any of its parts. */
const ofTheLink = ['returnurl', 'step_up', 'authority']

/** What an authorization request cannot have besides the protocol's own parameters. */
export function* parameterProblems({
  loginParameters = [],
  authorizationParameters = {},
}: FrontendOptions): Generator<MemberProblem> {
  for (const [index, name] of loginParameters.entries()) {
    const at = `loginParameters/${index}`
    yield* nameProblems(name, at)
    if (ofTheLink.includes(name.toLowerCase()))
      yield wrong(at, `is "${name}", which every login link may have`, 'Leave it out.')
    if (Object.hasOwn(authorizationParameters, name))
      yield wrong(
        at,
        `is "${name}", which authorizationParameters sets, so that no link can`,
        'Keep it in one of the two.',
      )
  }
  for (const [name, value] of Object.entries(authorizationParameters)) {
    const at = `authorizationParameters/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    yield* nameProblems(name, at)
    if (name.toLowerCase() === 'authorization_details')
      yield wrong(at, 'is a list with a setting of its own', 'Write AuthorizationDetails.')
    if (value === '' || value.length > 8192 || /\p{Cc}/u.test(value))
      yield wrong(at, 'is empty, longer than 8192 characters, or has control characters', 'Write its value.')
    else if (name === 'max_age' && !isMaxAge(value))
      yield wrong(at, 'is not a number of seconds', 'Write it as in "3600".')
    else if (name === 'acr_values' && !isAcrValues(value))
      yield wrong(
        at,
        'is not a list of acr values',
        'Write them with single spaces between, 256 characters at most together.',
      )
    else if (name === 'prompt' && value.split(' ').includes('none'))
      yield wrong(at, 'is "none", so that users could never sign in', 'Let a login link say so where it is wanted.')
  }
}

function* nameProblems(name: string, at: string): Generator<MemberProblem> {
  const instead = insteadOfParameter(name)
  if (instead !== undefined) yield wrong(at, `is "${name}", a parameter of the protocol`, instead)
  if (!isParameterName(name))
    yield wrong(at, 'is not the name of a parameter (RFC 6749, appendix A)', 'Write it as in "audience".')
}

/** What a route cannot ask of a sign-in. */
export function* authenticationProblems(
  { acrValues, maxAuthenticationAge, tokenType }: RouteOptions,
  { scopes }: Pick<FrontendOptions, 'scopes'>,
): Generator<MemberProblem> {
  if (acrValues !== undefined && (acrValues.some((value) => value.includes(' ')) || !isAcrValues(acrValues.join(' '))))
    yield wrong(
      'acrValues',
      'is not a list of acr values',
      'Write each as an entry of its own, without spaces, 256 characters at most together. Leave it out where any will do.',
    )
  if (maxAuthenticationAge !== undefined && !isMaxAuthenticationAge(maxAuthenticationAge))
    yield wrong(
      'maxAuthenticationAge',
      'is no time at all, or no whole seconds',
      'Write it as in "00:05:00", or leave it out.',
    )
  const member =
    acrValues !== undefined ? 'acrValues' : maxAuthenticationAge !== undefined ? 'maxAuthenticationAge' : undefined
  if (member !== undefined && tokenType !== 'User')
    yield wrong(
      member,
      `asks how the user signed in, and TokenType is "${tokenType}", which goes without one`,
      'Write "User" as TokenType, or leave it out.',
    )
  if (member !== undefined && !scopes.includes('openid'))
    yield wrong(
      member,
      'is about the ID token, which there is none of without the scope "openid"',
      'Add "openid" to the scopes of the frontend.',
    )
}

function isMaxAuthenticationAge(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && seconds > 0 && isMaxAge(String(seconds))
}
