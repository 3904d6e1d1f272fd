import { accessTokenCases } from './access-token-cases.js'
import type { AttackCase, AttackKit, RequestParts } from './attack-case.js'
import { claimCases } from './claim-cases.js'
import { encodingCases } from './encoding-cases.js'
import { faultOf } from './expected-answer.js'
import { headerCases } from './header-cases.js'
import { type RawRequest, sendRaw } from './raw-request.js'
import { targetUriCases } from './target-uri-cases.js'
import { generateTestKey, mintProof, segment, signSegments, type TestIssuer, type TestKey } from './test-issuer.js'
import { transportCases } from './transport-cases.js'

/** The API that is attacked. It has to run, and to trust the test issuer. */
export interface AttackTarget {
  /** Where the API listens, with the path to call: something that a token of `issuer` may GET. Plain http. */
  readonly url: string
  /** What the API believes it is called by. Default: the origin of `url`. */
  readonly publicUrl?: string
  /** The API under test has to trust it, and take its tokens' audience for itself. */
  readonly issuer: TestIssuer
  /** `refused`: any 4xx will do. `exact`: status, challenge and error have to be those of the RFCs. Default: `refused`. */
  readonly precision?: 'exact' | 'refused'
  /** Cases to leave out, by their ids. */
  readonly except?: readonly string[]
}

/** A way in, or a good request that was refused. */
export interface AttackFailure {
  /** Of the case, as `except` takes it. */
  readonly id: string
  /** What was tried. */
  readonly title: string
  /** What came back, and what should have. */
  readonly fault: string
}

/** What came of it. */
export interface AttackReport {
  /** How many were run. */
  readonly cases: number
  /** Empty: the API holds. */
  readonly failures: readonly AttackFailure[]
}

/**
 * Everything that can be sent to any API: transport, encoding, header, claims and target of the proof, and the token.
 * @example
 * ```ts
 * import { attackCatalogue } from 'sallyport/dpop-validator/testing'
 *
 * console.assert(attackCatalogue.every(({ id, title }) => id !== '' && title !== ''))
 * ```
 */
export const attackCatalogue: readonly AttackCase[] = [
  ...transportCases,
  ...encodingCases,
  ...headerCases,
  ...claimCases,
  ...targetUriCases,
  ...accessTokenCases,
]

/**
 * Runs the catalogue against an API. What it finds are either ways in, or good requests that are refused.
 * @throws Error of `node:net` when nothing listens at `target.url`
 * @example
 * ```ts
 * import { once } from 'node:events'
 * import { createServer } from 'node:http'
 * import type { AddressInfo } from 'node:net'
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { protect } from 'sallyport/dpop-validator/node'
 * import { attack, startTestIssuer } from 'sallyport/dpop-validator/testing'
 *
 * const issuer = await startTestIssuer({ audience: 'orders' })
 * const api = createServer(async (request, response) => {
 *   const auth = await guard(request, response)
 *   if (auth !== undefined) response.end('orders')
 * }).listen(0, '127.0.0.1')
 * await once(api, 'listening')
 * const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
 * // Several cases name keys that the issuer does not have; beyond `burst` such requests are answered 503.
 * const jwks = { burst: 1000 }
 * const guard = protect(createVerifier({ issuer: issuer.issuer, audience: 'orders', publicUrl: url, jwks }))
 *
 * const { failures } = await attack({ url: `${url}/orders`, issuer })
 * if (failures.length > 0) throw new Error(JSON.stringify(failures))
 * api.close()
 * await issuer.close()
 * ```
 */
export async function attack(target: AttackTarget): Promise<AttackReport> {
  const failures: AttackFailure[] = []
  const cases = attackCatalogue.filter(({ id }) => !target.except?.includes(id))
  for (const one of cases) {
    const fault = await runCase(one, target)
    if (fault !== undefined) failures.push({ id: one.id, title: one.title, fault })
  }
  return { cases: cases.length, failures }
}

/** @returns what is wrong; undefined when all steps were answered as they should be */
export async function runCase({ steps }: AttackCase, target: AttackTarget): Promise<string | undefined> {
  const { origin } = new URL(target.url)
  for (const { request, expected } of steps(createAttackKit(target))) {
    const response = await sendRaw(origin, request)
    const fault = faultOf(expected, response, target.precision ?? 'refused')
    if (fault !== undefined) return fault
  }
  return undefined
}

export function createAttackKit({ url, publicUrl, issuer }: AttackTarget): AttackKit {
  const { origin, pathname, search } = new URL(url)
  const outside = `${publicUrl?.replace(/\/$/, '') ?? origin}${pathname}`
  // A key of its own for each case: what one leaves behind is nothing to the next.
  const key = generateTestKey()
  let otherKey: TestKey | undefined
  const mintToken: AttackKit['mintToken'] = (minted) => issuer.mintToken(key.jkt, minted)
  const token = mintToken()
  const method = 'GET'
  const proof: AttackKit['proof'] = (minted) => mintProof({ method, url: outside, key, token, ...minted }, issuer.clock)

  return {
    issuer,
    key,
    // Few cases ask for it, and it takes longer to make than the request to send.
    get otherKey() {
      otherKey ??= generateTestKey()
      return otherKey
    },
    token,
    method,
    target: `${pathname}${search}`,
    url: outside,
    mintToken,
    proof,
    rawProof: (header, payload) => signSegments(segment(header), segment(payload), key),
    goodTexts() {
      const [header = '', payload = ''] = proof().split('.')
      return { header: decoded(header), payload: decoded(payload) }
    },
    request: (parts = {}) => requestOf(parts),
  }

  function requestOf(parts: RequestParts): RawRequest {
    const own = parts.token ?? token
    const verb = parts.method ?? method
    const fields = [
      ...listed('Host', parts.host ?? new URL(outside).host),
      ...listed('Authorization', parts.authorization ?? `DPoP ${own}`),
      ...listed('DPoP', parts.proof ?? proof({ method: verb, token: own })),
      ...(parts.headers ?? []),
    ]
    return {
      method: verb,
      target: parts.target ?? `${pathname}${search}`,
      headers: fields,
      ...(parts.body !== undefined && { body: parts.body }),
    }
  }
}

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
}

function listed(name: string, values: string | readonly string[]): readonly (readonly [string, string])[] {
  return (typeof values === 'string' ? [values] : values).map((value) => [name, value] as const)
}
