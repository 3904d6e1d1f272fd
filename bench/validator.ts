import { createHash, createPublicKey, verify } from 'node:crypto'
import { type ApiRequest, createVerifier, type Verifier } from '../src/dpop-validator/dpop-validator.js'
import { generateTestKey, mintProof, signJws, type TestKey } from '../src/dpop-validator/testing/test-issuer.js'

import { benchmarkApis, median } from './_validated-apis.js'

/**
 * What one validation costs, in units of V: one ES256 check with a cached key, measured in the same run. In each round all
 * take turns, a few calls each, and the median of the rounds' ratios counts, so a busy machine disturbs all alike. A round is
 * short, so that the heap holds about as many requests at a time as that of a server.
 */
const [rounds = 100, apiRounds = 7] = process.argv.slice(2).map(Number)
const perRound = 60
const perTurn = 20
const warmUp = 20
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

/** In one piece, as an HTTP parser makes them, and not as the parts that we have just put together. */
const received = (value: string): string => Buffer.from(value, 'latin1').toString('latin1')
const request = (token: string, proof: string): ApiRequest => ({
  method: 'GET',
  target: '/orders/4711?page=2',
  // What a gateway sends along.
  rawHeaders: [
    ...['Host', 'api.example', 'Accept', 'application/json', 'User-Agent', 'gateway', 'traceparent', '00-0-0-00'],
    ...['Authorization', received(`DPoP ${token}`), 'DPoP', received(proof)],
  ],
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
for (let round = 0; round < rounds + warmUp; round++) {
  const running = contenders.map(({ name, prepare }) => ({ name, calls: prepare(), spent: 0 }))
  for (let start = 0; start < perRound; start += perTurn)
    for (const contender of running) {
      const before = process.cpuUsage()
      for (const call of contender.calls.slice(start, start + perTurn)) {
        const result = call()
        if (result instanceof Promise) await result
      }
      const { user, system } = process.cpuUsage(before)
      contender.spent += user + system
    }
  if (round >= warmUp) for (const { name, spent } of running) microseconds.get(name)?.push(spent / perRound)
}

const v = microseconds.get('V') ?? []
console.log(`V = ${median(v).toFixed(1)} µs CPU (one ES256 check with a cached key); ${rounds} rounds of ${perRound}`)
console.log(`${' '.repeat(42)} median  overall`)
const sum = (times: readonly number[]): number => times.reduce((total, time) => total + time, 0)
for (const { name, goal } of contenders) {
  const times = microseconds.get(name) ?? []
  const ratio = median(times.map((time, round) => time / (v[round] ?? 1)))
  const verdict = goal === undefined ? '' : ratio <= goal ? `goal ${goal}: met` : `goal ${goal}: MISSED`
  console.log(
    `${name.padEnd(42)} ${ratio.toFixed(2).padStart(6)} V ${(sum(times) / sum(v)).toFixed(2).padStart(6)} V  ${verdict}`,
  )
}

if (apiRounds > 0) await benchmarkApis(apiRounds, 1000)
