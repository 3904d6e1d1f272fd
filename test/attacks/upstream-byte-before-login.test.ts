import test from 'ava'
import { UpstreamError } from '../../src/errors.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { navigation } from '../gateway/_planted.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, everyWay, passed, type Sent } from './_gate.js'

const secret = 'what-only-a-user-may-see'

/** Says it at once, to whoever connects. */
async function talkative() {
  const upstream = await webSocketUpstream((socket) => socket.send(secret))
  upstream.server.removeAllListeners('request').on('request', (request, response) => {
    request.resume()
    response.writeHead(200, { 'X-Secret': secret, 'Content-Length': secret.length }).end(secret)
  })
  return upstream
}

test('who may not see an answer gets no byte of it, and the upstream gets no connection (mod_auth_openidc GHSA-59jp-rwph-878r)', async (t) => {
  const upstream = await talkative()
  const routes = [{ path: '/api', methods: ['GET', 'POST'], bodyLimit: 100 }]
  const frontends = [
    { name: 'app', hosts: ['shop.example'], routes },
    { name: 'admin', hosts: ['admin.example'], routes },
  ]
  const gate = await aGate(t, { upstream, frontends })
  const [own, foreign, ended] = [await gate.plant('app'), await gate.plant('admin'), await gate.plant('app')]
  const sessions = gate.sessionsOf('app')
  const dead = await sessions.open(ended.id)
  t.true(dead !== undefined && (await sessions.end(dead, 'logout')))
  const asAnotherFrontends = `__Host-Http-bff-app=${foreign.id}`
  const page = Object.entries(navigation).map(([name, value]) => `${name}: ${value}`)
  const attempts: readonly (readonly [string, number, Sent])[] = [
    ['without a session', 401, {}],
    ['with a session that has ended', 401, { cookie: ended.cookie }],
    ["with another frontend's session", 401, { cookie: foreign.cookie }],
    ["with another frontend's session under our name", 401, { cookie: asAnotherFrontends }],
    ['without a session, from an unknown page', 403, { page: 'unknown' }],
    ['from an unknown page', 403, { page: 'unknown', cookie: own.cookie }],
    ['from another site', 403, { page: 'unknown', cookie: own.cookie, headers: ['Origin: https://evil.example'] }],
    ['with a target of two meanings', 400, { target: '/api/../api', cookie: own.cookie }],
    ['to a path without a route', 404, { target: '/apis', cookie: own.cookie }],
    ['to a host that is not ours', 421, { host: 'evil.example', cookie: own.cookie }],
  ]
  for (const [what, expected, sent] of attempts)
    await everyWay(gate, sent, ({ way, status, answer }) => {
      t.is(status, expected, `${way} ${what}`)
      t.false(answer.includes(secret), `${way} ${what}`)
      t.notRegex(answer, /^x-secret/im)
    })
  await everyWay(gate, { headers: page, page: 'unknown' }, ({ way, status, answer }) => {
    t.is(status, { 'a request': 303, 'a request with Expect': 403, 'an upgrade': 401 }[way], way)
    t.false(answer.includes(secret), way)
  })
  t.is(gate.connections(), 0)
  await everyWay(gate, { method: 'DELETE', cookie: own.cookie }, ({ way, status, answer }) => {
    // An upgrade is a GET.
    if (way === 'an upgrade') return
    t.is(status, 405, way)
    t.false(answer.includes(secret), way)
    t.is(gate.connections(), 0)
  })
  await everyWay(gate, { cookie: own.cookie }, ({ way, status, answer }) => {
    t.is(status, passed(way), way)
    if (way !== 'an upgrade') t.true(answer.includes(secret), 'a user does see it')
  })
})

test('a store that cannot say who it is opens nothing either', async (t) => {
  const upstream = await talkative()
  const memory = createMemoryStore()
  let isUp = true
  const store = {
    ...memory,
    get: async (key: string) => {
      if (!isUp) throw new UpstreamError('store_unavailable', 'the store does not answer')
      return memory.get(key)
    },
  }
  const gate = await aGate(t, { upstream, gateway: { store } })
  const { cookie } = await gate.plant()
  isUp = false
  await everyWay(gate, { cookie }, ({ way, status, code, answer }) => {
    t.is(status, 503, way)
    t.is(code, 'bff.store.unavailable')
    t.false(answer.includes(secret), way)
  })
  t.is(gate.connections(), 0)
})

test('a body that is too large opens no connection, and 100 Continue is not said to it', async (t) => {
  const upstream = await talkative()
  const gate = await aGate(t, { upstream, frontends: [{ routes: [{ bodyLimit: 0 }] }] })
  const { cookie } = await gate.plant()
  await everyWay(gate, { cookie }, ({ way, status, answer }) => {
    if (way !== 'a request with Expect') return
    t.is(status, 413)
    t.false(answer.includes('100 Continue'))
    t.false(answer.includes(secret))
  })
  await everyWay(gate, {}, ({ way, answer }) => t.false(answer.includes('100 Continue'), way))
})
