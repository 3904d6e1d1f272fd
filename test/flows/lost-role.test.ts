import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import type { GatewayOptions } from '../../src/gateway/options.js'
import type { AccessRule } from '../../src/gateway/route-options.js'
import { eventually } from '../_eventually.js'
import { aClock } from '../gateway/_clock.js'
import { watchEvents } from '../gateway/_events.js'
import { aFrontend, aRoute, gatewayOptions, listen, serveGateway } from '../gateway/_gateway.js'
import { recordingUpstream } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { type RoleServer, roleServers, scopesWithRoles } from './_role-servers.js'
import { createUserAgent } from './_user-agent.js'

const access: readonly AccessRule[] = [{ claim: 'roles', anyOf: ['staff'] }]

/** Two replicas on one store, with an API behind them that keeps streams and sockets open. */
async function aCompany(t: ExecutionContext, start: (url: string) => Promise<RoleServer>) {
  const [time, api, one, two] = [aClock(), await webSocketUpstream(), await listen(), await listen()]
  const events = await recordingUpstream((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: first\n\n')
  })
  const server = await start(one.url)
  server.roles.set('alice', ['staff'])
  const upstreams = [api.url]
  const frontend = aFrontend({
    publicUrl: new URL(one.url),
    authority: server.issuer,
    scopes: scopesWithRoles,
    routes: [
      aRoute({ upstreams }),
      aRoute({ upstreams, path: '/admin', access }),
      aRoute({ upstreams: [events.url], path: '/admin/events', access }),
    ],
  })
  const options: GatewayOptions = gatewayOptions([frontend], { now: time.now })
  const gateways = [await serveGateway(one, options), await serveGateway(two, options)]
  t.teardown(async () => {
    await Promise.all([one.close(), two.close()])
    await Promise.all([...gateways.map((gateway) => gateway.close()), server.close(), api.close(), events.close()])
  })
  const browser = createUserAgent()
  await server.logIn(browser)
  const replicas = [one.url, two.url] as const
  const call = async (origin: string, path: string) => (await browser.call(`${origin}${path}`)).status
  const cookie = () => [...browser.cookies(one.url)].map(([name, value]) => `${name}=${value}`).join('; ')
  const socket = async (origin: string, path: string) => {
    const opened = new WebSocket(origin.replace('http', 'ws') + path, {
      origin: one.url,
      headers: { cookie: cookie() },
    })
    opened.on('error', () => undefined)
    const closed = once(opened, 'close').then(([code]) => [code as number, performance.now()] as const)
    await once(opened, 'open')
    return { opened, closed }
  }
  return { time, server, replicas, call, cookie, socket }
}

for (const [name, start] of roleServers) {
  test.serial(
    `${name}: who loses the role is out within one refresh, on both replicas, with open sockets and streams`,
    async (t) => {
      const { time, server, replicas, call, socket, cookie } = await aCompany(t, start)
      for (const replica of replicas)
        t.deepEqual([await call(replica, '/admin/x'), await call(replica, '/api/x')], [200, 200])
      const streams = await Promise.all(
        replicas.map(async (origin) => {
          const headers = { cookie: cookie(), 'x-csrf': '1', 'sec-fetch-site': 'same-origin' }
          const sent = request(`${origin}/admin/events/x`, { headers, agent: false }).end()
          const [response] = (await once(sent, 'response')) as [IncomingMessage]
          await once(response, 'data')
          const closed = once(response.on('error', () => undefined).resume(), 'close').then(() => performance.now())
          return { closed }
        }),
      )
      const guarded = await Promise.all(replicas.map((replica) => socket(replica, '/admin/socket')))
      const others = await Promise.all(replicas.map((replica) => socket(replica, '/api/socket')))
      server.roles.set('alice', ['guest'])
      time.advance(250)
      const started = performance.now()
      t.is(await call(replicas[0], '/admin/x'), 403)
      for (const replica of replicas) t.is(await call(replica, '/admin/x'), 403)
      for (const { closed } of guarded) {
        const [code, at] = await closed
        t.is(code, 4403)
        t.true(at - started < 5000, `${at - started} ms`)
      }
      for (const { closed } of streams) t.true((await closed) - started < 5000)
      for (const { opened } of others) {
        t.is(opened.readyState, WebSocket.OPEN, 'what needs no role stays')
        opened.terminate()
      }
    },
  )

  test.serial(`${name}: a socket alone, without any call, ends too when the role is gone`, async (t) => {
    const events = watchEvents(t)
    const { time, server, replicas, socket } = await aCompany(t, start)
    const { closed, opened } = await socket(replicas[1], '/admin/socket')
    time.advance(250)
    await eventually(() => events.some(({ type }) => type === 'gateway.session.refreshed'))
    t.is(opened.readyState, WebSocket.OPEN, 'a refresh alone ends nothing')
    server.roles.delete('alice')
    time.advance(250)
    t.is((await closed)[0], 4403)
  })
}
