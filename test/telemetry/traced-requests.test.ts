import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as api from '@opentelemetry/api'
import test from 'ava'
import { withItsTrace } from '../../src/telemetry/traced-requests.js'
import { beginWhole, traceWith } from '../../src/telemetry/tracing.js'

test('what answers a browser that has gone does not stay in a context of traces', async (t) => {
  let inside = 0
  const contexts = {
    enter: (_context: api.Context, run: () => unknown) => {
      inside++
      return run()
    },
    leave: () => void inside--,
  }
  const tracer = api.trace.getTracer('none')
  traceWith({ api, tracer, contexts: contexts as never })
  t.teardown(() => traceWith(undefined))
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const arrived = async (): Promise<readonly [IncomingMessage, ServerResponse]> => {
    send({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
      .on('error', () => {})
      .end()
    const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
    beginWhole(request, { traceId: '', span: undefined, trace: api.ROOT_CONTEXT })
    return [request, response]
  }
  const [stays, answer] = await arrived()
  withItsTrace(stays, answer, () => t.is(inside, 1))
  answer.end()
  await once(answer, 'close')
  t.is(inside, 0)
  const [gone, unanswered] = await arrived()
  gone.socket.destroy()
  await once(unanswered, 'close')
  t.is(
    withItsTrace(gone, unanswered, () => 'told'),
    'told',
  )
  t.is(inside, 0)
})
