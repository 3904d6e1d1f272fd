import { createPrivateKey, randomUUID } from 'node:crypto'
import test from 'ava'
import { SignJWT } from 'jose'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { watchEvents } from '../gateway/_events.js'
import { anIssuer, type Issuer } from '../gateway/_issuer.js'
import { aPlantedGateway, codeOf, ownPage, type Planted } from '../gateway/_planted.js'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const now = () => Math.floor(Date.now() / 1000)

function claims(issuer: Issuer, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: issuer.issuer,
    aud: 'my-bff',
    iat: now(),
    exp: now() + 120,
    jti: randomUUID(),
    sub: 'alice',
    events: { [event]: {} },
    ...overrides,
  }
}

const send = (world: Planted, token: string) =>
  world.call('/bff/backchannel-logout', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ logout_token: token }).toString(),
  })

const alive = async (world: Planted, id: string) => (await world.sessionsOf('app').open(id)) !== undefined

test('a token with a sub ends all of the user’s sessions, one with a sid only that one', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const [one, two, other] = [
    await world.plant('app', { sid: 'one' }),
    await world.plant('app', { sid: 'two' }),
    await world.plant('app', { subject: 'bob' }),
  ]
  t.is((await send(world, await issuer.sign(claims(issuer, { sub: undefined, sid: 'one' })))).status, 200)
  t.deepEqual(
    [await alive(world, one.id), await alive(world, two.id), await alive(world, other.id)],
    [false, true, true],
  )
  t.is((await send(world, await issuer.sign(claims(issuer)))).status, 200)
  t.deepEqual([await alive(world, two.id), await alive(world, other.id)], [false, true])
  const answer = await world.call('/api/x', { headers: { ...ownPage, Cookie: two.cookie } })
  t.is(codeOf(answer), 'bff.session.ended')
})

test('a token for several of our clients ends the sessions of each, and of no other (§2.4: aud)', async (t) => {
  const issuer = await anIssuer(t)
  const clients = ['one', 'two', 'three'].map((clientId) => ({ name: clientId, clientId }))
  const world = await aPlantedGateway(t, {
    authority: issuer.issuer,
    frontends: [{ name: 'app', authorities: clients }],
  })
  const sessions = await Promise.all(
    clients.map(({ name, clientId }) =>
      world.plant('app', { sid: 'of-the-user', server: { name, clientId, authority: issuer.issuer } }),
    ),
  )
  const areAlive = () => Promise.all(sessions.map(({ id }) => alive(world, id)))
  t.deepEqual(await areAlive(), [true, true, true])
  const token = await issuer.sign(claims(issuer, { aud: ['two', 'elsewhere', 'one'], sid: 'of-the-user' }))
  t.is((await send(world, token)).status, 200)
  t.deepEqual(await areAlive(), [false, false, true])
  t.is((await send(world, token)).status, 400, 'it works once')
})

test('where a token could end the sessions of one client only, its next try ends the others', async (t) => {
  const issuer = await anIssuer(t)
  const store = createMemoryStore()
  let isDown = true
  const world = await aPlantedGateway(t, {
    authority: issuer.issuer,
    frontends: [{ name: 'app', authorities: ['one', 'two'].map((clientId) => ({ name: clientId, clientId })) }],
    gateway: {
      store: {
        ...store,
        addIfAbsent: async (key, ...rest) => {
          if (isDown && key.includes(':two:')) throw new Error('connection lost')
          return store.addIfAbsent(key, ...rest)
        },
      },
    },
  })
  const { id } = await world.plant('app', {
    sid: 'of-the-user',
    server: { name: 'two', clientId: 'two', authority: issuer.issuer },
  })
  const token = await issuer.sign(claims(issuer, { aud: ['one', 'two'], sid: 'of-the-user' }))
  t.true((await send(world, token)).status >= 500)
  isDown = false
  t.is((await send(world, token)).status, 200)
  t.false(await alive(world, id))
})

test('a token that lacks anything of §2.6, or has a nonce, ends nothing', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const { id } = await world.plant()
  const wrong: Record<string, Record<string, unknown>> = {
    'no iss': { iss: undefined },
    'another iss': { iss: 'https://evil.example' },
    'iss with a slash': { iss: `${issuer.issuer}/` },
    'no aud': { aud: undefined },
    'another aud': { aud: 'other' },
    'no iat': { iat: undefined },
    'iat in the future': { iat: now() + 600 },
    'iat long ago': { iat: now() - 3600 },
    'no exp': { exp: undefined },
    expired: { exp: now() - 600 },
    'no jti': { jti: undefined },
    'an empty jti': { jti: '' },
    'a jti without end': { jti: 'x'.repeat(1000) },
    'no events': { events: undefined },
    'another event': { events: { 'http://schemas.openid.net/event/other': {} } },
    'an event that is no object': { events: { [event]: true } },
    'events as a list': { events: [event] },
    'a nonce': { nonce: 'n' },
    'neither sub nor sid': { sub: undefined },
    'a sid that is no text': { sid: 1 },
  }
  for (const [what, overrides] of Object.entries(wrong)) {
    const answer = await send(world, await issuer.sign(claims(issuer, overrides)))
    t.is(answer.status, 400, what)
    t.is(codeOf(answer), 'bff.logout.token_refused', what)
    t.is(answer.headers['cache-control'], 'no-store')
  }
  t.true(await alive(world, id))
})

test('a token of another type, algorithm or key ends nothing', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const { id } = await world.plant()
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const genuine = await issuer.sign(claims(issuer))
  const tokens = {
    none: `${encoded({ alg: 'none', typ: 'logout+jwt' })}.${encoded(claims(issuer))}.`,
    'no signature': `${genuine.split('.').slice(0, 2).join('.')}.`,
    'another’s key under our name': await issuer.sign(
      claims(issuer),
      {},
      { ...generateSigningJwk('ES256'), kid: 'current' },
    ),
    'an access token': await issuer.sign(claims(issuer), { typ: 'at+jwt' }),
    'a proof': await issuer.sign(claims(issuer), { typ: 'dpop+jwt' }),
    'a changed payload': [genuine.split('.')[0], encoded(claims(issuer)), genuine.split('.')[2]].join('.'),
    'not a token': 'eyJ',
    empty: '',
    long: 'a'.repeat(20_000),
  }
  for (const [what, token] of Object.entries(tokens)) t.is((await send(world, token)).status, 400, what)
  t.true(await alive(world, id))
})

test('a token works once', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const token = await issuer.sign(claims(issuer))
  t.is((await send(world, token)).status, 200)
  const { id } = await world.plant()
  t.is((await send(world, token)).status, 400)
  t.true(await alive(world, id), 'a replay cannot log out who has come since')
})

test('a token whose work failed may come again: its jti is recorded last', async (t) => {
  const issuer = await anIssuer(t)
  const store = createMemoryStore()
  let broken = false
  const breaking = {
    ...store,
    delete: (key: string) => (broken ? Promise.reject(new Error('the store broke')) : store.delete(key)),
  }
  const world = await aPlantedGateway(t, { authority: issuer.issuer, gateway: { store: breaking } })
  const { id } = await world.plant()
  const token = await issuer.sign(claims(issuer))
  broken = true
  t.true((await send(world, token)).status >= 500)
  broken = false
  t.is((await send(world, token)).status, 200)
  t.false(await alive(world, id))
})

test('1,000 tokens that name unknown keys make at most two more looks at the key set', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const key = generateSigningJwk('ES256')
  const token = await issuer.sign(claims(issuer), {}, key)
  const [, payload, signature] = token.split('.')
  for (let batch = 0; batch < 10; batch++) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => {
        const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'logout+jwt', kid: randomUUID() })).toString(
          'base64url',
        )
        return send(world, `${header}.${payload}.${signature}`)
      }),
    )
    // Two looks, then whether a key is the server's cannot be said for a while; then the sender has no room left.
    const allowed = batch === 0 ? [400, 503, 429] : [429]
    t.true(
      answers.every(({ status }) => allowed.includes(status)),
      `batch ${batch}`,
    )
  }
  t.true(issuer.requests.filter((path) => path === '/jwks').length <= 3)
  t.is(issuer.requests.filter((path) => path !== '/jwks').length, 1, 'the metadata')
})

test('a token signed with a key that the server has only just begun to use ends its session', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const { id } = await world.plant()
  t.is((await send(world, await issuer.sign(claims(issuer, { sub: 'someone-else' })))).status, 200)
  const next = { ...generateSigningJwk('ES256'), kid: 'next' }
  issuer.moreKeys.push(publicHalf(next))
  t.is((await send(world, await issuer.sign(claims(issuer), {}, next))).status, 200)
  t.false(await alive(world, id))
})

test('a token signed with another key behind the same id ends its session, once the server publishes that key', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const { id } = await world.plant()
  t.is((await send(world, await issuer.sign(claims(issuer, { sub: 'someone-else' })))).status, 200)
  const next = { ...generateSigningJwk('ES256'), kid: 'current' }
  t.is((await send(world, await issuer.sign(claims(issuer), {}, next))).status, 400)
  t.true(await alive(world, id))
  const keySet = JSON.stringify({ keys: [publicHalf(next)] })
  issuer.answers.set('/jwks', (_request, response) => response.end(keySet))
  t.is((await send(world, await issuer.sign(claims(issuer), {}, next))).status, 200)
  t.false(await alive(world, id))
})

test('while the keys cannot be fetched a token is neither believed nor refused for good', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const { id } = await world.plant()
  const token = await issuer.sign(claims(issuer))
  issuer.down = true
  const answer = await send(world, token)
  t.is(answer.status, 503)
  t.true(await alive(world, id))
  issuer.down = false
  t.is((await send(world, token)).status, 200)
  t.false(await alive(world, id))
})

test.serial(
  'a logout token is signed as this client’s ID tokens are, and with nothing else the server can do (§2.6)',
  async (t) => {
    const events = watchEvents(t)
    const issuer = await anIssuer(t)
    const rsa = { ...generateSigningJwk('PS256'), kid: 'rsa' }
    issuer.moreKeys.push({ ...publicHalf(rsa), alg: undefined })
    const world = await aPlantedGateway(t, {
      authority: issuer.issuer,
      frontends: [{ name: 'app', profile: 'Baseline' }],
    })
    const idToken = await issuer.sign({ sub: 'alice' }, { typ: 'JWT' })
    const { id } = await world.plant('app', { idToken })
    const key = createPrivateKey({ key: { ...rsa }, format: 'jwk' })
    for (const alg of ['RS256', 'PS256']) {
      const other = await new SignJWT(claims(issuer))
        .setProtectedHeader({ alg, kid: 'rsa', typ: 'logout+jwt' })
        .sign(key)
      t.is((await send(world, other)).status, 400, alg)
      t.regex(JSON.stringify(events.at(-1)), new RegExp(`signed with ${alg}, allowed are ES256`))
    }
    t.true(await alive(world, id))
    t.is((await send(world, await issuer.sign(claims(issuer)))).status, 200)
    t.false(await alive(world, id))
  },
)

test.serial('what is wrong with a refused token is in the log, with the issuer or client that it is for', async (t) => {
  const events = watchEvents(t)
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  for (const [overrides, reason] of [
    [{ iss: 'https://other.example' }, /\\"iss\\" is https:\/\/other\.example/],
    [{ aud: ['another-client'] }, /\\"aud\\" is another-client/],
    [{ iat: now() - 900, exp: now() - 600 }, /expired: compare the clocks/],
    [{ events: undefined }, /\\"events\\" missing/],
  ] as const) {
    t.is((await send(world, await issuer.sign(claims(issuer, overrides)))).status, 400)
    t.regex(JSON.stringify(events.at(-1)), reason)
  }
})
