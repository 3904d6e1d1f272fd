import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import test from 'ava'
import { responseHeaders } from '../../../src/gateway/forwarding/response-headers.js'
import type { UpstreamResponse } from '../../../src/gateway/forwarding/upstream-response.js'

const nobody = { sendTo() {}, resume() {}, skip() {} }

const asItIs = (value: string): string => value

function sentOn(upstream: Pick<UpstreamResponse, 'headers' | 'rawHeaders'>): readonly string[] {
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  const facts = { requestId: 'r1', personal: true, publicLocation: asItIs, publicCookie: asItIs }
  return responseHeaders({ status: 200, ...upstream, ...nobody }, response, facts)
}

test('a length beside chunks, should a lenient parser ever let both through, is not sent on (RFC 9112 §6.3)', (t) => {
  const headers = { 'content-length': '4', 'transfer-encoding': 'chunked' }
  const rawHeaders = ['Content-Length', '4', 'Transfer-Encoding', 'chunked']

  const names = sentOn({ headers, rawHeaders }).filter((_, index) => index % 2 === 0)

  t.deepEqual(names, ['Cache-Control', 'Cross-Origin-Resource-Policy', 'X-Content-Type-Options', 'X-Request-Id'])
})

test('a length by itself is', (t) => {
  t.deepEqual(sentOn({ headers: { 'content-length': '4' }, rawHeaders: ['Content-Length', '4'] }).slice(0, 2), [
    'Content-Length',
    '4',
  ])
})
