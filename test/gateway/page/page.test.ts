import { once } from 'node:events'
import test from 'ava'
import { WebSocket } from 'ws'
import { createCors } from '../../../src/gateway/frontend/cors.js'
import { createSecurityHeaders } from '../../../src/gateway/page/security-headers.js'
import { call } from '../_client.js'
import { aFrontend } from '../_forwarding.js'
import { aPlantedGateway } from '../_planted.js'
import { listening } from '../_upstream.js'
import { webSocketUpstream } from '../_web-socket-upstream.js'

test('CORS: listed origins, exactly, and on every answer', async (t) => {
  const cors = createCors({ cors: { origins: ['https://app.example'] } })
  const server = await listening((request, response) => {
    if (cors(request, response) === 'continue') response.writeHead(403).end()
  })
  t.teardown(server.close)
  const ask = (origin: string, headers = {}) =>
    call(server.url, '/', {
      method: 'Access-Control-Request-Method' in headers ? 'OPTIONS' : 'GET',
      headers: { Origin: origin, ...headers },
    })
  const refused = await ask('https://app.example')
  t.is(refused.status, 403)
  t.is(refused.headers['access-control-allow-origin'], 'https://app.example')
  t.is(refused.headers['access-control-allow-credentials'], 'true')
  t.is(refused.headers.vary, 'Origin')
  const preflight = await ask('https://app.example', {
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'x-csrf,content-type',
  })
  t.is(preflight.status, 204)
  t.is(preflight.headers['access-control-allow-methods'], 'PUT')
  t.is(preflight.headers['access-control-allow-headers'], 'x-csrf,content-type')
  for (const other of [
    'https://app.example.evil',
    'https://evil-app.example',
    'http://app.example',
    'null',
    'https://APP.example',
  ]) {
    const answer = await ask(other, { 'Access-Control-Request-Method': 'PUT' })
    t.is(answer.status, 403, other)
    t.is(answer.headers['access-control-allow-origin'], undefined, other)
    t.is(answer.headers.vary, 'Origin', other)
  }
})

for (const [preset, styles] of [
  ['Spa', "style-src 'self' 'unsafe-inline'"],
  ['Strict', "style-src 'self'"],
] as const) {
  test(`a page may run its own scripts only: ${preset}`, async (t) => {
    const set = createSecurityHeaders(aFrontend([], { securityHeaders: preset }))
    const server = await listening((request, response) => {
      set(request, response)
      response.end()
    })
    t.teardown(server.close)
    const { headers } = await call(server.url, '/')
    const policy = String(headers['content-security-policy']).split(';')
    for (const directive of [
      "default-src 'self'",
      "script-src 'self'",
      "object-src 'none'",
      "frame-ancestors 'none'",
      "form-action 'self' https://as.example",
      styles,
    ])
      t.true(policy.includes(directive), directive)
    t.is(headers['x-content-type-options'], 'nosniff')
    t.is(headers['x-frame-options'], 'DENY')
    t.is(headers['referrer-policy'], 'same-origin')
    t.is(headers['strict-transport-security'], 'max-age=31536000')
    t.is(headers['x-powered-by'], undefined)
  })
}

test("a frontend's own policy replaces the preset's, and None sets nothing", async (t) => {
  for (const [options, policy, frame] of [
    [{ contentSecurityPolicy: "default-src 'none'" }, "default-src 'none'", 'DENY'],
    [{ securityHeaders: 'None' }, undefined, undefined],
  ] as const) {
    const set = createSecurityHeaders(aFrontend([], options))
    const server = await listening((request, response) => {
      set(request, response)
      response.end()
    })
    const { headers } = await call(server.url, '/')
    t.is(headers['content-security-policy'], policy)
    t.is(headers['x-frame-options'], frame)
    await server.close()
  }
})

test('a development server gets the whole path, its hot-reload socket, and no token', async (t) => {
  const vite = await webSocketUpstream()
  t.teardown(() => vite.close())
  const { on, call } = await aPlantedGateway(t, {
    frontends: [{ name: 'shop', pathPrefix: '/admin', routes: [], developmentServer: vite.url }],
  })
  const page = await call('/admin/src/main.ts?t=1', { headers: { Cookie: '__Host-Http-bff-shop=secret; a=1' } })
  t.is(page.status, 200)
  t.is(vite.seen[0]?.url, '/admin/src/main.ts?t=1')
  t.is(vite.seen[0]?.headers.authorization, undefined)
  t.is(vite.seen[0]?.headers.cookie, 'a=1')
  const socket = new WebSocket(`ws://127.0.0.1:${on.port}/admin/?token=x`, 'vite-hmr', { origin: on.url })
  await once(socket, 'open')
  t.is(socket.protocol, 'vite-hmr')
  socket.send('ping')
  t.is(String((await once(socket, 'message'))[0]), 'ping')
  socket.terminate()
})
