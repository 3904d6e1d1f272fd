import { once } from 'node:events'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createIssuerFetch } from '../../../src/gateway/oauth/issuer-fetch.js'
import { aProxy } from '../../http/_http-proxy.js'
import { selfSigned } from '../../http/_self-signed.js'

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
