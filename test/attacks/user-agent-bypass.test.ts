import test from 'ava'
import { aGate, everyWay } from './_gate.js'

const probes = [
  'User-Agent: kube-probe/1.30',
  'User-Agent: GoogleHC/1.0',
  'User-Agent: ELB-HealthChecker/2.0',
  'User-Agent: Googlebot/2.1 (+http://www.google.com/bot.html)',
  'User-Agent: Prometheus/2.53.0',
  'User-Agent: Envoy/HC',
  'User-Agent: sallyport',
  'User-Agent:',
  'X-Health-Check: 1',
  'X-Envoy-Internal: true',
  'X-Internal: true',
  'X-Requested-With: XMLHttpRequest',
  'Purpose: prefetch',
  'Sec-Purpose: prefetch',
  'X-Middleware-Subrequest: middleware',
]

test('no user agent and no sign of a health probe opens a route (oauth2-proxy GHSA-5hvv-m4w4-gf6v)', async (t) => {
  const gate = await aGate(t)
  for (const target of [
    '/api/orders',
    '/api/healthz',
    '/api/ping',
    '/api/ready',
    '/api/robots.txt',
    '/api/favicon.ico',
  ])
    for (const probe of probes)
      await everyWay(gate, { target, headers: [probe] }, ({ way, status, code, seen }) => {
        t.is(status, 401, `${way} ${target} ${probe}`)
        t.is(code, 'bff.session.absent')
        t.deepEqual(seen, [])
      })
  t.is(gate.connections(), 0)
})

test('nor does it stand for our own page', async (t) => {
  const gate = await aGate(t)
  const { cookie } = await gate.plant()
  for (const probe of probes)
    await everyWay(gate, { headers: [probe], cookie, page: 'unknown' }, ({ way, status, seen }) => {
      t.is(status, 403, `${way} ${probe}`)
      t.deepEqual(seen, [])
    })
})

test('what a health probe asks for is nowhere on the port that browsers see', async (t) => {
  const gate = await aGate(t)
  for (const target of ['/healthz', '/readyz', '/livez', '/ping', '/ready', '/metrics', '/oauth2/auth', '/debug/pprof'])
    for (const probe of ['User-Agent: kube-probe/1.30', 'User-Agent: Prometheus/2.53.0'])
      await everyWay(gate, { target, headers: [probe] }, ({ way, status, code }) => {
        t.is(status, 404, `${way} ${target}`)
        t.is(code, 'bff.route.unknown')
      })
})
