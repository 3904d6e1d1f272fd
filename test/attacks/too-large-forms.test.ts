import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { startServer } from '../authorization-server/_running.js'
import { aWorld } from '../gateway/_world.js'

/* A form that is too large, or has too many parts, costs nothing much and is answered so that the sender can read it. */

const endpoints = ['par', 'token', 'introspect', 'revoke', 'authorize', 'endsession']

/** Sends all of it and only then looks for an answer, as many clients do. */
async function sendAll(url: URL, body: string): Promise<string> {
  const socket = connect(Number(url.port), url.hostname)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.pause()
  await once(socket, 'connect')
  socket.write(
    `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${body.length}\r\nX-CSRF: 1\r\n\r\n`,
  )
  await new Promise((resolve) => socket.write(body, resolve))
  socket.resume()
  await once(socket, 'data')
  // The connection is good for the next request.
  socket.write(`GET /.well-known/x HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

test('a form of 300 KB is refused with an answer, and the connection stays good', async (t) => {
  const [server, world] = await Promise.all([startServer(), aWorld(t)])
  t.teardown(() => server.stop())
  const urls = [
    ...endpoints.map((endpoint) => new URL(`${server.url}/connect/${endpoint}`)),
    new URL(`${world.url}/bff/backchannel-logout`),
  ]
  for (const url of urls) {
    const answers = await sendAll(url, `token=${'x'.repeat(300_000)}`)
    t.regex(answers, /^HTTP\/1\.1 400 /, url.pathname)
    t.regex(answers, /body is too large/, url.pathname)
    t.is(answers.match(/HTTP\/1\.1 \d{3} /g)?.length, 2, url.pathname)
  }
})

test('a form without end is answered, and its connection closed', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const url = new URL(server.url)
  const socket = connect(Number(url.port), url.hostname)
  socket.on('error', () => undefined)
  const answer = once(socket, 'data')
  socket.write(
    'POST /connect/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n',
  )
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const sending = setInterval(() => socket.write(chunk), 1)
  const [first] = (await answer) as [Buffer]
  t.regex(first.toString(), /^HTTP\/1\.1 400 .*body is too large/s)
  await closed
  clearInterval(sending)
})

test('a form or query of thirteen thousand parameters is refused before it is looked at', async (t) => {
  const [server, world] = await Promise.all([startServer(), aWorld(t)])
  t.teardown(() => server.stop())
  const many = Array.from({ length: 13_000 }, (_, i) => `${(i % 36).toString(36)}=1`).join('&')
  for (const url of [
    ...endpoints.map((endpoint) => `${server.url}/connect/${endpoint}`),
    `${world.url}/bff/backchannel-logout`,
  ]) {
    const body = new Blob([many], { type: 'application/x-www-form-urlencoded' })
    const answer = await fetch(url, { method: 'POST', body })
    t.is(answer.status, 400, url)
    t.regex(await answer.text(), url.startsWith(world.url) ? /too large|too many/ : /too many parameters/, url)
  }
  const query = many.slice(0, 4000)
  for (const url of [
    `${server.url}/connect/authorize?${query}`,
    `${server.url}/connect/endsession?${query}`,
    `${world.url}/bff/login?${query}`,
    `${world.url}/bff/callback?${query}`,
    `${world.url}/bff/user?${query}`,
  ]) {
    const answer = await fetch(url, { redirect: 'manual' })
    t.is(answer.status, 400, url)
    t.regex(await answer.text(), /too many parameters/, url)
  }
})
