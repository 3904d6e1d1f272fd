import test from 'ava'
import { call } from '../gateway/_client.js'
import { forwarding } from '../gateway/_forwarding.js'
import { listening, recordingUpstream } from '../gateway/_upstream.js'
import { eachWay } from './_ways.js'

test('an announcement of trailers that never come does not end the process (http-proxy issue 1647)', async (t) => {
  await eachWay(t, { headers: ['Trailer: X-Checksum'] }, ({ way, seen, answer }) => {
    t.is(seen?.headers.trailer, undefined, way)
    t.regex(answer, /^HTTP\/1\.1 (?:1|2)0[01] /, way)
  })
})

test('nor does one by the upstream, beside a length', async (t) => {
  const upstream = await listening((request) =>
    request.socket.write('HTTP/1.1 200 OK\r\nTrailer: X-Checksum\r\nContent-Length: 2\r\n\r\nok'),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { status, headers, text } = await call(gateway.url, '/api')
  t.is(status, 200)
  t.is(headers.trailer, undefined)
  t.is(text, 'ok')
})

test('trailers that an upstream delivers arrive, but for those that would be headers of weight', async (t) => {
  const upstream = await recordingUpstream((_request, response) => {
    response.writeHead(200, { Trailer: 'X-Checksum, Set-Cookie, Content-Length', 'Transfer-Encoding': 'chunked' })
    response.write('ok')
    response.addTrailers({ 'X-Checksum': 'abc', 'Set-Cookie': '__Host-Http-bff-shop=evil', 'X-Unannounced': '1' })
    response.end()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { headers, trailers, text } = await call(gateway.url, '/api')
  t.is(text, 'ok')
  t.is(headers.trailer, 'x-checksum')
  t.deepEqual({ ...trailers }, { 'x-checksum': 'abc' })
})
