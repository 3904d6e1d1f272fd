import type { ConfigurationProblem } from '../../errors.js'
import { isNetwork } from '../../http/trusted-peers.js'
import { problem } from './rule.js'

/** What is wrong with the ranges of one's own proxies. */
export function* networkProblems(pointer: string, ranges: readonly string[]): Generator<ConfigurationProblem> {
  for (const [index, range] of ranges.entries()) {
    const at = `${pointer}/${index}`
    if (!isNetwork(range))
      yield problem(at, 'is not a CIDR range', 'Write it as in "10.0.0.0/8"; one address is "10.0.0.1/32".')
    else if (/\/0+$/.test(range))
      yield problem(
        at,
        'trusts every address: any caller could choose the host and address it claims',
        'Write the range that your own proxies are in.',
      )
  }
}
