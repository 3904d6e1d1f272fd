import { once } from 'node:events'
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { eventually } from '../_eventually.js'
import { type Configuration, startStack } from '../flows/_stack.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { startRedis } from '../store/_redis.js'

interface Answer {
  readonly response: IncomingMessage
  readonly whole: Promise<string>
}

/** An answer that has begun. */
async function begun(url: URL, host: string, agent: Agent | false = false): Promise<Answer> {
  const sent = request(url, { agent, headers: { Host: host, 'X-CSRF': '1' } }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const whole = new Promise<string>((resolve, reject) => {
    let text = ''
    response
      .setEncoding('latin1')
      .on('data', (chunk: string) => {
        text += chunk
      })
      .on('end', () => resolve(text))
      .on('error', reject)
  })
  return { response, whole }
}

/** Two seconds without an answer are none: between workers a connection can fall into the gap in which all stop. */
const statusOf = async (url: URL): Promise<number | string> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    async (answer) => {
      await answer.body?.cancel()
      return answer.status
    },
    (error: Error & { readonly cause?: NodeJS.ErrnoException }) => error.cause?.code ?? 'broken off',
  )

/** SIGTERM with all kinds of things under way, to a program of one process or of several. */
async function drains(t: ExecutionContext, configure: (configuration: Configuration) => void): Promise<void> {
  const held: ServerResponse[] = []
  const upstream = await webSocketUpstream()
  upstream.server.removeAllListeners('request').on('request', (incoming, response) => {
    if (incoming.url === '/slow/events') response.setHeader('Content-Type', 'text/event-stream')
    else held.push(response)
    if (incoming.url === '/slow/short') response.end('all')
    else response.write('first ')
  })
  t.teardown(upstream.close)
  const stack = await startStack({
    configure(configuration) {
      configuration.Bff.Frontends[0].Routes.push({
        Path: '/slow',
        Upstreams: [upstream.url.origin],
        TokenType: 'None',
      })
      configure(configuration)
    },
  })
  t.teardown(stack.stop)
  const { gateway, admin } = stack
  const at = (path: string): URL => new URL(path, `http://127.0.0.1:${gateway.port}`)
  const readiness = new URL('/readyz', admin)

  t.is(await statusOf(readiness), 200)
  const requests = await Promise.all(Array.from({ length: 12 }, () => begun(at('/slow/request'), gateway.host)))
  const events = await begun(at('/slow/events'), gateway.host)
  const sockets = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const socket = new WebSocket(at('/slow/socket'), { headers: { Host: gateway.host, Origin: gateway.origin } })
      await once(socket, 'open')
      return socket
    }),
  )
  const agent = new Agent({ keepAlive: true })
  t.is(await (await begun(at('/slow/short'), gateway.host, agent)).whole, 'all')

  let hasExited = false
  const closed = Promise.all(sockets.map((socket) => once(socket, 'close') as Promise<[number, Buffer]>))
  const stopped = stack.stop().then((code) => {
    hasExited = true
    return code
  })
  // From the first moment that it takes no connections it has not been ready either.
  let isReady: number | string = 200
  let isTaking = true
  while (isTaking) {
    const [front, readyBefore] = [await statusOf(at('/slow/short')), isReady]
    isReady = await statusOf(readiness)
    isTaking = typeof front === 'number'
    if (!isTaking) t.true(readyBefore === 503 || isReady === 503, `${readyBefore} ${isReady}`)
  }
  t.is(isReady, 503)
  t.is(await statusOf(new URL('/healthz', admin)), 200)

  for (const [code, reason] of await closed) t.deepEqual([code, String(reason)], [1001, 'going away'])
  t.is(await events.whole, 'first ', 'an event stream is ended, not broken off')
  t.false(hasExited, 'requests are waited for')
  t.is(await statusOf(readiness), 503)
  for (const response of held) if (!response.writableEnded) response.end('last')
  for (const { whole } of requests) t.is(await whole, 'first last')
  t.is(await stopped, 0)
  agent.destroy()
  await eventually(() => upstream.sockets() === 0)
  t.is(await statusOf(readiness), 'ECONNREFUSED')
}

const redis = await startRedis()

test.serial(
  'SIGTERM: not ready first, then no new connections; sockets and streams are told, requests finish',
  async (t) => {
    t.timeout(60_000)
    await drains(t, () => {})
  },
)

if (redis === undefined) test.skip('the same with two workers: no redis-server is installed', () => {})
else
  test.serial('the same with two workers', async (t) => {
    t.timeout(60_000)
    t.teardown(redis.stop)
    await drains(t, (configuration) => {
      configuration.Server.Workers = 2
      configuration.Store = { Redis: { Url: redis.url } }
      configuration.Bff.SealingKeys = [Buffer.alloc(32, 1).toString('base64url')]
    })
  })
