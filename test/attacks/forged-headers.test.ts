import test from 'ava'
import { accessToken, requestId } from '../gateway/_forwarding.js'
import { eachWay } from './_ways.js'

for (const name of [
  'X-Forwarded-User',
  'X_Forwarded_User',
  'x-FORWARDED-user',
  'X-Forwarded-Uri',
  'X-Forwarded-Access-Token',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-HTTP-Method-Override',
  'X-Method-Override',
  'X_HTTP_METHOD_OVERRIDE',
  'X-Auth-Request-Email',
  'X-Remote-User',
  'Remote-User',
  'Remote_User',
  'X-SSL-Client-Cert',
  'X-User-Id',
  'X-Real-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X.Forwarded.User',
  'X-WebAuth-User',
  'X-Proxy-User',
  'X-Goog-Authenticated-User-Email',
  'X-Goog-IAP-JWT-Assertion',
  'X-Amzn-OIDC-Data',
  'X-MS-Client-Principal',
  'X-MS-Client-Principal-Name',
  'X-Authentik-Username',
  'X-Envoy-External-Address',
  'X-Middleware-Subrequest',
  'X-Scheme',
  'X-Url-Scheme',
  'X-Host',
  'Front-End-Https',
  'Proxy-Authorization',
]) {
  test(`an identity of the browser's making does not pass: ${name} (oauth2-proxy CVE-2025-64484)`, async (t) => {
    await eachWay(
      t,
      { headers: [`${name}: mallory`, `${name.toLowerCase()}: mallory`, 'X-Harmless: yes'] },
      ({ way, seen }) => {
        t.false(JSON.stringify(seen?.rawHeaders).includes('mallory'), way)
        t.is(seen?.headers['x-harmless'], 'yes', way)
      },
    )
  })
}

test("a token or proof of the browser's own does not pass, and does not stand beside ours", async (t) => {
  for (const header of [
    'Authorization: Bearer mallory',
    'authorization: DPoP mallory',
    'DPoP: mallory',
    'dpop: mallory',
  ])
    await eachWay(t, { headers: [header, header] }, ({ way, seen }) => {
      t.is(seen?.headers.authorization, `DPoP ${accessToken}`, way)
      t.truthy(seen?.proof, way)
      t.false(JSON.stringify(seen?.rawHeaders).includes('mallory'), way)
    })
})

test('a call without a token carries none of the browser either', async (t) => {
  const headers = ['Authorization: Bearer mallory', 'DPoP: mallory']
  await eachWay(t, { headers, forwarding: { credentials: () => ({ kind: 'none' }) } }, ({ way, seen }) => {
    t.is(seen?.headers.authorization, undefined, way)
    t.is(seen?.headers.dpop, undefined, way)
  })
})

test('where the request came from is what we say, whatever the browser says (Fastify CVE-2026-3635)', async (t) => {
  const headers = [
    'X-Forwarded-For: 203.0.113.9',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Port: 1',
    'X-Forwarded-Prefix: /evil',
    'Forwarded: for=203.0.113.9;host=evil.example',
    'X-Request-Id: evil',
  ]
  await eachWay(t, { headers }, ({ way, seen }) => {
    t.is(seen?.headers['x-forwarded-for'], '192.0.2.7', way)
    t.is(seen?.headers['x-forwarded-host'], 'shop.example', way)
    t.is(seen?.headers['x-forwarded-proto'], 'https', way)
    t.is(seen?.headers['x-forwarded-prefix'], undefined, way)
    t.is(seen?.headers['x-forwarded-port'], undefined, way)
    t.is(seen?.headers.forwarded, 'for=192.0.2.7;host="shop.example";proto=https', way)
    t.is(seen?.headers['x-request-id'], requestId, way)
    t.false(JSON.stringify(seen?.rawHeaders).includes('evil'), way)
  })
})

test('a trace is continued when it is one, and begun when it is not', async (t) => {
  const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await eachWay(t, { headers: [`traceparent: ${good}`, 'tracestate: a=1'] }, ({ seen }) => {
    t.is(seen?.headers.traceparent, good)
    t.is(seen?.headers.tracestate, 'a=1')
  })
  await eachWay(t, { headers: ['traceparent: 00-zz', 'tracestate: a=1'] }, ({ seen }) => {
    t.regex(String(seen?.headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    t.is(seen?.headers.tracestate, undefined)
  })
})
