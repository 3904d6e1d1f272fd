/** One caller who means harm, in a process of its own: bounded in connections and, by its parent, in time. */
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createUserAgent } from '../test/flows/_user-agent.js'

const [kind = '', gatewayOrigin = '', issuerOrigin = '', cookie = ''] = process.argv.slice(2)
const gateway = new URL(gatewayOrigin)
const issuer = new URL(issuerOrigin)

/** @param begin makes one attempt; what becomes of it is of no interest */
async function perSecond(count: number, begin: () => Promise<unknown>): Promise<void> {
  const started = performance.now()
  for (let index = 0; ; index++) {
    void begin().catch(() => undefined)
    await delay(Math.max(0, started + (index * 1000) / count - performance.now()))
  }
}

/** So many connections at any time: one that is closed is followed by the next. */
function hold(count: number, url: URL, bytes: string, reads: 'read' | 'unread'): void {
  const next = (): void => {
    const socket = connect(Number(url.port), '127.0.0.1')
    socket.on('error', () => {}).on('close', () => setImmediate(next))
    if (reads === 'read') socket.resume()
    else socket.pause()
    socket.write(bytes)
  }
  for (let index = 0; index < count; index++) next()
}

const head = (line: string, url: URL): string => `${line} HTTP/1.1\r\nHost: ${url.host}\r\n`
const navigation = {
  Accept: 'text/html',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
}

switch (kind) {
  case 'wrong passwords': {
    const browser = createUserAgent()
    const page = await browser.navigate(new URL('/bff/login', gateway))
    let attempt = 0
    await perSecond(50, () => browser.submit(page, { username: `user-${attempt++}`, password: 'wrong' }))
    break
  }
  case 'anonymous logins':
    await perSecond(200, async () => {
      const answer = await fetch(new URL('/bff/login', gateway), { headers: navigation, redirect: 'manual' })
      await answer.body?.cancel()
    })
    break
  case 'pipelining':
    hold(64, gateway, `${head('GET /bff/user', gateway)}\r\n`.repeat(50_000), 'read')
    break
  case 'half bodies': {
    const form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nhalf'
    hold(100, issuer, `${head('POST /connect/token', issuer)}${form}`, 'read')
    hold(100, gateway, `${head('POST /bff/backchannel-logout', gateway)}${form}`, 'read')
    hold(100, gateway, `${head('POST /api/orders', gateway)}Cookie: ${cookie}\r\nX-CSRF: 1\r\n${form}`, 'read')
    break
  }
  case 'unread downloads':
    hold(100, gateway, `${head('GET /download.txt', gateway)}\r\n`, 'unread')
    break
  case 'sockets': {
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`
    hold(
      200,
      gateway,
      `${head('GET /socket', gateway)}${upgrade}Origin: ${gateway.origin}\r\nCookie: ${cookie}\r\n\r\n`,
      'read',
    )
    break
  }
  default:
    throw new Error(`no flood is called ${kind}`)
}
process.on('disconnect', () => process.exit())
