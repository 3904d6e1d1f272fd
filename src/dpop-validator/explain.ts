import type { ExplainedCheck } from '../dpop/explanation.js'

/**
 * A table for a terminal. Control characters of the other side do not get to it.
 * @example
 * ```ts
 * import type { IncomingMessage } from 'node:http'
 * import { explanationText, fromIncomingMessage, type Verifier } from 'sallyport/dpop-validator'
 *
 * export function tellWhy(verifier: Verifier, request: IncomingMessage): void {
 *   console.error(explanationText(verifier.explain(fromIncomingMessage(request))))
 * }
 * ```
 */
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
