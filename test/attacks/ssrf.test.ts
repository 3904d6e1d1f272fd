import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { recordingUpstream } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, everyWay, passed } from './_gate.js'

/** Somewhere nobody should ever be led to. */
async function aTrap(t: ExecutionContext): Promise<{ readonly place: string; fell(): number }> {
  let fell = 0
  const server = createServer((socket) => {
    fell++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { place: `127.0.0.1:${(server.address() as AddressInfo).port}`, fell: () => fell }
}

for (const stripPath of [false, true])
  for (const base of ['', '/v1'])
    test(`whatever the target, only the configured origin and its base path are called: base "${base}", StripPath ${stripPath} (CVE-2021-21322)`, async (t) => {
      const trap = await aTrap(t)
      const upstream = await webSocketUpstream()
      const upstreams = [new URL(base === '' ? '/' : base, upstream.url)]
      const gate = await aGate(t, { upstream, frontends: [{ routes: [{ upstreams, stripPath, tokenType: 'None' }] }] })
      const evil = trap.place
      for (const target of [
        `/api/http://${evil}/`,
        `/api/http:/${evil}/`,
        `/api//${evil}/`,
        `/api///${evil}/`,
        `/api/\\\\${evil}/`,
        `/api/%5c%5c${evil}/`,
        `/api/%2f%2f${evil}/`,
        `/api@${evil}/`,
        `/api/@${evil}/`,
        `/api:80@${evil}/`,
        `/api/..;/..;/${evil}`,
        `/api/%2e%2e/%2e%2e/`,
        `/api/..%2f..%2f`,
        `/api?@${evil}/`,
        `/api?http://${evil}/`,
        `/api/#@${evil}/`,
        `/api/%09//${evil}/`,
        `/api/%00@${evil}/`,
        `//${evil}/api`,
        `http://${evil}/api`,
        `http://shop.example@${evil}/api`,
        `http://shop.example:80\\@${evil}/api`,
        `${evil}/api`,
      ])
        await everyWay(gate, { target }, ({ way, status, seen }) => {
          t.true([400, 404, passed(way)].includes(status), `${way} ${target}: ${status}`)
          t.is(seen.length, status === passed(way) ? 1 : 0, `${way} ${target}`)
          for (const { url, headers } of seen) {
            t.true(url.startsWith(`${base}${stripPath ? '' : '/api'}`), `${way} ${target}: ${url}`)
            t.notRegex(url, /^\/\/|\/\.\.|\\/, `${way} ${target}: ${url}`)
            t.is(headers.host, upstream.url.host)
          }
        })
      t.is(trap.fell(), 0)
    })

test('no header leads anywhere else', async (t) => {
  const trap = await aTrap(t)
  const gate = await aGate(t, { frontends: [{ routes: [{ tokenType: 'None' }] }] })
  const headers = [
    'X-Forwarded-Host',
    'X-Forwarded-Server',
    'X-Host',
    'X-Original-URL',
    'X-Upstream',
    'X-Backend',
    'Destination',
    'Referer',
    'Proxy-Host',
  ].map((name) => `${name}: ${trap.place}`)
  await everyWay(gate, { headers }, ({ way, status, seen }) => {
    t.is(status, passed(way), way)
    t.is(seen[0]?.headers.host, gate.upstream.url.host, way)
  })
  t.is(trap.fell(), 0)
})

test('a redirect of the upstream is for the browser to follow, not for us', async (t) => {
  const trap = await aTrap(t)
  const upstream = await recordingUpstream((_request, response) =>
    response.writeHead(307, { Location: `http://${trap.place}/` }).end(),
  )
  const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [upstream.url] }] }] })
  t.teardown(upstream.close)
  const { cookie } = await gate.plant()
  await everyWay(gate, { cookie }, ({ way, status, answer }) => {
    if (way === 'an upgrade') return
    t.is(status, 307, way)
    t.true(answer.includes(`http://${trap.place}/`))
  })
  t.is(trap.fell(), 0)
})
