import test from 'ava'
import * as oauth from 'oauth4webapi'
import { aBrowser } from './_browser.js'
import { callbackUri, loggedOutUri, startServer } from './_running.js'

test('a client written with oauth4webapi alone walks from the pushed request to the revoked token', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const insecure = { [oauth.allowInsecureRequests]: true }
  const { clientId } = server.client.options
  const client: oauth.Client = { client_id: clientId }
  const key = await crypto.subtle.importKey(
    'jwk',
    { ...server.client.privateJwk },
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  )
  const auth = oauth.PrivateKeyJwt({ key, kid: String(server.client.privateJwk.kid) })

  const issuer = new URL(server.url)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const viaOAuth = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }),
  )
  t.deepEqual(viaOAuth, as)

  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256', { extractable: true }))
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const parameters = {
    response_type: 'code',
    redirect_uri: callbackUri,
    scope: 'openid profile email offline_access orders',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }
  const retried = async <Answer>(send: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await send()
    } catch (error) {
      if (oauth.isDPoPNonceError(error)) return send()
      throw error
    }
  }
  const pushed = await retried(async () =>
    oauth.processPushedAuthorizationResponse(
      as,
      client,
      await oauth.pushedAuthorizationRequest(as, client, auth, parameters, { ...insecure, DPoP }),
    ),
  )
  t.is(pushed.expires_in, 60)

  const browser = aBrowser()
  const start = `${as.authorization_endpoint}?${new URLSearchParams({ client_id: clientId, request_uri: pushed.request_uri })}`
  const signIn = await browser.get(start)
  t.regex(signIn.text, /autocomplete="current-password"/)
  const consent = await browser.follow(
    await browser.submit(signIn, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  t.regex(consent.text, /Allow The client-1\?/)
  const done = await browser.submit(consent, 'allow')
  t.is(done.status, 303)
  const callback = oauth.validateAuthResponse(as, client, new URL(done.location ?? ''), state)

  const tokens = await retried(async () =>
    oauth.processAuthorizationCodeResponse(
      as,
      client,
      await oauth.authorizationCodeGrantRequest(as, client, auth, callback, callbackUri, verifier, {
        ...insecure,
        DPoP,
      }),
      { expectedNonce: nonce, requireIdToken: true },
    ),
  )
  t.is(tokens.token_type, 'dpop')
  t.is(oauth.getValidatedIdTokenClaims(tokens)?.sub, 'user-alice')
  t.deepEqual(oauth.getValidatedIdTokenClaims(tokens)?.amr, ['pwd'])

  const info = await oauth.processUserInfoResponse(
    as,
    client,
    'user-alice',
    await oauth.userInfoRequest(as, client, tokens.access_token, { ...insecure, DPoP }),
  )
  t.is(info.email, 'alice@example.com')
  t.is(info.roles, undefined)

  const refreshed = await oauth.processRefreshTokenResponse(
    as,
    client,
    await oauth.refreshTokenGrantRequest(as, client, auth, String(tokens.refresh_token), { ...insecure, DPoP }),
  )
  t.is(refreshed.refresh_token, undefined)
  t.not(refreshed.access_token, tokens.access_token)

  const introspect = async (token: string) =>
    oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, token, insecure))
  t.like(await introspect(refreshed.access_token), { active: true, client_id: clientId, sub: 'user-alice' })

  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, auth, String(tokens.refresh_token), insecure),
  )
  t.deepEqual(await introspect(refreshed.access_token), { active: false })
  t.deepEqual(await introspect(String(tokens.refresh_token)), { active: false })

  const sid = String(oauth.getValidatedIdTokenClaims(tokens)?.sid)
  const out = await browser.get(
    `${as.end_session_endpoint}?${new URLSearchParams({ client_id: clientId, logout_hint: sid, post_logout_redirect_uri: loggedOutUri, state: 'bye' })}`,
  )
  t.is(out.status, 303)
  t.is(out.location, `${loggedOutUri}?state=bye`)
})
