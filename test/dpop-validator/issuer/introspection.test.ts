import test from 'ava'
import { createVerifier, type VerifierOptions } from '../../../src/dpop-validator/dpop-validator.js'
import {
  createTestClock,
  generateTestKey,
  mintProof,
  signJws,
  type TestKey,
} from '../../../src/dpop-validator/testing/test-issuer.js'
import { json, startFaultyServer } from '../_authorization-server.js'
import { outcome, publicUrl } from '../_requests.js'

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
  const send = async (token = 'opaque', by = key, { peer, signedBy }: { peer?: string; signedBy?: TestKey } = {}) =>
    verifier.verify({
      method: 'GET',
      target: '/orders',
      rawHeaders: [
        ...['Host', 'api.example', 'Authorization', `DPoP ${token}`],
        ...[
          'DPoP',
          mintProof(
            { method: 'GET', url: `${publicUrl}/orders`, key: by, token, ...(signedBy && { signedBy }) },
            clock,
          ),
        ],
      ],
      peer,
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

/** An endpoint that answers about `good` tokens at once, and about others when the test says so. */
function slowAboutOthers(server: Awaited<ReturnType<typeof setUp>>['server'], good: readonly string[]) {
  const held: (() => void)[] = []
  server.paths['/introspect'] = (response, _request, body) => {
    const token = new URLSearchParams(body).get('token') ?? ''
    if (good.includes(token)) json(bound)(response)
    else held.push(() => json({ active: false })(response))
  }
  return {
    /** Resolves once so many are held, or more. */
    async holds(count: number) {
      while (held.length < count) await new Promise((resolve) => setImmediate(resolve))
    },
    /** From now on as well. */
    release() {
      for (const answer of held.splice(0)) answer()
      server.paths['/introspect'] = (response, _request, body) =>
        json(good.includes(new URLSearchParams(body).get('token') ?? '') ? bound : { active: false })(response)
    },
  }
}

test.serial('a made-up token whose proof is not signed by its key asks nobody', async (t) => {
  const { server, send, asked } = await setUp(t)
  server.paths['/introspect'] = json({ active: false })
  const forged = { signedBy: generateTestKey() }
  for (let n = 0; n < 150; n++) t.is(outcome(await send(`made-up-${n}`, key, forged)), 'invalid_dpop_proof')
  t.is(asked(), 0)
})

test.serial(
  'a flood of made-up tokens costs neither a known key, nor another network, nor its own one for long',
  async (t) => {
    const { server, send, clock } = await setUp(t)
    const endpoint = slowAboutOthers(server, ['opaque', 'opaque-2', 'opaque-3'])
    const flood = { peer: '192.0.2.1' }
    t.is(outcome(await send('opaque', key, flood)), 'accepted')
    const stranger = generateTestKey()
    const answers = Array.from({ length: 250 }, (_, n) => send(`made-up-${n}`, stranger, flood))
    await endpoint.holds(80)
    t.is(outcome(await send('opaque-2', key, flood)), 'accepted', 'a known key')
    clock.advance(11)
    t.is(outcome(await send('opaque', key, flood)), 'accepted', 'a known token that is asked about anew')
    const elsewhere = send('opaque-3', generateTestKey(), { peer: '2001:db8::1' })
    endpoint.release()
    t.is(outcome(await elsewhere), 'invalid_token', 'asked about, and bound to another key')
    t.deepEqual(new Set((await Promise.all(answers)).map(outcome)), new Set(['invalid_token']))
  },
)

test.serial('the refusal of a dead token is repeated for five seconds without a question', async (t) => {
  const { server, send, asked, clock } = await setUp(t, { cache: 0 })
  for (const answer of [{ active: false }, { ...bound, aud: 'https://other.example' }]) {
    server.paths['/introspect'] = json(answer)
    const before = asked()
    for (let n = 0; n < 20; n++) t.is(outcome(await send('dead')), 'invalid_token')
    t.is(asked(), before + 1)
    clock.advance(6)
  }
  server.paths['/introspect'] = (response) => void response.writeHead(500).end()
  t.is(outcome(await send('dead')), 'temporarily_unavailable')
  server.paths['/introspect'] = json(bound)
  t.is(outcome(await send('dead')), 'accepted', 'an outage is no refusal')
})

test.serial('a refresh token, which is active too, is no access token', async (t) => {
  const { server, send } = await setUp(t, { audience: 'trusted' })
  for (const answer of [
    { ...bound, aud: undefined, token_type: undefined },
    { ...bound, aud: undefined, token_use: 'refresh_token' },
    { ...bound, typ: 'Refresh' },
    { ...bound, token_type: 'refresh_token' },
  ]) {
    server.paths['/introspect'] = json(answer)
    t.is(outcome(await send(JSON.stringify(answer).replace(/\W/g, '-'))), 'invalid_token')
  }
})

const signedType = 'application/token-introspection+jwt'

test.serial(
  'where it has to be signed it is asked for so, and believed once the signature holds (RFC 9701)',
  async (t) => {
    const { server, send, signer, clock } = await setUp(t, { signed: true })
    let accept: string | undefined
    const answerWith = (jwt: string, type = signedType): void => {
      server.paths['/introspect'] = (response, request) => {
        accept = request.headers.accept
        response.writeHead(200, { 'content-type': type }).end(jwt)
      }
    }
    const now = () => Math.floor(clock.now())
    const header = { typ: 'token-introspection+jwt', alg: 'ES256', kid: signer.publicJwk.kid }
    const claims = (changes: object = {}) => ({
      iss: server.issuer,
      aud: 'api',
      iat: now(),
      token_introspection: bound,
      ...changes,
    })
    const good = () => signJws(header, claims(), signer)

    let tokens = 0
    const next = () => send(`opaque-${tokens++}`)
    answerWith(good())
    t.is(outcome(await next()), 'accepted')
    t.is(accept, signedType)
    answerWith(good(), `${signedType}; charset=utf-8`)
    t.is(outcome(await next()), 'accepted')
    answerWith(signJws(header, claims({ token_introspection: { active: false } }), signer))
    t.is(outcome(await next()), 'invalid_token')

    const stranger = generateTestKey()
    for (const [what, jwt, type] of [
      ['JSON', JSON.stringify(bound), 'application/json'],
      ['JSON under the name of a JWT', JSON.stringify(bound), signedType],
      ['a JWT under another name', good(), 'application/jwt'],
      ['another typ', signJws({ ...header, typ: 'at+jwt' }, claims(), signer)],
      ['no typ', signJws({ ...header, typ: undefined }, claims(), signer)],
      ['none', signJws({ ...header, alg: 'none' }, claims(), signer)],
      ['another key', signJws(header, claims(), stranger)],
      ['a critical extension', signJws({ ...header, crit: ['x'] }, claims(), signer)],
      ['another issuer', signJws(header, claims({ iss: 'https://evil.example' }), signer)],
      ['for another API', signJws(header, claims({ aud: 'other' }), signer)],
      ['for the audience of the token', signJws(header, claims({ aud: publicUrl }), signer)],
      ['of an hour ago', signJws(header, claims({ iat: now() - 3600 }), signer)],
      ['without iat', signJws(header, claims({ iat: undefined }), signer)],
      [
        'its members outside',
        signJws(header, claims({ ...bound, aud: 'api', token_introspection: undefined }), signer),
      ],
    ] as const) {
      answerWith(jwt, type)
      t.is(outcome(await next()), 'temporarily_unavailable', what)
    }
  },
)
