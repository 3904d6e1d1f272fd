import test from 'ava'
import { signingKey } from '../../src/jose/jwk.js'
import { aBrowser } from './_browser.js'
import { aProtocolClient, claimsOf, codeChallenge, jwt } from './_client.js'
import { aClient, callbackUri, type RunningServer, startServer } from './_running.js'

/* RFC 9396 */

const payment = { type: 'payment', amount: { value: '12.50', currency: 'EUR' }, creditor: 'Merchant A' }
const accounts = { type: 'accounts', actions: ['list', 'read'], locations: ['https://bank.example/accounts'] }

const exchanger = aClient('exchanger', {
  authorizationDetailTypes: ['payment', 'accounts'],
  permissions: [
    ...['authorization', 'pushed_authorization', 'token'].map((name) => `ept:${name}`),
    ...['gt:authorization_code', 'gt:token_exchange', 'rst:code', 'scp:orders'],
  ],
})

let server: RunningServer
test.before(async () => {
  const permitted = { authorizationDetailTypes: ['payment', 'accounts'] }
  server = await startServer({
    client: aClient('client-1', permitted),
    other: aClient('client-2', { authorizationDetailTypes: ['accounts'] }),
    clients: [exchanger.options],
    authorizationDetailTypes: [
      {
        type: 'payment',
        schema: {
          type: 'object',
          properties: {
            type: { const: 'payment' },
            amount: {
              type: 'object',
              properties: { value: { type: 'string', pattern: '^\\d+\\.\\d\\d$' }, currency: { enum: ['EUR', 'CHF'] } },
              required: ['value', 'currency'],
              additionalProperties: false,
            },
            creditor: { type: 'string', maxLength: 70 },
          },
          required: ['type', 'amount', 'creditor'],
          additionalProperties: false,
        },
        consent: 'Pay {amount.value} {amount.currency} to {creditor}{missing.member}',
      },
      {
        type: 'accounts',
        schema: { type: 'object', properties: { nickname: { type: 'string', pattern: '^(a+)+$' } } },
      },
    ],
  })
})
test.after.always(() => server.stop())

const asked = (...details: unknown[]) => ({ authorization_details: JSON.stringify(details) })

test('what a user allows is in the token, in the token response and in introspection (RFC 9396 §7, §9)', async (t) => {
  const client = aProtocolClient(server)
  const callback = await client.authorize({ ...asked(payment, accounts), scope: 'openid offline_access' })
  const { body } = await client.redeem(callback.searchParams.get('code') ?? '')
  t.deepEqual(body.authorization_details, [payment, accounts])
  t.deepEqual(claimsOf(String(body.access_token)).authorization_details, [payment, accounts])
  for (const token of [body.access_token, body.refresh_token])
    t.deepEqual(
      (await client.post('introspect', { token: String(token) }, { proof: false })).body.authorization_details,
      [payment, accounts],
    )

  const again = await client.refresh(String(body.refresh_token))
  t.deepEqual(again.body.authorization_details, [payment, accounts], 'a refresh keeps it')
  const less = await client.refresh(String(body.refresh_token), asked(accounts))
  t.deepEqual(less.body.authorization_details, [accounts], 'or narrows it')
  t.deepEqual(claimsOf(String(less.body.access_token)).authorization_details, [accounts])
  const none = await client.refresh(String(body.refresh_token), { authorization_details: '[]' })
  t.is(none.body.authorization_details, undefined)
  for (const more of [
    { ...payment, amount: { value: '99.00', currency: 'EUR' } },
    { ...accounts, actions: ['list', 'read', 'write'] },
    { ...accounts, actions: ['list'] },
    { type: 'accounts' },
    { type: 'other' },
  ]) {
    const { status, body: refused } = await client.refresh(String(body.refresh_token), asked(more))
    t.is(status, 400)
    t.is(refused.error, 'invalid_authorization_details', JSON.stringify(more))
  }
})

test('a code can be redeemed for less, and what was refused has not used it up', async (t) => {
  const client = aProtocolClient(server)
  const code = (await client.authorize(asked(payment, accounts))).searchParams.get('code') ?? ''
  t.is((await client.redeem(code, asked({ type: 'other' }))).body.error, 'invalid_authorization_details')
  const { body } = await client.redeem(code, asked(payment))
  t.deepEqual(body.authorization_details, [payment])
})

test('details are enough: a request needs no scope beside them (RFC 9396 §3)', async (t) => {
  const client = aProtocolClient(server)
  const code = (await client.authorize({ ...asked(payment), scope: undefined })).searchParams.get('code') ?? ''
  const { status, body } = await client.redeem(code)
  t.is(status, 200)
  t.is(body.scope, undefined)
  t.is(body.id_token, undefined)
  t.deepEqual(claimsOf(String(body.access_token)).authorization_details, [payment])
})

test('an exchanged token has what was exchanged, or a part of it (RFC 8693)', async (t) => {
  const client = aProtocolClient(server, exchanger)
  const code = (await client.authorize({ ...asked(payment, accounts), scope: 'orders' })).searchParams.get('code') ?? ''
  const { body } = await client.redeem(code, asked(payment))
  const exchange = (parameters = {}) =>
    client.post('token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: String(body.access_token),
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      ...parameters,
    })
  t.deepEqual((await exchange()).body.authorization_details, [payment])
  t.is((await exchange({ authorization_details: '[]' })).body.authorization_details, undefined)
  // Allowed to the login, and not in the token that is exchanged.
  t.is((await exchange(asked(accounts))).body.error, 'invalid_authorization_details')
})

test('they come in a request object as JSON has them, and not as a text', async (t) => {
  const client = aProtocolClient(server)
  const key = signingKey(server.client.privateJwk)
  const now = Math.floor(Date.now() / 1000)
  const request = (authorization_details: unknown): string =>
    jwt(
      key,
      { kid: key.kid },
      {
        iss: 'client-1',
        client_id: 'client-1',
        aud: server.url,
        nbf: now,
        exp: now + 60,
        response_type: 'code',
        redirect_uri: callbackUri,
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
        authorization_details,
      },
    )
  t.is((await client.post('par', { request: request([payment]) })).status, 201)
  t.is((await client.post('par', { request: request(JSON.stringify([payment])) })).body.error, 'invalid_request')
})

test('the consent page says each, in the words of its type, as text and never as markup', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const odd = { ...payment, creditor: '<b>Eve</b> {amount.value}\u202e\n&amp;\u3164\u034f' }
  const pushed = await client.push(asked(odd, { type: 'accounts', note: '</li><script>alert(1)</script>' }))
  t.is(pushed.status, 201, JSON.stringify(pushed.body))
  const page = await browser.follow(
    await browser.submit(await browser.get(client.authorizationUrl(pushed)), 'sign-in', {
      username: 'alice',
      password: 'wonderland',
    }),
  )
  t.true(
    page.text.includes(
      '<li><strong>Pay 12.50 EUR to &lt;b&gt;Eve&lt;/b&gt; {amount.value}  &amp;amp;  –</strong></li>',
    ),
    page.text,
  )
  t.regex(
    page.text,
    /<li><strong>\{&quot;type&quot;:&quot;accounts&quot;,&quot;note&quot;:&quot;&lt;\/li&gt;&lt;script/,
  )
  t.notRegex(page.text, /<script|<b>Eve/)
})

test('one payment that was allowed allows no other, nor the same once more', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  await client.authorize(asked(payment), { browser })
  const silent = await browser.get(client.authorizationUrl(await client.push({ ...asked(payment), prompt: 'none' })))
  t.is(new URL(silent.location ?? '').searchParams.get('error'), 'consent_required')
  const again = await browser.get(client.authorizationUrl(await client.push(asked(payment))))
  t.regex(again.text, /Pay 12\.50 EUR to Merchant A/)
  // The scopes alone were allowed with it, and are not asked for again.
  const scopes = await browser.get(client.authorizationUrl(await client.push({ prompt: 'none' })))
  t.truthy(new URL(scopes.location ?? '').searchParams.get('code'))
})

for (const [what, text] of [
  ['no JSON', '{'],
  ['no list', '{"type":"accounts"}'],
  ['an element that is no object', '["accounts"]'],
  ['an element without a type', '[{"actions":[]}]'],
  ['a type that is no text', '[{"type":5}]'],
  ['an unknown type', '[{"type":"constructor"}]'],
  ['a missing member', JSON.stringify([{ type: 'payment', creditor: 'x' }])],
  ['a member too many', JSON.stringify([{ ...payment, recurring: true }])],
  ['a member of another kind', JSON.stringify([{ ...payment, creditor: 5 }])],
  ['one wrong among right ones', JSON.stringify([accounts, { ...payment, amount: {} }])],
  ['a prototype', '[{"type":"payment","__proto__":{"amount":1}}]'],
  ['a member that is there twice', '[{"type":"accounts","actions":["list"],"actions":["pay"]}]'],
  [
    'what is nested too deeply to be compared later',
    `[{"type":"accounts","note":${'['.repeat(1900)}${']'.repeat(1900)}}]`,
  ],
  ['a text over which its pattern takes years', JSON.stringify([{ ...accounts, nickname: `${'a'.repeat(60)}!` }])],
  ['too many elements', JSON.stringify(Array.from({ length: 21 }, () => accounts))],
  ['too long a text', JSON.stringify([{ ...accounts, note: 'ü'.repeat(2100) }])],
] as const)
  test(`refuses ${what} when it is pushed (RFC 9396 §5)`, async (t) => {
    const { status, body } = await aProtocolClient(server).push({ authorization_details: text })
    t.is(status, 400)
    t.is(body.error, 'invalid_authorization_details')
    t.regex(String(body.error_description), /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
  })

test('refuses a type that is not for this client, and details without a user', async (t) => {
  const other = aProtocolClient(server, server.other)
  t.is((await other.push(asked(payment))).body.error, 'invalid_authorization_details')
  t.is((await other.push(asked(accounts))).status, 201)
  const { body } = await aProtocolClient(server).post('token', {
    grant_type: 'client_credentials',
    scope: 'orders',
    ...asked(accounts),
  })
  t.is(body.error, 'invalid_authorization_details')
})

test('says its types in its metadata; a server without any says nothing, and takes none', async (t) => {
  const metadataOf = async ({ url }: RunningServer) =>
    (await (await fetch(`${url}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
  t.deepEqual((await metadataOf(server)).authorization_details_types_supported, ['payment', 'accounts'])
  const without = await startServer()
  t.teardown(() => without.stop())
  t.false('authorization_details_types_supported' in (await metadataOf(without)))
  const client = aProtocolClient(without)
  t.is((await client.push(asked(accounts))).body.error, 'invalid_authorization_details')
  t.false('authorization_details' in claimsOf((await client.tokens()).access_token))
})
