import { accessTokenHash, targetUri } from '../dpop/proof.js'
import { createProofVerifier } from '../dpop/verifier.js'
import { ProtocolError } from '../errors.js'
import { type Jwk, thumbprint } from '../keys.js'
import { type Style, styleFor } from './report.js'

export interface DpopExplainOptions {
  readonly method: string
  /** The URL that the API believes it was called by. */
  readonly url: string
  /** What was pasted: the `DPoP` header field, and `Authorization` if it is to be compared. */
  readonly text: string
  /** Default: standard output. */
  readonly output?: { write(text: string): unknown; readonly isTTY?: boolean }
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

interface Row {
  readonly name: string
  readonly isRight: boolean
  readonly value: string
}

/**
 * `sallyport dpop-explain`: why an API refuses a proof, or would not. True when it is good. The verdict is the verifier's
 * own; the rows say what was expected and what came. Nothing that is pasted is printed whole.
 */
export function explainProof({
  method,
  url,
  text,
  output = process.stdout,
  now = () => Date.now() / 1000,
}: DpopExplainOptions): boolean {
  const proof = /^\s*(?:DPoP:\s*)?(eyJ[\w-]+\.[\w-]+\.[\w-]*)\s*$/im.exec(text)?.[1]
  const token = /^\s*Authorization:\s*(?:DPoP|Bearer)\s+(\S+)\s*$/im.exec(text)?.[1]
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new Error(`${url} is not an http or https URL`)
  if (proof === undefined) throw new Error('there is no proof on standard input. Paste the line "DPoP: eyJ…"')
  const target = { method, url: new URL(url), ...(token !== undefined && { accessToken: token }) }
  const rows = rowsOf(proof, token, target, now())
  const { accepted, words } = verdictOf(proof, target, now)
  output.write(textOf([...rows, { name: 'verdict', isRight: accepted, value: words }], styleFor(output)))
  return accepted && rows.every(({ isRight }) => isRight)
}

function rowsOf(
  proof: string,
  token: string | undefined,
  { method, url }: { readonly method: string; readonly url: URL },
  now: number,
): Row[] {
  const [head = '', body = ''] = proof.split('.')
  const header = decoded(head)
  const { htm, htu, iat, ath, nonce } = decoded(body)
  const key = thumbprintOf(header.jwk)
  const age = typeof iat === 'number' ? Math.round(now - iat) : undefined
  const tokenClaims = token === undefined ? {} : decoded(token.split('.')[1] ?? '')
  const bound = (tokenClaims.cnf as { readonly jkt?: unknown } | undefined)?.jkt
  return [
    { name: 'typ', isRight: header.typ === 'dpop+jwt', value: shown(header.typ) },
    { name: 'key', isRight: key !== undefined, value: `${shown(header.alg)}, thumbprint ${key ?? 'of no usable key'}` },
    compared('htm', htm, method),
    compared('htu', htu, targetUri(url)),
    {
      name: 'iat',
      isRight: age !== undefined && age <= 60 && age >= -10,
      value: age === undefined ? 'missing' : age < 0 ? `${-age} seconds in the future` : `${age} seconds ago`,
    },
    ...(nonce === undefined ? [] : [{ name: 'nonce', isRight: typeof nonce === 'string', value: 'there is one' }]),
    ...(token === undefined
      ? []
      : [
          {
            name: 'ath',
            isRight: ath === accessTokenHash(token),
            value:
              ath === accessTokenHash(token) ? 'the hash of this access token' : 'not the hash of this access token',
          },
          {
            name: 'cnf.jkt',
            isRight: typeof bound === 'string' && bound === key,
            value: boundWords(bound, key),
          },
        ]),
  ]
}

function verdictOf(
  proof: string,
  target: Parameters<ReturnType<typeof createProofVerifier>>[1],
  now: () => number,
): { readonly accepted: boolean; readonly words: string } {
  try {
    createProofVerifier({ now })(proof, target)
    return { accepted: true, words: 'good, as long as it is used once and the API does not want another nonce' }
  } catch (error) {
    if (error instanceof ProtocolError) return { accepted: false, words: error.message }
    throw error
  }
}

function compared(name: string, received: unknown, expected: string): Row {
  const isRight = received === expected
  return { name, isRight, value: isRight ? expected : `${shown(received)}, but this request is ${expected}` }
}

function boundWords(bound: unknown, key: string | undefined): string {
  if (typeof bound !== 'string') return 'the access token says nothing of a key, or is not a JWT'
  return bound === key
    ? "the thumbprint of the proof's key"
    : `${shown(bound)}: the access token is bound to another key`
}

function thumbprintOf(jwk: unknown): string | undefined {
  try {
    return thumbprint(jwk as Jwk)
  } catch {
    return undefined
  }
}

function decoded(segment: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** What was pasted may come from anybody: printable characters only, and not many. */
function shown(value: unknown): string {
  return value === undefined
    ? 'missing'
    : String(value)
        .replace(/[^\x20-\x7e]/g, '?')
        .slice(0, 200)
}

function textOf(rows: readonly Row[], { green, red, bold }: Style): string {
  const width = Math.max(...rows.map(({ name }) => name.length))
  return rows
    .map(
      ({ name, isRight, value }) =>
        `${isRight ? green('ok   ') : red('error')} ${bold(name.padEnd(width))}  ${value}\n`,
    )
    .join('')
}
