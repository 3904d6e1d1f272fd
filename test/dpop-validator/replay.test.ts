import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import { createLocalReplayMemory, proofUse } from '../../src/dpop-validator/proof/replay-memory.js'
import { createTestClock, startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { UpstreamError } from '../../src/errors.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { startRedis } from '../store/_redis.js'
import { adapters } from './_apis.js'
import { createClient, outcome, publicUrl } from './_requests.js'

const clock = createTestClock()
const issuer = await startTestIssuer({ audience: publicUrl, clock })
const trusted = { issuer: issuer.issuer, jwks: { keys: [issuer.key.publicJwk] } }
const redis = await startRedis()
test.after.always(async () => {
  await issuer.close()
  await redis?.stop()
})

const verifierWith = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({ issuer: trusted, audience: publicUrl, publicUrl, ...options })

const down = { addIfAbsent: () => Promise.reject(new UpstreamError('store_unavailable', 'gone')) }

for (const [name, options] of [
  ['memory', {}],
  ['memory, signatures in the pool', { crypto: 'pool' }],
  ['a store', { replay: createMemoryStore() }],
  ['a store with the fallback', { replay: createMemoryStore(), onReplayStoreError: 'local' }],
  ['the fallback alone', { replay: down, onReplayStoreError: 'local' }],
] as const satisfies readonly (readonly [string, Partial<VerifierOptions>])[])
  test(`of 100 identical requests at one instant exactly one passes: ${name}`, async (t) => {
    const verifier = verifierWith(options)
    const request = createClient(issuer, verifier).request()
    const verdicts = await Promise.all(Array.from({ length: 100 }, async () => outcome(await verifier.verify(request))))
    t.is(verdicts.filter((one) => one === 'accepted').length, 1)
    t.is(verdicts.filter((one) => one === 'invalid_dpop_proof').length, 99)
  })

test('of 100 identical requests at one instant exactly one passes: every adapter', async (t) => {
  for (const [name, startApi] of Object.entries(adapters)) {
    const verifier = verifierWith()
    const api = await startApi(verifier)
    const { rawHeaders } = createClient(issuer, verifier).request()
    const headers = { Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' }
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(`${api.origin}/orders`, { headers })))
    t.is(answers.filter(({ status }) => status === 200).length, 1, name)
    t.is(answers.filter(({ status }) => status === 401).length, 99, name)
    await api.close()
  }
})

test('a proof is remembered as long as it would be accepted, the early one too', async (t) => {
  const own = createTestClock()
  const server = await startTestIssuer({ audience: publicUrl, clock: own })
  const verifier = createVerifier({
    issuer: { issuer: server.issuer, jwks: { keys: [server.key.publicJwk] } },
    audience: publicUrl,
    publicUrl,
    now: own.now,
  })
  const client = createClient(server, verifier)
  const early = client.request({ claims: { iat: own.now() + 9 } })
  const usual = client.request()
  for (const request of [early, usual]) t.is(outcome(await verifier.verify(request)), 'accepted')
  for (let second = 0; second < 90; second++) {
    own.advance(1)
    for (const request of [early, usual])
      t.is(outcome(await verifier.verify(request)), 'invalid_dpop_proof', `after ${second} s`)
  }
  await server.close()
})

test('a used proof does not pass again because the clock was set, forward and back or back and forward', async (t) => {
  const own = createTestClock()
  const server = await startTestIssuer({ audience: publicUrl, clock: own })
  t.teardown(() => server.close())
  const verifier = verifierWith({
    issuer: { issuer: server.issuer, jwks: { keys: [server.key.publicJwk] } },
    now: own.now,
  })
  for (const steps of [
    [100, -100],
    [3600, -3600],
    [3600, -3630],
    [-30, 30],
    [-3600, 3600],
    [20, -20, 100, -100],
  ]) {
    const client = createClient(server, verifier)
    const request = client.request()
    t.is(outcome(await verifier.verify(request)), 'accepted', `${steps}`)
    for (const step of steps) {
      own.advance(step)
      // Other requests come meanwhile, and old uses are looked for.
      await client.send()
      t.is(outcome(await verifier.verify(request)), 'invalid_dpop_proof', `${steps}: after ${step} s`)
    }
  }
})

test('what is remembered is forgotten by both clocks, and not by one', (t) => {
  let [now, elapsed] = [1_000_000, 5_000]
  const memory = createLocalReplayMemory({ capacity: 1, now: () => now, elapsed: () => elapsed })
  t.true(memory.firstUse(proofUse('a', '1'), now + 70))
  now += 3600
  t.false(memory.firstUse(proofUse('a', '1'), now + 70))
  now -= 7200
  elapsed += 3600
  t.false(memory.firstUse(proofUse('a', '1'), now + 70))
  t.throws(() => memory.firstUse(proofUse('a', '2'), now + 70), { code: 'store_unavailable' })
  now += 3700
  t.true(memory.firstUse(proofUse('a', '2'), now + 70))
})

test('when the store is down requests are denied with 503, and burn nothing', async (t) => {
  let isDown = true
  const memory = createMemoryStore()
  const store = {
    addIfAbsent: (...record: Parameters<typeof memory.addIfAbsent>) =>
      isDown ? down.addIfAbsent() : memory.addIfAbsent(...record),
  }
  const verifier = verifierWith({ replay: store })
  const request = createClient(issuer, verifier).request()
  t.is(outcome(await verifier.verify(request)), 'temporarily_unavailable')
  isDown = false
  t.is(outcome(await verifier.verify(request)), 'accepted')
  t.is(outcome(await verifier.verify(request)), 'invalid_dpop_proof')
})

test('a full memory denies, and forgets nothing that is alive', async (t) => {
  const verifier = verifierWith({ replayCapacity: 3 })
  const client = createClient(issuer, verifier)
  const requests = Array.from({ length: 4 }, () => client.request())
  const verdicts = []
  for (const request of [...requests, ...requests]) verdicts.push(outcome(await verifier.verify(request)))
  t.deepEqual(verdicts.slice(0, 4), ['accepted', 'accepted', 'accepted', 'temporarily_unavailable'])
  t.deepEqual(verdicts.slice(4), [...Array(3).fill('invalid_dpop_proof'), 'temporarily_unavailable'])
})

// `npm run test:endurance` has a million, and looks at the heap.
test('the memory of uses is bounded, and gives them back when they expire', (t) => {
  let now = 1_000_000
  const memory = createLocalReplayMemory({ capacity: 50_000, now: () => now, elapsed: () => now })
  for (let n = 0; n < 50_000; n++) memory.firstUse(proofUse('thumbprint', `${n}`), now + 70)
  t.throws(() => memory.firstUse(proofUse('one', 'more'), now + 70), { code: 'store_unavailable' })
  t.false(memory.firstUse(proofUse('thumbprint', '0'), now + 70))
  now += 90
  t.true(memory.firstUse(proofUse('one', 'more'), now + 70))
})

test('of 100 identical requests exactly one passes at two workers of a cluster', async (t) => {
  const worker = run(t, ['cluster', JSON.stringify({ issuer: trusted, audience: publicUrl, publicUrl })])
  const ports = await portsOf(worker, 2)
  t.is(await passing(ports), 1)
  t.is(await passing(ports), 1)
})

if (redis === undefined) {
  test.skip('replay across processes: no redis-server is installed', () => {})
} else {
  test('of 100 identical requests exactly one passes at two processes that share a Redis', async (t) => {
    const args = ['redis', JSON.stringify({ issuer: trusted, audience: publicUrl, publicUrl }), redis.url]
    const ports = await Promise.all([run(t, args), run(t, args)].map(async (one) => (await portsOf(one, 1))[0] ?? ''))
    t.is(await passing(ports), 1)
    t.is(await passing(ports), 1)
  })
}

/** Sends one request 100 times, to each port in turn. @returns how many passed */
async function passing(ports: readonly string[]): Promise<number> {
  const { rawHeaders } = createClient(issuer, verifierWith()).request()
  const headers = { Authorization: rawHeaders[3] ?? '', DPoP: rawHeaders[5] ?? '' }
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => fetch(`http://127.0.0.1:${ports[n % ports.length]}/orders`, { headers })),
  )
  const refused = answers.filter(({ status }) => status === 401).length
  const passed = answers.filter(({ status }) => status === 200).length
  return refused + passed === 100 ? passed : Number.NaN
}

function run(t: ExecutionContext, args: readonly string[]) {
  const worker = spawn(process.execPath, [new URL('_replay-worker.js', import.meta.url).pathname, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => worker.kill())
  return worker
}

async function portsOf({ stdout }: ReturnType<typeof run>, count: number): Promise<readonly string[]> {
  const ports: string[] = []
  for await (const line of createInterface({ input: stdout })) {
    if (line.startsWith('port ')) ports.push(line.slice('port '.length))
    if (ports.length === count) break
  }
  return ports
}
