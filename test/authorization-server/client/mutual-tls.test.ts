import { createHash, X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { fetch } from 'undici'
import type { CertificateAuthentication } from '../../../src/authorization-server/client/certificate-options.js'
import { subjectNameOf } from '../../../src/http/distinguished-name.js'
import { certificateJwk } from '../../../src/jose/certificate.js'
import { anAuthority, type Certificate, type Said, selfSigned } from '../../http/_self-signed.js'
import { type Answer, aProtocolClient, claimsOf } from '../_client.js'
import { aMutualTlsServer, bySubject, clientCertField } from '../_mutual-tls.js'
import { aClient, startServer } from '../_running.js'

/* RFC 8705 at the authorization server. */

const [authority, stranger] = await Promise.all([anAuthority(), anAuthority('/CN=Another authority')])
const [app, other, foreign, own, ownOther] = await Promise.all([
  authority.issue({ subject: '/C=DE/O=Example Bank/CN=app' }),
  authority.issue({ subject: '/C=DE/O=Example Bank/CN=other' }),
  stranger.issue({ subject: '/C=DE/O=Example Bank/CN=app' }),
  selfSigned(),
  selfSigned(),
])
const app2 = await authority.issue({ subject: '/C=DE/O=Example Bank/CN=app' })
const dn = 'CN=app,O=Example Bank,C=DE'
const x509 = ({ cert }: Certificate) => new X509Certificate(cert)
const bySelf = (...certificates: readonly Certificate[]): CertificateAuthentication => ({
  method: 'self_signed_tls_client_auth',
  jwks: certificates.map((certificate) => certificateJwk(x509(certificate))),
})
const thumbprintOf = (certificate: Certificate): string =>
  createHash('sha256').update(x509(certificate).raw).digest('base64url')

const authorities = authority.cert

function assertRefused(t: ExecutionContext, { status, body }: Answer, [code, reason]: readonly [number, RegExp]) {
  t.is(status, code, JSON.stringify(body))
  t.is(body.error, code === 401 ? 'invalid_client' : 'invalid_request')
  t.regex(String(body.error_description), reason)
}

for (const [method, authentication, certificate] of [
  ['private_key_jwt', undefined, own],
  ['tls_client_auth', bySubject(dn), app],
  ['self_signed_tls_client_auth', bySelf(own), own],
] as const)
  for (const isBound of [true, false])
    test(`from a pushed request to a refreshed token, by ${method}, bound by ${isBound ? 'mTLS' : 'DPoP'}`, async (t) => {
      const { as, origin } = await aMutualTlsServer(t, {
        authorities,
        isBound,
        ...(authentication && { authentication }),
      })
      const client = as(certificate)
      const tokens = await client.tokens()
      t.is(tokens.token_type, isBound ? 'Bearer' : 'DPoP')
      const cnf = isBound ? { 'x5t#S256': thumbprintOf(certificate) } : { jkt: client.jkt }
      t.deepEqual(claimsOf(tokens.access_token).cnf, cnf)
      const refreshed = await client.refresh(String(tokens.refresh_token))
      t.deepEqual(claimsOf(String(refreshed.body.access_token)).cnf, cnf)
      const { body } = await client.post('introspect', { token: tokens.access_token }, { proof: false })
      t.like(body, { active: true, cnf, token_type: tokens.token_type })
      const revoked = await client.post('revoke', { token: String(tokens.refresh_token) }, { proof: false })
      t.is(revoked.status, 200)
      const again = await client.post('introspect', { token: tokens.access_token }, { proof: false })
      t.deepEqual(again.body, { active: false })
      if (!isBound) {
        const htu = { claims: { htu: `${origin}/connect/par` } }
        t.is((await client.push({}, { proof: htu })).status, 201, 'a proof may name the endpoint where it was called')
      }
    })

test('a certificate authenticates nobody but the client that it is registered for', async (t) => {
  const { as } = await aMutualTlsServer(t, { authorities, authentication: bySubject(dn), isBound: true })
  for (const [certificate, reason] of [
    [undefined, /a client certificate is required/],
    [other, /has another subject/],
    [foreign, /of no authority/],
    [own, /of no authority/],
  ] as const)
    for (const endpoint of ['par', 'token', 'introspect', 'revoke']) {
      assertRefused(t, await as(certificate).post(endpoint, { token: 't' }), [401, reason])
    }
  assertRefused(t, await as(app, { assertion: {} }).push(), [401, /authenticates by its certificate/])
  const nameless = await as(app).post('par', { client_id: '' })
  assertRefused(t, nameless, [401, /client assertion is required/])
  assertRefused(t, await as(app).post('par', { client_id: 'client-2' }), [401, /client assertion is required/])
})

test('the key that signs request objects does not authenticate a client that has a certificate', async (t) => {
  const { as, server } = await aMutualTlsServer(t, { authorities, authentication: bySubject(dn), isBound: true })
  // The very key, registered for request objects.
  const client = aClient('signs', { certificateAuthentication: bySubject(dn) })
  const second = await startServer({ client, mutualTls: { certificatesFrom: 'handshake' } })
  t.teardown(() => second.stop())
  assertRefused(t, await aProtocolClient(second, client).push(), [401, /authenticates by its certificate/])
  t.is((await as(app).push()).status, 201)
  t.truthy(server.issuer)
})

test('a certificate that has expired authenticates nobody, and no token is bound to it', async (t) => {
  const inThreeDays = { now: () => Date.now() / 1000 + 3 * 86_400 }
  for (const authentication of [bySubject(dn), bySelf(own)]) {
    const certificate = authentication.method === 'tls_client_auth' ? app : own
    const { as } = await aMutualTlsServer(t, { authorities, authentication, isBound: true, settings: inThreeDays })
    assertRefused(t, await as(certificate).push(), [401, /has expired/])
  }
  const { as } = await aMutualTlsServer(t, { authorities, isBound: true, settings: inThreeDays })
  const answer = await as(own).post('token', { grant_type: 'client_credentials' })
  assertRefused(t, answer, [400, /has expired/])
})

test('a token request without what its tokens are to be bound to is refused', async (t) => {
  const bound = await aMutualTlsServer(t, { authorities, isBound: true })
  const grant = { grant_type: 'client_credentials' }
  assertRefused(t, await bound.as(undefined).post('token', grant), [400, /a client certificate is required, which/])
  assertRefused(t, await bound.as(own).post('token', grant, { proof: {} }), [400, /to its certificate, not to a key/])
  assertRefused(t, await bound.as(own).push({}, { proof: {} }), [400, /to its certificate, not to a key/])
  const jkt = bound.as(own).jkt
  assertRefused(t, await bound.as(own).push({ dpop_jkt: jkt }), [400, /to its certificate, not to a key/])
  const byKey = await aMutualTlsServer(t, { authorities, authentication: bySubject(dn) })
  assertRefused(t, await byKey.as(app).post('token', grant, { proof: false }), [400, /a DPoP proof is required/])
})

test('a refresh token is bound to its client: a renewed certificate may use it, and the token is bound to that', async (t) => {
  const { as } = await aMutualTlsServer(t, { authorities, authentication: bySubject(dn), isBound: true })
  const { refresh_token } = await as(app).tokens()
  const { body } = await as(app2).refresh(String(refresh_token))
  t.deepEqual(claimsOf(String(body.access_token)).cnf, { 'x5t#S256': thumbprintOf(app2) })
  assertRefused(t, await as(other).refresh(String(refresh_token)), [401, /another subject/])
})

test('userinfo takes a token with its certificate, and with no other', async (t) => {
  const { as, origin, agentOf } = await aMutualTlsServer(t, {
    authorities,
    authentication: bySubject(dn),
    isBound: true,
  })
  const { access_token } = await as(app).tokens()
  const ask = async (certificate?: Certificate, scheme = 'Bearer', at = `${origin}/connect/userinfo`) => {
    const headers = { authorization: `${scheme} ${access_token}` }
    const response = await fetch(at, { headers, dispatcher: agentOf(certificate) })
    const challenge = response.headers.get('www-authenticate')
    return { status: response.status, challenge, body: (await response.json()) as Record<string, unknown> }
  }
  const { status, body } = await ask(app)
  t.is(status, 200)
  t.is(body.sub, 'user-alice')
  for (const certificate of [app2, other, foreign, own, undefined]) {
    const refused = await ask(certificate)
    t.is(refused.status, 401)
    t.regex(refused.challenge ?? '', /^Bearer error="invalid_token", error_description="the access token is bound to/)
  }
  t.is((await ask(app, 'DPoP')).status, 401)
})

test('a token of a key is not taken as Bearer, whatever certificate is shown', async (t) => {
  const { as, origin, agentOf } = await aMutualTlsServer(t, { authorities, authentication: bySubject(dn) })
  const { access_token } = await as(app).tokens()
  const headers = { authorization: `Bearer ${access_token}` }
  const response = await fetch(`${origin}/connect/userinfo`, { headers, dispatcher: agentOf(app) })
  t.is(response.status, 401)
  const { error_description } = (await response.json()) as { readonly error_description: string }
  t.is(error_description, 'the access token must come with the DPoP scheme')
})

const names: readonly (readonly [said: Said, value: string, kind: Parameters<typeof bySubject>[1], other: string])[] = [
  [{ names: 'DNS:app.example.com' }, 'APP.example.com', 'tls_client_auth_san_dns', 'evil.example.com'],
  [
    { names: 'URI:spiffe://example.com/app' },
    'spiffe://example.com/app',
    'tls_client_auth_san_uri',
    'spiffe://example.com',
  ],
  [{ names: 'IP:::1' }, '0:0:0:0:0:0:0:1', 'tls_client_auth_san_ip', '::2'],
  [{ names: 'email:app@example.com' }, 'app@example.com', 'tls_client_auth_san_email', 'other@example.com'],
  [
    { subject: '/C=DE/O=Foo, Inc./organizationIdentifier=PSDDE-BAFIN-1/CN=ä' },
    'CN=\\C3\\A4, 2.5.4.97=PSDDE-BAFIN-1, o=Foo\\, Inc.,C=DE',
    undefined,
    'CN=ä,O=Foo\\, Inc.,C=DE',
  ],
]

for (const [said, value, kind, another] of names)
  test(`a client is known by ${kind ?? 'tls_client_auth_subject_dn'}, and by exactly that`, async (t) => {
    const certificate = await authority.issue(said)
    const right = await aMutualTlsServer(t, { authorities, authentication: bySubject(value, kind) })
    t.is((await right.as(certificate).push()).status, 201, subjectNameOf(x509(certificate)))
    const wrong = await aMutualTlsServer(t, { authorities, authentication: bySubject(another, kind) })
    assertRefused(t, await wrong.as(certificate).push(), [401, /another subject/])
  })

test('a self-signed certificate is known by its key; with x5c by itself', async (t) => {
  const { x5c: _, ...key } = certificateJwk(x509(own))
  const jwks = [certificateJwk(x509(ownOther)), key]
  const byKey = await aMutualTlsServer(t, {
    authorities,
    authentication: { ...bySelf(), jwks } as CertificateAuthentication,
  })
  for (const certificate of [own, ownOther]) t.is((await byKey.as(certificate).push()).status, 201)
  assertRefused(t, await byKey.as(app).push(), [401, /not one of the client/])
  const other = [{ ...key, x5c: certificateJwk(x509(ownOther)).x5c }]
  const byX5c = await aMutualTlsServer(t, {
    authorities,
    authentication: { method: 'self_signed_tls_client_auth', jwks: other },
  })
  assertRefused(t, await byX5c.as(own).push(), [401, /not one of the client/])
})

test('an authority below a trusted one is followed in the handshake', async (t) => {
  const below = await authority.intermediate('/CN=Below')
  const certificate = await below.issue({ subject: '/CN=app' })
  const { as } = await aMutualTlsServer(t, { authorities, authentication: bySubject('CN=app') })
  t.is((await as({ ...certificate, cert: certificate.cert + below.cert }).push()).status, 201)
  assertRefused(t, await as(certificate).push(), [401, /of no authority/])
})

test('the listener for mutual TLS has no page, and metadata say where it is', async (t) => {
  const { server, origin, agentOf } = await aMutualTlsServer(t, { authorities })
  const metadata = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as Record<
    string,
    unknown
  >
  const methods = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']
  t.like(metadata, {
    token_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods,
    tls_client_certificate_bound_access_tokens: true,
  })
  t.deepEqual(metadata.mtls_endpoint_aliases, {
    pushed_authorization_request_endpoint: `${origin}/connect/par`,
    token_endpoint: `${origin}/connect/token`,
    userinfo_endpoint: `${origin}/connect/userinfo`,
    introspection_endpoint: `${origin}/connect/introspect`,
    revocation_endpoint: `${origin}/connect/revoke`,
  })
  for (const path of [
    '/connect/authorize',
    '/connect/endsession',
    '/.well-known/openid-configuration',
    '/connect/jwks',
  ])
    t.is((await fetch(`${origin}${path}`, { dispatcher: agentOf(undefined) })).status, 404, path)
  t.is((await fetch(`${origin}/connect/token`, { dispatcher: agentOf(undefined) })).status, 405)
})

test('without mutual TLS metadata say nothing of it, and a certificate is as good as none', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const metadata = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as object
  t.false('tls_client_certificate_bound_access_tokens' in metadata || 'mtls_endpoint_aliases' in metadata)
  const headers = { 'client-cert': clientCertField(own) }
  assertRefused(t, await aProtocolClient(server).push({}, { assertion: false, headers }), [
    401,
    /assertion is required/,
  ])
})
