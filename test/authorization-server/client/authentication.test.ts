import { createHmac, sign } from 'node:crypto'
import test from 'ava'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import { aProtocolClient, type JwtChange, jwt } from '../_client.js'
import { aClient, type RunningServer, startServer } from '../_running.js'

let server: RunningServer
const now = 1_800_000_000
test.before(async () => {
  server = await startServer({ now: () => now, other: aClient('client-2', { algorithm: 'PS256' }) })
})
test.after.always(() => server.stop())

const refuses = test.macro({
  title: (title = '') => `refuses an assertion ${title}`,
  async exec(t, assertion: JwtChange | false | string) {
    for (const endpoint of ['par', 'token', 'introspect', 'revoke']) {
      const { status, body } = await aProtocolClient(server).post(endpoint, { token: 'x' }, { assertion, proof: false })
      t.is(status, 401, endpoint)
      t.is(body.error, 'invalid_client', endpoint)
    }
  },
})

test('that is missing', refuses, false)
test('that is no JWT', refuses, 'not.a.jwt')
test('with an array as aud', refuses, { claims: { aud: ['http://127.0.0.1'] } })
test('with another aud', refuses, { claims: { aud: 'https://other.example' } })
test('without aud', refuses, { claims: { aud: undefined } })
test('without sub', refuses, { claims: { sub: undefined } })
test('without iss', refuses, { claims: { iss: undefined } })
test('of an unknown client', refuses, { claims: { iss: 'nobody', sub: 'nobody' } })
test('that says it is another client', refuses, { claims: { iss: 'client-2', sub: 'client-2' } })
test('without jti', refuses, { claims: { jti: undefined } })
test('with a number as jti', refuses, { claims: { jti: 7 } })
test('without exp', refuses, { claims: { exp: undefined } })
test('with exp as text', refuses, { claims: { exp: String(now + 60) } })
test('that expired five minutes ago', refuses, { claims: { exp: now - 300 } })
test('that expires now', refuses, { claims: { exp: now } })
test('that lives for ever', refuses, { claims: { exp: now + 1e9 } })
test('issued 61 seconds in the future', refuses, { claims: { iat: now + 61, exp: now + 121 } })
test('valid from 61 seconds in the future', refuses, { claims: { nbf: now + 61, exp: now + 121 } })
test('with critical header parameters', refuses, { header: { crit: ['exp'] } })
test('with RS256', refuses, { header: { alg: 'RS256' } })
test('with none', refuses, { header: { alg: 'none' } })
test('under an unknown kid', refuses, { header: { kid: 'other' } })

test('refuses the token and the PAR endpoint as audience', async (t) => {
  for (const endpoint of ['token', 'par']) {
    const claims = { aud: `${server.url}/connect/${endpoint}` }
    t.is((await aProtocolClient(server).push({}, { assertion: { claims } })).body.error, 'invalid_client')
  }
})

test('refuses the issuer in an array, and the issuer with a slash', async (t) => {
  for (const aud of [[server.url], `${server.url}/`])
    t.is((await aProtocolClient(server).push({}, { assertion: { claims: { aud } } })).body.error, 'invalid_client')
})

test('refuses a key that is not registered, under the kid of one that is', async (t) => {
  const stranger = signingKey({ ...generateSigningJwk('ES256'), kid: String(server.client.privateJwk.kid) })
  const claims = { iss: 'client-1', sub: 'client-1', aud: server.url, jti: 'x', exp: now + 60 }
  const assertion = jwt(stranger, { kid: stranger.kid }, claims)
  t.is((await aProtocolClient(server).push({}, { assertion })).body.error, 'invalid_client')
})

test('refuses an HMAC under the public key', async (t) => {
  const secret = JSON.stringify(server.client.options.keys[0]?.publicJwk)
  const claims = { iss: 'client-1', sub: 'client-1', aud: server.url, jti: 'x', exp: now + 60 }
  const signed = [{ alg: 'HS256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const assertion = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  t.is((await aProtocolClient(server).push({}, { assertion })).body.error, 'invalid_client')
})

test('refuses a client_id that is not the client of the assertion', async (t) => {
  const { body } = await aProtocolClient(server).push({ client_id: 'client-2' })
  t.is(body.error, 'invalid_client')
})

test('takes an assertion from 10 seconds in the future (FAPI 2.0 §5.3.2.1-13)', async (t) => {
  const claims = { iat: now + 10, nbf: now + 10, exp: now + 70 }
  t.is((await aProtocolClient(server).push({}, { assertion: { claims } })).status, 201)
})

test('takes an assertion without iat, nbf, kid and client_id', async (t) => {
  const assertion = { header: { kid: undefined }, claims: { iat: undefined, nbf: undefined } }
  t.is((await aProtocolClient(server).push({ client_id: '' }, { assertion })).status, 201)
})

test('takes PS256, and the same jti from two clients', async (t) => {
  const assertion = { claims: { jti: 'shared' } }
  t.is((await aProtocolClient(server).push({}, { assertion })).status, 201)
  t.is((await aProtocolClient(server, server.other).push({}, { assertion })).status, 201)
})

test('an assertion of the wrong kind does not use up the jti of a good one', async (t) => {
  const client = aProtocolClient(server)
  const claims = { jti: 'once' }
  await client.push({}, { assertion: { claims: { ...claims, aud: 'x' } } })
  t.is((await client.push({}, { assertion: { claims } })).status, 201)
})

test('refuses what the key signed for another purpose (RFC 8725 §3.11)', async (t) => {
  const client = aProtocolClient(server)
  const send = (header: Record<string, unknown>) => client.push({}, { assertion: { header } })
  for (const typ of [
    'dpop+jwt',
    'at+jwt',
    'logout+jwt',
    'oauth-authz-req+jwt',
    'application/dpop+jwt',
    'DPoP+JWT',
    '',
    1,
    null,
  ])
    t.is((await send({ typ })).body.error, 'invalid_client', String(typ))
  for (const typ of [undefined, 'JWT', 'jwt', 'client-authentication+jwt', 'application/client-authentication+jwt'])
    t.is((await send({ typ })).status, 201, String(typ))
  for (const header of [{ crit: ['exp'] }, { crit: [] }, { zip: 'DEF' }])
    t.is((await send(header)).body.error, 'invalid_client', JSON.stringify(header))
})

test('refuses an assertion in which a member comes twice', async (t) => {
  const client = aProtocolClient(server)
  const key = signingKey(server.client.privateJwk)
  const [head = '', body = ''] = client.assertion().split('.')
  const text = (segment: string): string => Buffer.from(segment, 'base64url').toString()
  const signedAs = (header: string, claims: string): string => {
    const signed = [header, claims].map((part) => Buffer.from(part).toString('base64url')).join('.')
    const made = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${made.toString('base64url')}`
  }
  const twice = (json: string, member: string): string => json.replace('{', `{${member},`)
  const post = (assertion: string) => client.push({}, { assertion })
  t.is(
    (await post(signedAs(text(head), twice(text(body), '"aud":"https://other.example"')))).body.error,
    'invalid_client',
  )
  t.is((await post(signedAs(text(head), twice(text(body), '"s\\u0075b":"client-2"')))).body.error, 'invalid_client')
  t.is((await post(signedAs(twice(text(head), '"alg":"none"'), text(body)))).body.error, 'invalid_client')
  t.is((await post(signedAs(text(head), text(body)))).status, 201)
})

test('refuses an assertion in another spelling of base64url (RFC 7515 §2)', async (t) => {
  const client = aProtocolClient(server)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // The last of 86 characters has four bits that mean nothing.
  const withStrayBits = (text: string): string =>
    `${text.slice(0, -1)}${alphabet[alphabet.indexOf(text.at(-1) ?? '') + 1]}`
  for (const respelled of [withStrayBits, (text: string) => `${text}==`, (text: string) => `${text} `]) {
    const { status, body } = await client.push({}, { assertion: respelled(client.assertion()) })
    t.is(status, 401)
    t.is(body.error, 'invalid_client')
  }
  t.is((await client.push({}, { assertion: client.assertion() })).status, 201)
})
