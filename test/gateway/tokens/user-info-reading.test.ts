import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import type { AccessRule, RouteOptions } from '../../../src/gateway/route-options.js'
import { generateSigningJwk } from '../../../src/jose/jwk.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import type { UserAgent } from '../../flows/_user-agent.js'
import { aStandingClock } from '../_clock.js'
import { watchEvents } from '../_events.js'
import { aRoute, listen, serveGateway, startApi } from '../_gateway.js'
import type { PlantedOptions } from '../_planted.js'
import { aScriptedLogin } from '../_scripted-login.js'

const staff: readonly AccessRule[] = [{ claim: 'roles', anyOf: ['staff'] }]

interface Told {
  /** Claims of the next ID tokens, besides the usual ones. Undefined: there is none with a refresh. */
  idToken: Record<string, unknown> | undefined
  /** Claims of userinfo, or what it does instead. */
  userInfo: Record<string, unknown> | ((response: ServerResponse) => void)
}

/** A user who is logged in at a server of which every answer is the test's to say, at two replicas on one store. */
async function aUser(
  t: ExecutionContext,
  told: Told,
  routes: readonly (Partial<RouteOptions> & { path: string })[] = [],
) {
  const [time, api, other] = [aStandingClock(), await startApi(), await listen()]
  const upstreams = [new URL(api.url)]
  const login = await aScriptedLogin(t, {
    gateway: { now: time.now, store: createMemoryStore({ now: time.now }), seal: createSeal([randomBytes(32)]) },
    frontends: [
      {
        name: 'app',
        routes: [
          aRoute({ upstreams }),
          aRoute({ upstreams, path: '/admin', access: staff }),
          ...routes.map((route) => aRoute({ upstreams, ...route })),
        ],
      },
    ],
  } satisfies PlantedOptions)
  const { issuer, world } = login
  const replica = await serveGateway(other, { ...world.options })
  t.teardown(async () => {
    await other.close()
    await Promise.all([replica.close(), api.close()])
  })
  const asked: string[] = []
  const answer = issuer.refreshed
  let issued = 0
  const claimsOf = login.idToken
  login.idToken = (claims) => claimsOf({ ...claims, ...told.idToken })
  issuer.refreshed = async (form) => {
    const { id_token: idToken, ...tokens } = await answer(form)
    return {
      ...tokens,
      access_token: `token-${++issued}`,
      refresh_token: `refresh-${issued}`,
      ...(told.idToken !== undefined && { id_token: idToken }),
    }
  }
  issuer.answers.set('/userinfo', (request, response) => {
    asked.push(request.headers.authorization ?? '')
    if (typeof told.userInfo === 'function') told.userInfo(response)
    else response.end(JSON.stringify({ sub: 'alice', ...told.userInfo }))
  })
  const { browser } = await login.run()
  const replicas = [world.on.url, other.url] as const
  const call = async (path: string, on: string = replicas[0]) => {
    const response = await (browser as UserAgent).call(`${on}${path}`)
    return [response.status, ((await response.json()) as { code?: string }).code] as const
  }
  return {
    time,
    told,
    issuer,
    asked,
    replicas,
    call,
    /** Every access token is due. */
    refreshIsDue: () => time.advance(280),
    user: async () => (await (await browser.call(`${replicas[0]}/bff/user`)).json()) as Record<string, unknown>,
  }
}

const open = [200, undefined]
const denied = [403, 'bff.access.denied']
const unknown = [503, 'bff.issuer.unavailable']

test.serial('a role that userinfo has no more is gone with the next refresh, on both replicas', async (t) => {
  const { told, call, refreshIsDue, replicas, user } = await aUser(t, {
    idToken: {},
    userInfo: { roles: ['staff'], name: 'Alice', nickname: 'Al' },
  })
  for (const replica of replicas) t.deepEqual(await call('/admin/x', replica), open)
  told.userInfo = { roles: ['guest'], name: 'Alice Liddell' }
  for (const replica of replicas) t.deepEqual(await call('/admin/x', replica), open, 'until then its tokens serve')
  refreshIsDue()
  t.deepEqual(await call('/admin/x', replicas[1]), denied, 'the very call that refreshes')
  for (const replica of replicas) t.deepEqual(await call('/admin/x', replica), denied)
  for (const replica of replicas) t.deepEqual(await call('/api/x', replica), open)
  t.like(await user(), { roles: ['guest'], name: 'Alice Liddell', nickname: undefined })
  told.userInfo = { roles: ['staff'] }
  refreshIsDue()
  t.deepEqual(await call('/admin/x'), open, 'and one that comes is there')
})

test.serial('a claim of the ID token is replaced by the next one; what belongs to the login stays', async (t) => {
  const { told, call, refreshIsDue, user } = await aUser(t, {
    idToken: { roles: ['staff'], acr: 'high', amr: ['pwd'], auth_time: 1000, sid: 'session-1' },
    userInfo: {},
  })
  t.deepEqual(await call('/admin/x'), open)
  told.idToken = undefined
  refreshIsDue()
  t.deepEqual(await call('/admin/x'), open, 'a refresh without an ID token says nothing about its claims')
  told.idToken = { department: 'finance' }
  refreshIsDue()
  t.deepEqual(await call('/admin/x'), denied)
  t.like(await user(), { sub: 'alice', roles: undefined, department: 'finance', acr: 'high', auth_time: 1000 })
})

test.serial('the ID token comes first, and userinfo says nothing about tokens and logins', async (t) => {
  const forged = { acr: 'high', amr: ['hwk'], auth_time: 9e9, sid: 'other', session_expiry: 1, exp: 1, nonce: 'x' }
  const { told, call, refreshIsDue, user } = await aUser(t, {
    idToken: { roles: ['guest'] },
    userInfo: { ...forged, roles: ['staff'] },
  })
  for (const _ of ['after the login', 'after a refresh']) {
    t.deepEqual(await call('/admin/x'), denied)
    t.like(await user(), { authenticated: true, acr: undefined, amr: undefined, auth_time: undefined })
    told.userInfo = { ...forged, roles: ['staff'], iss: 'https://evil.example' }
    refreshIsDue()
  }
})

test.serial(
  'while userinfo does not answer, the user stays, and what it said serves for ten minutes more',
  async (t) => {
    const events = watchEvents(t)
    const { told, call, refreshIsDue, time, user } = await aUser(t, {
      idToken: {},
      userInfo: { roles: ['staff'], name: 'Alice' },
    })
    const reasons = () => events.filter(({ type }) => type === 'gateway.userinfo.unusable').length
    told.userInfo = (response) => response.destroy()
    refreshIsDue()
    t.deepEqual(await call('/admin/x'), open)
    t.is(reasons(), 1, 'not in silence')
    told.userInfo = (response) => response.writeHead(503).end()
    t.deepEqual(await call('/admin/x'), open)
    t.is(reasons(), 1, 'not asked at every call')
    time.advance(61)
    t.deepEqual(await call('/admin/x'), open)
    t.is(reasons(), 2, 'asked again after a minute')
    for (let minutes = 1; minutes < 10; minutes++) {
      time.advance(60)
      await call('/api/x')
    }
    t.deepEqual(await call('/admin/x'), unknown, 'not for ever')
    t.deepEqual(await call('/api/x'), open, 'what asks for no claim goes on')
    t.like(await user(), { authenticated: true, name: 'Alice' })
    told.userInfo = { roles: ['staff'] }
    time.advance(61)
    t.deepEqual(await call('/admin/x'), open, 'as soon as it answers again')
    t.true(events.every(({ type }) => type !== 'gateway.session.ended'))
  },
)

test.serial('a login while userinfo does not answer is one without its claims, until it answers', async (t) => {
  const { told, call, time } = await aUser(t, { idToken: {}, userInfo: (response) => response.writeHead(429).end() })
  t.deepEqual(await call('/admin/x'), unknown)
  told.userInfo = { roles: ['staff'] }
  time.advance(61)
  t.deepEqual(await call('/admin/x'), open)
})

test.serial('a claim of the ID token needs no userinfo', async (t) => {
  const { told, call, refreshIsDue, time } = await aUser(t, { idToken: { roles: ['staff'] }, userInfo: {} })
  told.userInfo = (response) => response.destroy()
  for (let hours = 0; hours < 3; hours++) {
    refreshIsDue()
    time.advance(601)
    t.deepEqual(await call('/admin/x'), open)
  }
})

const html = (response: ServerResponse) => void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>')
const refused = (status: number) => (response: ServerResponse) =>
  void response.writeHead(status, { 'WWW-Authenticate': 'DPoP error="invalid_token"' }).end('{}')
for (const [what, answer, reason] of [
  ['says that the token is no good', refused(401), /OAUTH_WWW_AUTHENTICATE_CHALLENGE/],
  ['refuses', (response: ServerResponse) => void response.writeHead(403).end('{}'), /status 403/],
  ['answers with a page', html, /not a JSON object/],
  ['is about another user', { sub: 'mallory', roles: ['staff'] }, /another user/],
] as const)
  test.serial(`userinfo that ${what} has taken back what it said; the user stays, and an event says why`, async (t) => {
    const events = watchEvents(t)
    const { told, call, refreshIsDue, user } = await aUser(t, {
      idToken: {},
      userInfo: { roles: ['staff'], name: 'Alice' },
    })
    told.userInfo = answer
    refreshIsDue()
    t.deepEqual(await call('/admin/x'), denied)
    t.deepEqual(await call('/api/x'), open)
    t.like(await user(), { authenticated: true, sub: 'alice', name: undefined, roles: undefined })
    const reasons = events.flatMap((event) => (event.type === 'gateway.userinfo.unusable' ? [event] : []))
    t.is(reasons.length, 1)
    t.regex(reasons[0]?.reason ?? '', reason)
    t.truthy(reasons[0]?.session)
  })

test.serial('userinfo as a signed JWT is verified at a refresh, too', async (t) => {
  const { told, call, refreshIsDue, issuer } = await aUser(t, { idToken: {}, userInfo: {} })
  const answers = async (claims: Record<string, unknown>, key = {}) => {
    const all = { iss: issuer.issuer, aud: 'my-bff', sub: 'alice', ...claims }
    const jwt = await issuer.sign(all, { typ: undefined }, ...(Object.keys(key).length > 0 ? [key as never] : []))
    told.userInfo = (response) => void response.writeHead(200, { 'Content-Type': 'application/jwt' }).end(jwt)
    refreshIsDue()
  }
  await answers({ roles: ['staff'] })
  t.deepEqual(await call('/admin/x'), open)
  await answers({ roles: ['staff'] }, { ...generateSigningJwk('ES256'), kid: 'current' })
  t.deepEqual(await call('/admin/x'), denied)
  await answers({ roles: 'staff' })
  t.deepEqual(await call('/admin/x'), open)
})

test.serial('it is asked with the token of the login, which is refreshed where only others are used', async (t) => {
  const { told, call, refreshIsDue, asked, time, issuer } = await aUser(
    t,
    { idToken: {}, userInfo: { roles: ['staff'] } },
    [{ path: '/orders', resource: 'https://orders.example', access: staff }],
  )
  t.deepEqual(await call('/orders/x'), open)
  told.userInfo = {}
  refreshIsDue()
  time.advance(30)
  t.deepEqual(await call('/orders/x'), denied)
  const forUserInfo = issuer.refreshes.filter((form) => form.has('refresh_token') && !form.has('resource'))
  t.is(forUserInfo.length, 1)
  t.true(asked.length >= 2)
})
