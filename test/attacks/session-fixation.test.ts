import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createRedisStore } from '../../src/store/redis-store.js'
import type { Store } from '../../src/store/store.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { call } from '../gateway/_client.js'
import { ownPage } from '../gateway/_planted.js'
import { logIn } from '../gateway/_provider.js'
import { aWorld, whoAmI } from '../gateway/_world.js'
import { startRedis } from '../store/_redis.js'

const redis = await startRedis()
test.after.always(() => redis?.stop())

const cookieName = 'sallyport-bff-app'

const fixation = test.macro(async (t, open: () => Promise<Store>) => {
  const store = await open()
  const world = await aWorld(t, { gateway: { store } })
  t.teardown(() => store.close())
  const { url } = world
  const user = async (id: string) => {
    const answer = await call(new URL(url), '/bff/user', { headers: { ...ownPage, Cookie: `${cookieName}=${id}` } })
    return (JSON.parse(answer.text) as { readonly authenticated: boolean }).authenticated
  }

  // Invented by the attacker: nobody's, and the login makes another.
  const planted = randomBytes(32).toString('base64url')
  const victim = createUserAgent()
  await victim.navigate(`${url}/bff/user`)
  const first = await logIn(victim, `${url}/bff/login`, 'victim')
  t.is(first.url.pathname, '/')
  const own = victim.cookies(url).get(cookieName) ?? ''
  t.regex(own, /^[\w-]{43}$/)
  t.not(own, planted)
  t.false(await user(planted))

  // The attacker's own live session, put into the victim's browser: the login ends it and makes another.
  const attacker = await world.loggedIn('attacker')
  const attackers = attacker.cookies(url).get(cookieName) ?? ''
  t.true(await user(attackers))
  const second = await loginWith(url, attackers)
  t.not(second, attackers)
  t.true(await user(second))
  t.false(await user(attackers))
  t.deepEqual(await whoAmI(attacker, url), { authenticated: false })
})

/** Logs in with a browser that holds a given session cookie, and gives back the one it has then. */
async function loginWith(url: string, id: string): Promise<string> {
  const browser = createUserAgent()
  const start = await call(new URL(url), '/bff/login', { headers: { Cookie: `${cookieName}=${id}` } })
  const transaction = (start.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ')
  const page = await browser.navigate(start.headers.location ?? '')
  const callback = await browser.submit(
    page,
    { login: 'victim', password: 'x' },
    { stopAt: ({ pathname }) => pathname === '/bff/callback' },
  )
  const end = await call(new URL(url), callback.url.pathname + callback.url.search, {
    headers: { Cookie: `${cookieName}=${id}; ${transaction}` },
  })
  const set = (end.headers['set-cookie'] ?? []).find((cookie) => cookie.startsWith(`${cookieName}=`)) ?? ''
  return set.slice(cookieName.length + 1).split(';')[0] ?? ''
}

test('a login makes a new session identifier and ends the one the browser had (memory)', fixation, async () =>
  createMemoryStore(),
)
if (redis === undefined) {
  test.skip('session fixation over Redis: no redis-server is installed', () => {})
} else {
  test('a login makes a new session identifier and ends the one the browser had (Redis)', fixation, () =>
    createRedisStore({ url: redis.url, timeout: 30 }),
  )
}

test('the former session ends although its cookie stays away from the callback (SameSite=Strict)', async (t) => {
  const { url, ...world } = await aWorld(t)
  const browser = await world.loggedIn()
  const former = browser.cookies(url).get(cookieName)
  const page = await browser.navigate(`${url}/bff/login`, { stopAt: ({ pathname }) => pathname === '/bff/callback' })
  const transactions = [...browser.cookies(url)].filter(([name]) => name.startsWith(`${cookieName}.`))
  const Cookie = transactions.map(([name, value]) => `${name}=${value}`).join('; ')
  const end = await call(new URL(url), page.url.pathname + page.url.search, { headers: { Cookie } })
  t.is(end.status, 303)
  const answer = await call(new URL(url), '/bff/user', { headers: { ...ownPage, Cookie: `${cookieName}=${former}` } })
  t.deepEqual(JSON.parse(answer.text), { authenticated: false })
})
