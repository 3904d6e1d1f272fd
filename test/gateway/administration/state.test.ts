import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { aRoute, listen } from '../_gateway.js'
import { aPlantedGateway, ownPage } from '../_planted.js'

test('the state names frontends, routes and upstreams, and how each upstream fares', async (t) => {
  const { gateway, api, on } = await aPlantedGateway(t)
  const { inFlight, frontends } = gateway.state()
  t.is(inFlight, 0)
  t.like(frontends[0], { name: 'app', url: `${on.url}/`, inFlight: 0 })
  t.like(frontends[0]?.routes[0]?.upstreams[0], { url: api.url, healthy: true, breaker: 'closed', inFlight: 0 })
  t.notRegex(JSON.stringify(gateway.state()), /"d":|privateKey/)
})

test('which of the servers of a route is slow can be seen, one that lets its callers wait in vain included', async (t) => {
  const quick = await listen((_request, response) => void response.end('x'))
  const slow = await listen((_request, response) => void setTimeout(200).then(() => response.end('x')))
  const silent = await listen(() => {})
  const refusing = 'http://127.0.0.1:1'
  t.teardown(() => Promise.all([quick, slow, silent].map((server) => server.close())))
  const { gateway, plant, call } = await aPlantedGateway(t, {
    frontends: [
      {
        name: 'app',
        routes: [
          aRoute({
            upstreams: [quick.url, slow.url, silent.url, refusing].map((url) => new URL(url)),
            timeouts: { responseHeaders: 0.4 },
          }),
        ],
      },
    ],
  })
  const { cookie } = await plant()
  for (let turn = 0; turn < 8; turn++) await call('/api/x', { headers: { ...ownPage, Cookie: cookie } })
  const [first, second, third, last] = gateway.state().frontends[0]?.routes[0]?.upstreams ?? []
  t.true((first?.answers?.p95 ?? 1) < 0.15, JSON.stringify(first))
  t.true((second?.answers?.mean ?? 0) >= 0.19, JSON.stringify(second))
  t.true((third?.answers?.mean ?? 0) >= 0.39, JSON.stringify(third))
  t.is(last?.answers, undefined, 'what cannot be reached is not slow')
})

test('an upstream that cannot be reached is open in the state, and what is under way is counted', async (t) => {
  const { gateway, plant, call } = await aPlantedGateway(t, {
    frontends: [
      {
        name: 'app',
        routes: [
          aRoute({
            path: '/down',
            upstreams: [new URL('http://127.0.0.1:1')],
            circuitBreaker: { failures: 1, openFor: 30 },
          }),
        ],
      },
    ],
  })
  const { cookie } = await plant()
  const calling = call('/down/x', { headers: { ...ownPage, Cookie: cookie } })
  await calling
  t.is(gateway.state().frontends[0]?.routes[0]?.upstreams[0]?.breaker, 'open')
  t.is(gateway.state().inFlight, 0)
})
