import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { createRequestBody, type RequestBody } from '../../../src/gateway/forwarding/request-body.js'

const listeners = { onBytes() {}, onSent() {}, onTooLarge() {} }

/** What `use` makes of the body of a real request. */
async function bodyOf<Result>(content: string, use: (body: RequestBody) => Promise<Result>): Promise<Result> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sent = request({ port, host: '127.0.0.1', method: 'PUT' }).on('error', () => {})
  sent.end(content)
  const [incoming, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
  try {
    return await use(createRequestBody(incoming, response, {}))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('an attempt that connects after another has taken its place gets nothing of the body', async (t) => {
  await bodyOf('the body', async (body) => {
    const late = body.open(listeners)
    body.detach()
    const current = body.open(listeners)
    late.read(0)
    t.is(await text(current), 'the body')
    t.is(late.readableLength, 0)
  })
})

test('a body that was sent once is there for a second attempt', async (t) => {
  await bodyOf('the body', async (body) => {
    t.is(await text(body.open(listeners)), 'the body')
    t.true(body.isSent())
    body.detach()
    t.true(body.isReplayable())
    t.is(await text(body.open(listeners)), 'the body')
  })
})

test('a body that is kept no longer cannot be sent again', async (t) => {
  await bodyOf('the body', async (body) => {
    t.is(await text(body.open(listeners)), 'the body')
    body.settle()
    t.false(body.isReplayable())
  })
})
