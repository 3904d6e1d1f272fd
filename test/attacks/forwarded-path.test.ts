import test from 'ava'
import { aGate, everyWay, passed } from './_gate.js'

const names = [
  'X-Forwarded-Uri',
  'X-Forwarded-Path',
  'X-Forwarded-Prefix',
  'X-Original-URL',
  'X-Original-URI',
  'X-Original-Path',
  'X-Rewrite-URL',
  'X-Envoy-Original-Path',
  'X-Auth-Request-Redirect',
  'X-Accel-Redirect',
  'X-Request-Uri',
  'Request-Uri',
  'Content-Location',
]
const routes = [
  { path: '/private', methods: ['GET', 'POST'] },
  { path: '/public', tokenType: 'None' },
] as const

for (const [whose, trustedProxies] of [
  ['a stranger', []],
  ['our own proxy', ['127.0.0.0/8']],
] as const) {
  test(`a path in a header of ${whose} decides nothing: what needs a login still does (oauth2-proxy CVE-2026-40575)`, async (t) => {
    const gate = await aGate(t, { frontends: [{ routes }], gateway: { trustedProxies } })
    for (const name of names)
      for (const path of ['/public', '/public/x', `https://shop.example/public`, '/'])
        await everyWay(gate, { target: '/private/x', headers: [`${name}: ${path}`] }, ({ way, status, code, seen }) => {
          t.is(status, 401, `${way} ${name}: ${path}`)
          t.is(code, 'bff.session.absent')
          t.deepEqual(seen, [])
        })
    t.is(gate.connections(), 0)
  })

  test(`a path or method in a header of ${whose} decides nothing: neither the route nor what is called`, async (t) => {
    const gate = await aGate(t, { frontends: [{ routes }], gateway: { trustedProxies } })
    const headers = [...names.map((name) => `${name}: /private/admin`), 'X-HTTP-Method-Override: DELETE']
    await everyWay(gate, { target: '/public/x?y=1', headers }, ({ way, status, seen }) => {
      t.is(status, passed(way), way)
      t.is(seen[0]?.url, '/public/x?y=1', way)
      t.is(seen[0]?.method, way === 'a request with Expect' ? 'POST' : 'GET', way)
      // Behind us somebody may believe them: those that mean a path to a well-known server do not pass.
      for (const name of ['x-forwarded-uri', 'x-original-url', 'x-original-uri', 'x-rewrite-url', 'x-forwarded-prefix'])
        t.is(seen[0]?.headers[name], undefined, `${way} ${name}`)
    })
  })

  test(`a method in a header of ${whose} does not get past the route's list`, async (t) => {
    const gate = await aGate(t, { frontends: [{ routes }], gateway: { trustedProxies } })
    const { cookie } = await gate.plant()
    const headers = ['X-HTTP-Method-Override: GET', 'X-HTTP-Method: GET', 'X-Method-Override: GET']
    await everyWay(gate, { method: 'DELETE', target: '/private/x', headers, cookie }, ({ way, status, code }) => {
      if (way === 'an upgrade') return
      t.is(status, 405, way)
      t.is(code, 'bff.route.method_denied')
    })
  })
}
