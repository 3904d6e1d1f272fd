import type { ExplainedCheck } from '../dpop/explanation.js'

/** A table for a terminal. Control characters of the other side do not get to it. */
export function explanationText(checks: readonly ExplainedCheck[]): string {
  const clean = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')
  return checks
    .map(({ check, what, holds, expected, got }) =>
      [
        `${holds ? 'ok  ' : 'FAIL'} ${check.padEnd(16)} ${what}`,
        ...(holds ? [] : [`       expected ${clean(expected)}`, `       got      ${clean(got)}`]),
      ].join('\n'),
    )
    .join('\n')
}
