import { randomBytes } from 'node:crypto'
import test from 'ava'
import { SignJWT } from 'jose'
import { createProver, generateProofKey } from '../../src/dpop/prover.js'
import { generateSigningJwk, signingKey } from '../../src/jose/jwk.js'
import { aGate, everyWay } from './_gate.js'

test('a token of any kind without a session is no session (Envoy CVE-2022-29226)', async (t) => {
  const gate = await aGate(t)
  const { accessToken, id } = await gate.plant()
  const { privateKey } = signingKey(generateSigningJwk('ES256'))
  const jwt = await new SignJWT({ sub: 'alice', aud: 'my-bff', scope: 'orders' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer('http://127.0.0.1:9')
    .setExpirationTime('1h')
    .sign(privateKey)
  const url = new URL('/api/orders', gate.upstream.url)
  const target = { method: 'GET', url, accessToken }
  const proof = createProver(generateProofKey()).prove(target)
  for (const headers of [
    ['Authorization: Bearer x'],
    ['Authorization: bearer x'],
    ['Authorization: Bearer'],
    ['Authorization: Basic YWxpY2U6d29uZGVybGFuZA=='],
    [`Authorization: Bearer ${jwt}`],
    [`Authorization: Bearer ${accessToken}`],
    [`Authorization: DPoP ${accessToken}`, `DPoP: ${proof}`],
    [`Authorization: Bearer ${id}`],
    [`DPoP: ${proof}`],
    [`X-Access-Token: ${accessToken}`],
    [`X-Forwarded-Access-Token: ${accessToken}`],
    ['X-Forwarded-User: alice', 'X-Auth-Request-User: alice'],
    [`Cookie: access_token=${accessToken}; id_token=${jwt}; session=${id}`],
    [`Cookie: __Host-Http-bff-app=${accessToken}`],
    [`Cookie: __Host-Http-bff-app=${randomBytes(32).toString('base64url')}`],
    [`Cookie: __Host-Http-bff-app=`],
    [`Cookie: __Host-Http-bff-App=${id}`],
    [`Cookie: __Host-Http-bff-app.x=${id}`],
    [`Cookie: __Host-Http-bff-other=${id}`],
  ])
    for (const target of ['/api/orders', `/api/orders?access_token=${accessToken}`])
      await everyWay(gate, { target, headers }, ({ way, status, code, seen }) => {
        t.is(status, 401, `${way} ${headers}`)
        t.regex(code ?? '', /^bff\.session\.(absent|ended)$/)
        t.deepEqual(seen, [])
      })
  t.is(gate.connections(), 0)
})
