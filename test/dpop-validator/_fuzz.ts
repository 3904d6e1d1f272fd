import { type ApiRequest, createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import {
  createTestClock,
  generateTestKey,
  mintProof,
  segment,
  signJws,
  signSegments,
  type TestKey,
} from '../../src/dpop-validator/testing/test-issuer.js'

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

/**
 * Good requests with one thing broken each: octets of token or proof, members of their JSON (signed again, rightly), the
 * set of header fields, method, target. None may be accepted, none may throw, and every answer is one of ours. In between
 * good requests, which must be accepted: else nothing would be tested.
 */
export async function fuzz(requests: number, seed: number): Promise<FuzzReport> {
  const random = createRandom(seed)
  const clock = createTestClock()
  const [issuerKey, key, other] = [generateTestKey(), generateTestKey(), generateTestKey()]
  const issuer = 'https://issuer.example'
  const verifier = createVerifier({
    issuer: { issuer, jwks: { keys: [issuerKey.publicJwk] } },
    audience: publicUrl,
    publicUrl,
    now: clock.now,
    token: { cache: { max: 50 } },
    onEvent: () => undefined,
  })
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
    encrypted: false,
    peer: undefined,
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

  const outcomes: Record<string, number> = {}
  const failures: string[] = []
  for (let n = 0; n < requests && failures.length < 10; n++) {
    const isGood = n % 500 === 0
    const attempt = isGood ? request() : pick(attempts)()
    // Spaces between scheme and token are the one thing of these that does not matter.
    const neutral =
      /^dpop +\S+$/i.test(attempt.rawHeaders[3] ?? '') &&
      attempt.rawHeaders[3]?.replace(/^dpop +/i, '') === goodToken &&
      attempt.rawHeaders.length === 6 &&
      attempt.rawHeaders[0] === 'Host' &&
      attempt.rawHeaders[1] === 'api.example' &&
      attempt.method === 'GET' &&
      /^\/orders(?:\?.*)?$/.test(attempt.target)
    try {
      const verdict = await verifier.verify(attempt)
      const outcome = verdict.kind === 'refused' ? verdict.error.code : verdict.kind
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      if (isGood !== (verdict.kind === 'accepted') && !(neutral && isUntouched(attempt.rawHeaders[5] ?? '')))
        failures.push(`request ${n} of seed ${seed}: ${outcome} ${JSON.stringify(attempt).slice(0, 700)}`)
      if (verdict.kind === 'refused') {
        const { status, headers } = verdict.answer
        const values = Object.values(headers).flat()
        if (!statuses.has(status) || !values.every((value) => headerValue.test(value)))
          failures.push(`request ${n} of seed ${seed}: ${status} ${JSON.stringify(headers)}`)
      }
    } catch (error) {
      failures.push(`request ${n} of seed ${seed}: threw ${error} for ${JSON.stringify(attempt).slice(0, 700)}`)
    }
  }
  return { requests, outcomes, failures }

  /** A proof that `goodProof` could have made. */
  function isUntouched(proof: string): boolean {
    return proof.startsWith(`${proofHeaderText}.`) && /^[\w-]+\.[\w-]+\.[\w-]{86}$/.test(proof)
  }
}
