import { createHash, X509Certificate } from 'node:crypto'
import test from 'ava'
import { aMutualTlsWorld, clientCertificate } from '../_mutual-tls.js'
import { whoAmI } from '../_world.js'

/* Mutual TLS (RFC 8705) in the gateway, with node-oidc-provider as the authority and our validator at the API. */

const thumbprint = createHash('sha256').update(new X509Certificate(clientCertificate.cert).raw).digest('base64url')

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
