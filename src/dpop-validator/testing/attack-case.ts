import type { ExpectedAnswer } from './expected-answer.js'
import type { RawRequest } from './raw-request.js'
import type { MintedProof, MintedToken, TestIssuer, TestKey } from './test-issuer.js'

/** What every case starts from: a key, a token that is bound to it, and a request that would be let through. */
export interface AttackKit {
  readonly issuer: TestIssuer
  readonly key: TestKey
  /** An access token bound to `key`. */
  readonly token: string
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** What clients call the API by: the right `htu`. */
  readonly url: string
  /** A key that no token is bound to. */
  readonly otherKey: TestKey
  /** An access token bound to `key`, or as told. */
  mintToken(minted?: MintedToken): string
  proof(minted?: Partial<MintedProof>): string
  /** A proof of any header and any payload, as text, signed with `key`. */
  rawProof(header: string, payload: string): string
  /** The texts a good proof is made of. */
  goodTexts(): { readonly header: Record<string, unknown>; readonly payload: Record<string, unknown> }
  request(parts?: RequestParts): RawRequest
}

/** What to change of the good request. `[]` takes a header field out; of several each is sent. */
export interface RequestParts {
  readonly method?: string
  readonly target?: string
  readonly host?: string | readonly string[]
  readonly authorization?: string | readonly string[]
  readonly proof?: string | readonly string[]
  readonly token?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string
}

export interface AttackStep {
  readonly request: RawRequest
  readonly expected: ExpectedAnswer
}

/** One thing to try, in one or more requests. */
export interface AttackCase {
  /** A number of the catalogue, and a letter where it has several forms. */
  readonly id: string
  /** What is tried. */
  readonly title: string
  /** The requests, one after the other, with the answer that each has to get. */
  readonly steps: (kit: AttackKit) => readonly AttackStep[]
}

/** A case of one request. */
export function attackCase(
  id: string,
  title: string,
  expected: ExpectedAnswer,
  parts: (kit: AttackKit) => RequestParts,
): AttackCase {
  return { id, title, steps: (kit) => [{ request: kit.request(parts(kit)), expected }] }
}

/** A case for each of some variants, lettered. */
export function attackCases<Variant>(
  id: string,
  title: string,
  expected: ExpectedAnswer,
  variants: readonly Variant[],
  parts: (kit: AttackKit, variant: Variant) => RequestParts,
): readonly AttackCase[] {
  return variants.map((variant, index) =>
    attackCase(`${id}${letterOf(index)}`, `${title}: ${labelOf(variant)}`, expected, (kit) => parts(kit, variant)),
  )
}

function letterOf(index: number): string {
  return index < 26 ? String.fromCharCode(97 + index) : `z${index}`
}

function labelOf(variant: unknown): string {
  if (typeof variant === 'function') return variant.name || 'made up'
  const text = typeof variant === 'string' ? variant : (JSON.stringify(variant) ?? String(variant))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text === '' ? 'empty' : text
}
