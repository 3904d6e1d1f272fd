import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import test from 'ava'
import { anIssuer, type Issuer } from '../gateway/_issuer.js'
import { aPlantedGateway, codeOf, ownPage, type Planted } from '../gateway/_planted.js'

const now = () => Math.floor(Date.now() / 1000)
/** A session whose token is due. */
const due = (user: string) => ({
  subject: user,
  claims: { sub: user },
  refreshToken: `refresh of ${user}`,
  accessTokens: { '': { value: `token of ${user}`, expiresAt: now() - 1 } },
})
const authorizationOf = async (world: Planted, cookie: string, agent?: Agent): Promise<string | undefined> => {
  const sent = request(`${world.on.url}/api/me`, {
    headers: { ...ownPage, Cookie: cookie },
    ...(agent && { agent }),
  }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return (JSON.parse(text) as { readonly authorization?: string }).authorization
}

test('500 users, two calls each, all refreshing at once: every API call has its own user’s token', async (t) => {
  const issuer = await anIssuer(t)
  const waiting: (() => void)[] = []
  issuer.refreshed = async (form) => {
    const user = form.get('refresh_token')?.slice('refresh of '.length)
    // Answers come in another order than questions: of ten, the last one is answered first.
    await new Promise<void>((answer) => {
      if (waiting.push(answer) < 10) return
      for (const next of waiting.splice(0).reverse()) next()
    })
    return { access_token: `new token of ${user}`, token_type: 'DPoP', expires_in: 600 }
  }
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const users = await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      const user = `user-${index}`
      return { user, ...(await world.plant('app', due(user))) }
    }),
  )
  // As many connections as a listener takes at once; the calls are all there from the beginning.
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  t.teardown(() => agent.destroy())
  const wrong: string[] = []
  await Promise.all(
    users.flatMap(({ user, cookie }) =>
      [1, 2].map(async () => {
        const authorization = await authorizationOf(world, cookie, agent)
        if (authorization !== `DPoP new token of ${user}`) wrong.push(`${user}: ${authorization}`)
      }),
    ),
  )
  t.deepEqual(wrong, [])
  t.is(issuer.refreshes.length, 500, 'one refresh for each session')
})

const aboutAnother = test.macro(
  async (
    t,
    answer: (issuer: Issuer, user: string) => Promise<Record<string, unknown>>,
    expected: string | undefined,
  ) => {
    const issuer = await anIssuer(t)
    issuer.refreshed = async () => ({
      access_token: 'new',
      token_type: 'DPoP',
      expires_in: 600,
      ...(await answer(issuer, 'alice')),
    })
    const world = await aPlantedGateway(t, { authority: issuer.issuer })
    const { cookie, id } = await world.plant('app', { ...due('alice'), nonce: 'n' })
    if (expected !== undefined) {
      t.is(await authorizationOf(world, cookie), expected)
      return
    }
    const refused = await world.call('/api/me', { headers: { ...ownPage, Cookie: cookie } })
    t.is(refused.status, 503)
    t.is(codeOf(refused), 'bff.issuer.unavailable')
    t.is(world.api.calls.length, 0)
    const session = await world.sessionsOf('app').open(id)
    t.like(session?.record, { claims: { sub: 'alice' }, refreshToken: 'refresh of alice' }, 'nothing of it was kept')
  },
)

const idToken =
  (claims: Record<string, unknown>, header: Record<string, unknown> = {}) =>
  async (issuer: Issuer, user: string) => ({
    id_token: await issuer.sign(
      { iss: issuer.issuer, aud: 'my-bff', sub: user, iat: now(), exp: now() + 60, ...claims },
      { typ: 'JWT', ...header },
    ),
  })

test('a refreshed ID token of the same user is taken', aboutAnother, idToken({}), 'DPoP new')
test('a refreshed ID token with the nonce of the login is taken', aboutAnother, idToken({ nonce: 'n' }), 'DPoP new')
test('a refreshed ID token about another user is refused', aboutAnother, idToken({ sub: 'mallory' }), undefined)
test('a refreshed ID token of another login is refused', aboutAnother, idToken({ nonce: 'other' }), undefined)
test(
  'a refreshed ID token of another issuer is refused',
  aboutAnother,
  idToken({ iss: 'https://evil.example' }),
  undefined,
)
test('a refreshed ID token for another client is refused', aboutAnother, idToken({ aud: 'other' }), undefined)
test('a refreshed ID token that is over is refused', aboutAnother, idToken({ exp: now() - 600 }), undefined)
test(
  'a refreshed ID token with a broken signature is refused',
  aboutAnother,
  async (issuer, user) => {
    const { id_token: token } = await idToken({})(issuer, user)
    const [header, payload] = token.split('.')
    return { id_token: `${header}.${payload}.${Buffer.alloc(64, 1).toString('base64url')}` }
  },
  undefined,
)
test(
  'a refreshed token of another type than DPoP is refused',
  aboutAnother,
  async () => ({ token_type: 'Bearer' }),
  undefined,
)

test('the loser of a race never logs the winner out', async (t) => {
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  const { cookie, id } = await world.plant('app', due('alice'))
  // Another replica has refreshed meanwhile, and the server has rotated: ours is told that its token is dead.
  issuer.refreshed = async () => {
    const sessions = world.sessionsOf('app')
    const session = await sessions.open(id)
    if (session === undefined) throw new Error('it lives')
    await sessions.replace(id, session, {
      ...session.record,
      refreshToken: 'rotated',
      accessTokens: { '': { value: 'token of the winner', expiresAt: now() + 600 } },
    })
    return { error: 'invalid_grant' }
  }
  t.is(await authorizationOf(world, cookie), 'DPoP token of the winner')
  t.truthy(await world.sessionsOf('app').open(id))
})
