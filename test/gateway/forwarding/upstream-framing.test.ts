import test from 'ava'
import { eventually } from '../../_eventually.js'
import { call, rawCall } from '../_client.js'
import { forwarding } from '../_forwarding.js'
import { listening } from '../_upstream.js'

const ok = 'Content-Length: 2\r\n\r\nok'

for (const [name, bytes, end, status, body] of [
  ['until the end of the connection', 'HTTP/1.1 200 OK\r\n\r\nto the end', 'end', 200, 'to the end'],
  ['nothing until the end', 'HTTP/1.1 200 OK\r\n\r\n', 'end', 200, ''],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nold', 'end', 200, 'old'],
  ['of HTTP/1.0 with a length', `HTTP/1.0 200 OK\r\n${ok}`, 'stay', 200, 'ok'],
  ['that closes', `HTTP/1.1 200 OK\r\nConnection: close\r\n${ok}`, 'end', 200, 'ok'],
  [
    'in chunks with extensions',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0;c\r\n\r\n',
    'stay',
    200,
    'ok',
  ],
  [
    'in chunks in upper case',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n',
    'stay',
    200,
    '0123456789',
  ],
  ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', 'stay', 204, ''],
  [
    'not modified, with the length of what has not changed',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n',
    'stay',
    304,
    '',
  ],
  ['after hints', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n${ok}`, 'stay', 200, 'ok'],
  [
    'after two interim ones',
    `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n${ok}`,
    'stay',
    200,
    'ok',
  ],
  ['without a reason', `HTTP/1.1 200 \r\n${ok}`, 'stay', 200, 'ok'],
  ['with a status of its own', `HTTP/1.1 299 Odd\r\n${ok}`, 'stay', 299, 'ok'],
  ['with a status beyond the known classes', `HTTP/1.1 599 Odd\r\n${ok}`, 'stay', 599, 'ok'],
  ['with an empty header', `HTTP/1.1 200 OK\r\nX-A:\r\n${ok}`, 'stay', 200, 'ok'],
] as const)
  test(`an answer that is framed in its own way arrives as it was meant: ${name}`, async (t) => {
    const upstream = await listening(({ socket }) => {
      socket.write(bytes, 'latin1', () => end === 'end' && socket.end())
    })
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    for (const options of [{}, { method: 'POST', body: 'x' }, {}]) {
      const reply = await call(gateway.url, '/api', options)
      t.is(reply.status, status)
      t.is(reply.text, body)
    }
    t.deepEqual(gateway.refusals, [])
  })

test('an answer in pieces of one byte is the same', async (t) => {
  const bytes = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  const upstream = await listening(({ socket }) => {
    socket.setNoDelay()
    const next = (at: number): void => {
      if (at < bytes.length) socket.write(bytes.charAt(at), () => setImmediate(next, at + 1))
    }
    next(0)
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const reply = await call(gateway.url, '/api')
  t.is(reply.text, 'abcde')
  t.is(reply.headers['x-a'], 'b')
})

test('bytes beyond ASCII and repeated headers pass as they are', async (t) => {
  const upstream = await listening(({ socket }) =>
    socket.write(
      `HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nX-Utf: caf\xc3\xa9\r\nLink: <a>\r\nLink: <b>\r\n${ok}`,
      'latin1',
    ),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const answer = await rawCall(gateway.url, 'GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.regex(answer, /^x-name: caf\xe9\r$/im)
  t.regex(answer, /^x-utf: caf\xc3\xa9\r$/im)
  t.deepEqual(answer.match(/^link: .*(?=\r)/gim), ['Link: <a>', 'Link: <b>'])
})

for (const framing of ['with a length', 'in chunks'])
  test(`each byte of a body arrives as it was, be it short or a little longer: ${framing}`, async (t) => {
    const upstream = await listening((incoming, response) => {
      const body = bytesUpTo(Number(incoming.url?.split('/').at(-1)))
      response.writeHead(200, framing === 'in chunks' ? {} : { 'Content-Length': body.length })
      response.end(body)
    })
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    for (const length of [0, 1, 256, 8191, 8192, 8193, 20_000]) {
      const reply = await call(gateway.url, `/api/${length}`)
      t.true(reply.text === bytesUpTo(length).toString('latin1'), `${length} bytes`)
      t.is(reply.headers['content-length'], framing === 'in chunks' ? undefined : String(length))
    }
  })

function bytesUpTo(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => index))
}

test('a HEAD has no body, whatever the upstream sends behind its head', async (t) => {
  const upstream = await listening(({ socket }) => socket.write(`HTTP/1.1 200 OK\r\n${ok}`))
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (let round = 0; round < 5; round++) {
    const reply = await call(gateway.url, '/api', { method: 'HEAD' })
    t.true([200, 502].includes(reply.status))
    t.is(reply.text, '')
  }
})

test('an upstream that goes on sending to nobody is let go', async (t) => {
  const upstream = await listening(({ socket }) => {
    const pump = (): void => {
      while (socket.writable && socket.write('x'.repeat(65_536)));
    }
    socket.write(`HTTP/1.1 200 OK\r\n${ok}`)
    socket.on('drain', pump)
    pump()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  t.true(['ok', ''].includes((await call(gateway.url, '/api')).text.replace(/^\{.*/, '')))
  await eventually(() => upstream.sockets() === 0)
})
