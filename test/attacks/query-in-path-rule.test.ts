import test from 'ava'
import { aGate, everyWay, passed } from './_gate.js'

const routes = [{ path: '/private' }, { path: '/public', tokenType: 'None' }] as const

for (const [target, expected] of [
  ['/private?x=/public', 401],
  ['/private?/public', 401],
  ['/private/?/public/../', 401],
  ['/private/x?/../public', 401],
  ['/private/public', 401],
  ['/private//public', 401],
  ['/private/%3f/public', 401],
  ['/private/%23/public', 401],
  ['/private%3f/public', 404],
  ['/private%23/public', 404],
  ['/private;/public', 404],
  ['/private.public', 404],
  ['/public.private', 404],
  ['/public%2f..%2fprivate', 400],
  ['/public#/../private', 400],
  ['/private#/public', 400],
  ['/public/..;/private', 400],
  ['/public/../private', 400],
] as const) {
  test(`the route is that of the path alone: ${target} (oauth2-proxy GHSA-7rh7-c77v-6434, GHSA-pxq7-h93f-9jrg)`, async (t) => {
    const gate = await aGate(t, { frontends: [{ routes }] })
    await everyWay(gate, { target }, ({ way, status, seen }) => {
      t.is(status, expected, way)
      t.deepEqual(seen, [], way)
    })
    t.is(gate.connections(), 0)
  })
}

for (const target of ['/public?/../private', '/public?x=/private', '/public/x?%2fprivate', '/public?a=1&b=%23/private'])
  test(`a query is nobody's business but the API's: ${target}`, async (t) => {
    const gate = await aGate(t, { frontends: [{ routes }] })
    await everyWay(gate, { target }, ({ way, status, seen }) => {
      t.is(status, passed(way), way)
      t.is(seen[0]?.url, target, way)
      t.is(seen[0]?.headers.authorization, undefined, way)
    })
  })
