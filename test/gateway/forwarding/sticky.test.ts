import test, { type ExecutionContext } from 'ava'
import { rendezvous } from '../../../src/gateway/forwarding/rendezvous.js'
import type { RouteOptions } from '../../../src/gateway/route-options.js'
import type { OpenSession } from '../../../src/gateway/session/session-record.js'
import { eventually } from '../../_eventually.js'
import { call } from '../_client.js'
import { forwarding } from '../_forwarding.js'
import { listening } from '../_upstream.js'

async function several(t: ExecutionContext, count: number) {
  const upstreams = await Promise.all(
    Array.from({ length: count }, (_, index) => listening((_request, response) => response.end(String(index)))),
  )
  const behind = async (visitor: string, route: Partial<RouteOptions> = {}) => {
    const open = { id: '', session: { key: visitor, handle: visitor } } as OpenSession
    const routes = [{ upstreams: upstreams.map(({ url }) => url), balance: 'Sticky' as const, ...route }]
    const gateway = await forwarding({ routes, call: { open } })
    t.teardown(() => gateway.close())
    return async () => (await call(gateway.url, '/api')).text
  }
  t.teardown(() => Promise.all(upstreams.map((upstream) => upstream.close())))
  return { upstreams, behind }
}

test('all calls of a session go to one upstream, through every replica, and to another while that one is gone', async (t) => {
  const { upstreams, behind } = await several(t, 3)
  const [one, two] = [await behind('alice'), await behind('alice')]
  const home = await one()
  const seen = new Set(await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? one() : two()))))
  t.deepEqual(seen, new Set([home]))
  await upstreams[Number(home)]?.close()
  const elsewhere = await one()
  t.not(elsewhere, home)
  t.is(await two(), elsewhere)
})

test('sessions are spread, and only those of an upstream that leaves move', (t) => {
  const upstreams = ['http://a:1', 'http://b:1', 'http://b:1/v1', 'http://c:1'].map((name) => ({ name }))
  const count = new Map<unknown, number>()
  for (let visitor = 0; visitor < 4000; visitor++) {
    const [first, second] = rendezvous(upstreams, `session ${visitor}`)
    count.set(first, (count.get(first) ?? 0) + 1)
    const [next] = rendezvous(
      upstreams.filter((upstream) => upstream !== upstreams[0]),
      `session ${visitor}`,
    )
    t.is(next, first === upstreams[0] ? second : first)
  }
  for (const upstream of upstreams) t.true((count.get(upstream) ?? 0) > 850, `${count.get(upstream)} of 1000`)
})

test('a route can say that no connection is used twice', async (t) => {
  let connections = 0
  const upstream = await listening((_request, response) => response.end())
  upstream.server.on('connection', () => connections++)
  for (const [reuseConnections, expected] of [
    [true, 1],
    [false, 3],
  ] as const) {
    connections = 0
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], reuseConnections }] })
    for (let index = 0; index < 3; index++)
      t.is((await call(gateway.url, '/api', { method: 'POST', body: 'GET /mine HTTP/1.1\r\n\r\n' })).status, 200)
    t.is(connections, expected)
    await gateway.close()
  }
  await upstream.close()
})

test('nor is one whose answer was over before the request', async (t) => {
  let connections = 0
  const upstream = await listening((_request, response) => response.end('early'))
  upstream.server.on('connection', () => connections++)
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], credentials: () => ({ kind: 'none' }) })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (let index = 0; index < 3; index++) {
    const body = Buffer.alloc(20_000_000)
    await call(gateway.url, '/api', { method: 'POST', body }).catch(() => undefined)
    await eventually(() => upstream.sockets() === 0)
  }
  t.is(connections, 3)
})
