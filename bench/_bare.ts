import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { Agent, createServer, request } from 'node:http'
import httpProxy from 'http-proxy'
import { fromDer } from '../src/jose/ecdsa.js'

/** The two floors: http-proxy with a keep-alive agent and nothing else, and node:http with one ES256 signature. */
const { PORT, UPSTREAM = '', KIND } = process.env
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024, scheduling: 'lifo' })

if (KIND === 'http-proxy') {
  const proxy = httpProxy.createProxyServer({ target: UPSTREAM, agent })
  createServer((incoming, response) => proxy.web(incoming, response, {}, () => response.writeHead(502).end())).listen(
    Number(PORT),
    '127.0.0.1',
  )
} else {
  const { hostname, port, origin } = new URL(UPSTREAM)
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const header = Buffer.from(
    JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: pair.publicKey.export({ format: 'jwk' }) }),
  ).toString('base64url')
  const authorization = `DPoP ${'t'.repeat(1000)}`
  const ath = 'a'.repeat(43)
  createServer((incoming, response) => {
    const { method = 'GET', url = '/' } = incoming
    const claims = { jti: randomUUID(), htm: method, htu: origin + url, iat: Math.floor(Date.now() / 1000), ath }
    const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
    const signature = fromDer(sign('sha256', Buffer.from(signed), key), 32).toString('base64url')
    const headers = ['Host', `${hostname}:${port}`, 'Authorization', authorization, 'DPoP', `${signed}.${signature}`]
    request({ hostname, port, method, path: url, agent, headers: headers as never }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
      .on('error', () => response.destroy())
      .end()
  }).listen(Number(PORT), '127.0.0.1')
}
