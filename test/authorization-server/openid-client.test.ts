import test from 'ava'
import * as oidc from 'openid-client'
import { aBrowser } from './_browser.js'
import { allowedByBob, anOpenidClient } from './_openid-client.js'
import { aClient, startServer } from './_running.js'

test('a client written with openid-client alone walks from the pushed request to the revoked token', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const { config, proven, begin, redeem } = await anOpenidClient(server)
  const url = await begin()
  t.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])

  const browser = aBrowser()
  const tokens = await redeem(await allowedByBob(url, browser))
  t.is(tokens.claims()?.sub, 'user-bob')
  t.is((await oidc.fetchUserInfo(config, tokens.access_token, 'user-bob', proven)).name, 'Bob')

  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, proven)
  t.is(refreshed.claims()?.sub, 'user-bob')
  t.like(await oidc.tokenIntrospection(config, refreshed.access_token), { active: true, sub: 'user-bob' })
  await oidc.tokenRevocation(config, tokens.refresh_token ?? '')
  t.deepEqual(await oidc.tokenIntrospection(config, refreshed.access_token), { active: false })
  await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, proven), {
    message: /server responded with an error/,
  })

  const machine = await oidc.clientCredentialsGrant(config, { scope: 'orders' }, proven)
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
  const { config, begin, redeem } = await anOpenidClient(server, { messages: 'signed' })
  const details = [{ type: 'accounts', actions: ['list'] }]
  const asked = { max_age: '300', authorization_details: JSON.stringify(details) }

  const browser = aBrowser()
  const silent = (await browser.get((await begin({ ...asked, prompt: 'none' })).href)).location ?? ''
  await t.throwsAsync(redeem(new URL(silent)), { instanceOf: oidc.AuthorizationResponseError })
  const callback = await allowedByBob(await begin({ ...asked, prompt: 'login' }), browser)
  t.deepEqual([...callback.searchParams.keys()], ['response'])
  const tokens = await redeem(callback)
  t.is(tokens.claims()?.sub, 'user-bob')
  t.deepEqual(tokens.authorization_details, details)
  const { active, authorization_details } = await oidc.tokenIntrospection(config, tokens.access_token)
  t.true(active)
  t.deepEqual(authorization_details, details)
})
