import test from 'ava'
import * as oidc from 'openid-client'
import { aBrowser } from './_browser.js'
import { aClient, callbackUri, startServer } from './_running.js'

test('a client written with openid-client alone walks from the pushed request to the revoked token', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const { clientId } = server.client.options
  const key = await crypto.subtle.importKey(
    'jwk',
    { ...server.client.privateJwk },
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  )
  const config = await oidc.discovery(
    new URL(server.url),
    clientId,
    { redirect_uris: [callbackUri], use_mtls_endpoint_aliases: false },
    oidc.PrivateKeyJwt({ key, kid: String(server.client.privateJwk.kid) }),
    { execute: [oidc.allowInsecureRequests] },
  )
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
  const url = await oidc.buildAuthorizationUrlWithPAR(
    config,
    {
      redirect_uri: callbackUri,
      scope: 'openid profile offline_access',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
    },
    { DPoP },
  )
  t.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])

  const browser = aBrowser()
  const consent = await browser.follow(
    await browser.submit(await browser.get(url.href), 'sign-in', { username: 'bob', password: 'builder' }),
  )
  const { location = '' } = await browser.submit(consent, 'allow')
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  const tokens = await oidc.authorizationCodeGrant(config, new URL(location), checks, undefined, { DPoP })
  t.is(tokens.claims()?.sub, 'user-bob')
  t.is((await oidc.fetchUserInfo(config, tokens.access_token, 'user-bob', { DPoP })).name, 'Bob')

  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
  t.is(refreshed.claims()?.sub, 'user-bob')
  t.like(await oidc.tokenIntrospection(config, refreshed.access_token), { active: true, sub: 'user-bob' })
  await oidc.tokenRevocation(config, tokens.refresh_token ?? '')
  t.deepEqual(await oidc.tokenIntrospection(config, refreshed.access_token), { active: false })
  await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP }), {
    message: /server responded with an error/,
  })

  const machine = await oidc.clientCredentialsGrant(config, { scope: 'orders' }, { DPoP })
  t.is(machine.token_type, 'dpop')
  const end = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '' })
  t.regex((await browser.get(end.href)).text, /You are signed out/)
})

test('with signed requests, signed responses, signed introspection (FAPI 2.0 Message Signing) and RFC 9396', async (t) => {
  const client = aClient('client-1', {
    requireSignedRequests: true,
    requireSignedResponses: true,
    authorizationDetailTypes: ['accounts'],
  })
  const server = await startServer({ client, authorizationDetailTypes: [{ type: 'accounts', schema: {} }] })
  t.teardown(() => server.stop())
  const key = await crypto.subtle.importKey(
    'jwk',
    { ...client.privateJwk },
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  )
  const signingKey = { key, kid: String(client.privateJwk.kid) }
  const config = await oidc.discovery(
    new URL(server.url),
    'client-1',
    {
      redirect_uris: [callbackUri],
      use_mtls_endpoint_aliases: false,
      authorization_signed_response_alg: 'ES256',
      introspection_signed_response_alg: 'ES256',
    },
    oidc.PrivateKeyJwt(signingKey),
    { execute: [oidc.allowInsecureRequests, oidc.useJwtResponseMode, oidc.enableNonRepudiationChecks] },
  )
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
  const begin = async (prompt: string): Promise<URL> => {
    const { searchParams } = await oidc.buildAuthorizationUrlWithJAR(
      config,
      {
        redirect_uri: callbackUri,
        scope: 'openid profile',
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        max_age: '300',
        authorization_details: JSON.stringify(details),
        prompt,
        state: expectedState,
        nonce: expectedNonce,
      },
      signingKey,
    )
    return oidc.buildAuthorizationUrlWithPAR(config, searchParams, { DPoP })
  }

  const details = [{ type: 'accounts', actions: ['list'] }]
  const browser = aBrowser()
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  const silent = (await browser.get((await begin('none')).href)).location ?? ''
  await t.throwsAsync(oidc.authorizationCodeGrant(config, new URL(silent), checks, undefined, { DPoP }), {
    instanceOf: oidc.AuthorizationResponseError,
  })
  const consent = await browser.follow(
    await browser.submit(await browser.get((await begin('login')).href), 'sign-in', {
      username: 'bob',
      password: 'builder',
    }),
  )
  const { location = '' } = await browser.submit(consent, 'allow')
  t.deepEqual([...new URL(location).searchParams.keys()], ['response'])
  const tokens = await oidc.authorizationCodeGrant(config, new URL(location), checks, undefined, { DPoP })
  t.is(tokens.claims()?.sub, 'user-bob')
  t.deepEqual(tokens.authorization_details, details)
  const { active, authorization_details } = await oidc.tokenIntrospection(config, tokens.access_token)
  t.true(active)
  t.deepEqual(authorization_details, details)
})
