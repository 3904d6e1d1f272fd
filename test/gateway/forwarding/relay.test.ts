import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import test from 'ava'
import { relay } from '../../../src/gateway/forwarding/relay.js'
import { call } from '../_client.js'

for (const [framing, head, written] of [
  ['with a length, as one text', ['Content-Length', '5'], 'one piece'],
  ['in chunks, as several pieces', [], 'several pieces'],
] as const)
  test(`a small answer leaves in one system call: ${framing}`, async (t) => {
    const writes: string[] = []
    const server = createServer((_request, response) => {
      if (response.socket !== null) watchWrites(response.socket, (what) => writes.push(what))
      relay(
        {
          status: 200,
          headers: {},
          rawHeaders: [],
          sendTo: (sink) => sink.end({}, Buffer.from('hello')),
          resume() {},
          skip() {},
        },
        response,
        [...head],
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const reply = await call(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), '/')
    t.is(reply.text, 'hello')
    t.deepEqual(writes, [written])
  })

/** A stream writes one piece by `_write`, and several at once by `_writev`. */
function watchWrites(socket: Socket, tell: (what: 'one piece' | 'several pieces') => void): void {
  const { _write: write, _writev: writev } = socket
  socket._write = (...given) => {
    tell('one piece')
    write.apply(socket, given)
  }
  socket._writev = (...given) => {
    tell('several pieces')
    writev?.apply(socket, given)
  }
}
