import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Agent, fetch as fetchWithCertificate } from 'undici'
import { WebSocket } from 'ws'
import { startProgram } from '../flows/_program.js'
import { freePorts } from '../flows/_stack.js'
import { createUserAgent, type UserAgent } from '../flows/_user-agent.js'
import { clientJwk, clientPublicJwk } from '../gateway/_gateway.js'
import { logIn, startProvider } from '../gateway/_provider.js'
import type { Seen } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { selfSigned } from '../http/_self-signed.js'
import { startRedis } from '../store/_redis.js'
import { type InFront, type Kind, kinds, startInFront } from './_in-front.js'

/** Two gateways on one Redis, and each proxy that is installed in front of both, with its file of `deploy/`. */
const redis = await startRedis()
test.after.always(() => redis?.stop())
// Several addresses of one machine: elsewhere they would have to be made first.
const possible = redis === undefined || process.platform !== 'linux' ? test.skip : test

possible('through nginx, HAProxy and Caddy as they are in deploy/', async (t) => {
  const hosts = ['127.0.0.2', '127.0.0.3']
  const [gatewayPort = 0, adminPort = 0, ...ports] = await freePorts(2 + kinds.length)
  const certificate = await selfSigned()
  const proxies: InFront[] = []
  const found: Kind[] = []
  for (const [index, kind] of kinds.entries()) {
    const options = { port: ports[index] ?? 0, hosts, gatewayPort, adminPort, certificate }
    const proxy = await startInFront(kind, options)
    if (proxy === undefined) {
      t.log(`${kind} is not installed: not tried`)
      continue
    }
    t.teardown(proxy.stop)
    proxies.push(proxy)
    found.push(kind)
  }
  const provider = await startProvider()
  t.teardown(provider.close)
  const frontends = found.map((kind, index) => ({ kind, origin: proxies[index]?.origin ?? '' }))
  provider.register(
    frontends.map(({ kind, origin }) => ({
      clientId: kind,
      publicJwk: clientPublicJwk,
      redirectUri: `${origin}/bff/callback`,
      postLogoutRedirectUri: `${origin}/`,
    })),
  )
  const upstream = await webSocketUpstream()
  t.teardown(upstream.close)
  let continueStream = (): void => undefined
  const echo = upstream.server.listeners('request')[0] as (...parameters: unknown[]) => void
  upstream.server.removeAllListeners('request').on('request', (incoming, response) => {
    if (incoming.url !== '/api/events') return echo(incoming, response)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: one\n\n')
    continueStream = () => void response.end('data: two\n\n')
  })
  const certificateFile = join(tmpdir(), `sallyport-${randomBytes(6).toString('hex')}.pem`)
  await writeFile(certificateFile, certificate.cert)
  const configuration = {
    Server: { TrustedProxies: ['127.0.0.0/8'] },
    Store: { Redis: { Url: redis?.url } },
    Bff: {
      Authority: provider.issuer,
      SealingKeys: [randomBytes(32).toString('base64url')],
      Frontends: frontends.map(({ kind, origin }) => ({
        Name: kind,
        PublicUrl: origin,
        ClientId: kind,
        ClientSigningKeyJwk: clientJwk,
        Routes: [{ Path: '/api', Upstreams: [upstream.url.origin], BodyLimit: 8_388_608 }],
      })),
    },
  }
  const gateways = []
  for (const host of hosts)
    gateways.push(
      await startProgram(t, configuration, {
        admin: adminPort,
        host,
        environment: { Server__Listen: `${host}:${gatewayPort}` },
      }),
    )
  const dispatcher = new Agent({ connect: { ca: certificate.cert } })
  t.teardown(() => dispatcher.destroy())
  const fetch = (url: URL, init: RequestInit) =>
    fetchWithCertificate(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>

  const walks: { readonly kind: Kind; readonly origin: string; readonly browser: UserAgent }[] = []
  for (const { kind, origin } of frontends) {
    const browser = createUserAgent({ fetch })
    t.is((await logIn(browser, `${origin}/bff/login`)).url.origin, origin, kind)
    walks.push({ kind, origin, browser })

    const forged = {
      'X-Forwarded-For': '203.0.113.9',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'for=203.0.113.9',
    }
    const padding = { Cookie: `padding=${'x'.repeat(20_000)}` }
    const { length } = upstream.seen
    t.is((await browser.call(`${origin}/api/orders`, { headers: forged })).status, 200, kind)
    const { headers } = upstream.seen[length] as Seen
    t.is(headers['x-forwarded-for'], '127.0.0.1', kind)
    t.false(JSON.stringify(headers).includes('evil.example'), kind)
    t.is((await fetch(new URL(`${origin}/bff/user`), { headers: padding })).status, 200, kind)

    const body = Buffer.alloc(3_000_000, 'x')
    t.is((await browser.call(`${origin}/api/upload`, { method: 'POST', body })).status, 200, kind)
    t.is(upstream.seen.at(-1)?.body.length, body.length, kind)

    await t.notThrowsAsync(echoes(browser, origin, certificate.cert), kind)
    await streams(t, kind, await browser.call(`${origin}/api/events`), () => continueStream())
  }

  // One is gone without a word: no request that had not been sent to it may fail.
  const child = gateways[0]?.child as ChildProcess
  child.kill('SIGKILL')
  await once(child, 'exit')
  for (const { kind, origin, browser } of walks) {
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const method = index % 2 === 0 ? 'GET' : 'POST'
        return (await browser.call(`${origin}/api/orders`, { method })).status
      }),
    )
    t.deepEqual([...new Set(statuses)], [200], kind)
  }
})

async function echoes(browser: UserAgent, origin: string, ca: string): Promise<void> {
  const cookie = [...browser.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ')
  const socket = new WebSocket(`${origin.replace('https', 'wss')}/api/socket`, {
    ca,
    origin,
    headers: { Cookie: cookie },
  })
  await once(socket, 'open')
  socket.send('there')
  const [data] = await once(socket, 'message')
  socket.close()
  if (String(data) !== 'there') throw new Error(`answered ${data}`)
}

/** The first event has to come before the second has been made. */
async function streams(t: ExecutionContext, kind: Kind, response: Response, more: () => void): Promise<void> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  t.is(decoder.decode((await reader?.read())?.value), 'data: one\n\n', kind)
  more()
  t.is(decoder.decode((await reader?.read())?.value), 'data: two\n\n', kind)
}
