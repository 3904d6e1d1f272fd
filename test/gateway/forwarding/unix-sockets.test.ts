import { once } from 'node:events'
import { createServer } from 'node:https'
import { createServer as createSocketServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { createConnections, createUpstreamPool } from '../../../src/gateway/forwarding/upstream.js'
import { eventually } from '../../_eventually.js'
import { aFolder } from '../../config/_workspace.js'
import { selfSigned } from '../../http/_self-signed.js'
import { call } from '../_client.js'
import { aRoute, forwarding } from '../_forwarding.js'
import type { RecordingUpstream } from '../_upstream.js'
import { webSocketUpstream } from '../_web-socket-upstream.js'

const url = new URL('http://orders.internal/v1')

/** An API on a Unix socket, and what takes it away. */
async function onSocket(t: ExecutionContext, path: string): Promise<RecordingUpstream> {
  const upstream = await webSocketUpstream(undefined, undefined, url)
  const server = createSocketServer((socket) => upstream.server.emit('connection', socket)).listen(path)
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    server.close()
    await upstream.close()
  }
  t.teardown(close)
  return { ...upstream, close }
}

async function twoSockets(t: ExecutionContext) {
  const folder = await aFolder(t)
  const sockets = [join(folder, 'one.sock'), join(folder, 'two.sock')] as const
  return { sockets, apis: [await onSocket(t, sockets[0]), await onSocket(t, sockets[1])] as const }
}

test('calls go to the sockets in turn, with Host and proof of the one URL, and elsewhere when one is gone', async (t) => {
  const { sockets, apis } = await twoSockets(t)
  const gateway = await forwarding({ routes: [{ upstreams: [url], sockets }] })
  t.teardown(() => gateway.close())
  for (let count = 0; count < 4; count++) t.is((await call(gateway.url, '/api/1?a=b')).status, 200)
  t.deepEqual(
    apis.map(({ seen }) => seen.length),
    [2, 2],
  )
  for (const { seen } of apis)
    for (const one of seen) {
      t.is(one.url, '/v1/api/1?a=b')
      t.is(one.headers.host, 'orders.internal')
      t.truthy(one.proof)
    }
  await apis[0].close()
  for (let count = 0; count < 4; count++)
    t.is((await call(gateway.url, '/api', { method: 'PUT', body: 'x' })).status, 200)
  t.is(apis[1].seen.length, 6)
  await apis[1].close()
  t.is((await call(gateway.url, '/api')).status, 502)
  t.deepEqual(gateway.refusals, ['bff.upstream.unreachable'])
})

test('a WebSocket goes by the socket, with a proof on the upgrade', async (t) => {
  const path = join(await aFolder(t), 'api.sock')
  const { seen } = await onSocket(t, path)
  const gateway = await forwarding({ routes: [{ upstreams: [url], sockets: [path] }] })
  t.teardown(() => gateway.close())
  const socket = new WebSocket(`ws://${gateway.url.host}/api/news`)
  await once(socket, 'open')
  socket.send('hello')
  const [data] = (await once(socket, 'message')) as [Buffer]
  t.is(data.toString(), 'hello')
  socket.close()
  t.like(seen[0], { url: '/v1/api/news', headers: { host: 'orders.internal' } })
  t.truthy(seen[0]?.proof)
})

test('each socket has a health check of its own, and its own name', async (t) => {
  const { sockets, apis } = await twoSockets(t)
  const connections = createConnections()
  const healthCheck = { path: '/healthz', interval: 0.02 }
  const pool = createUpstreamPool(aRoute({ upstreams: [url], sockets, healthCheck }), connections)
  t.teardown(() => {
    pool.close()
    connections.close()
  })
  await pool.warm()
  for (const { seen } of apis) t.like(seen[0], { url: '/v1/healthz' })
  await apis[0].close()
  await eventually(() => pool.state()[0]?.healthy === false)
  t.like(pool.state(), [
    { url: `unix:${sockets[0]}`, healthy: false },
    { url: `unix:${sockets[1]}`, healthy: true },
  ])
})

test('TLS is spoken where the URL is https, and the certificate has to be for its host', async (t) => {
  const folder = await aFolder(t)
  const path = join(folder, 'tls.sock')
  const certificate = await selfSigned(['orders.internal'])
  const server = createServer(certificate, (request, response) => response.end(request.headers.host)).listen(path)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const tls = { ca: certificate.cert }
  const gateway = await forwarding({
    routes: [
      { path: '/named', upstreams: [new URL('https://orders.internal')], sockets: [path], tls },
      { path: '/other', upstreams: [new URL('https://other.internal')], sockets: [path], tls },
    ],
  })
  t.teardown(() => gateway.close())
  const { status, text } = await call(gateway.url, '/named')
  t.deepEqual([status, text], [200, 'orders.internal'])
  t.is((await call(gateway.url, '/other')).status, 502)
})
