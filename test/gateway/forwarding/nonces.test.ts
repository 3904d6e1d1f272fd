import test from 'ava'
import { aGate, type Gate } from '../../attacks/_gate.js'
import { call } from '../_client.js'
import { ownPage } from '../_planted.js'
import { demandingNonces, recordingUpstream, type Seen } from '../_upstream.js'

interface Attempt extends Seen {
  readonly mark: string
  readonly status: number
  /** Given with the answer. */
  readonly given: string
}

/** Wants another nonce with every call: each is good once, and all answers bring a new one. */
async function aDemandingApi() {
  const attempts: Attempt[] = []
  const answer = demandingNonces((_request, response, { method, body }) => response.end(`${method} ${body.length}`))
  const upstream = await recordingUpstream((request, response, seen) => {
    answer(request, response, seen)
    const given = String(response.getHeader('DPoP-Nonce'))
    attempts.push({ ...seen, mark: String(request.headers['x-mark']), status: response.statusCode, given })
  })
  return { ...upstream, attempts }
}

function byCall(attempts: readonly Attempt[]): ReadonlyMap<string, readonly Attempt[]> {
  const calls = new Map<string, Attempt[]>()
  for (const attempt of attempts) calls.set(attempt.mark, [...(calls.get(attempt.mark) ?? []), attempt])
  return calls
}

const body = 'x'.repeat(60_000)

for (const users of [1, 5])
  test(`an API that wants a new nonce every time: 20 calls at once of ${users} users, GET and 60 KB POST, succeed with one replay each`, async (t) => {
    const api = await aDemandingApi()
    const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [api.url] }] }] })
    t.teardown(api.close)
    const cookies = await Promise.all(Array.from({ length: users }, async () => (await gate.plant()).cookie))
    const one = async (index: number): Promise<void> => {
      const headers = { ...ownPage, Cookie: cookies[index % users], 'X-Mark': `mark-${index}` }
      const reply = await call(gate.url, '/api', index % 2 === 0 ? { headers } : { headers, method: 'POST', body })
      t.is(reply.status, 200, `${index}`)
      t.is(reply.text, index % 2 === 0 ? 'GET 0' : 'POST 60000')
      t.is(reply.headers['dpop-nonce'], undefined)
    }
    // Cold at first, then with what the first round has taught.
    for (const round of [0, 1]) await Promise.all(Array.from({ length: 20 }, (_, index) => one(round * 20 + index)))

    const calls = byCall(api.attempts)
    t.is(calls.size, 40)
    for (const [mark, attempts] of calls) {
      t.true(attempts.length <= 2, `${mark}: ${attempts.length} attempts`)
      t.is(attempts.at(-1)?.status, 200, mark)
      for (const { proof, method, body: arrived } of attempts) {
        t.truthy(proof, mark)
        t.is(arrived.length, method === 'POST' ? 60_000 : 0, `${mark}: each attempt carries the whole body`)
      }
      if (attempts.length === 2)
        t.is(attempts[1]?.proof?.nonce, attempts[0]?.given, `${mark}: the nonce of its own refusal`)
    }
    const identifiers = api.attempts.map(({ proof }) => proof?.jti)
    t.is(new Set(identifiers).size, identifiers.length, 'every jti once')
  })

async function upload(gate: Gate, cookie: string, size: number): Promise<string> {
  const headers = { ...ownPage, Cookie: cookie, 'X-Mark': 'upload' }
  const { status, text } = await call(gate.url, '/api', { method: 'POST', headers, body: Buffer.alloc(size, 'y') })
  return `${status} ${text}`
}

test('5 MB to an API that nobody has called before: it is asked for its nonce first, and the body goes once', async (t) => {
  const api = await aDemandingApi()
  const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [api.url] }] }] })
  t.teardown(api.close)
  const { cookie } = await gate.plant()
  t.is(await upload(gate, cookie, 5_000_000), '200 POST 5000000')
  t.deepEqual(
    api.attempts.map(({ method, status, body: arrived }) => [method, status, arrived.length]),
    [
      ['HEAD', 401, 0],
      ['POST', 200, 5_000_000],
    ],
  )
  t.is(api.attempts[1]?.proof?.nonce, api.attempts[0]?.given)
})

test('five such uploads at once all succeed, and none is sent twice', async (t) => {
  const api = await aDemandingApi()
  const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [api.url] }] }] })
  t.teardown(api.close)
  const { cookie } = await gate.plant()
  const results = await Promise.all(Array.from({ length: 5 }, () => upload(gate, cookie, 5_000_000)))
  t.deepEqual(results, Array(5).fill('200 POST 5000000'))
  t.is(api.attempts.filter(({ method }) => method === 'POST').length, 5)
  const identifiers = api.attempts.map(({ proof }) => proof?.jti)
  t.is(new Set(identifiers).size, identifiers.length)
})

test('an API whose nonces are known to be good once is asked again before each upload, also amid other calls', async (t) => {
  const api = await aDemandingApi()
  const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [api.url] }] }] })
  t.teardown(api.close)
  const { cookie } = await gate.plant()
  const small = async (): Promise<number> =>
    (await call(gate.url, '/api', { headers: { ...ownPage, Cookie: cookie, 'X-Mark': 'small' } })).status
  // Sharing a nonce is how it becomes known.
  for (let round = 0; round < 2; round++)
    t.deepEqual([...new Set(await Promise.all(Array.from({ length: 10 }, small)))], [200])
  const both = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? upload(gate, cookie, 200_000) : small()))
  for (const result of await Promise.all(both)) t.true([200, '200 POST 200000'].includes(result), String(result))
  t.is(api.attempts.filter(({ method, mark }) => method === 'POST' && mark === 'upload').length, 5)
})

for (const [method, size] of [
  ['GET', 0],
  ['POST', 60_000],
  ['POST', 5_000_000],
] as const)
  test(`an API that refuses even its own nonces is not asked for ever: ${method} of ${size} bytes`, async (t) => {
    let count = 0
    const api = await recordingUpstream((_request, response) =>
      response.writeHead(401, { 'DPoP-Nonce': `n${++count}`, 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' }).end(),
    )
    const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [api.url] }] }] })
    t.teardown(api.close)
    const { cookie } = await gate.plant()
    const headers = { ...ownPage, Cookie: cookie }
    const options = method === 'GET' ? { headers } : { headers, method, body: Buffer.alloc(size) }
    const reply = await call(gate.url, '/api', options)
    t.is(reply.status, 502)
    t.true(reply.text.includes('bff.upstream.nonce_required'))
    t.is(api.seen.length, 2)
    t.is(reply.headers['dpop-nonce'], undefined)
    t.is(reply.headers['www-authenticate'], undefined)
  })
