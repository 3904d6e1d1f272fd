import { fapiAlgorithms } from '../../jose/algorithm.js'
import type { FrontendOptions } from '../options.js'

/**
 * What a frontend takes its server's signatures with: those of ID tokens, logout tokens and signed answers. The Baseline profile takes
 * RS256 as well, with which most servers begin.
 * @see {@link https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.4.1 FAPI 2.0 §5.4.1}
 */
export function acceptedAlgorithms({ profile }: Pick<FrontendOptions, 'profile'>): readonly string[] {
  return profile === 'Baseline' ? [...fapiAlgorithms, 'RS256'] : fapiAlgorithms
}
