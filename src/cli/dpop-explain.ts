import { type ExplainedCheck, explainProof } from '../dpop/explanation.js'
import { targetUri } from '../dpop/proof.js'
import { normalizedTargetUri } from '../dpop/target-uri.js'
import { type Output, printed, styleFor } from './report.js'

export interface DpopExplainOptions {
  readonly method: string
  /** The URL that the API believes it was called by. */
  readonly url: string
  /** What was pasted: the `DPoP` header field, and `Authorization` if it is to be compared. Lines of `curl -v` will do. */
  readonly text: string
  /** Default: standard output. */
  readonly output?: Output
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/**
 * `sallyport dpop-explain`: why an API refuses a proof, or would not. The rows are the verifier's own checks, run to the
 * last. Nothing that is pasted is printed whole.
 * @returns true when the proof is good
 * @throws Error for a URL that is none, and for a text without a proof
 */
export function explainPasted({
  method,
  url,
  text,
  output = process.stdout,
  now = () => Date.now() / 1000,
}: DpopExplainOptions): boolean {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new Error(`${url} is not an http or https URL`)
  const proofs = valuesOf('DPoP', text)
  if (proofs.length === 0) proofs.push(...[...text.matchAll(/^\s*(eyJ\S*)\s*$/gm)].map(([, proof = '']) => proof))
  if (proofs.length === 0) throw new Error('there is no proof on standard input. Paste the line "DPoP: eyJ…"')
  const [, scheme, accessToken] = /^(\S+) +(\S+)$/.exec(valuesOf('Authorization', text)[0] ?? '') ?? []

  const checks: ExplainedCheck[] = [
    ...(scheme === undefined ? [] : [schemeCheck(scheme)]),
    ...explainProof({
      method,
      uris: [normalizedTargetUri(targetUri(new URL(url))) ?? ''],
      proofs,
      accessToken,
      now: now(),
    }),
  ]
  const failed = checks.filter(({ holds }) => !holds)
  output.write(table(checks, failed, styleFor(output)))
  return failed.length === 0
}

/** The values of a header field, as a client or `curl -v` prints it. */
function valuesOf(name: string, text: string): string[] {
  const lines = text.matchAll(new RegExp(String.raw`^[ \t]*(?:>[ \t]*)?${name}:[ \t]*(.*?)[ \t\r]*$`, 'gim'))
  return [...lines].map(([, value = '']) => value)
}

function schemeCheck(scheme: string): ExplainedCheck {
  const holds = scheme.toLowerCase() === 'dpop'
  return { check: 'RFC9449-7.1', what: 'authorization scheme', holds, expected: 'DPoP', got: scheme }
}

function table(
  checks: readonly ExplainedCheck[],
  failed: readonly ExplainedCheck[],
  { green, red, bold }: ReturnType<typeof styleFor>,
): string {
  const verdict =
    failed.length === 0
      ? 'good, as long as it is used once and the API does not want another nonce'
      : `refused: ${[...new Set(failed.map(({ what }) => what))].join(', ')}`
  const rows = [
    ...checks.map(({ what, holds, expected, got }) => ({
      what,
      holds,
      words: printed(holds ? got : `${got}; expected ${expected}`).replaceAll('\n', '?'),
    })),
    { what: 'verdict', holds: failed.length === 0, words: verdict },
  ]
  const width = Math.max(...rows.map(({ what }) => what.length))
  return rows
    .map(({ what, holds, words }) => `${holds ? green('ok   ') : red('error')} ${bold(what.padEnd(width))}  ${words}\n`)
    .join('')
}
