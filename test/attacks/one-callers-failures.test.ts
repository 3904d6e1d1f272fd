import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { call, rawConnection } from '../gateway/_client.js'
import { forwarding } from '../gateway/_forwarding.js'
import { listening } from '../gateway/_upstream.js'

/** What the application answers, or a browser does, costs that caller only. */
for (const count of [1, 2])
  test(`a caller of a path that always answers 503 takes nothing from the others: ${count} upstreams`, async (t) => {
    const upstreams = await Promise.all(
      Array.from({ length: count }, () =>
        listening((request, response) => {
          response.writeHead(request.url === '/api/broken' ? 503 : 200).end('the API says')
        }),
      ),
    )
    const gateway = await forwarding({ routes: [{ upstreams: upstreams.map(({ url }) => url) }] })
    t.teardown(() => Promise.all([gateway.close(), ...upstreams.map((upstream) => upstream.close())]))
    for (let round = 0; round < 12; round++) {
      for (let index = 0; index < 4; index++) {
        const broken = await call(gateway.url, '/api/broken')
        t.deepEqual([broken.status, broken.text], [503, 'the API says'])
      }
      t.is((await call(gateway.url, '/api/well')).status, 200)
    }
    t.deepEqual(gateway.refusals, [])
  })

for (const [how, answer] of [
  ['breaks off', undefined],
  ['is not HTTP', 'what?\r\n\r\n'],
  ['is a 504', 'HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n'],
] as const)
  test(`nor does a path whose answer ${how}`, async (t) => {
    const upstream = await listening((request, response) => {
      if (request.url === '/api/well') response.end('well')
      else if (answer === undefined) request.socket.destroy()
      else request.socket.end(answer)
    })
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], circuitBreaker: { failures: 2 } }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    for (let round = 0; round < 20; round++) {
      t.true((await call(gateway.url, '/api/poison', { method: 'POST', body: 'x' })).status >= 502)
      t.is((await call(gateway.url, '/api/well')).status, 200)
    }
  })

test('uploads that fall silent are 408, and nothing to the breaker', async (t) => {
  const upstream = await listening((request, response) => void request.resume().on('end', () => response.end('well')))
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url], timeouts: { idle: 0.2 }, circuitBreaker: { failures: 2 } }],
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const silent = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const { socket, received } = await rawConnection(gateway.url)
      socket.write('POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf')
      await once(socket, 'data')
      socket.destroy()
      return received()
    }),
  )
  for (const answer of silent) t.regex(answer, /^HTTP\/1\.1 408 [\s\S]*bff\.request\.timeout/)
  t.is((await call(gateway.url, '/api', { method: 'POST', body: 'all of it' })).status, 200)
})

test('an upstream that cannot be reached is left alone for a while, then tried again', async (t) => {
  const upstream = await listening((_request, response) => response.end('ok'))
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url], circuitBreaker: { failures: 3, openFor: 1 } }],
  })
  t.teardown(gateway.close)
  await upstream.close()
  const status = async () => (await call(gateway.url, '/api', { method: 'POST', body: 'x' })).status
  t.deepEqual([await status(), await status(), await status(), await status()], [502, 502, 502, 503])
  t.is(gateway.refusals.at(-1), 'bff.upstream.unavailable')
  const again = await listening((_request, response) => response.end('ok'), Number(upstream.url.port))
  t.teardown(again.close)
  let last = 503
  while (last === 503) last = await status()
  t.is(last, 200)
})

test('browsers that leave before an answer say nothing about the upstream', async (t) => {
  let asked = 0
  const upstream = await listening((request, response) => {
    asked++
    if (request.url === '/api/well') response.end('well')
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], circuitBreaker: { failures: 2 } }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (let round = 1; round <= 10; round++) {
    const socket = connect(Number(gateway.url.port), gateway.url.hostname).on('error', () => {})
    socket.write('GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n')
    while (asked < round) await once(upstream.server, 'request')
    socket.resetAndDestroy()
  }
  t.is((await call(gateway.url, '/api/well')).status, 200)
})
