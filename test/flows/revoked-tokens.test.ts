import { createHash } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { callbackUri } from '../authorization-server/_running.js'
import { type Configuration, runStack } from './_stack.js'

const clientId = 'third-party'
const permissions = ['authorization', 'pushed_authorization', 'token', 'revocation'].map((name) => `ept:${name}`)

/** The program with a client of another company's, and what that client does. */
async function setUp(t: ExecutionContext, configure: (configuration: Configuration) => void = () => undefined) {
  const privateJwk = generateSigningJwk('ES256')
  const stack = await runStack({
    configure(configuration) {
      configuration.OpenIddict.Seeding.Applications = [
        {
          ClientId: clientId,
          SigningKeyJwk: JSON.stringify(publicHalf(privateJwk)),
          Permissions: [...permissions, 'gt:authorization_code', 'rst:code', 'scp:orders'],
          RedirectUris: [callbackUri],
        },
      ]
      configuration.OpenIddict.Audience = configuration.Authentication.OpenIddict.Audience
      configure(configuration)
    },
  })
  t.teardown(stack.stop)
  const client = aProtocolClient({
    options: { issuer: stack.authorizationServer },
    client: { options: { clientId }, privateJwk },
  })
  return {
    stack,
    client,
    /** The header fields of a call with a proof of its own. */
    headersFor(url: string, accessToken: string) {
      const ath = createHash('sha256').update(accessToken).digest('base64url')
      const DPoP = client.proof('GET', url, { claims: { ath, nonce: undefined } })
      return { Authorization: `DPoP ${accessToken}`, DPoP }
    },
    async codeAndToken() {
      const callback = await client.authorize({ scope: 'openid orders' })
      const code = callback.searchParams.get('code') ?? ''
      const { body } = await client.redeem(code)
      return { code, token: String(body.access_token) }
    },
  }
}

test('the sample API takes no token whose code was used twice, and none that was revoked', async (t) => {
  const { stack, client, headersFor, codeAndToken } = await setUp(t)
  const url = new URL('/api/orders', stack.api).href
  const call = async (accessToken: string): Promise<number> =>
    (await fetch(url, { headers: headersFor(url, accessToken) })).status

  const reused = await codeAndToken()
  t.is(await call(reused.token), 200, stack.output())
  t.is((await client.redeem(reused.code)).body.error, 'invalid_grant')
  t.is(await call(reused.token), 401)

  const { token } = await codeAndToken()
  t.is(await call(token), 200)
  await client.post('revoke', { token })
  t.is(await call(token), 401)
})

test('an API elsewhere that introspects does not either, and is told of tokens that are for it only (RFC 7662)', async (t) => {
  const signingKey = generateSigningJwk('ES256')
  let audience = ''
  const { stack, client, headersFor, codeAndToken } = await setUp(t, ({ OpenIddict }) => {
    audience = OpenIddict.Audience
    const api = { SigningKeyJwk: JSON.stringify(publicHalf(signingKey)), Permissions: ['ept:introspection'] }
    OpenIddict.Seeding.Applications.push(
      { ...api, ClientId: 'orders-api', Audiences: [audience] },
      { ...api, ClientId: 'other-api', Audiences: ['https://other.example'] },
    )
  })
  const publicUrl = 'https://api.example'
  const url = `${publicUrl}/orders`
  const verifierOf = (name: string) =>
    createVerifier({
      issuer: {
        issuer: stack.authorizationServer.href.replace(/\/$/, ''),
        introspection: { clientId: name, signingKey, tokens: 'all', cache: 0 },
      },
      audience,
      publicUrl,
    })
  const [own, other] = [verifierOf('orders-api'), verifierOf('other-api')]
  const check = async (accessToken: string, verifier = own): Promise<string> => {
    const headers = { Host: 'api.example', ...headersFor(url, accessToken) }
    const request = { method: 'GET', target: '/orders', rawHeaders: Object.entries(headers).flat(), peer: undefined }
    const verdict = await verifier.verify(request)
    return verdict.kind === 'refused' ? verdict.error.message : verdict.kind
  }

  const reused = await codeAndToken()
  t.is(await check(reused.token), 'accepted', stack.output())
  t.is(await check(reused.token, other), 'the access token is not active')
  t.is((await client.redeem(reused.code)).body.error, 'invalid_grant')
  t.is(await check(reused.token), 'the access token is not active')

  const { token } = await codeAndToken()
  t.is(await check(token), 'accepted')
  await client.post('revoke', { token })
  t.is(await check(token), 'the access token is not active')
})
