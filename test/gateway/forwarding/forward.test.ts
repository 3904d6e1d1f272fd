import test from 'ava'
import { accessToken, dpopCredentials, forwarding } from '../_forwarding.js'
import { demandingNonces, recordingUpstream } from '../_upstream.js'

test('forwards with a fresh proof for the URL really called (RFC 9449 §7.1)', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [new URL('/v1', upstream.url)], stripPath: true }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const id of [1, 2]) t.is((await fetch(new URL(`/api/orders/${id}?page=2`, gateway.url))).status, 200)
  const [first, second] = upstream.seen
  t.is(first?.url, '/v1/orders/1?page=2')
  t.is(first?.headers.authorization, `DPoP ${accessToken}`)
  t.truthy(first?.proof)
  t.not(first?.proof?.jti, second?.proof?.jti)
})

test('an upstream that wants a new nonce every time: 20 calls at once, GET and POST, all succeed with one replay each', async (t) => {
  const upstream = await recordingUpstream(demandingNonces())
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const body = 'x'.repeat(60_000)
  const calls = Array.from({ length: 20 }, (_, index) =>
    fetch(new URL('/api', gateway.url), index % 2 === 0 ? {} : { method: 'POST', body }),
  )
  for (const response of await Promise.all(calls)) {
    t.is(response.status, 200)
    t.is(response.headers.get('dpop-nonce'), null)
    const echoed = (await response.json()) as { method: string; body: string }
    t.is(echoed.body, echoed.method === 'POST' ? body : '')
  }
  t.true(upstream.seen.length <= 40)
  t.is(new Set(upstream.seen.map(({ proof }) => proof?.jti)).size, upstream.seen.length)
})

test('a body too large to be kept starts only with a nonce: 5 MB to a cold upstream succeed', async (t) => {
  const upstream = await recordingUpstream(demandingNonces())
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], credentials: dpopCredentials })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const _ of [1, 2]) {
    const response = await fetch(new URL('/api', gateway.url), { method: 'POST', body: Buffer.alloc(5_000_000, 'y') })
    t.is(response.status, 200)
    await response.arrayBuffer()
  }
  t.deepEqual(
    upstream.seen.filter(({ method }) => method === 'POST').map(({ body }) => body.length),
    [5_000_000, 5_000_000],
  )
})
