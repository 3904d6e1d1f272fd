import { publish } from '../../telemetry/events.js'
import { frontendDefaults } from '../defaults.js'
import { isAcrValues, isMaxAge } from '../frontend/authentication-grammar.js'
import type { GatewayRequest } from '../request.js'
import { parametersOf, type RequirementParameters, type Requirements } from '../step-up/requirements.js'

/** Characters of a parameter other than the return URL. */
const maxLength = 256

/**
 * Parameters of the authorization request besides the protocol's own: what a link may say (who and how, never what for),
 * what the configuration says, which counts more, and what a step-up asks for, which counts most.
 */
export function authorizationParameters(
  call: GatewayRequest,
  query: URLSearchParams,
  stepUp: Requirements | undefined,
): Record<string, string> {
  const { loginParameters = frontendDefaults.loginParameters, authorizationParameters: fixed = {} } =
    call.frontend.options
  const parameters: Record<string, string> = {}
  for (const name of new Set([...frontendDefaults.loginParameters, ...loginParameters])) {
    if (name === details) continue
    if (!query.has(name) || (stepUp !== undefined && ofStepUp.includes(name))) continue
    const value = once(query, name)
    if (Object.hasOwn(fixed, name)) ignore(call, name, 'AuthorizationParameters sets it')
    else if (!loginParameters.includes(name)) ignore(call, name, 'LoginParameters does not have it')
    else if (value === undefined) ignore(call, name, 'it is empty, or comes more than once')
    else if (value.length > maxLength) ignore(call, name, `it is longer than ${maxLength} characters`)
    else if (name === 'max_age' && !isMaxAge(value)) ignore(call, name, 'it is not a number of seconds')
    else if (name === 'acr_values' && !isAcrValues(value)) ignore(call, name, 'it is not a list of acr values')
    else parameters[name] = value
  }
  return {
    ...parameters,
    ...fixed,
    ...detailsOf(call, query),
    ...(stepUp !== undefined && stepUpParameters(stepUp, fixed.max_age)),
  }
}

const details = 'authorization_details'

/** Structured, and so checked by their own rules. @see {@link https://www.rfc-editor.org/rfc/rfc9396#section-3 RFC 9396 §3} */
function detailsOf(call: GatewayRequest, query: URLSearchParams): Record<string, string> {
  const { loginDetails, options } = call.frontend
  const tell = (reason: string): void => ignore(call, details, reason)
  if (query.has(details) && options.loginParameters?.includes(details) !== true)
    tell('LoginParameters does not have it')
  const text = loginDetails?.parameter(once(query, details), tell)
  return text === undefined ? {} : { [details]: text }
}

const ofStepUp = ['acr_values', 'max_age']

function stepUpParameters({ acrValues, maxAge }: Requirements, fixedAge: string | undefined): RequirementParameters {
  const ages = [maxAge, fixedAge].flatMap((age) => (age === undefined ? [] : [Number(age)]))
  return parametersOf({
    ...(acrValues !== undefined && { acrValues }),
    ...(ages.length > 0 && { maxAge: Math.min(...ages) }),
  })
}

/** Never in silence: a person lands on another page than the link meant, or signs in otherwise. */
export function ignore({ frontend, requestId }: GatewayRequest, parameter: string, reason: string): void {
  publish({ type: 'gateway.login.parameter-ignored', frontend: frontend.name, requestId, parameter, reason })
}

/** Undefined also for what is empty or comes more than once. */
export function once(query: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = query.getAll(name)
  return more.length === 0 && value !== '' ? value : undefined
}
