import { createHash } from 'node:crypto'
import test from 'ava'
import { generateSigningJwk, publicHalf } from '../../src/keys.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { callbackUri } from '../authorization-server/_running.js'
import { startStack } from './_stack.js'

test('the sample API takes no token whose code was used twice, and none that was revoked', async (t) => {
  const privateJwk = generateSigningJwk('ES256')
  const clientId = 'third-party'
  const stack = await startStack({
    configure(configuration) {
      configuration.OpenIddict.Seeding.Applications = [
        {
          ClientId: clientId,
          SigningKeyJwk: JSON.stringify(publicHalf(privateJwk)),
          Permissions: [
            'ept:authorization',
            'ept:pushed_authorization',
            'ept:token',
            'ept:revocation',
            'gt:authorization_code',
            'rst:code',
            'scp:orders',
          ],
          RedirectUris: [callbackUri],
        },
      ]
      configuration.OpenIddict.Audience = configuration.Authentication.OpenIddict.Audience
    },
  })
  t.teardown(stack.stop)
  const client = aProtocolClient({
    options: { issuer: stack.authorizationServer },
    client: { options: { clientId }, privateJwk },
  })
  const url = new URL('/api/orders', stack.api).href
  const call = async (accessToken: string): Promise<number> => {
    const ath = createHash('sha256').update(accessToken).digest('base64url')
    const DPoP = client.proof('GET', url, { claims: { ath, nonce: undefined } })
    return (await fetch(url, { headers: { Authorization: `DPoP ${accessToken}`, DPoP } })).status
  }
  const codeAndToken = async () => {
    const callback = await client.authorize({ scope: 'openid orders' })
    const code = callback.searchParams.get('code') ?? ''
    const { body } = await client.redeem(code)
    return { code, token: String(body.access_token) }
  }

  const reused = await codeAndToken()
  t.is(await call(reused.token), 200, stack.output())
  t.is((await client.redeem(reused.code)).body.error, 'invalid_grant')
  t.is(await call(reused.token), 401)

  const { token } = await codeAndToken()
  t.is(await call(token), 200)
  await client.post('revoke', { token })
  t.is(await call(token), 401)
})
