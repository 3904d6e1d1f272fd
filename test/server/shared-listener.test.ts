import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createTrustedPeers } from '../../src/http/trusted-peers.js'
import { sharedListener } from '../../src/server/shared-listener.js'
import { answered } from '../attacks/_ways.js'
import { rawCall } from '../gateway/_client.js'

interface Both {
  readonly issuer: string
  readonly saysHost?: readonly string[]
}

/** Asks a listener that both products share; says which of them answered. */
async function both(t: ExecutionContext, { issuer, saysHost = [] }: Both) {
  const says =
    (name: string): RequestListener =>
    (_request, response) =>
      response.end(name)
  const server = createServer(
    sharedListener({
      issuer: new URL(issuer),
      saysHost: createTrustedPeers(saysHost),
      authorizationServer: says('server'),
      gateway: says('gateway'),
    }),
  ).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return async (target: string, ...headers: readonly string[]): Promise<string | undefined> => {
    const lines = [`GET ${target} HTTP/1.1`, ...headers, 'Connection: close']
    return /(server|gateway)$/.exec(await rawCall(url, `${lines.join('\r\n')}\r\n\r\n`, answered))?.[0]
  }
}

test('what is below the issuer is the server’s, everything else the gateway’s', async (t) => {
  const ask = await both(t, { issuer: 'https://shop.example/auth' })
  for (const target of ['/auth', '/auth/', '/auth/connect/token?x=/y', '/.well-known/openid-configuration/auth'])
    t.is(await ask(target, 'Host: shop.example'), 'server', target)
  for (const target of ['/', '/authors', '/api?x=/auth/', '/.well-known/openid-configuration', '//shop.example/auth'])
    t.is(await ask(target, 'Host: shop.example'), 'gateway', target)
})

test('the issuer’s host is found in any case and with the scheme’s port, and no other host is it', async (t) => {
  const ask = await both(t, { issuer: 'https://as.example' })
  for (const host of ['as.example', 'AS.example', 'as.example:443', 'as.example:80'])
    t.is(await ask('/connect/token', `Host: ${host}`), 'server', host)
  for (const host of ['as.example:8443', 'as.example.', 'shop.example', 'as.example.evil', '@as.example'])
    t.is(await ask('/connect/token', `Host: ${host}`), 'gateway', host)
})

test('a client behind our proxy cannot send a request to the other product by X-Forwarded-Host', async (t) => {
  const ask = await both(t, { issuer: 'https://as.example' })
  t.is(await ask('/', 'Host: shop.example', 'X-Forwarded-Host: as.example'), 'gateway')
  t.is(await ask('/', 'Host: as.example', 'X-Forwarded-Host: shop.example'), 'server')
})

test('a proxy that sets X-Forwarded-Host itself may be told to be believed', async (t) => {
  const ask = await both(t, { issuer: 'https://as.example', saysHost: ['127.0.0.0/8'] })
  t.is(await ask('/', 'Host: shop.example', 'X-Forwarded-Host: as.example'), 'server')
  t.is(await ask('/', 'Host: as.example', 'X-Forwarded-Host: shop.example'), 'gateway')
})

test('a target in absolute form goes where its path goes, and to the gateway, which refuses it, when it names another host', async (t) => {
  const ask = await both(t, { issuer: 'https://shop.example/auth' })
  for (const target of ['http://shop.example/auth/connect/token', 'https://SHOP.example/auth?x'])
    t.is(await ask(target, 'Host: shop.example'), 'server', target)
  for (const target of ['http://evil.example/auth/', 'http://shop.example', 'http://shop.example/api', 'http:///auth/'])
    t.is(await ask(target, 'Host: shop.example'), 'gateway', target)
})

test('no spelling of the server’s paths reaches the gateway’s APIs', async (t) => {
  const ask = await both(t, { issuer: 'https://shop.example/auth' })
  for (const target of ['/%61uth/connect/token', '/auth%2Fconnect', '/%61%75%74%68', '/auth%2fx'])
    t.is(await ask(target, 'Host: shop.example'), 'server', target)
})
