import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test from 'ava'
import { createFrontend, createFrontendSelection } from '../../src/gateway/frontend/frontend.js'
import { Refusal } from '../../src/gateway/refusal.js'
import { channelName } from '../../src/telemetry/events.js'
import { call, rawConnection } from '../gateway/_client.js'
import { aFrontend } from '../gateway/_gateway.js'
import { aPlantedGateway, codeOf, ownPage } from '../gateway/_planted.js'
import { aGate, everyWay, passed } from './_gate.js'

const frontends = [
  { name: 'app', hosts: ['app.example'] },
  { name: 'admin', hosts: ['admin.example'] },
]

const hostile = [
  'evilapp.example',
  'app.example.evil',
  'a@app.example',
  'app.example@evil',
  'app.example:x',
  'app.example:443:80',
  'app.example.',
  '.app.example',
  'app.example/',
  'app.example#',
  'app.example?',
  'app.example\\evil',
  'app.example,admin.example',
  'app.example admin.example',
  '[app.example]',
  'xn--pp-xka.example',
  '*',
  'localhost',
  '127.0.0.1',
  '[::1]',
  'app_example',
  'app.example%00',
  'app.example;admin.example',
  '__proto__',
  'constructor',
  'toString',
]

test('a host that no frontend names is nobody’s: 421, whatever it looks like', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  for (const Host of hostile) {
    const answer = await world.call('/api/x', { headers: { ...ownPage, Host } })
    t.true([400, 421].includes(answer.status), `${Host}: ${answer.status}`)
  }
  t.is(world.api.calls.length, 0)
})

test('the frontend’s own host is found in any case and with the scheme’s port', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  const { cookie } = await world.plant('app')
  for (const Host of ['app.example', 'APP.example', 'app.example:80', 'app.example:443']) {
    t.is((await world.call('/api/x', { headers: { ...ownPage, Host, Cookie: cookie } })).status, 200, Host)
  }
})

test('two Host headers, none, an empty one and a target that names another host are refused', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  const { cookie } = await world.plant('app')
  const head = `X-CSRF: 1\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
  for (const request of [
    `GET /api/x HTTP/1.1\r\nHost: admin.example\r\nHost: app.example\r\n${head}`,
    `GET /api/x HTTP/1.1\r\n${head}`,
    `GET /api/x HTTP/1.1\r\nHost:\r\n${head}`,
    `GET http://admin.example/api/x HTTP/1.1\r\nHost: app.example\r\n${head}`,
    `GET http://app.example@evil/api/x HTTP/1.1\r\nHost: app.example\r\n${head}`,
    `GET //evil.example/api/x HTTP/1.1\r\nHost: app.example\r\n${head}`,
  ]) {
    const { socket, received } = await rawConnection(new URL(world.on.url))
    socket.write(request)
    await new Promise((resolve) => socket.once('close', resolve))
    t.regex(received(), /^HTTP\/1\.1 4(00|21) /, request.split('\r\n')[0])
  }
  t.is(world.api.calls.length, 0)
})

test('forwarded headers of somebody who is not our proxy change nothing', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  const { cookie } = await world.plant('app')
  const forwarded = {
    'X-Forwarded-Host': 'admin.example',
    Forwarded: 'host=admin.example',
    'X-Forwarded-Proto': 'https',
    'X-Original-URL': '/admin',
    'X-Rewrite-URL': '/admin',
  }
  const answer = await world.call('/api/x', {
    headers: { ...ownPage, Host: 'app.example', Cookie: cookie, ...forwarded },
  })
  t.is(answer.status, 200)
  t.is(
    codeOf(await world.call('/api/x', { headers: { ...ownPage, Host: 'nobody.example', ...forwarded } })),
    'bff.frontend.unknown',
  )
})

test('64 KB of hostile Host is looked at in less than 10 ms', (t) => {
  const select = createFrontendSelection(
    frontends.map((frontend) =>
      createFrontend(
        aFrontend({ ...frontend, publicUrl: new URL('https://app.example'), authority: 'https://as.example' }),
      ),
    ),
  )
  for (const piece of ['a', '.', ':', '@', '[', '-.', 'a:4', '\u00e4']) {
    const host = piece.repeat(65_536 / piece.length)
    const times = Array.from({ length: 5 }, () => {
      const started = performance.now()
      try {
        select(host, { path: '/', reading: '/' })
        t.fail(piece)
      } catch (error) {
        t.is(error instanceof Refusal && error.code, 'bff.frontend.unknown')
      }
      return performance.now() - started
    })
    t.true(Math.min(...times) < 10, piece)
  }
})

test('redirect URIs come from the configuration, never from the Host header', async (t) => {
  const world = await aPlantedGateway(t)
  const answer = await call(new URL(world.on.url), '/bff/callback?code=x&state=y&iss=http://127.0.0.1:9', {
    headers: { Host: 'evil.example' },
  })
  t.false(JSON.stringify([answer.headers, answer.text]).includes('evil.example'))
})

test('a WebSocket and a call with Expect are no way around: the host decides for them as well', async (t) => {
  const gate = await aGate(t, { frontends })
  const { cookie } = await gate.plant('app')
  for (const host of hostile)
    await everyWay(gate, { host, cookie }, ({ way, status, seen }) => {
      t.true([400, 421].includes(status), `${way} ${host}: ${status}`)
      t.deepEqual(seen, [])
    })
  for (const target of ['http://admin.example/api/x', 'http://app.example@evil/api/x', '//evil.example/api/x'])
    await everyWay(gate, { host: 'app.example', target, cookie }, ({ way, status }) =>
      t.true([400, 421].includes(status), `${way} ${target}`),
    )
  await everyWay(gate, { host: 'app.example', headers: ['Host: admin.example'], cookie }, ({ way, status }) =>
    t.is(status, 400, way),
  )
  t.is(gate.connections(), 0)
  // A session is one frontend's: the same cookie at the other's host is nobody.
  await everyWay(gate, { host: 'admin.example', cookie }, ({ way, status }) => t.is(status, 401, way))
  await everyWay(gate, { host: 'app.example', cookie }, ({ way, status }) => t.is(status, passed(way), way))
})

test('a frontend that takes any host takes host names, and nothing that could be read as more', async (t) => {
  const gate = await aGate(t, { frontends: [{ hosts: [] }] })
  const { cookie } = await gate.plant()
  for (const host of [
    'a@shop.example',
    'shop.example/',
    'shop.example#',
    'shop.example?',
    'a b',
    'a,b',
    'a;b',
    'a:x',
    'a%00',
    '[x]',
    '*',
  ])
    await everyWay(gate, { host, cookie }, ({ way, status, seen }) => {
      t.true([400, 421].includes(status), `${way} ${host}: ${status}`)
      t.deepEqual(seen, [])
    })
  for (const host of ['shop.example', 'other.example:8443', '127.0.0.1', '[::1]:80'])
    await everyWay(gate, { host, cookie }, ({ way, status }) => t.is(status, passed(way), `${way} ${host}`))
})

test('which hosts there are is in the log, and not in the answer', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  const seen: Record<string, unknown>[] = []
  const record = (message: unknown): void => void seen.push(message as Record<string, unknown>)
  subscribe(channelName, record)
  t.teardown(() => unsubscribe(channelName, record))
  const answer = await world.call('/', { headers: { ...ownPage, Host: 'other.example' } })
  t.is(answer.status, 421)
  t.false(answer.text.includes(world.on.url))
  const refused = seen.find(({ requestId }) => requestId === answer.headers['x-request-id'])
  t.is(refused?.reason, `other.example is no frontend's; there are ${world.on.url}/, ${world.on.url}/`)
})
