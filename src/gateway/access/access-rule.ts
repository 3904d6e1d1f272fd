import { claimAt, claimPath, isScalar } from '../../http/claim.js'
import type { AccessRule } from '../route-options.js'

type Claims = Readonly<Record<string, unknown>>

/** A rule that is ready for calls. */
export interface ReadyRule {
  /** The claim, as a refusal names it. */
  readonly claim: string
  holds(claims: Claims): boolean
}

export function readyRule({ claim, anyOf }: AccessRule): ReadyRule {
  const path = claimPath(claim)
  const accepted = new Set(anyOf)
  return {
    claim: path.join('.'),
    holds: (claims) => valuesOf(claimAt(claims, path)).some((value) => accepted.has(value)),
  }
}

/** A text is one value, and each of its words is one (as in `scope`); an entry of a list is never taken apart. */
function valuesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value, ...value.split(' ')]
  return (Array.isArray(value) ? value : [value]).filter(isScalar).map(String)
}
