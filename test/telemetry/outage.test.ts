import { createServer } from 'node:http'
import test from 'ava'
import { createOutage } from '../../src/telemetry/outage.js'
import { freePorts, startStack } from '../flows/_stack.js'
import { createUserAgent } from '../flows/_user-agent.js'

test('a line at once, one a minute while it lasts, and one when it is over, however often it comes and goes', (t) => {
  let now = 0
  const told: string[] = []
  const { failed, worked } = createOutage({
    onFailing: (cause, count) => void told.push(`${now}: ${cause} ${count}`),
    onBack: (seconds) => void told.push(`${now}: back after ${seconds}`),
    elapsed: () => now,
  })
  worked()
  for (; now < 130; now++) failed('ECONNREFUSED')
  worked()
  worked()
  now = 140
  for (; now < 200; now++) {
    failed('status 503')
    worked()
  }
  t.deepEqual(told, [
    '0: ECONNREFUSED 1',
    '60: ECONNREFUSED 60',
    '120: ECONNREFUSED 60',
    '130: back after 130',
    '140: status 503 1',
    '190: back after 50',
    '191: status 503 1',
  ])
})

test('an API that is gone is one line that names it, and another when it is there again', async (t) => {
  const [port = 0] = await freePorts(1)
  const stack = await startStack({
    configure(configuration) {
      configuration.Bff.Frontends[0].Routes = [
        { Path: '/api', Upstreams: [`http://127.0.0.1:${port}`], TokenType: 'None', CircuitBreaker: { Failures: 100 } },
      ]
    },
  })
  const browser = createUserAgent()
  for (let n = 0; n < 20; n++) t.is((await browser.call(new URL('/api/orders', stack.gateway))).status, 502)
  const api = createServer((_request, response) => void response.end()).listen(port, '127.0.0.1')
  t.teardown(() => api.close())
  while ((await browser.call(new URL('/api/orders', stack.gateway))).status !== 200);
  await stack.stop()
  const lines = stack
    .output()
    .split('\n')
    .filter((line) => line.includes('"gateway.upstream.'))
    .map((line) => JSON.parse(line))
  t.is(lines.length, 2)
  t.like(lines[0], {
    level: 'warn',
    msg: 'gateway.upstream.failing',
    upstream: `http://127.0.0.1:${port}`,
    route: '/api',
    cause: 'ECONNREFUSED',
    count: 1,
  })
  t.like(lines[1], { level: 'warn', msg: 'gateway.upstream.back', route: '/api' })
})
