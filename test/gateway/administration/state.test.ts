import test from 'ava'
import { aRoute } from '../_gateway.js'
import { aPlantedGateway, ownPage } from '../_planted.js'

test('the state names frontends, routes and upstreams, and how each upstream fares', async (t) => {
  const { gateway, api, on } = await aPlantedGateway(t)
  const { inFlight, frontends } = gateway.state()
  t.is(inFlight, 0)
  t.like(frontends[0], { name: 'app', url: `${on.url}/`, inFlight: 0 })
  t.like(frontends[0]?.routes[0]?.upstreams[0], { url: api.url, healthy: true, breaker: 'closed', inFlight: 0 })
  t.notRegex(JSON.stringify(gateway.state()), /"d":|privateKey/)
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
