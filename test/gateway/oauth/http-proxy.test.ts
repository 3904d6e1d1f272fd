import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createIssuerFetch } from '../../../src/gateway/oauth/issuer-fetch.js'
import { selfSigned } from '../../http/_self-signed.js'

/** An HTTP proxy that knows one name, which no DNS has, and asks for a password. */
async function aProxy(t: ExecutionContext, name: string, port: number) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const proxy = createServer((_request, response) => response.writeHead(400).end())
  proxy.on('connect', ({ url, headers }, socket: Socket) => {
    sockets.add(socket)
    asked.push(`${url} ${headers['proxy-authorization'] ?? ''}`)
    if (headers['proxy-authorization'] !== `Basic ${Buffer.from('user:pass').toString('base64')}`)
      return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n')
    if (url !== `${name}:${port}`) return socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    sockets.add(onward)
    for (const end of [socket, onward]) end.on('error', () => socket.destroy())
    return undefined
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return { asked, port: (proxy.address() as AddressInfo).port }
}

async function anIssuer(t: ExecutionContext) {
  const { key, cert } = await selfSigned()
  const issuer = createSecureServer({ key, cert }, (_request, response) => response.end('the issuer')).listen(
    0,
    '127.0.0.1',
  )
  await once(issuer, 'listening')
  t.teardown(() => {
    issuer.closeAllConnections()
    issuer.close()
  })
  return { ca: cert, port: (issuer.address() as AddressInfo).port }
}

test('an authorization server is called by way of the proxy, with TLS from end to end and its password', async (t) => {
  const { ca, port } = await anIssuer(t)
  // The certificate is for localhost, and this name is one that is never called directly but by its own exception.
  const proxy = await aProxy(t, 'issuer.localhost.test', port)
  const fetch = createIssuerFetch(5, { ca, httpProxy: { url: `http://user:pass@127.0.0.1:${proxy.port}` } })
  t.teardown(() => fetch.close())
  const error = await t.throwsAsync(fetch(`https://issuer.localhost.test:${port}/`, {}))
  // It got as far as the certificate, which is another name's: TLS is with the server and not with the proxy.
  t.regex(String((error as { cause?: unknown }).cause), /altnames|Hostname/i)
  t.regex(proxy.asked[0] ?? '', /^issuer\.localhost\.test:\d+ Basic /)
})

test('what the proxy refuses is an outage of the authorization server, and tells no password', async (t) => {
  const { ca, port } = await anIssuer(t)
  const proxy = await aProxy(t, 'other.test', port)
  const fetch = createIssuerFetch(5, { ca, httpProxy: { url: `http://user:wrong@127.0.0.1:${proxy.port}` } })
  t.teardown(() => fetch.close())
  const error = await t.throwsAsync(fetch(`https://other.test:${port}/`, {}))
  t.false(JSON.stringify([error?.message, String((error as { cause?: unknown }).cause)]).includes('wrong'))
  t.is(proxy.asked.length, 1)
})

test('this machine, and the hosts that are named, are called directly', async (t) => {
  const { ca, port } = await anIssuer(t)
  const proxy = await aProxy(t, 'localhost', port)
  const httpProxy = { url: `http://user:pass@127.0.0.1:${proxy.port}`, noProxy: ['.internal.test', 'auth.test'] }
  const fetch = createIssuerFetch(5, { ca, httpProxy })
  t.teardown(() => fetch.close())
  t.is(await (await fetch(`https://localhost:${port}/`, {})).text(), 'the issuer')
  for (const host of ['a.internal.test', 'auth.test', 'b.auth.test'])
    await t.throwsAsync(fetch(`https://${host}:${port}/`, {}))
  t.deepEqual(proxy.asked, [])
  await t.throwsAsync(fetch(`https://bauth.test:${port}/`, {}))
  t.is(proxy.asked.length, 1)
})
