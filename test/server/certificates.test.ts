import { once } from 'node:events'
import { Agent, get } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import test from 'ava'
import { listen } from '../../src/server/listener.js'
import { type Certificate, selfSigned } from '../http/_self-signed.js'

const asBytes = ({ cert, key }: Certificate) => ({ cert: Buffer.from(cert), key: Buffer.from(key) })

async function connected(port: number, servername?: string): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...(servername && { servername }) })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

/** The names of the certificate that a client sees. */
async function seen(port: number, servername?: string): Promise<string | undefined> {
  const socket = await connected(port, servername)
  const { subjectaltname } = socket.getPeerCertificate()
  socket.destroy()
  return subjectaltname
}

test('the host that a browser asks for chooses the certificate; the first one is for all others', async (t) => {
  const [a, b, wild] = await Promise.all([
    selfSigned(['a.example']),
    selfSigned(['b.example']),
    selfSigned(['*.c.example']),
  ])
  const listener = await listen({
    pointer: '/Server/Listen',
    address: { host: '127.0.0.1', port: 0 },
    tls: [a, b, wild].map(asBytes),
    onRequest: (_, response) => void response.end('ok'),
  })
  t.teardown(() => listener.drain(0))
  const port = Number(new URL(listener.url).port)
  t.is(await seen(port, 'a.example'), 'DNS:a.example')
  t.is(await seen(port, 'B.example'), 'DNS:b.example')
  t.is(await seen(port, 'x.c.example'), 'DNS:*.c.example')
  t.is(await seen(port, 'y.x.c.example'), 'DNS:a.example')
  t.is(await seen(port, 'unknown.example'), 'DNS:a.example')
  t.is(await seen(port), 'DNS:a.example')
})

for (const [what, others] of [
  ['one certificate', []],
  ['several certificates', ['other.example']],
] as const)
  test(`${what} replaced under load: the next handshake has the new one, no connection is lost`, async (t) => {
    const rest = await Promise.all(others.map((host) => selfSigned([host])))
    const [before, after] = await Promise.all([
      selfSigned(['a.example', 'old.example']),
      selfSigned(['a.example', 'new.example']),
    ])
    const listener = await listen({
      pointer: '/Server/Listen',
      address: { host: '127.0.0.1', port: 0 },
      tls: [before, ...rest].map(asBytes),
      onRequest: (_, response) => void response.end('ok'),
    })
    t.teardown(() => listener.drain(0))
    const port = Number(new URL(listener.url).port)
    const agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false, servername: 'a.example' })
    t.teardown(() => agent.destroy())
    const failures: unknown[] = []
    let answered = 0
    let isOver = false
    const call = async (): Promise<void> => {
      while (!isOver)
        await new Promise<void>((resolve) => {
          get({ port, host: '127.0.0.1', agent }, (response) => {
            answered += 1
            response
              .resume()
              .on('end', resolve)
              .on('error', (error) => failures.push(error))
          }).on('error', (error) => {
            failures.push(error)
            resolve()
          })
        })
    }
    const load = Promise.all(Array.from({ length: 8 }, call))
    const stays = await connected(port, 'a.example')
    for (let round = 0; round < 20; round++) {
      listener.secure([round % 2 === 0 ? after : before, ...rest].map(asBytes))
      const now = await seen(port, 'a.example')
      t.is(now, round % 2 === 0 ? 'DNS:a.example, DNS:new.example' : 'DNS:a.example, DNS:old.example')
      t.is(await seen(port), now, 'without a name')
    }
    t.throws(() => listener.secure([{ cert: Buffer.from('no'), key: Buffer.from('no') }]))
    t.is(await seen(port, 'a.example'), 'DNS:a.example, DNS:old.example', 'a bad one changes nothing')
    stays.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    t.regex(String((await once(stays, 'data'))[0]), /^HTTP\/1\.1 200/)
    stays.destroy()
    isOver = true
    await load
    t.deepEqual(failures, [])
    t.true(answered > 20)
  })
