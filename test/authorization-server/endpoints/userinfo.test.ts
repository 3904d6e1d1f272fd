import { createHash } from 'node:crypto'
import test from 'ava'
import { hashPassword } from '../../../src/authorization-server/sign-in/password.js'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import { altered } from '../../_altered.js'
import { aProtocolClient, type ProofChange, publicMembers } from '../_client.js'
import { type RunningServer, startServer } from '../_running.js'

let server: RunningServer
const now = Math.floor(Date.now() / 1000)
test.before(async () => {
  server = await startServer({ now: () => now })
})
test.after.always(() => server.stop())

test('tells what the scopes cover, and nothing else (OpenID Connect Core §5.4)', async (t) => {
  const client = aProtocolClient(server)
  const seen = async (scope: string): Promise<unknown> =>
    (await client.userinfo((await client.tokens({ scope })).access_token)).body
  t.deepEqual(await seen('openid'), { sub: 'user-alice' })
  t.deepEqual(await seen('openid profile'), { sub: 'user-alice', name: 'Alice Liddell' })
  t.deepEqual(await seen('openid email roles'), { sub: 'user-alice', email: 'alice@example.com', roles: ['admin'] })
})

test('a token without the scope openid is not enough', async (t) => {
  const client = aProtocolClient(server)
  const { access_token } = await client.tokens({ scope: 'orders' })
  const { status, headers } = await client.userinfo(access_token)
  t.is(status, 403)
  t.regex(headers.get('www-authenticate') ?? '', /^DPoP error="insufficient_scope", .*scope="openid", algs=/)
})

const refusesProof = test.macro({
  title: (title = '') => `refuses a proof ${title}`,
  async exec(t, change: ProofChange | (() => ProofChange), challenge = 'invalid_dpop_proof') {
    const client = aProtocolClient(server)
    const { access_token } = await client.tokens({ scope: 'openid' })
    const { status, headers } = await client.userinfo(access_token, typeof change === 'function' ? change() : change)
    t.is(status, 401)
    t.regex(
      headers.get('www-authenticate') ?? '',
      new RegExp(`^DPoP error="${challenge}", .*algs="ES256 PS256 Ed25519 EdDSA"`),
    )
    t.is((await client.userinfo(access_token)).status, 200, 'while a good one is taken')
  },
})

const without = (member: string): ProofChange => ({ claims: { [member]: undefined } })
for (const member of ['jti', 'htm', 'htu', 'iat', 'ath']) test(`without ${member}`, refusesProof, without(member))
for (const member of ['typ', 'alg', 'jwk'])
  test(`without ${member} in its header`, refusesProof, { header: { [member]: undefined } })
test('of another typ', refusesProof, { header: { typ: 'JWT' } })
test('with RS256', refusesProof, { header: { alg: 'RS256' } })
test('with none', refusesProof, { header: { alg: 'none' } })
test('for another method', refusesProof, { claims: { htm: 'PUT' } })
test('for another URI', refusesProof, { claims: { htu: 'https://other.example/connect/userinfo' } })
test('for the host of the request instead of the issuer', refusesProof, {
  claims: { htu: 'http://localhost/connect/userinfo' },
})
test('an hour old', refusesProof, { claims: { iat: now - 3600 } })
test('from an hour ahead', refusesProof, { claims: { iat: now + 3600 } })
test('from 62 seconds ahead', refusesProof, { claims: { iat: now + 62 } })
test('for another token', refusesProof, { claims: { ath: createHash('sha256').update('x').digest('base64url') } })
test('with a strange nonce', refusesProof, { claims: { nonce: 'AAAA' } }, 'use_dpop_nonce')
test('of another key', refusesProof, () => ({ key: signingKey(generateSigningJwk('ES256')) }), 'invalid_token')
test('with a private key inside', refusesProof, () => {
  const jwk = generateSigningJwk('ES256')
  return { key: signingKey(jwk), header: { jwk: { ...publicMembers(jwk), d: jwk.d } } }
})
test('whose signature is of another key', refusesProof, () => ({
  header: { jwk: publicMembers(generateSigningJwk('ES256')) },
}))

test('takes a proof with nbf, exp, more claims, a query in htu, and from 10 seconds off', async (t) => {
  const client = aProtocolClient(server)
  const { access_token } = await client.tokens({ scope: 'openid' })
  const htu = `${server.url}/connect/userinfo`
  for (const claims of [
    { nbf: now - 10, exp: now + 60, more: true },
    { htu: `${htu}?query#fragment` },
    { htu: htu.replace('http:', 'HTTP:') },
    { iat: now - 10 },
    { iat: now + 10 },
  ])
    t.is((await client.userinfo(access_token, { claims })).status, 200)
})

test('refuses a proof the second time', async (t) => {
  const client = aProtocolClient(server)
  const { access_token } = await client.tokens({ scope: 'openid' })
  const claims = { jti: 'once' }
  t.is((await client.userinfo(access_token, { claims })).status, 200)
  t.is((await client.userinfo(access_token, { claims })).status, 401)
})

const fetchWith = (headers: Record<string, string>, query = '') =>
  fetch(`${server.url}/connect/userinfo${query}`, { headers })

test('a request without a token is told how, without an error code (RFC 6750 §3.1)', async (t) => {
  const response = await fetchWith({})
  t.is(response.status, 401)
  t.regex(response.headers.get('www-authenticate') ?? '', /^DPoP algs="/)
})

test('a bound token as Bearer, in the query, without a proof or malformed gets nothing', async (t) => {
  const client = aProtocolClient(server)
  const { access_token } = await client.tokens({ scope: 'openid' })
  t.is((await fetchWith({ authorization: `Bearer ${access_token}` })).status, 401)
  t.is((await fetchWith({}, `?access_token=${access_token}`)).status, 401)
  t.is((await client.userinfo(access_token, false)).status, 401)
  t.is((await fetchWith({ authorization: `DPoP ${access_token} x` })).status, 400)
  t.is((await fetchWith({ authorization: 'DPoP' })).status, 400)
  t.is((await client.userinfo(altered(access_token))).status, 401)
})

test('an ID token is no access token', async (t) => {
  const client = aProtocolClient(server)
  const { id_token = '' } = await client.tokens({ scope: 'openid' })
  t.is((await client.userinfo(id_token)).status, 401)
})

test('the scheme is not case-sensitive, and the token of the other client needs the other key', async (t) => {
  const [client, other] = [aProtocolClient(server), aProtocolClient(server, server.other)]
  const { access_token } = await client.tokens({ scope: 'openid' })
  const url = `${server.url}/connect/userinfo`
  const ath = createHash('sha256').update(access_token).digest('base64url')
  await other.push()
  t.is(
    (await fetchWith({ authorization: `dPOp ${access_token}`, dpop: client.proof('GET', url, { claims: { ath } }) }))
      .status,
    200,
  )
  t.is((await other.userinfo(access_token)).status, 401)
})

test('claims are those of now, and a user who is gone has no tokens any more', async (t) => {
  const passwordHash = await hashPassword('x', { ln: 4, p: 1 })
  const directory = new Map([['carol', { name: 'Carol' }]])
  const own = await startServer({
    users: [{ username: 'other', passwordHash }],
    verifyUser: async (username, password) =>
      directory.has(username) && password === 'secret'
        ? { subject: username, claims: { name: 'Old' }, amr: ['otp'], acr: 'gold' }
        : undefined,
    findUser: async (subject) => directory.get(subject),
  })
  t.teardown(() => own.stop())
  const client = aProtocolClient(own)
  const tokens = await client.tokens({}, { username: 'carol', password: 'secret' })
  t.like((await client.userinfo(tokens.access_token)).body, { sub: 'carol', name: 'Carol' })
  directory.delete('carol')
  t.is((await client.userinfo(tokens.access_token)).status, 401)
  t.is((await client.refresh(tokens.refresh_token ?? '')).body.error, 'invalid_grant')
})
