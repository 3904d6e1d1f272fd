import { X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { ClientOptions } from '../../src/authorization-server/options.js'
import { certificateJwk } from '../../src/jose/certificate.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { aMutualTlsServer, bySubject, clientCertField } from '../authorization-server/_mutual-tls.js'
import { aClient, startServer } from '../authorization-server/_running.js'
import { anAuthority, selfSigned } from '../http/_self-signed.js'

/* `Client-Cert` (RFC 9440) says who a client is: it counts from a proxy of ours alone, and is checked once more here. */

const [authority, stranger, own] = await Promise.all([
  anAuthority(),
  anAuthority('/CN=Authority of clients'),
  selfSigned(),
])
const below = await authority.intermediate('/CN=Below')
const app = await authority.issue({ subject: '/CN=app' })

async function behindAProxy(
  t: ExecutionContext,
  {
    trusted = ['127.0.0.1/32'],
    options = { certificateAuthentication: bySubject('CN=app') },
    now,
    authorities = authority.cert,
  }: {
    readonly authorities?: string
    readonly trusted?: readonly string[]
    readonly options?: Partial<Omit<ClientOptions, 'permissions'>>
    readonly now?: () => number
  } = {},
) {
  const client = aClient('client-1', { certificateBoundAccessTokens: true, ...options })
  const server = await startServer({
    client,
    trustedProxies: trusted,
    mutualTls: {
      certificatesFrom: 'client-cert',
      authorities,
      origin: new URL('https://mtls.example'),
    },
    ...(now !== undefined && { now }),
  })
  t.teardown(() => server.stop())
  const as = aProtocolClient(server, client, { assertion: false, proof: false })
  return (field?: string) =>
    as.post(
      'token',
      { grant_type: 'client_credentials' },
      field === undefined ? {} : { headers: { 'client-cert': field } },
    )
}

test('a proxy of ours hands a certificate on', async (t) => {
  const ask = await behindAProxy(t)
  const { status, body } = await ask(clientCertField(app))
  t.is(status, 200, JSON.stringify(body))
  t.is(body.token_type, 'Bearer')
})

test('of anyone else it is as good as not there', async (t) => {
  const ask = await behindAProxy(t, { trusted: ['10.0.0.0/8'] })
  const { status, body } = await ask(clientCertField(app))
  t.is(status, 401)
  t.is(body.error_description, 'a client certificate is required')
})

test('what a lax proxy hands on is not trusted for that', async (t) => {
  const ask = await behindAProxy(t)
  const ofServers = await authority.issue({ subject: '/CN=app', extensions: ['extendedKeyUsage=serverAuth'] })
  const ofClients = await authority.issue({ subject: '/CN=app', extensions: ['extendedKeyUsage=clientAuth'] })
  t.is((await ask(clientCertField(ofClients))).status, 200)
  for (const [title, certificate] of Object.entries({
    'an authority of the same name': await stranger.issue({ subject: '/CN=app' }),
    'an authority in between': await below.issue({ subject: '/CN=app' }),
    'a certificate for servers': ofServers,
    'signed by itself': own,
  })) {
    const { status, body } = await ask(clientCertField(certificate))
    t.is(status, 401, title)
    t.regex(String(body.error_description), /of no authority/, title)
  }
  const late = await behindAProxy(t, { now: () => Date.now() / 1000 + 3 * 86_400 })
  t.regex(String((await late(clientCertField(app))).body.error_description), /has expired/)
})

test('a field that is not one certificate is refused, whatever is in it', async (t) => {
  const ask = await behindAProxy(t)
  const good = clientCertField(app)
  for (const field of [
    '',
    ':',
    '::',
    'x',
    good.slice(1),
    `${good}, ${good}`,
    `${good};a=1`,
    ':AAAA:',
    `"${good}"`,
    encodeURIComponent(app.cert),
  ]) {
    const { status, body } = await ask(field)
    t.is(status, 400, field)
    t.is(body.error, 'invalid_request')
    t.regex(String(body.error_description), /Client-Cert/)
  }
})

test('a self-signed certificate is known by its key there, too', async (t) => {
  const jwks = [certificateJwk(new X509Certificate(own.cert))]
  const ask = await behindAProxy(t, {
    options: { certificateAuthentication: { method: 'self_signed_tls_client_auth', jwks } },
  })
  t.is((await ask(clientCertField(own))).status, 200)
  t.is((await ask(clientCertField(app))).status, 401)
})

test('an authority for some names is not believed about others, and not taken where that is not looked at', async (t) => {
  const limited = await authority.intermediate('/CN=Partners', [
    'nameConstraints=critical,permitted;DNS:partner.example',
  ])
  for (const [name, status] of [
    ['app.partner.example', 200],
    ['app.bank.example', 401],
  ] as const) {
    const { as } = await aMutualTlsServer(t, {
      authorities: authority.cert,
      authentication: { method: 'tls_client_auth', subject: { name: 'tls_client_auth_san_dns', value: name } },
    })
    const { cert, key } = await limited.issue({ names: `DNS:${name}` })
    const { post } = as({ cert: cert + limited.cert, key })
    const answer = await post('token', { grant_type: 'client_credentials' })
    t.is(answer.status, status, JSON.stringify(answer.body))
  }
  const refused = await t.throwsAsync(behindAProxy(t, { authorities: `${authority.cert}${limited.cert}` }))
  t.regex(refused.message, /mutualTls\/authorities: has an authority that may issue certificates for some names only/)
})
