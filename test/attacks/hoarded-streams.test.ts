import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { eventually } from '../_eventually.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, type Gate, publicOrigin } from './_gate.js'

/** WebSockets and event streams stay open: a session, or an address, has so many of both together. */
async function theGate(t: ExecutionContext, limits: { perSession?: number; perAddress?: number }): Promise<Gate> {
  const upstream = await webSocketUpstream()
  upstream.server.removeAllListeners('request').on('request', (_incoming, response) => {
    response.setHeader('Content-Type', 'text/event-stream')
    response.write('data: 1\n\n')
  })
  return aGate(t, { upstream, gateway: { streamLimits: limits } })
}

async function socketOf({ url }: Gate, cookie: string): Promise<WebSocket | number> {
  const socket = new WebSocket(`ws://${url.host}/api/socket`, { headers: { Origin: publicOrigin, Cookie: cookie } })
  return new Promise((resolve) => {
    socket
      .on('error', () => {})
      .once('open', () => resolve(socket))
      .once('unexpected-response', (_request, response: IncomingMessage) => {
        let text = ''
        response
          .on('data', (chunk) => (text += chunk))
          .on('end', () => resolve(text.includes('"bff.streams.too_many"') ? (response.statusCode ?? 0) : 0))
      })
  })
}

async function streamOf({ url }: Gate, cookie: string): Promise<IncomingMessage> {
  const headers = { Cookie: cookie, 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' }
  const sent = request(new URL('/api/events', url), { agent: false, headers }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response.on('error', () => {})
}

test('a session has so many sockets and streams, another one has its own, and one that closes makes room', async (t) => {
  const gate = await theGate(t, { perSession: 2 })
  const [mine, theirs] = [await gate.plant(), await gate.plant()]
  const socket = await socketOf(gate, mine.cookie)
  const stream = await streamOf(gate, mine.cookie)
  t.is(stream.statusCode, 200)
  t.is(await socketOf(gate, mine.cookie), 429)
  const refused = await streamOf(gate, mine.cookie)
  t.is(refused.statusCode, 429)
  refused.resume()
  const other = await socketOf(gate, theirs.cookie)
  t.true(other instanceof WebSocket)
  if (socket instanceof WebSocket) socket.terminate()
  await eventually(() => gate.upstream.webSockets.clients.size === 1)
  let again: WebSocket | number = 429
  while (again === 429) again = await socketOf(gate, mine.cookie)
  t.true(again instanceof WebSocket)
  for (const open of [other, again]) if (open instanceof WebSocket) open.terminate()
  stream.destroy()
})

test('an address has so many, with as many sessions as it likes', async (t) => {
  const gate = await theGate(t, { perAddress: 3 })
  const open: (WebSocket | number)[] = []
  for (let index = 0; index < 5; index++) open.push(await socketOf(gate, (await gate.plant()).cookie))
  t.deepEqual(open.slice(3), [429, 429])
  t.is(gate.upstream.webSockets.clients.size, 3)
  for (const socket of open) if (socket instanceof WebSocket) socket.terminate()
})
