import { type ApiRequest, createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import { sendRaw } from '../../src/dpop-validator/testing/raw-request.js'
import {
  createTestClock,
  generateTestKey,
  mintProof,
  segment,
  signJws,
  signSegments,
  type TestKey,
} from '../../src/dpop-validator/testing/test-issuer.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import type { StartApi } from './_apis.js'

export interface FuzzReport {
  readonly requests: number
  readonly outcomes: Readonly<Record<string, number>>
  /** What went wrong: an exception, an acceptance, a status that is none of ours, a header that is not. */
  readonly failures: readonly string[]
}

/** Numbers that look random, and are the same for the same seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

const publicUrl = 'https://api.example'
const statuses = new Set([400, 401, 403, 503])
const headerValue = /^[\x20-\x7e]*$/

/** A request with something broken, or a good one. */
export interface FuzzedRequest {
  readonly request: ApiRequest
  /** What the answer has to be: good requests must be accepted, or nothing would be tested; `either` is for what is neither. */
  readonly expected: 'accepted' | 'refused' | 'either'
}

/** Other ways to set the validator up, each with code of its own that must not fall over. */
export const variants = {
  usual: {},
  'of several names': { publicUrl: ['https://[2001:db8::1]:8443/v1/', publicUrl] },
  'behind a proxy': { replay: createMemoryStore(), onReplayStoreError: 'local' },
  mixed: { mode: 'mixed', profile: 'entra', crypto: 'pool', nonce: { when: 'suspicious' }, scopes: [] },
  encrypted: { token: { cache: { max: 50 }, decrypt: generateTestKey().privateJwk }, profile: 'keycloak' },
} as const satisfies Readonly<Record<string, Partial<VerifierOptions>>>
export type Variant = keyof typeof variants

export interface Fuzzer {
  readonly options: VerifierOptions
  next(): FuzzedRequest
}

/**
 * Good requests with one thing broken each: octets of token or proof, members of their JSON (signed again, rightly), the
 * set of header fields, method, target. In between good requests.
 */
export function createFuzzer(seed: number, variant: Variant = 'usual'): Fuzzer {
  const random = createRandom(seed)
  const clock = createTestClock()
  const [issuerKey, key, other] = [generateTestKey(), generateTestKey(), generateTestKey()]
  const issuer = 'https://issuer.example'
  const options: VerifierOptions = {
    issuer: { issuer, jwks: { keys: [issuerKey.publicJwk] } },
    audience: publicUrl,
    publicUrl,
    now: clock.now,
    token: { cache: { max: 50 } },
    onEvent: () => undefined,
    ...variants[variant],
  }
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item

  const now = Math.floor(clock.now())
  const tokenHeader = { typ: 'at+jwt', alg: 'ES256', kid: issuerKey.publicJwk.kid }
  const tokenClaims = {
    iss: issuer,
    aud: publicUrl,
    sub: 'a',
    client_id: 'c',
    iat: now,
    exp: now + 86_400,
    jti: 'j',
    cnf: { jkt: key.jkt },
  }
  const goodToken = signJws(tokenHeader, tokenClaims, issuerKey)
  const goodProof = (token = goodToken, by: TestKey = key): string =>
    mintProof({ method: 'GET', url: `${publicUrl}/orders`, key: by, token }, clock)
  const request = (parts: Partial<ApiRequest> & { token?: string; proof?: string } = {}): ApiRequest => ({
    method: parts.method ?? 'GET',
    target: parts.target ?? '/orders?page=1',
    rawHeaders: parts.rawHeaders ?? [
      'Host',
      'api.example',
      'Authorization',
      `DPoP ${parts.token ?? goodToken}`,
      'DPoP',
      parts.proof ?? goodProof(),
    ],
    peer: '10.1.2.3',
  })

  const characters = [
    'A',
    '_',
    '-',
    '.',
    '=',
    '+',
    '/',
    ' ',
    ',',
    '"',
    '\\',
    '\t',
    '\n',
    '\r',
    '\0',
    '{',
    '}',
    '%',
    'é',
    '\u{1f600}',
    '\ud800',
  ]
  const brokenText = (text: string): string => {
    for (;;) {
      const at = random(text.length + 1)
      const changed = pick([
        () => text.slice(0, at) + pick(characters) + text.slice(at),
        () => text.slice(0, at) + text.slice(at + 1 + random(8)),
        () => text.slice(0, at) + pick(characters) + text.slice(at + 1),
        () => text.slice(0, at),
        () => text.slice(at),
        () => text + text,
        () => text.slice(0, at) + text.slice(at).toUpperCase(),
        () => `${text}.${text.slice(0, at)}`,
        () => [...text.split('.')].reverse().join('.'),
        () => text.replace(/\./, pick(['', '..', '. ', ';'])),
        () => pick(characters).repeat(random(12_000)),
      ])()
      if (changed.trim() !== text) return changed
    }
  }
  const junk = (depth = 0): unknown =>
    pick<() => unknown>([
      () => undefined,
      () => null,
      () => true,
      () => random(2) - random(3),
      () => pick([1e300, -1e300, 2 ** 53, 0.1, -0]),
      () => '',
      () => pick(characters).repeat(random(50)),
      () =>
        pick([
          '__proto__',
          'constructor',
          'none',
          'HS256',
          'toString',
          'https://api.example',
          'at+jwt',
          'GET ',
          '\r\nX: y',
        ]),
      () => (depth > 3 ? [] : Array.from({ length: random(4) }, () => junk(depth + 1))),
      () =>
        depth > 3
          ? {}
          : Object.fromEntries(
              Array.from({ length: random(4) }, () => [
                pick(['a', 'jkt', 'kty', 'd', '__proto__', 'x']),
                junk(depth + 1),
              ]),
            ),
    ])()
  const brokenMember = (
    members: Readonly<Record<string, unknown>>,
    names: readonly string[],
  ): Record<string, unknown> => {
    for (;;) {
      const name = pick(names)
      const value = junk()
      // A list of audiences with this API in it is a good one.
      if (Array.isArray(value) && value.includes(members[name])) continue
      if (JSON.stringify(value) !== JSON.stringify(members[name])) return { ...members, [name]: value }
    }
  }
  const [proofHeaderText = '', proofPayloadText = ''] = goodProof().split('.')
  const proofHeader = JSON.parse(Buffer.from(proofHeaderText, 'base64url').toString())
  const proofPayload = () => ({
    ...JSON.parse(Buffer.from(proofPayloadText, 'base64url').toString()),
    jti: `${random(2 ** 31)}`,
    iat: Math.floor(clock.now()),
  })
  const htus = ['https://other.example/orders', 'http://api.example/orders', 'https://api.example:8443/orders']
  const withToken = (token: string): ApiRequest => request({ token, proof: goodProof(token) })

  const attempts: readonly (() => ApiRequest)[] = [
    () => request({ proof: brokenText(goodProof()) }),
    () => request({ proof: brokenText(goodProof()) }),
    () => request({ token: brokenText(goodToken) }),
    () => withToken(brokenText(goodToken)),
    () => request({ proof: signJws(brokenMember(proofHeader, ['typ', 'alg', 'jwk']), proofPayload(), key) }),
    () =>
      request({
        proof: signJws(
          { ...proofHeader, jwk: brokenMember(proofHeader.jwk, ['kty', 'crv', 'x', 'y']) },
          proofPayload(),
          key,
        ),
      }),
    () =>
      request({ proof: signJws({ ...proofHeader, [pick(['crit', 'b64', 'zip'])]: junk() ?? 1 }, proofPayload(), key) }),
    () => request({ proof: signJws(proofHeader, brokenMember(proofPayload(), ['htm', 'htu', 'iat', 'ath']), key) }),
    // An htu that is nearly right: what is said about it to the operator has to survive it as well.
    () =>
      request({
        proof: signJws(proofHeader, { ...proofPayload(), htu: brokenText(pick(htus)) }, key),
      }),
    () =>
      request({
        proof: signSegments(
          segment(brokenText(JSON.stringify(proofHeader))),
          segment(JSON.stringify(proofPayload())),
          other,
        ),
      }),
    () => request({ proof: goodProof(goodToken, other) }),
    () => withToken(signJws(brokenMember(tokenHeader, ['typ', 'alg']), tokenClaims, issuerKey)),
    () => withToken(signJws(tokenHeader, brokenMember(tokenClaims, ['iss', 'aud', 'exp', 'cnf']), issuerKey)),
    () => withToken(signJws(tokenHeader, { ...tokenClaims, cnf: brokenMember(tokenClaims.cnf, ['jkt']) }, issuerKey)),
    () => withToken(signJws(tokenHeader, tokenClaims, other)),
    () => request({ method: pick(['POST', 'get', '', 'GET ', 'G\u0000ET', '__proto__']) }),
    () =>
      request({
        target: `/orders${pick(['/', '/..', '/./orders', '%2e', '\\', '//', ';', '%', '%zz', '\u0000', 'é', '#'])}`,
      }),
    () => request({ target: brokenText('/orders').replace(/\?.*/, '') || '*' }),
    () =>
      request({
        target: `/orders?${pick(['access_token=x', 'a=b&access_token', 'access%5ftoken=', '%61ccess_token=1'])}`,
      }),
    () => {
      const good = request().rawHeaders
      const field = pick([2, 4])
      const name = good[field] ?? ''
      const again = pick([good[field + 1] ?? '', '', 'x', `DPoP ${goodToken}`, goodProof()])
      return request({
        rawHeaders: pick([
          [...good, name.toUpperCase(), again],
          good.filter((_, at) => at !== field && at !== field + 1),
          [...good, 'host', 'evil.example'],
        ]),
      })
    },
    () =>
      request({
        rawHeaders: [
          'Host',
          pick(['', 'a b', 'a/b', 'a@b', '\u0000', 'a'.repeat(70_000), '[::1', 'é']),
          ...request().rawHeaders.slice(2),
        ],
      }),
    () =>
      request({
        rawHeaders: [
          'Host',
          'api.example',
          'Authorization',
          brokenText('DPoP ').concat(goodToken),
          'DPoP',
          goodProof(),
        ].map((value) => (value === `DPoP ${goodToken}` ? 'DPoP' : value)),
      }),
  ]

  let made = 0
  return {
    options,
    next() {
      const isGood = made++ % 500 === 0
      const attempt = isGood ? request() : pick(attempts)()
      if (isGood) return { request: attempt, expected: 'accepted' }
      const expected = isHarmless(attempt) ? 'either' : 'refused'
      if (variant !== 'behind a proxy') return { request: attempt, expected }
      const forwarded = [
        pick(['X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded']),
        brokenText(pick(['api.example', 'https', 'for=1.2.3.4;proto=https;host="api.example"'])),
      ]
      return { request: { ...attempt, rawHeaders: [...attempt.rawHeaders, ...forwarded] }, expected }
    },
  }

  /** Spaces between scheme and token are the one thing of these that does not matter, and a proof may be another good one. */
  function isHarmless({ method, target, rawHeaders }: ApiRequest): boolean {
    const [hostName, host, , authorization = '', , proof = ''] = rawHeaders
    return (
      /^dpop +\S+$/i.test(authorization) &&
      authorization.replace(/^dpop +/i, '') === goodToken &&
      rawHeaders.length === 6 &&
      hostName === 'Host' &&
      host === 'api.example' &&
      method === 'GET' &&
      /^\/orders(?:\?.*)?$/.test(target) &&
      proof.startsWith(`${proofHeaderText}.`) &&
      /^[\w-]+\.[\w-]+\.[\w-]{86}$/.test(proof)
    )
  }
}

/** None that is broken may be accepted, none may throw, and every answer is one of ours. */
export async function fuzz(requests: number, seed: number, variant: Variant = 'usual'): Promise<FuzzReport> {
  const { options, next } = createFuzzer(seed, variant)
  const verifier = createVerifier(options)
  const outcomes: Record<string, number> = {}
  const failures: string[] = []
  for (let n = 0; n < requests && failures.length < 10; n++) {
    const { request, expected } = next()
    const failed = (what: string): number =>
      failures.push(`request ${n} of seed ${seed}: ${what} for ${JSON.stringify(request).slice(0, 700)}`)
    try {
      const verdict = await verifier.verify(request)
      const outcome = verdict.kind === 'refused' ? verdict.error.code : verdict.kind
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      if (expected !== 'either' && (expected === 'accepted') !== (verdict.kind === 'accepted')) failed(outcome)
      if (verdict.kind === 'refused') {
        const { status, headers } = verdict.answer
        const values = Object.values(headers).flat()
        if (!statuses.has(status) || !values.every((value) => headerValue.test(value)))
          failed(`${status} ${JSON.stringify(headers)}`)
      }
    } catch (error) {
      failed(`threw ${error}`)
    }
  }
  return { requests, outcomes, failures }
}

/** The same, octet by octet over a connection, at an API in each framework: what a parser does not let through is left out. */
export async function fuzzOverHttp(
  requests: number,
  seed: number,
  start: StartApi,
  isGoodAsWell: (target: string) => boolean = () => false,
): Promise<FuzzReport> {
  const { options, next } = createFuzzer(seed)
  const api = await start(createVerifier(options))
  const outcomes: Record<string, number> = {}
  const failures: string[] = []
  for (let n = 0; n < requests && failures.length < 10; ) {
    const { request, expected } = next()
    const { method, target, rawHeaders } = request
    // Line ends would be another request, and a space after the method is none of it.
    if (/[\0\r\n\ud800-\udfff]/.test([method, target, ...rawHeaders].join('')) || /\s/.test(method)) continue
    n++
    const failed = (what: string): number =>
      failures.push(`request ${n} of seed ${seed}: ${what} for ${JSON.stringify(request).slice(0, 700)}`)
    const headers = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []))
    try {
      const { status } = await sendRaw(api.origin, { method, target, headers })
      outcomes[status] = (outcomes[status] ?? 0) + 1
      if (status >= 500) failed(`${status}`)
      const isAccepted = status < 400
      if (expected === 'accepted' && !isAccepted) failed(`${status}`)
      if (expected === 'refused' && isAccepted && !isGoodAsWell(target)) failed(`${status}`)
    } catch (error) {
      failed(`${error}`)
    }
  }
  await api.close()
  return { requests, outcomes, failures }
}

/** A `Request` has no fragment and no dot segments any more: where that was all, the request is a good one. */
export function isCleanedUp(target: string): boolean {
  const url = `${publicUrl}${target}`
  return target !== '/orders?page=1' && URL.canParse(url) && new URL(url).pathname === '/orders'
}
