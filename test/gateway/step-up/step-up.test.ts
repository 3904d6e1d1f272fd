import test from 'ava'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createUserAgent } from '../../flows/_user-agent.js'
import { codeOf, navigation, ownPage } from '../_planted.js'
import { aStepping, challengeFor, codeOn } from './_stepping.js'

const nowInSeconds = (): number => Math.floor(Date.now() / 1000)

test('an API that asks for more becomes a login link; after it the call passes, in the same session of the same user', async (t) => {
  const world = await aStepping(t)
  const { browser } = world
  await world.login(browser)
  t.like(await world.call(browser), { status: 200, from: 'api' })
  world.challenge = challengeFor({ acr_values: 'gold platinum', max_age: '300' })
  const refused = await world.call(browser)
  t.like(refused, { status: 401, code: 'bff.step_up.required' })
  t.like(await world.who(browser), { authenticated: true, acr: 'bronze' }, 'the session stays')
  const link = new URL(refused.loginUrl ?? '', world.world.on.url)
  t.is(link.pathname, '/bff/login')
  t.is(link.searchParams.get('acr_values'), 'gold platinum')
  t.is(link.searchParams.get('max_age'), '300')

  world.idToken = { acr: 'gold', auth_time: nowInSeconds() }
  const landing = await world.login(browser, `${refused.loginUrl}&returnUrl=/orders`)
  t.is(world.pushed.get('acr_values'), 'gold platinum')
  t.is(world.pushed.get('max_age'), '300')
  t.is(landing.url.pathname, '/orders')
  world.challenge = undefined
  t.like(await world.call(browser), { status: 200 })
  t.like(await world.who(browser), { authenticated: true, sub: 'alice', acr: 'gold' })
})

test('a person who opens an address that needs more goes to the login and comes back to it', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  const { browser } = world
  await world.login(browser)
  const Cookie = `sallyport-bff-app=${browser.cookies(world.at('/')).get('sallyport-bff-app')}`
  const headers = { ...navigation, 'Sec-Fetch-Site': 'same-origin', 'X-CSRF': '1', Cookie }
  const answer = await world.world.call('/api/report?page=2', { headers })
  t.is(answer.status, 303)
  const link = answer.headers.location ?? ''
  t.is(new URL(link, world.at('/')).searchParams.get('returnUrl'), '/api/report?page=2')
  world.idToken = { acr: 'gold' }
  const landing = await world.login(browser, link)
  t.is(landing.url.href, world.at('/api/report?page=2'))
  t.is((await world.call(browser)).status, 200)
})

test('a route asks by itself, by acr and by auth_time, and the API is not called', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold', 'platinum'], maxAuthenticationAge: 300 } })
  const calls = async (claims: Record<string, unknown>) => {
    const browser = (await aBrowserWith(claims)).browser
    const before = world.api.seen.length
    const { status, code } = await world.call(browser)
    t.is(world.api.seen.length - before, status === 200 ? 1 : 0)
    return code ?? status
  }
  const aBrowserWith = async (claims: Record<string, unknown>) => {
    const browser = createUserAgent()
    world.idToken = claims
    await world.login(browser)
    return { browser }
  }
  const now = nowInSeconds()
  t.is(await calls({ acr: 'gold', auth_time: now }), 200)
  t.is(await calls({ acr: 'platinum', auth_time: now - 200 }), 200)
  t.is(await calls({ acr: 'bronze', auth_time: now }), 'bff.step_up.required')
  t.is(await calls({ acr: 'gold', auth_time: now - 400 }), 'bff.step_up.required')
  t.is(await calls({ auth_time: now }), 'bff.step_up.required', 'no acr')
  t.is(await calls({ acr: 'gold' }), 'bff.step_up.required', 'no auth_time')
  t.is(await calls({ acr: ['gold'], auth_time: now }), 'bff.step_up.required', 'of another type')
  const { browser } = await aBrowserWith({ acr: 'bronze' })
  t.like(await world.call(browser, '/plain'), { status: 200 }, 'other routes do not ask')
})

test('what userinfo says of acr and auth_time does not count: it is not signed', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  world.issuer.metadata = { userinfo_endpoint: `${world.issuer.issuer}/userinfo` }
  world.issuer.answers.set('/userinfo', (_request, response) => void response.end('{"sub":"alice","acr":"gold"}'))
  world.idToken = {}
  await world.login(world.browser)
  t.like(await world.call(world.browser), { code: 'bff.step_up.required' })
})

test('who is not logged in logs in once, with what the route asks for', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  const refused = await world.call(world.browser)
  t.like(refused, { status: 401, code: 'bff.session.absent' })
  world.idToken = { acr: 'gold' }
  await world.login(world.browser, refused.loginUrl)
  t.is(world.pushed.get('acr_values'), 'gold')
  t.like(await world.call(world.browser), { status: 200 })
})

for (const [what, idToken] of [
  ['a lower acr', { acr: 'bronze', auth_time: nowInSeconds() }],
  ['no acr', { auth_time: nowInSeconds() }],
  ['an older auth_time', { acr: 'gold', auth_time: nowInSeconds() - 400 }],
  ['no auth_time', { acr: 'gold' }],
] as const)
  test(`a server that answers with ${what} is refused, and the session stays as it was`, async (t) => {
    const world = await aStepping(t)
    const { browser } = world
    await world.login(browser)
    const before = browser.cookies(world.at('/')).get('sallyport-bff-app')
    world.challenge = challengeFor({ acr_values: 'gold', max_age: '300' })
    const { loginUrl } = await world.call(browser)
    world.idToken = idToken
    const landing = await world.login(browser, loginUrl)
    t.is(landing.status, 400)
    t.is(codeOn(landing), 'bff.step_up.not_met')
    t.is(browser.cookies(world.at('/')).get('sallyport-bff-app'), before)
    world.challenge = undefined
    t.like(await world.call(browser), { status: 200 })
    t.like(await world.who(browser), { authenticated: true, acr: 'bronze' })
  })

test('a server that says itself that it cannot sign in so is refused with the same code', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  await world.login(world.browser)
  const { loginUrl } = await world.call(world.browser)
  world.error = 'unmet_authentication_requirements'
  t.is(codeOn(await world.login(world.browser, loginUrl)), 'bff.step_up.not_met')
  world.error = 'access_denied'
  t.is(codeOn(await world.login(world.browser, loginUrl)), 'bff.login.denied')
  t.like(await world.who(world.browser), { authenticated: true })
})

test('another user than that of the session is refused at a step-up, and replaces the session at a plain login', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  const { browser } = world
  await world.login(browser)
  const { loginUrl } = await world.call(browser)
  world.idToken = { acr: 'gold', sub: 'bob' }
  t.is(codeOn(await world.login(browser, loginUrl)), 'bff.step_up.other_user')
  t.like(await world.who(browser), { authenticated: true, sub: 'alice' })
  await world.login(browser)
  t.like(await world.who(browser), { authenticated: true, sub: 'bob' })
})

test('the former session ends when the new one is there, and stays when that cannot be', async (t) => {
  const store = createMemoryStore()
  let isFull = false
  const world = await aStepping(t, {
    route: { acrValues: ['gold'] },
    gateway: {
      store: {
        ...store,
        set: (...record) => (isFull ? Promise.reject(new Error('full')) : store.set(...record)),
        addIfAbsent: (key, ...record) =>
          isFull && !key.startsWith('login-used')
            ? Promise.reject(new Error('full'))
            : store.addIfAbsent(key, ...record),
      },
    },
  })
  const { browser } = world
  await world.login(browser)
  const cookie = () => browser.cookies(world.at('/')).get('sallyport-bff-app')
  const before = cookie()
  const { loginUrl } = await world.call(browser)
  world.idToken = { acr: 'gold' }
  isFull = true
  t.is((await world.login(browser, loginUrl)).status, 500)
  t.is(cookie(), before, 'the browser keeps its cookie')
  t.like(await world.who(browser), { authenticated: true, acr: 'bronze' })
  isFull = false
  await world.login(browser, loginUrl)
  t.not(cookie(), before)
  t.like(await world.who(browser), { authenticated: true, acr: 'gold' })
  const old = await world.world.call('/api', { headers: { ...ownPage, Cookie: `sallyport-bff-app=${before}` } })
  t.is(codeOf(old), 'bff.session.ended')
})

test('an API that is never content is told apart: the second time is 403, not another login', async (t) => {
  const world = await aStepping(t)
  const { browser } = world
  await world.login(browser)
  for (const parameters of [{ acr_values: 'gold' }, { max_age: '0' }, { acr_values: 'gold', max_age: '60' }]) {
    world.challenge = challengeFor(parameters)
    const { loginUrl, code } = await world.call(browser)
    t.is(code, 'bff.step_up.required', JSON.stringify(parameters))
    world.idToken = { acr: 'gold', auth_time: nowInSeconds() }
    t.is((await world.login(browser, loginUrl)).url.pathname, '/')
    t.like(await world.call(browser), { status: 403, code: 'bff.step_up.repeated' }, JSON.stringify(parameters))
  }
})

test('what may be five minutes old is asked for again after that, however the last login was', async (t) => {
  let ahead = 0
  const now = () => Date.now() / 1000 + ahead
  const world = await aStepping(t, { route: { maxAuthenticationAge: 300 }, gateway: { now } })
  const { browser } = world
  world.idToken = { auth_time: nowInSeconds() - 299 }
  await world.login(browser, (await world.call(browser)).loginUrl)
  ahead = 20
  t.like(await world.call(browser), { status: 401, code: 'bff.step_up.required' })
})

test('a browser that goes round between two demands is stopped', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['silver'] } })
  const { browser } = world
  await world.login(browser)
  let last: string | undefined
  for (let round = 0; round < 8 && last === undefined; round++) {
    world.challenge = challengeFor({ acr_values: 'gold' })
    const path = round % 2 === 0 ? '/plain' : '/api'
    const { loginUrl, code } = await world.call(browser, path)
    if (code !== 'bff.step_up.required') last = code
    world.idToken = { acr: path === '/plain' ? 'gold' : 'silver' }
    const landing = await world.login(browser, loginUrl)
    last ??= codeOn(landing)
  }
  t.is(last, 'bff.login.loop')
  t.like(await world.who(browser), { authenticated: true })
})

test('a page that asks again at once after each refused answer is stopped, with a session and without', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  for (const isLoggedIn of [true, false]) {
    const browser = createUserAgent()
    if (isLoggedIn) await world.login(browser)
    const codes: (string | undefined)[] = []
    for (let round = 0; round < 7; round++) {
      const { loginUrl } = await world.call(browser)
      if (isLoggedIn) await world.who(browser)
      codes.push(codeOn(await world.login(browser, loginUrl)))
    }
    t.is(codes[0], 'bff.step_up.not_met')
    t.is(codes.at(-1), 'bff.login.loop', codes.join())
  }
})

test('what an API says without acr_values and max_age is passed on, and told', async (t) => {
  const world = await aStepping(t)
  await world.login(world.browser)
  world.challenge = 'DPoP error="insufficient_user_authentication"'
  const answer = await world.browser.call(world.at('/api'))
  t.is(answer.status, 401)
  t.is(answer.headers.get('www-authenticate'), world.challenge)
  t.deepEqual(await answer.json(), { from: 'api' })
})

test("a 401 of another kind, or on a route without the user's session, is the API's own", async (t) => {
  const world = await aStepping(t, { route: { tokenType: 'None' } })
  await world.login(world.browser)
  world.challenge = challengeFor({ acr_values: 'gold' })
  t.deepEqual(await world.call(world.browser), { status: 401, from: 'api' })
  world.challenge = 'DPoP error="invalid_token", max_age="5"'
  t.deepEqual(await world.call(world.browser, '/plain'), { status: 401, from: 'api' })
})

test('a link that nobody of ours has made asks for nothing', async (t) => {
  const world = await aStepping(t)
  await world.go(world.browser, '/bff/login?acr_values=gold&max_age=0')
  t.false(world.pushed.has('acr_values'))
  t.false(world.pushed.has('max_age'))
})

test('what a link of LoginParameters or AuthorizationParameters asks for is checked as well', async (t) => {
  const world = await aStepping(t, {
    frontend: { loginParameters: ['acr_values'], authorizationParameters: { max_age: '60' } },
  })
  world.idToken = { acr: 'bronze', auth_time: nowInSeconds() }
  t.is(codeOn(await world.login(world.browser, '/bff/login?acr_values=gold')), 'bff.step_up.not_met')
  t.is((await world.login(world.browser)).url.pathname, '/')
  world.idToken = { auth_time: nowInSeconds() - 200 }
  t.is(codeOn(await world.login(world.browser)), 'bff.step_up.not_met')
})

test('a step-up asks for the smaller of two max_age, and for its own acr_values', async (t) => {
  const world = await aStepping(t, { frontend: { authorizationParameters: { max_age: '60', acr_values: 'bronze' } } })
  await world.login(world.browser)
  for (const [asked, expected] of [
    ['300', '60'],
    ['30', '30'],
  ] as const) {
    world.challenge = challengeFor({ acr_values: 'gold', max_age: asked })
    const { loginUrl } = await world.call(world.browser)
    await world.go(world.browser, loginUrl ?? '')
    t.is(world.pushed.get('max_age'), expected)
    t.is(world.pushed.get('acr_values'), 'gold')
  }
})
