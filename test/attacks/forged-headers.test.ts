import test from 'ava'
import { mayGoUp, refusedFromBrowser } from '../../src/gateway/forwarding/fields.js'
import { accessToken, requestId } from '../gateway/_forwarding.js'
import { eachWay } from './_ways.js'

/** Of proxies, identity products and frameworks that are really in use. */
const inUse = `
  X-Forwarded-User X_Forwarded_User x-FORWARDED-user X-Forwarded-Uri X-Forwarded-Access-Token X-Original-URL X-Rewrite-URL X-HTTP-Method-Override X-Method-Override X_HTTP_METHOD_OVERRIDE X-Auth-Request-Email X-Remote-User Remote-User
  Remote_User X-SSL-Client-Cert X-User-Id X-Real-IP True-Client-IP CF-Connecting-IP X.Forwarded.User X-WebAuth-User
  X-Proxy-User X-Goog-Authenticated-User-Email X-Goog-IAP-JWT-Assertion X-Amzn-OIDC-Data X-MS-Client-Principal X-MS-Client-Principal-Name X-Authentik-Username X-Envoy-External-Address X-Middleware-Subrequest X-Scheme X-Url-Scheme
  X-Host Front-End-Https Proxy-Authorization Remote-Groups Remote-Addr X-WebAuth-Role OIDC-Claim-x OIDC_CLAIM_sub OIDC-Access-Token X-Consumer-Username X-Consumer-Custom-Id X-Credential-Identifier X-Anonymous-Consumer Tailscale-User-Login X-Client-Verify X-Client-DN Client-Cert Client-Cert-Chain X-Client-Cert-Chain X-ARR-ClientCert X-Amzn-Mtls-Clientcert Forwarded-For Proxy Proxy-Host Proxy-User WL-Proxy-Client-IP X-Token-Subject X-JWT-Assertion X-Userinfo
  X-ID-Token X-Access-Token X-Pomerium-Jwt-Assertion X-Pomerium-Claim-Email Cf-Access-Jwt-Assertion Cf-Access-Authenticated-User-Email X-Amzn-Oidc-Identity X-Goog-Authenticated-User-Id X-MS-Client-Principal-IdP X-MS-TOKEN-AAD-ACCESS-TOKEN X-Appengine-User-Ip X-Azure-ClientIP CloudFront-Viewer-Address Fly-Client-IP Fastly-Client-IP
  X-Originating-IP X-Remote-IP X-Cluster-Client-IP DO-Connecting-IP X-Originally-Forwarded-For X-Original-Host
  X-Original-Method X-Rewrite-Path X-HTTP-Host-Override X-HTTP-Method X-HTTP-Verb X-Tunnel-Method SM_USER SM-User iv-user iv-groups OAM-Remote-User Shib-Session-ID EPPN X-RH-Identity X-Impersonate-User Impersonate-Group X-Internal-User
  X-Scope-OrgID X-Serverless-Authorization X-Accel-Mapping X-Sendfile-Type Surrogate-Capability X-Script-Name X-Roles
  X-Email X-SSL-Client-S-DN SSL-Client-Verify X-Mtls-Subject X-Spiffe-Id X-Envoy-Original-Path X-Invoke-Path X-Matched-Path X-Bff-Session X-Forwarded-Groups X-Vouch-User X-Authelia-Email X-Teleport-Login Ngrok-Auth-User-Email X-Msisdn
  HTTP-Client-IP X-HTTP-X-Forwarded-For X-X-Forwarded-For X-Real-Port X-Port
`
  .trim()
  .split(/\s+/)

/** Names that the rules cover, made from them: each star filled in four ways, each name written in seven. */
const made = refusedFromBrowser
  .flatMap(({ fields }) => fields.trim().split(/\s+/))
  .flatMap((field) =>
    field.includes('*') ? ['', 'z', 'z-z', '9'].map((fill) => field.replaceAll('*', fill)) : [field],
  )
  .filter((name) => /^[a-z0-9].*[a-z0-9]$/.test(name))
  .flatMap((name) => {
    const titled = name.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase())
    const underscored = name.replaceAll('-', '_')
    return [
      name,
      titled,
      name.toUpperCase(),
      `X-${titled}`,
      `x-${name}`,
      `HTTP-X-${titled}`,
      underscored,
      `X_${underscored}`,
    ]
  })

/** What applications send. */
const ordinary = `
  Accept Accept-Language Accept-Encoding Content-Language Content-Encoding If-Match If-None-Match If-Modified-Since Range Prefer
  Priority Referer User-Agent X-User-Agent X-Requested-With Idempotency-Key X-Idempotency-Key X-Api-Version Api-Version
  X-Api-Key ApiKey X-Csrf-Token X-Xsrf-Token X-Tenant-Id X-Organization-Id X-Correlation-Id Request-Context X-Client-Version
  X-Client-Name X-Client-Info X-App-Version X-Timezone X-Locale Tracestate Baggage B3 X-B3-TraceId Sentry-Trace
  X-Datadog-Trace-Id Apollographql-Client-Name Apollo-Require-Preflight X-Apollo-Operation-Name HX-Request HX-Current-URL
  HX-Target Turbo-Frame X-Inertia X-PJAX X-Grpc-Web Grpc-Timeout Connect-Protocol-Version Connect-Timeout-Ms OData-Version
  OData-MaxVersion Mcp-Session-Id Mcp-Protocol-Version Last-Event-ID Tus-Resumable Upload-Offset Upload-Metadata
  X-Hasura-Role X-Amz-Date X-Ms-Date X-Ms-Version X-Ms-Client-Request-Id Depth Destination Overwrite Lock-Token Signature
  Signature-Input Digest Content-Digest Sec-Fetch-User Sec-Fetch-Dest Sec-Ch-Ua-Platform Sec-Ch-Prefers-Color-Scheme Sec-Gpc
  X-Session-Id X-Device-Id X-Page X-Sort X-Fields Access-Control-Request-Method Ngrok-Skip-Browser-Warning X-Author X-Export
  Content-Disposition X-Shop-Currency X-Feature-Flags X-Debug Save-Data DNT Purpose
`
  .trim()
  .split(/\s+/)

test('hundreds of names made from the rules do not pass, and ordinary ones do', (t) => {
  t.true(made.length > 1500)
  t.deepEqual(
    [...made, ...inUse].filter((name) => mayGoUp(name.toLowerCase())),
    [],
  )
  t.deepEqual(
    ordinary.filter((name) => !mayGoUp(name.toLowerCase())),
    [],
  )
})

test('an identity or address of the browser’s making does not pass in any way to an API (oauth2-proxy CVE-2025-64484)', async (t) => {
  const names = [...new Set([...inUse, ...made])]
  for (let from = 0; from < names.length; from += 300) {
    const some = names.slice(from, from + 300)
    const trace = 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const headers = [trace, ...some.map((name) => `${name}: mallory`), ...ordinary.map((name) => `${name}: harmless`)]
    await eachWay(t, { headers }, ({ way, seen }) => {
      t.false(JSON.stringify(seen?.rawHeaders).includes('mallory'), `${way} ${seen?.rawHeaders}`)
      t.deepEqual(
        ordinary.filter((name) => seen?.headers[name.toLowerCase()] !== 'harmless'),
        [],
        way,
      )
    })
  }
})

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
