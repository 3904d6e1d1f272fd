import test from 'ava'
import { rawCall } from '../gateway/_client.js'
import { navigation } from '../gateway/_planted.js'
import { listening } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, everyWay, passed } from './_gate.js'
import { answered } from './_ways.js'

/** Lines an upstream may send so that a lenient relay makes two of one. */
const lines = [
  ['a bare carriage return', 'X-A: b\rSet-Cookie: evil=1'],
  ['a bare line feed', 'X-A: b\nSet-Cookie: evil=1'],
  ['a folded line', 'X-A: b\r\n Set-Cookie: evil=1'],
  ['a zero', 'X-A: b\0Set-Cookie: evil=1'],
  ['a next line in Latin-1', 'X-A: b\x85Set-Cookie: evil=1'],
  ['a letter that loses its high byte', 'X-A: b\u010d\u010aSet-Cookie: evil=1'],
  ['a space in a name', 'X-A : b'],
  ['a name that holds a line', 'X-A\rSet-Cookie: evil=1'],
  ['no name', ': evil=1'],
  ['no colon', 'Set-Cookie evil=1'],
  ['an escaped line in Location', 'Location: /x%0d%0aSet-Cookie:%20evil=1'],
] as const
const cookieLine = /^set-cookie:\s*evil/im

for (const [name, line] of lines)
  for (const status of ['200 OK', '302 Found', '101 Switching Protocols'])
    test(`an upstream's header does not become two: ${name}, ${status.slice(0, 3)}`, async (t) => {
      const upstream = await webSocketUpstream()
      const joins = status.startsWith('101') ? 'Upgrade: websocket\r\nConnection: Upgrade\r\n' : 'Content-Length: 0\r\n'
      const bytes = Buffer.from(
        `HTTP/1.1 ${status}\r\n${joins}${line}\r\n\r\n`,
        name.includes('high') ? 'utf8' : 'latin1',
      )
      upstream.server
        .removeAllListeners('request')
        .removeAllListeners('upgrade')
        .on('request', ({ socket }) => socket.end(bytes))
        .on('upgrade', (_request, socket) => socket.on('error', () => {}).end(bytes))
      const gate = await aGate(t, { upstream })
      const { cookie } = await gate.plant()
      await everyWay(gate, { cookie }, ({ way, status: received, answer }) => {
        const [head = ''] = answer.replace(/^HTTP\/1\.1 100[\s\S]*?\r\n\r\n/, '').split('\r\n\r\n')
        t.notRegex(head.replaceAll('\r', '\n'), cookieLine, way)
        t.notRegex(head.replaceAll('\r\n', ''), /[\0\r\n]/, way)
        t.true([502, Number(status.slice(0, 3))].includes(received), `${way} ${received}`)
      })
    })

test('a reason phrase of the upstream is not repeated', async (t) => {
  const upstream = await webSocketUpstream()
  upstream.server
    .removeAllListeners('request')
    .on('request', ({ socket }) => socket.end('HTTP/1.1 200 <b>evil\r\nContent-Length: 2\r\n\r\nok'))
  const gate = await aGate(t, { upstream })
  const { cookie } = await gate.plant()
  await everyWay(gate, { cookie }, ({ way, answer }) => {
    if (way !== 'an upgrade') t.regex(answer, /^HTTP\/1\.1 200 OK\r\n/m)
  })
})

test('one answer is one: what an upstream sends behind it reaches nobody', async (t) => {
  let count = 0
  const upstream = await listening(({ socket }) => {
    count++
    const body = `own ${count}`
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}HTTP/1.1 200 OK\r\nSet-Cookie: evil=1\r\nContent-Length: 5\r\n\r\nstray`,
    )
  })
  const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [upstream.url], tokenType: 'None' }] }] })
  t.teardown(upstream.close)
  const request = 'GET /api HTTP/1.1\r\nHost: shop.example\r\nX-CSRF: 1\r\n\r\n'
  const bodies: (string | undefined)[] = []
  for (let round = 0; round < 20; round++) {
    const answer = await rawCall(gate.url, request, answered)
    t.false(answer.includes('stray'))
    t.notRegex(answer, cookieLine)
    t.regex(answer, /^HTTP\/1\.1 (200|502) /)
    if (answer.startsWith('HTTP/1.1 200')) bodies.push(/own \d+$/.exec(answer)?.[0])
  }
  t.is(new Set(bodies).size, bodies.length, 'nobody got the answer of another')
  t.false(bodies.includes(undefined))
})

test('a line break in what a browser asks for becomes none in what it gets, nor in what the upstream gets', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes: [{ tokenType: 'None' }] }] })
  const evil = '%0d%0aSet-Cookie:%20evil=1'
  for (const target of [
    `/bff/login?returnUrl=/${evil}`,
    `/bff/login?login_hint=${evil}&ui_locales=${evil}`,
    `/bff/callback?code=${evil}&state=${evil}&iss=${evil}`,
    `/bff/callback?error=${evil}&error_description=${evil}`,
    `/bff/logout?sid=${evil}`,
    `/api/${evil}`,
    `/api?x=${evil}`,
    `/${evil}`,
  ]) {
    const headers = Object.entries(navigation).map(([name, value]) => `${name}: ${value}`)
    await everyWay(gate, { target, headers }, ({ way, answer }) => t.notRegex(answer, cookieLine, `${way} ${target}`))
  }
  for (const value of ['b\rX-Evil: 1', 'b\nX-Evil: 1', 'b\0X-Evil: 1', 'b\r\n X-Evil: 1'])
    await everyWay(gate, { headers: [`X-A: ${value}`] }, ({ way, status, seen }) => {
      t.is(status, 400, way)
      t.deepEqual(seen, [])
    })
  await everyWay(gate, { headers: ['X-A: b\x85X-Evil: 1'] }, ({ way, status, seen }) => {
    t.true([400, passed(way)].includes(status))
    t.is(seen[0]?.headers['x-evil'], undefined, way)
  })
})
