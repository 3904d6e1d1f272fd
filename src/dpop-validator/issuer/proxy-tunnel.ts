import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { HttpProxyOptions } from '../../http/outgoing-proxy.js'
import { tlsPreset } from '../../http/tls.js'

/**
 * A connection to a server by way of an HTTP proxy, which carries bytes: TLS is with the server. Its handshake has begun.
 * @param ca whom to trust for the server's certificate
 * @throws Error in whose message neither user nor password of the proxy is
 */
export async function tunnelTo(
  { hostname, port }: URL,
  { url }: HttpProxyOptions,
  { timeout, ca }: { readonly timeout: number; readonly ca: string[] | undefined },
): Promise<TLSSocket> {
  const socket = await connected(new URL(url), `${hostname}:${port || '443'}`, timeout)
  const host = hostname.replace(/^\[|\]$/g, '')
  return connect({
    ...tlsPreset,
    ...(ca !== undefined && { ca }),
    socket,
    host,
    ...(isIP(host) === 0 && { servername: host }),
  })
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6 RFC 9110 §9.3.6} */
function connected(proxy: URL, target: string, timeout: number): Promise<Socket> {
  const { protocol, hostname, port, username, password } = proxy
  const credentials = [username, password].map(decodeURIComponent).join(':')
  return new Promise((resolve, reject) => {
    const isSecure = protocol === 'https:'
    const request = (isSecure ? httpsRequest : httpRequest)({
      ...(isSecure && tlsPreset),
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port || (isSecure ? 443 : 80),
      method: 'CONNECT',
      path: target,
      agent: false,
      headers: {
        Host: target,
        ...(username !== '' && { 'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
      },
    })
    const timer = setTimeout(() => request.destroy(new Error('it did not answer in time')), timeout * 1000)
    request.on('close', () => clearTimeout(timer))
    request.on('error', (cause) => reject(new Error(`the HTTP proxy cannot be reached`, { cause })))
    request.on('connect', ({ statusCode = 0 }, socket: Socket) => {
      clearTimeout(timer)
      if (statusCode >= 200 && statusCode < 300) return resolve(socket)
      socket.destroy()
      reject(new Error(`the HTTP proxy answered ${statusCode}`))
    })
    request.end()
  })
}
