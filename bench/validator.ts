import { createHash, createPublicKey, verify } from 'node:crypto'
import { type ApiRequest, createVerifier, type Verifier } from '../src/dpop-validator/dpop-validator.js'
import { generateTestKey, mintProof, signJws, type TestKey } from '../src/dpop-validator/testing/test-issuer.js'

import { benchmarkApis, median } from './_validated-apis.js'

/**
 * What one validation costs, in units of V: one ES256 check with a cached key, measured in the same run. Everything is
 * interleaved, round by round, and the median of the rounds' ratios counts, so a busy machine disturbs all alike.
 */
const [rounds = 15, apiRounds = 7] = process.argv.slice(2).map(Number)
const perRound = 400
const audience = 'https://api.example'
const issuer = 'https://issuer.example'
const clock = { now: () => Date.now() / 1000, advance: () => undefined }
const issuerKey = generateTestKey()
const key = generateTestKey()
const url = `${audience}/orders/4711`

let tokens = 0
const mintToken = (bound: TestKey = key): string =>
  signJws(
    { typ: 'at+jwt', alg: 'ES256', kid: issuerKey.publicJwk.kid },
    {
      iss: issuer,
      aud: audience,
      sub: 'alice',
      client_id: 'gateway',
      scope: 'openid profile orders:read orders:write',
      iat: Math.floor(clock.now()),
      exp: Math.floor(clock.now()) + 600,
      jti: `token-${tokens++}`,
      cnf: { jkt: bound.jkt },
    },
    issuerKey,
  )

const request = (token: string, proof: string): ApiRequest => ({
  method: 'GET',
  target: '/orders/4711?page=2',
  // What a gateway sends along.
  rawHeaders: [
    ...['Host', 'api.example', 'Accept', 'application/json', 'User-Agent', 'gateway', 'traceparent', '00-0-0-00'],
    ...['Authorization', `DPoP ${token}`, 'DPoP', proof],
  ],
  encrypted: false,
  peer: '127.0.0.1',
})

const verifier: Verifier = createVerifier({
  issuer: { issuer, jwks: { keys: [issuerKey.publicJwk] } },
  audience,
  publicUrl: audience,
  token: { cache: { max: 100_000 } },
})
const cachedKey = { key: createPublicKey(key.privateKey), dsaEncoding: 'ieee-p1363' as const }
/** The bare check of just such a proof, all else done beforehand: each time another one, as in life. */
const bareCheck = (proof: string): (() => boolean) => {
  const end = proof.lastIndexOf('.')
  const [data, signature] = [Buffer.from(proof.slice(0, end)), Buffer.from(proof.slice(end + 1), 'base64url')]
  return () => verify('sha256', data, cachedKey, signature)
}

interface Contender {
  readonly name: string
  readonly goal?: number
  readonly prepare: () => readonly (() => unknown)[]
}

const warmToken = mintToken()
const many = <Item>(make: () => Item): readonly Item[] => Array.from({ length: perRound }, make)
const expect = (kind: string) => (verdict: { readonly kind: string }) => {
  if (verdict.kind !== kind) throw new Error(`expected ${kind}`)
}
const accept = expect('accepted')
const refuse = expect('refused')
const run = (one: ApiRequest, check: (verdict: { readonly kind: string }) => void) => () => {
  const deciding = verifier.verify(one)
  return deciding instanceof Promise ? deciding.then(check) : check(deciding)
}
const proofFor = (token: string, bound: TestKey = key, claims = {}): string =>
  mintProof({ method: 'GET', url, key: bound, token, claims }, clock)

const contenders: readonly Contender[] = [
  { name: 'V', prepare: () => many(() => bareCheck(proofFor(warmToken))) },
  {
    name: 'warm: token and key known',
    goal: 1.25,
    prepare: () => many(() => run(request(warmToken, proofFor(warmToken)), accept)),
  },
  {
    name: 'cold: new token, known key',
    goal: 2.5,
    prepare: () =>
      many(() => {
        const token = mintToken()
        return run(request(token, proofFor(token)), accept)
      }),
  },
  {
    name: 'cold: new token, new key',
    prepare: () =>
      many(() => {
        const fresh = generateTestKey()
        const token = mintToken(fresh)
        return run(request(token, proofFor(token, fresh)), accept)
      }),
  },
  { name: 'refused: garbage', goal: 0.2, prepare: () => many(() => run(request('garbage', 'a.b.c'), refuse)) },
  {
    name: 'refused: stale proof',
    goal: 0.2,
    prepare: () => many(() => run(request(warmToken, proofFor(warmToken, key, { iat: 1 })), refuse)),
  },
  {
    name: 'refused: stale proof of an unknown key',
    goal: 0.2,
    prepare: () => {
      const stranger = generateTestKey()
      return many(() => run(request(warmToken, proofFor(warmToken, stranger, { iat: 1 })), refuse))
    },
  },
  {
    name: 'refused: replayed proof',
    prepare: () => {
      const proof = proofFor(warmToken)
      run(request(warmToken, proof), accept)()
      return many(() => run(request(warmToken, proof), refuse))
    },
  },
  {
    name: 'sha-256 of the token',
    prepare: () => many(() => () => createHash('sha256').update(warmToken).digest('base64url')),
  },
]

const microseconds = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
for (let round = 0; round < rounds + 3; round++)
  for (const { name, prepare } of contenders) {
    const calls = prepare()
    const before = process.cpuUsage()
    for (const call of calls) {
      const result = call()
      if (result instanceof Promise) await result
    }
    const { user, system } = process.cpuUsage(before)
    if (round >= 3) microseconds.get(name)?.push((user + system) / calls.length)
  }

const v = microseconds.get('V') ?? []
console.log(`V = ${median(v).toFixed(1)} µs CPU (one ES256 check with a cached key); ${rounds} rounds of ${perRound}`)
for (const { name, goal } of contenders) {
  const ratios = (microseconds.get(name) ?? []).map((time, round) => time / (v[round] ?? 1))
  const ratio = median(ratios)
  const verdict = goal === undefined ? '' : ratio <= goal ? `goal ${goal}: met` : `goal ${goal}: MISSED`
  console.log(`${name.padEnd(42)} ${ratio.toFixed(2).padStart(6)} V  ${verdict}`)
}

if (apiRounds > 0) await benchmarkApis(apiRounds, 1000)
