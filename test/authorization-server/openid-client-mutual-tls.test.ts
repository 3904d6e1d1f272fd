import { createHash, X509Certificate } from 'node:crypto'
import test from 'ava'
import * as oidc from 'openid-client'
import { certificateJwk } from '../../src/jose/certificate.js'
import { anAuthority, type Certificate, selfSigned } from '../http/_self-signed.js'
import { claimsOf } from './_client.js'
import { aMutualTlsServer, bySubject } from './_mutual-tls.js'
import { allowedByBob, anOpenidClient } from './_openid-client.js'

/* A client written with openid-client alone, whose certificate is in an agent of undici, at the embedded server (RFC 8705). */

const authority = await anAuthority()
const [issued, renewed, own] = await Promise.all([
  authority.issue({ subject: '/C=DE/O=Example Bank/CN=app' }),
  authority.issue({ subject: '/C=DE/O=Example Bank/CN=app' }),
  selfSigned(),
])
const thumbprintOf = ({ cert }: Certificate): string =>
  createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url')

const ways = [
  { method: 'private_key_jwt', certificate: own },
  { method: 'tls_client_auth', certificate: issued, registered: bySubject('CN=app,O=Example Bank,C=DE') },
  {
    method: 'self_signed_tls_client_auth',
    certificate: own,
    registered: { method: 'self_signed_tls_client_auth', jwks: [certificateJwk(new X509Certificate(own.cert))] },
  },
] as const

for (const { method, certificate, ...way } of ways)
  for (const constraint of ['dpop', 'mtls'] as const)
    for (const messages of ['plain', 'signed'] as const)
      test(`a login by ${method}, tokens bound by ${constraint}, messages ${messages}, and all that follows it`, async (t) => {
        const details = [{ type: 'accounts', actions: ['list'] }]
        const isSigned = messages === 'signed'
        const { server, origin, agentOf } = await aMutualTlsServer(t, {
          authorities: authority.cert,
          isBound: constraint === 'mtls',
          ...('registered' in way && { authentication: way.registered }),
          client: {
            requireSignedRequests: isSigned,
            requireSignedResponses: isSigned,
            authorizationDetailTypes: ['accounts'],
          },
          settings: { authorizationDetailTypes: [{ type: 'accounts', schema: {} }] },
        })
        const { config, proven, begin, redeem } = await anOpenidClient(server, {
          constraint,
          messages,
          dispatcher: agentOf(certificate),
          ...('registered' in way && { authentication: oidc.TlsClientAuth() }),
        })
        t.is(config.serverMetadata().mtls_endpoint_aliases?.token_endpoint, `${origin}/connect/token`)

        const callback = await allowedByBob(await begin({ authorization_details: JSON.stringify(details) }))
        t.deepEqual([...callback.searchParams.keys()].sort(), isSigned ? ['response'] : ['code', 'iss', 'state'])
        const tokens = await redeem(callback)
        t.is(tokens.claims()?.sub, 'user-bob')
        t.is(tokens.token_type, constraint === 'mtls' ? 'bearer' : 'dpop')
        t.deepEqual(tokens.authorization_details, details)

        const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, proven)
        for (const { access_token } of [tokens, refreshed]) {
          const cnf = claimsOf(access_token).cnf as Record<string, string>
          if (constraint === 'mtls') t.deepEqual(cnf, { 'x5t#S256': thumbprintOf(certificate) })
          else t.deepEqual(Object.keys(cnf), ['jkt'])
          t.is((await oidc.fetchUserInfo(config, access_token, 'user-bob', proven)).name, 'Bob')
          const said = await oidc.tokenIntrospection(config, access_token)
          t.like(said, { active: true, sub: 'user-bob', cnf })
          t.deepEqual(said.authorization_details, details)
        }
        await oidc.tokenRevocation(config, tokens.refresh_token ?? '')
        t.deepEqual(await oidc.tokenIntrospection(config, refreshed.access_token), { active: false })
        await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, proven), {
          instanceOf: oidc.ResponseBodyError,
          message: /server responded with an error/,
        })
      })

test('with a renewed certificate of the same name openid-client goes on, and the next token is bound to that', async (t) => {
  const [, { registered }] = ways
  const { server, agentOf } = await aMutualTlsServer(t, {
    authorities: authority.cert,
    isBound: true,
    authentication: registered,
  })
  const by = (certificate: Certificate) =>
    anOpenidClient(server, {
      constraint: 'mtls',
      dispatcher: agentOf(certificate),
      authentication: oidc.TlsClientAuth(),
    })
  const { begin, redeem } = await by(issued)
  const { refresh_token = '' } = await redeem(await allowedByBob(await begin()))
  const { access_token } = await oidc.refreshTokenGrant((await by(renewed)).config, refresh_token)
  t.deepEqual(claimsOf(access_token).cnf, { 'x5t#S256': thumbprintOf(renewed) })
  await t.throwsAsync(oidc.fetchUserInfo((await by(issued)).config, access_token, 'user-bob'), {
    instanceOf: oidc.WWWAuthenticateChallengeError,
  })
  const refused = await t.throwsAsync(oidc.refreshTokenGrant((await by(own)).config, refresh_token), {
    instanceOf: oidc.ResponseBodyError,
  })
  t.is(refused?.error, 'invalid_client')
})
