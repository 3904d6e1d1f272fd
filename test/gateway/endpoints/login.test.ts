import test from 'ava'
import { call } from '../_client.js'
import { aClock } from '../_clock.js'
import { watchEvents } from '../_events.js'
import { logIn } from '../_provider.js'
import { aWorld, whoAmI } from '../_world.js'

test('a person logs in at node-oidc-provider, calls an API with DPoP, refreshes three times and logs out', async (t) => {
  const time = aClock()
  const world = await aWorld(t, { gateway: { now: time.now } })
  const { url, provider, api } = world
  const browser = world.aBrowser()

  t.deepEqual(await whoAmI(browser, url), { authenticated: false })
  const landing = await logIn(browser, `${url}/bff/login?returnUrl=/welcome`)
  t.is(landing.url.href, `${url}/welcome`, landing.body + provider.errors)
  t.like(await whoAmI(browser, url), { authenticated: true, sub: 'alice', name: 'Name of alice' })

  for (const call of [1, 2, 3]) {
    time.advance(301)
    const answer = await browser.call(`${url}/api/orders/${call}`)
    t.is(answer.status, 200)
    t.is(answer.headers.get('x-bff-session-refreshed'), 'true')
  }
  const tokens = new Set(api.calls.map(({ headers }) => headers.authorization))
  t.is(tokens.size, 3)
  t.true([...tokens].every((authorization) => authorization?.startsWith('DPoP ')))
  const refreshes = provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token')
  t.is(new Set(refreshes.map(({ body }) => body.get('refresh_token'))).size, 3, 'each rotation was survived')

  const { logoutUrl = '' } = await whoAmI(browser, url)
  const end = await browser.navigate(url + logoutUrl)
  t.is(end.url.origin + end.url.pathname, `${provider.issuer}/session/end`)
  t.deepEqual(await whoAmI(browser, url), { authenticated: false })
  t.is((await browser.call(`${url}/api/orders`)).status, 401)
})

test('the pushed request carries everything, and the browser only client_id and request_uri (FAPI 2.0 §5.3.3.2-6)', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const { visited } = await world
    .aBrowser()
    .navigate(`${url}/bff/login`, { stopAt: ({ pathname }) => pathname === '/auth' })
  t.deepEqual([...(visited.at(-1)?.searchParams.keys() ?? [])].sort(), ['client_id', 'request_uri'])
  const pushed = provider.posted.filter(({ path }) => path === '/request').at(-1)?.body
  t.is(pushed?.get('code_challenge_method'), 'S256')
  t.is(pushed?.get('response_type'), 'code')
  t.is(pushed?.get('scope'), 'openid profile email offline_access')
  t.regex(pushed?.get('dpop_jkt') ?? '', /^[\w-]{43}$/)
  t.true((pushed?.get('nonce')?.length ?? 99) <= 43)
  t.true((pushed?.get('state')?.length ?? 999) <= 128)
})

test('a nonce retry carries a fresh assertion and a fresh proof', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  await world.aBrowser().navigate(`${url}/bff/login`, { stopAt: ({ pathname }) => pathname === '/auth' })
  const pushes = provider.posted.filter(({ path }) => path === '/request')
  t.is(pushes.length, 2)
  const jtiOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).jti
  t.is(new Set(pushes.map(({ body }) => jtiOf(body.get('client_assertion') ?? ''))).size, 2)
  t.is(new Set(pushes.map(({ headers }) => jtiOf(String(headers.dpop)))).size, 2)
})

test('a nonce that one login was given spares the next one the refusal', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const login = () => world.aBrowser().navigate(`${url}/bff/login`, { stopAt: ({ pathname }) => pathname === '/auth' })
  await login()
  await login()
  t.is(provider.posted.filter(({ path }) => path === '/request').length, 3)
})

test('a login link may say who and how, and nothing else', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const link = `${url}/bff/login?scope=admin&acr_values=0&redirect_uri=https://evil.example&client_id=other&login_hint=bob&ui_locales=de&prompt=login`
  await world.aBrowser().navigate(link, { stopAt: ({ pathname }) => pathname === '/auth' })
  const pushed = provider.posted.filter(({ path }) => path === '/request').at(-1)?.body
  t.is(pushed?.get('scope'), 'openid profile email offline_access')
  t.is(pushed?.get('redirect_uri'), `${url}/bff/callback`)
  t.is(pushed?.get('client_id'), 'my-bff')
  t.false(pushed?.has('acr_values'))
  t.is(pushed?.get('login_hint'), 'bob')
  t.is(pushed?.get('ui_locales'), 'de')
  t.is(pushed?.get('prompt'), 'login')
})

const atTheServer = ({ pathname }: URL) => pathname === '/auth'
const atTheCallback = ({ pathname }: URL) => pathname === '/bff/callback'

test('twenty logins in flight fit into 8 KB of cookies, whatever the frontend is called and whoever is logged in', async (t) => {
  const { url, ...world } = await aWorld(t, { frontend: { name: 'a-name-of-thirty-two-characters-' } })
  const browser = await world.loggedIn()
  for (let tab = 0; tab < 24; tab++) {
    await browser.navigate(`${url}/bff/login?returnUrl=/orders/${tab}`, { stopAt: atTheServer })
  }
  const ours = [...browser.cookies(url)].filter(([name]) => name.startsWith('sallyport-bff-'))
  const bytes = ours.map(([name, value]) => `${name}=${value}`).join('; ').length
  t.true(bytes <= 8192, `${bytes} bytes in ${ours.length} cookies`)
  const sealed = ours.filter(([name, value]) => name.includes('.') && value.split('.').length > 2)
  t.is(sealed.length, 20)
})

test('a login that gave way to twenty newer ones begins again, and its tab comes to its own page', async (t) => {
  const { url, ...world } = await aWorld(t)
  const browser = world.aBrowser()
  const first = await browser.navigate(`${url}/bff/login?returnUrl=/tab/first%3Fa%3D1`, { stopAt: atTheServer })
  for (let tab = 0; tab < 20; tab++) await browser.navigate(`${url}/bff/login`, { stopAt: atTheServer })
  const { url: late } = await logIn(browser, first.url.href)
  t.is(late.href, `${url}/tab/first?a=1`, world.provider.errors.join())
  t.like(await whoAmI(browser, url), { authenticated: true })
})

test('return URLs of two thousand characters fill no header: the oldest attempts go', async (t) => {
  const { url, ...world } = await aWorld(t)
  const browser = world.aBrowser()
  for (let tab = 0; tab < 20; tab++) {
    await browser.navigate(`${url}/bff/login?returnUrl=/${'a'.repeat(2000)}`, { stopAt: atTheServer })
  }
  const ours = [...browser.cookies(url)].map(([name, value]) => `${name}=${value}`)
  t.true(ours.join('; ').length <= 8192)
  t.true(
    ours.every((cookie) => cookie.length < 4096),
    'browsers drop a longer cookie',
  )
  t.true(ours.length >= 2)
  const page = await browser.navigate(`${url}/bff/login?returnUrl=/${encodeURIComponent('注'.repeat(600))}`)
  t.is(
    (await browser.submit(page, { login: 'alice', password: 'x' })).url.href,
    `${url}/`,
    'written out it is too long',
  )
})

test('one login has one request id, from its link to the end of its callback', async (t) => {
  const { url, ...world } = await aWorld(t)
  const start = await call(new URL(url), '/bff/login')
  const cookie = start.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const browser = world.aBrowser()
  const page = await browser.navigate(start.headers.location ?? '')
  const { url: end } = await browser.submit(page, { login: 'alice', password: 'x' }, { stopAt: atTheCallback })
  t.regex(start.headers['x-request-id']?.toString() ?? '', /^[\w-]{36}$/)
  for (const search of [end.search.replace(/code=[^&]*/, 'code=wrong'), end.search]) {
    const answer = await call(new URL(url), end.pathname + search, { headers: { Cookie: cookie } })
    t.is(answer.status, 400)
    t.is(answer.headers['x-request-id'], start.headers['x-request-id'], answer.text)
  }
})

test('logins in several tabs each land where their tab wanted to go', async (t) => {
  const { url, ...world } = await aWorld(t)
  const browser = world.aBrowser()
  const callbacks = []
  for (const tab of [1, 2, 3]) {
    const page = await browser.navigate(`${url}/bff/login?returnUrl=/tab/${tab}`)
    const form = page.body.includes('name="login"')
      ? browser.submit(
          page,
          { login: 'alice', password: 'x' },
          { stopAt: ({ pathname }) => pathname === '/bff/callback' },
        )
      : page
    callbacks.push((await form).url)
  }
  for (const [index, callback] of callbacks.entries()) {
    const landing = await browser.navigate(callback)
    t.is(landing.url.pathname, `/tab/${index + 1}`, landing.body + world.provider.errors)
  }
  t.like(await whoAmI(browser, url), { authenticated: true })
})

test('a silent login finds out, and whoever is not signed in comes back as nobody', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const browser = world.aBrowser()
  const landing = await browser.navigate(`${url}/bff/login?prompt=none&returnUrl=/quiet`)
  t.is(landing.url.href, `${url}/quiet`)
  t.deepEqual(await whoAmI(browser, url), { authenticated: false })
  await logIn(browser, `${url}/bff/login`)
  await browser.navigate(`${url}/bff/login?prompt=none&returnUrl=/quiet`)
  t.like(await whoAmI(browser, url), { authenticated: true })
})

test('logout takes the tokens back and leads through the server’s own logout, with the ID token or without', async (t) => {
  for (const idTokenHint of [true, false]) {
    const { url, provider, ...world } = await aWorld(t, { frontend: { idTokenHint } })
    const browser = await world.loggedIn()
    const answer = await browser.call(`${url}/bff/logout`, { method: 'POST' })
    const { redirectTo } = (await answer.json()) as { readonly redirectTo: string }
    const { origin, pathname, searchParams } = new URL(redirectTo)
    t.is(origin + pathname, `${provider.issuer}/session/end`)
    t.is(searchParams.get('client_id'), 'my-bff')
    t.is(searchParams.get('post_logout_redirect_uri'), `${url}/`)
    t.is(searchParams.has('id_token_hint'), idTokenHint)
    t.is(searchParams.has('logout_hint'), !idTokenHint)
    const revoked = provider.posted
      .filter(({ path }) => path === '/token/revocation')
      .map(({ body }) => body.get('token_type_hint'))
    t.deepEqual(revoked.sort(), ['access_token', 'refresh_token'])
    t.deepEqual(await whoAmI(browser, url), { authenticated: false })
  }
})

test.serial('what a login link asks for in vain is an event: too long, twice, elsewhere, not allowed', async (t) => {
  const events = watchEvents(t)
  const { url } = await aWorld(t, { frontend: { loginParameters: ['login_hint', 'prompt'] } })
  const ignored = async (query: string) => {
    const from = events.length
    t.is((await call(new URL(url), `/bff/login?${query}`)).status, 303)
    return events
      .slice(from)
      .flatMap((event) =>
        event.type === 'gateway.login.parameter-ignored' ? [`${event.parameter}: ${event.reason}`] : [],
      )
  }
  const long = 'x'.repeat(3000)
  t.deepEqual(await ignored(`returnUrl=/${long}`), ['returnUrl: it is longer than 2048 characters'])
  t.deepEqual(await ignored('returnUrl=https://evil.example/'), ['returnUrl: it is no page of this application'])
  t.deepEqual(await ignored('returnUrl=/a&returnUrl=/b'), ['returnUrl: it is empty, or comes more than once'])
  t.deepEqual(await ignored(`login_hint=${'x'.repeat(257)}`), ['login_hint: it is longer than 256 characters'])
  t.deepEqual(await ignored('login_hint=a&login_hint=b'), ['login_hint: it is empty, or comes more than once'])
  t.deepEqual(await ignored('ui_locales=de'), ['ui_locales: LoginParameters does not have it'])
  t.deepEqual(await ignored(`returnUrl=/${'x'.repeat(2047)}&login_hint=${'x'.repeat(256)}&other=1`), [])
})
