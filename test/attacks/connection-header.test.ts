import test from 'ava'
import { call } from '../gateway/_client.js'
import { accessToken, forwarding } from '../gateway/_forwarding.js'
import { recordingUpstream } from '../gateway/_upstream.js'
import { eachWay } from './_ways.js'

test('Connection cannot take away what we add, nor what describes the message (Fabio CVE-2025-48865)', async (t) => {
  const connection = 'authorization, dpop, cookie, host, content-length, content-type, x-forwarded-for, x-custom'
  const headers = ['Cookie: a=1', 'Content-Type: text/plain', 'X-Custom: of this connection']
  await eachWay(t, { connection, headers }, ({ way, seen }) => {
    t.is(seen?.headers.authorization, `DPoP ${accessToken}`, way)
    t.truthy(seen?.proof, way)
    t.is(seen?.headers.cookie, 'a=1', way)
    t.is(seen?.headers['x-forwarded-for'], '192.0.2.7', way)
    t.is(seen?.headers['content-type'], 'text/plain', way)
    t.is(seen?.headers['x-custom'], undefined, way)
    t.is(seen?.headers.connection, way === 'an upgrade' ? 'Upgrade' : 'keep-alive', way)
  })
})

test('headers of one connection stay on it, upwards (RFC 9110 §7.6.1)', async (t) => {
  const headers = ['Keep-Alive: timeout=9', 'TE: trailers', 'Proxy-Connection: keep-alive', 'HTTP2-Settings: AAMAAABk']
  await eachWay(t, { headers }, ({ way, seen }) => {
    for (const name of ['keep-alive', 'te', 'proxy-connection', 'http2-settings', 'expect', 'trailer'])
      t.is(seen?.headers[name], undefined, `${way}: ${name}`)
  })
})

test('an Upgrade that Connection does not name asks nobody for anything (RFC 9110 §7.8)', async (t) => {
  for (const header of ['Upgrade: h2c', 'Upgrade: websocket', 'Upgrade: foo/2'])
    await eachWay(t, { headers: [header] }, ({ way, seen, answer }) => {
      if (way === 'an upgrade') return
      t.regex(answer, /^HTTP\/1\.1 (100|200) /, `${way} ${header}`)
      t.is(seen?.headers.upgrade, undefined, `${way} ${header}`)
    })
})

test("headers of one connection stay on it, downwards, and the browser's stays open", async (t) => {
  const upstream = await recordingUpstream((_request, response) => {
    response.writeHead(200, {
      Connection: 'close, X-Secret',
      'X-Secret': 'of this connection',
      'Keep-Alive': 'timeout=1',
      'Proxy-Authenticate': 'Basic',
      'X-Kept': 'yes',
    })
    response.end('ok')
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { headers } = await call(gateway.url, '/api', { headers: { Connection: 'keep-alive' } })
  t.is(headers.connection, 'keep-alive')
  t.is(headers['x-kept'], 'yes')
  for (const name of ['x-secret', 'proxy-authenticate']) t.is(headers[name], undefined)
  t.not(headers['keep-alive'], 'timeout=1')
})
