import test from 'ava'
import { createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import { createTestClock, generateTestKey, mintProof, signJws } from '../../src/dpop-validator/testing/test-issuer.js'
import { json, startFaultyServer } from './_authorization-server.js'
import { outcome, publicUrl } from './_requests.js'

const key = generateTestKey()
const bound = {
  active: true,
  cnf: { jkt: key.jkt },
  token_type: 'DPoP',
  aud: publicUrl,
  sub: 'a',
  client_id: 'c',
  scope: 'read',
}

async function setUp(t: import('ava').ExecutionContext, introspection = {}, options: Partial<VerifierOptions> = {}) {
  const signer = generateTestKey()
  const server = await startFaultyServer([signer.publicJwk])
  t.teardown(() => server.close())
  const clock = createTestClock()
  const verifier = createVerifier({
    issuer: { issuer: server.issuer, introspection: { clientId: 'api', clientSecret: 's e:c', ...introspection } },
    audience: publicUrl,
    publicUrl,
    now: clock.now,
    jwks: { timeout: 20 },
    ...options,
  })
  const send = async (token = 'opaque', by = key) =>
    verifier.verify({
      method: 'GET',
      target: '/orders',
      rawHeaders: [
        ...['Host', 'api.example', 'Authorization', `DPoP ${token}`],
        ...['DPoP', mintProof({ method: 'GET', url: `${publicUrl}/orders`, key: by, token }, clock)],
      ],
      peer: undefined,
    })
  return { server, clock, send, signer, asked: () => server.asked.get('/introspect') ?? 0 }
}

test.serial('an opaque token is introspected, once for a while (RFC 7662, RFC 9449 §6.2)', async (t) => {
  const { server, send, clock, asked } = await setUp(t)
  let seen = ''
  server.paths['/introspect'] = (response, request, body) => {
    seen = `${request.headers.authorization} ${body}`
    json(bound)(response)
  }
  const verdict = await send()
  if (verdict.kind !== 'accepted') return t.fail(outcome(verdict))
  t.like(verdict.auth, { subject: 'a', clientId: 'c', jkt: key.jkt })
  t.is(seen, `Basic ${Buffer.from('api:s+e%3Ac').toString('base64')} token=opaque&token_type_hint=access_token`)
  t.is(outcome(await send()), 'accepted')
  t.is(asked(), 1)
  clock.advance(11)
  server.paths['/introspect'] = json({ active: false })
  t.is(outcome(await send()), 'invalid_token')
  t.is(asked(), 2)
})

test.serial('one question for many who ask at once', async (t) => {
  const { server, send, asked } = await setUp(t)
  server.paths['/introspect'] = json(bound)
  t.deepEqual(
    new Set((await Promise.all(Array.from({ length: 20 }, () => send()))).map(outcome)),
    new Set(['accepted']),
  )
  t.is(asked(), 1)
})

for (const [what, answer, expected] of [
  ['inactive', { active: false }, 'invalid_token'],
  ['without cnf', { ...bound, cnf: undefined }, 'invalid_token'],
  ['bound, but Bearer', { ...bound, token_type: 'Bearer' }, 'invalid_token'],
  ['of another key', { ...bound, cnf: { jkt: generateTestKey().jkt } }, 'invalid_token'],
  ['for another audience', { ...bound, aud: 'https://other.example' }, 'invalid_token'],
  ['without an audience', { ...bound, aud: undefined }, 'invalid_token'],
  ['expired', { ...bound, exp: 1 }, 'invalid_token'],
  ['of another issuer', { ...bound, iss: 'https://other.example' }, 'invalid_token'],
  ['active in words', { ...bound, active: 'true' }, 'temporarily_unavailable'],
  ['nothing', {}, 'temporarily_unavailable'],
] as const)
  test.serial(`an opaque token that is ${what}: ${expected}`, async (t) => {
    const { server, send } = await setUp(t)
    server.paths['/introspect'] = json(answer)
    t.is(outcome(await send()), expected)
  })

for (const [what, answer] of [
  ['401', (response: import('node:http').ServerResponse) => void response.writeHead(401).end('{}')],
  ['500', (response: import('node:http').ServerResponse) => void response.writeHead(500).end('{}')],
  ['HTML', (response: import('node:http').ServerResponse) => void response.end('<p>')],
  ['nothing', () => undefined],
] as const)
  test.serial(`an introspection endpoint that answers ${what}: 503`, async (t) => {
    const { server, send } = await setUp(t, {}, what === 'nothing' ? { jwks: { timeout: 0.5 } } : {})
    server.paths['/introspect'] = answer
    t.is(outcome(await send()), 'temporarily_unavailable')
  })

test.serial('a server that answers for us alone may leave the audience out', async (t) => {
  const { server, send } = await setUp(t, { audience: 'trusted' })
  server.paths['/introspect'] = json({ ...bound, aud: undefined })
  t.is(outcome(await send()), 'accepted')
})

test.serial('a client that has a key authenticates with it (RFC 7523)', async (t) => {
  const { server, send } = await setUp(t, { clientSecret: undefined, signingKey: generateTestKey('PS256').privateJwk })
  let form = new URLSearchParams()
  server.paths['/introspect'] = (response, _request, body) => {
    form = new URLSearchParams(body)
    json(bound)(response)
  }
  t.is(outcome(await send()), 'accepted')
  const claims = JSON.parse(Buffer.from(form.get('client_assertion')?.split('.')[1] ?? '', 'base64url').toString())
  t.like(claims, { iss: 'api', sub: 'api', aud: server.issuer })
})

test.serial('tokens: all asks about JWTs too, so a revoked one is seen', async (t) => {
  const { server, send, signer, clock } = await setUp(t, { tokens: 'all', cache: 5 })
  const iat = Math.floor(clock.now())
  const token = signJws(
    { typ: 'at+jwt', alg: 'ES256', kid: signer.publicJwk.kid },
    {
      iss: server.issuer,
      aud: publicUrl,
      sub: 'a',
      client_id: 'c',
      iat,
      exp: iat + 300,
      jti: 'j',
      cnf: { jkt: key.jkt },
    },
    signer,
  )
  server.paths['/introspect'] = json(bound)
  t.is(outcome(await send(token)), 'accepted')
  server.paths['/introspect'] = json({ active: false })
  t.is(outcome(await send(token)), 'accepted')
  clock.advance(6)
  t.is(outcome(await send(token)), 'invalid_token')
})
