import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

/** An HTTP proxy that knows one name, which no DNS has, at a port of this machine, and asks for `user` and `pass`. */
export async function aProxy(t: ExecutionContext, name: string, port: number) {
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
