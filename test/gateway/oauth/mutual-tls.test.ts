import { createHash, X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import test from 'ava'
import { tryMetadata } from '../../../src/cli/probe/metadata.js'
import { assertBound, mutualTlsEndpoints } from '../../../src/gateway/oauth/client-certificate.js'
import { remedyFor } from '../../../src/gateway/oauth/registration-remedy.js'
import { registrationOf } from '../../../src/gateway/oauth/server-said.js'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import type { Certificate } from '../../http/_self-signed.js'
import { aFrontend } from '../_gateway.js'
import { aMutualTlsWorld, clientCertificate, otherCertificate } from '../_mutual-tls.js'
import { whoAmI } from '../_world.js'

/* Mutual TLS (RFC 8705) in the gateway, with node-oidc-provider as the authority and our validator at the API. */

function thumbprintOf({ cert }: Certificate): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url')
}

const thumbprint = thumbprintOf(clientCertificate)

for (const authentication of ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'] as const)
  for (const constraint of ['dpop', 'mtls'] as const)
    test(`a login and a call, with ${authentication} and tokens bound by ${constraint}`, async (t) => {
      const world = await aMutualTlsWorld(t, { authentication, constraint })
      const browser = await world.loggedIn()
      t.like(await whoAmI(browser, world.url), { authenticated: true, sub: 'alice' })
      const answer = await browser.call(`${world.url}/api/orders`)
      t.is(answer.status, 200, JSON.stringify(world.calls))
      const { cnf } = (await answer.json()) as { readonly cnf: Record<string, string> }
      const [call] = world.calls
      if (constraint === 'mtls') {
        t.deepEqual(cnf, { 'x5t#S256': thumbprint })
        t.regex(call?.authorization ?? '', /^Bearer /)
        t.is(call?.proof, undefined)
        t.true(call?.certificate)
      } else {
        t.deepEqual(Object.keys(cnf), ['jkt'])
        t.regex(call?.authorization ?? '', /^DPoP /)
        t.false(call?.certificate, 'a certificate that no token needs is shown to no API')
      }
      const [pushed] = world.overTls
      t.deepEqual(pushed, { path: '/request', withCertificate: true })
      t.true(world.overTls.some(({ path }) => path === '/token'))
      t.false(
        world.provider.requests.some((line) => line.startsWith('POST /token') || line.startsWith('POST /request')),
        'the aliases are used wherever the server has them',
      )
    })

test('a stolen token is worth nothing: with another certificate, and with none, the API answers 401', async (t) => {
  const world = await aMutualTlsWorld(t, { authentication: 'tls_client_auth', constraint: 'mtls' })
  const browser = await world.loggedIn()
  await browser.call(`${world.url}/api/orders`)
  const [{ authorization = '' } = {}] = world.calls
  const api = world.frontend.routes[0]?.upstreams[0] ?? new URL('')
  t.deepEqual(await statusWith(api, authorization, clientCertificate), 200)
  t.deepEqual(await statusWith(api, authorization, otherCertificate), 401)
  t.deepEqual(await statusWith(api, authorization), 401)
})

function statusWith(api: URL, authorization: string, certificate?: Certificate): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(api, { headers: { authorization }, rejectUnauthorized: false, agent: false, ...certificate }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

for (const [title, options] of [
  ['a certificate that the server does not trust', { certificate: otherCertificate }],
  ['another subject than is registered', { subject: 'CN=somebody.else' }],
] as const)
  test(`no login with ${title}, and the log says what to register`, async (t) => {
    const world = await aMutualTlsWorld(t, { authentication: 'tls_client_auth', constraint: 'mtls', ...options })
    const { body } = await world.aBrowser().navigate(`${world.url}/bff/login`)
    t.regex(body, /bff\.login\.failed/)
    const remedy = remedyFor(
      { code: 'invalid_client', description: undefined },
      registrationOf({ options: world.frontend, redirectUri: '' }),
    )
    t.regex(remedy, /Register client my-bff there for tls_client_auth, .*"CN=localhost"/)
  })

test('a token that can be read has to say that it is bound to our certificate', (t) => {
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
  t.notThrows(() => assertBound(jwt({ cnf: { 'x5t#S256': thumbprint } }), thumbprint))
  for (const opaque of ['opaque', 'a.b.c', 'a.b', 'e30.bnVsbA.x']) t.notThrows(() => assertBound(opaque, thumbprint))
  for (const claims of [
    {},
    { cnf: null },
    { cnf: 'x5t#S256' },
    { cnf: { jkt: thumbprint } },
    { cnf: { 'x5t#S256': thumbprintOf(otherCertificate) } },
  ])
    t.throws(() => assertBound(jwt(claims), thumbprint), { message: /not bound to our certificate/ })
})

test('aliases are for what the gateway calls, never for where a browser or a key set goes', (t) => {
  const all = ['token_endpoint', 'authorization_endpoint', 'jwks_uri', 'end_session_endpoint', 'userinfo_endpoint']
  const mtls_endpoint_aliases = Object.fromEntries(all.map((name) => [name, `https://mtls.example/${name}`]))
  t.deepEqual(mutualTlsEndpoints({ issuer: 'https://auth.example', mtls_endpoint_aliases }), {
    token_endpoint: 'https://mtls.example/token_endpoint',
    userinfo_endpoint: 'https://mtls.example/userinfo_endpoint',
  })
  t.deepEqual(mutualTlsEndpoints({ issuer: 'https://auth.example' }), {})
})

test('a signed request that the server refuses is about the key, and all else about the certificate', (t) => {
  const signer = signingKey(generateSigningJwk('ES256'))
  const options = aFrontend({
    publicUrl: new URL('https://app.example'),
    authority: 'https://auth.example',
    clientAuthentication: { method: 'tls_client_auth', keys: [signer] },
    clientCertificate,
    signedRequests: true,
  })
  const remedyOf = (code: string) =>
    remedyFor({ code, description: undefined }, registrationOf({ options, redirectUri: '' }))
  t.regex(remedyOf('invalid_request_object'), /JAR\) there, with ES256/)
  t.regex(remedyOf('invalid_client'), /for tls_client_auth/)
})

test('check tells what the metadata lack', (t) => {
  const frontend = aFrontend({
    publicUrl: new URL('https://app.example'),
    authority: 'https://auth.example',
    clientAuthentication: { method: 'tls_client_auth' },
    clientCertificate,
    dpop: false,
    certificateBoundAccessTokens: true,
  })
  const said = tryMetadata({ token_endpoint_auth_methods_supported: ['private_key_jwt'] }, frontend)
  const results = said.map(({ result, remedy }) => `${result} ${remedy}`).join('\n')
  t.regex(results, /by private_key_jwt, and client my-bff does so by tls_client_auth Switch tls_client_auth on there/)
  t.regex(results, /tls_client_certificate_bound_access_tokens, RFC 8705 §3\.3\) Switch it on there/)
  t.notRegex(results, /dpop_signing/)
})

test('a renewed certificate: sessions stay, and their next call has a token that is bound to it', async (t) => {
  const world = await aMutualTlsWorld(t, { authentication: 'private_key_jwt', constraint: 'mtls' })
  const browser = await world.loggedIn()
  const bond = async () => {
    const answer = await browser.call(`${world.url}/api/orders`)
    t.is(answer.status, 200)
    return ((await answer.json()) as { readonly cnf: Record<string, string> }).cnf['x5t#S256']
  }
  t.is(await bond(), thumbprint)
  const frontends = [{ ...world.frontend, clientCertificate: otherCertificate }]
  const prepared = await world.gateway.prepare({ ...world.options, frontends })
  prepared.swap({ drain: 0 })
  t.is(await bond(), thumbprintOf(otherCertificate))
  t.is(await bond(), thumbprintOf(otherCertificate))
  t.is(world.calls.length, 3, 'no call goes out with a token that is bound to the old one')
  const refreshes = world.overTls.filter(({ path }) => path === '/token').length
  t.is(refreshes, 2, 'the login and one refresh')
  t.like(await whoAmI(browser, world.url), { authenticated: true, sub: 'alice' })
})

test('the key of a self-signed certificate is published with it (RFC 8705 §2.2.2)', async (t) => {
  const world = await aMutualTlsWorld(t, { authentication: 'self_signed_tls_client_auth', constraint: 'mtls' })
  const { keys } = (await (await fetch(`${world.url}/bff/jwks`)).json()) as { readonly keys: Record<string, unknown>[] }
  const { raw, publicKey } = new X509Certificate(clientCertificate.cert)
  t.deepEqual(keys, [{ ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] }])
})
