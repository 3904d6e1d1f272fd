import { ConfigurationError, type ConfigurationProblem } from '../errors.js'
import { isNetwork } from '../http/trusted-peers.js'
import type { Sliced } from '../slices.js'
import { frontendProblems } from './frontend/check-frontends.js'
import type { GatewayOptions } from './options.js'

type Checked = Omit<GatewayOptions, 'store' | 'seal'>

/** What no gateway can be made of, whether the options come from a file or from code. @throws ConfigurationError with all of it */
export function* checkOptions(options: Checked): Sliced<void> {
  const problems = yield* optionProblems(options)
  if (problems.length > 0) throw new ConfigurationError(problems)
}

/** The same as a list, for those who know where each option was written. Pointers name options: `/frontends/0/name`. */
export function* optionProblems(options: Checked): Sliced<readonly ConfigurationProblem[]> {
  return [...(yield* frontendProblems(options.frontends)), ...sharedProblems(options)]
}

/** Of what all frontends have in common. */
function* sharedProblems(options: Checked): Generator<ConfigurationProblem> {
  for (const [index, network] of (options.trustedProxies ?? []).entries())
    if (!isNetwork(network))
      yield {
        pointer: `/trustedProxies/${index}`,
        problem: 'is not a CIDR range',
        remedy: 'Write it as in "10.0.0.0/8"; one address is "10.0.0.1/32".',
      }
  const { issuerTimeout, loginLimits = {}, streamLimits = {} } = options
  for (const [pointer, value] of [
    ['/issuerTimeout', issuerTimeout] as const,
    ...Object.entries(loginLimits).map(([name, limit]) => [`/loginLimits/${name}`, limit] as const),
    ...Object.entries(streamLimits).map(([name, limit]) => [`/streamLimits/${name}`, limit] as const),
  ])
    if (value !== undefined && !(value > 0)) yield { pointer, problem: 'is not above 0', remedy: 'Leave it out.' }
}
