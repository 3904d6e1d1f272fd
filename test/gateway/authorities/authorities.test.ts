import test from 'ava'
import { eventually } from '../../_eventually.js'
import { accessibilityFaults } from '../../flows/_accessibility.js'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { createUserAgent, type UserAgent } from '../../flows/_user-agent.js'
import { watchEvents } from '../_events.js'
import { logIn } from '../_provider.js'
import { withSigning } from '../_signing.js'
import { problemOf, whoAmI } from '../_world.js'
import { twoServers } from './_two-servers.js'

test('a login without a choice asks the person, and a link with one goes straight there', async (t) => {
  const { url, bank, city } = await twoServers(t)
  const browser = createUserAgent()
  const page = await browser.navigate(`${url}/bff/login?returnUrl=%2Forders%3Fa%3D1&ui_locales=de`)
  t.is(page.status, 200)
  t.regex(page.body, /<html lang="de">/)
  t.true(page.body.includes('The &lt;Bank&gt;'))
  t.true(page.body.includes('City of Vienna'))
  t.false(page.body.includes('wie zuletzt'))
  t.deepEqual(
    [...page.body.matchAll(/href="([^"]*bff\/login[^"]*)"/g)].map(([, href]) => href),
    ['bank', 'city'].map((name) => `/bff/login?returnUrl=%2Forders%3Fa%3D1&amp;ui_locales=de&amp;authority=${name}`),
  )
  t.deepEqual([bank.posted.length, city.posted.length], [0, 0], 'looking at the page begins nothing')

  const landing = await logIn(browser, `${url}/bff/login?returnUrl=%2Forders%3Fa%3D1&authority=city`)
  t.is(landing.url.href, `${url}/orders?a=1`)
  t.is(bank.posted.length, 0)
  t.like(await whoAmI(browser, url), { authenticated: true, sub: 'alice' })

  const again = await browser.navigate(`${url}/bff/login`)
  t.regex(again.body, /City of Vienna \(as last time\)[\s\S]*The &lt;Bank&gt;/, 'the one of last time comes first')
})

test('a name that is no authority asks the person, and the log says why', async (t) => {
  const { url } = await twoServers(t)
  const events = watchEvents(t)
  const page = await createUserAgent().navigate(`${url}/bff/login?authority=nowhere`)
  t.true(page.body.includes('City of Vienna'))
  t.true(
    events.some(
      (event) =>
        event.type === 'gateway.login.parameter-ignored' &&
        event.parameter === 'authority' &&
        event.reason.includes('Authorities'),
    ),
  )
})

test('prompt=none asks where the user was last, and without that comes back as not signed in', async (t) => {
  const { url, bank, city, signedInAt } = await twoServers(t)
  const stranger = await createUserAgent().navigate(`${url}/bff/login?prompt=none&returnUrl=%2Fhere`)
  t.is(stranger.url.pathname, '/here')
  t.deepEqual([bank.posted.length, city.posted.length], [0, 0])
  const browser = await signedInAt('city')
  const before = city.posted.filter(({ path }) => path === '/request').length
  await browser.navigate(`${url}/bff/login?prompt=none&returnUrl=%2Fhere`)
  t.is(city.posted.filter(({ path }) => path === '/request').length, before + 1)
  t.is(bank.posted.length, 0)
})

test('refresh, logout and revocation of a session go to its own server, and of no other', async (t) => {
  const { url, bank, city, api, signedInAt, lastToken } = await twoServers(t)
  city.accessTokenLifetime = 61
  const browser = await signedInAt('city')
  t.is((await browser.call(`${url}/api/orders`)).status, 200)
  t.is(await city.subjectOf(lastToken()), 'alice')
  // A second later it is due.
  await eventually(async () => {
    await browser.call(`${url}/api/orders`)
    return city.posted.some(({ body }) => body.get('grant_type') === 'refresh_token')
  })
  t.is(api.calls.at(-1)?.headers.authorization?.startsWith('DPoP '), true)
  const { logoutUrl = '' } = await whoAmI(browser, url)
  const landing = await browser.navigate(`${url}${logoutUrl}`, { stopAt: (to) => to.pathname.includes('/session/end') })
  t.is(landing.url.origin, city.issuer)
  t.is(landing.url.searchParams.get('client_id'), 'shop-of-the-city')
  t.true(city.posted.some(({ path }) => path.endsWith('/revocation')))
  t.is(bank.posted.length, 0, 'the other one has heard of nothing')
})

test('the same sub at two servers is two users: neither sees nor ends sessions of the other', async (t) => {
  const { url, signedInAt } = await twoServers(t, { sessionsPerUser: { max: 1 } })
  const atBank = await signedInAt('bank')
  const atCity = await signedInAt('city')
  t.like(await whoAmI(atBank, url), { authenticated: true }, 'the limit of one user does not displace another')
  const listed = (await (await atCity.call(`${url}/bff/sessions`)).json()) as { sessions: unknown[] }
  t.is(listed.sessions.length, 1)
  await atCity.call(`${url}/bff/sessions`, { method: 'DELETE' })
  t.like(await whoAmI(atBank, url), { authenticated: true })
})

test('what an administrator ends is revoked at the server of each session, and the list says which that is', async (t) => {
  const { gateway, bank, city, signedInAt } = await twoServers(t, { revokeEndedSessions: true }, { administered: true })
  await signedInAt('city')
  await signedInAt('bank')
  const { sessions } = await gateway.sessions.list({ subject: 'alice' })
  t.deepEqual(sessions.map(({ authority }) => authority).sort(), ['bank', 'city'])
  const handle = sessions.find(({ authority }) => authority === 'city')?.handle ?? ''
  t.true(await gateway.sessions.endOne(handle))
  const revocations = (server: typeof bank) => server.posted.filter(({ path }) => path.endsWith('/revocation')).length
  await eventually(() => revocations(city) === 1)
  t.is(revocations(bank), 0)
  t.like(gateway.state().frontends[0], {
    authority: bank.issuer,
    authorities: [
      { name: 'bank', authority: bank.issuer, clientId: 'shop' },
      { name: 'city', authority: city.issuer, clientId: 'shop-of-the-city' },
    ],
  })
})

test('a logout token ends the sessions of the server that has signed it', async (t) => {
  const { url, city, signedInAt } = await twoServers(t)
  const atBank = await signedInAt('bank')
  const atCity = await signedInAt('city')
  // The city ends its own session, and tells.
  const page = await atCity.navigate(`${city.issuer}/session/end`)
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
  await atCity.fetch(`${city.issuer}/session/end/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf, logout: 'yes' }),
  })
  await eventually(async () => !(await whoAmI(atCity, url)).authenticated)
  t.like(await whoAmI(atBank, url), { authenticated: true })
})

test('an answer of one server to a login at another is refused, and the login can still be completed (RFC 9207)', async (t) => {
  const { url, bank, city } = await twoServers(t)
  const browser = createUserAgent()
  const page = await browser.navigate(`${url}/bff/login?authority=bank`)
  const back = await browser.submit(
    page,
    { login: 'alice', password: 'any' },
    { stopAt: (to) => to.href.startsWith(`${url}/bff/callback`) },
  )
  const genuine = back.url
  t.is(genuine.searchParams.get('iss'), bank.issuer)
  const mixedUp = new URL(genuine)
  mixedUp.searchParams.set('iss', city.issuer)
  const refused = await browser.navigate(mixedUp)
  t.is(refused.status, 400)
  t.true(refused.body.includes('bff.login.issuer_mismatch'))
  const unknown = new URL(genuine)
  unknown.searchParams.set('iss', 'https://attacker.example')
  t.true((await browser.navigate(unknown)).body.includes('bff.login.issuer_mismatch'))
  mixedUp.searchParams.delete('iss')
  t.true((await browser.navigate(mixedUp)).body.includes('bff.login.issuer_mismatch'))
  t.is(city.posted.length, 0, 'no code of the bank has gone to the city')
  t.is((await browser.navigate(genuine)).url.pathname, '/')
  t.like(await whoAmI(browser, url), { authenticated: true })
})

test('a signed answer is read with the keys of the server that it names, and counts for a login at that one alone', async (t) => {
  const { provider, frontend } = withSigning({ responses: 'PS256' })
  const { url } = await twoServers(t, frontend, {}, provider)
  const toCallback = { stopAt: ({ pathname }: URL) => pathname === '/bff/callback' }
  const answerTo = async (browser: UserAgent, name: string) => {
    const page = await browser.navigate(`${url}/bff/login?authority=${name}`)
    return (await browser.submit(page, { login: 'alice', password: 'any' }, toCallback)).url
  }
  const browser = createUserAgent()
  const ofCity = await answerTo(browser, 'city')
  t.true(ofCity.searchParams.has('response'))
  t.is((await browser.navigate(ofCity)).url.pathname, '/')
  t.like(await whoAmI(browser, url), { authenticated: true })

  // Genuine, of one of ours, and brought to a browser whose login is at the other: its `state` is none of that one's.
  const victim = createUserAgent()
  await answerTo(victim, 'bank')
  const brought = await victim.navigate(await answerTo(createUserAgent(), 'city'))
  t.is(brought.status, 400)
  t.true(brought.body.includes('bff.login.transaction_absent'))
  t.like(await whoAmI(victim, url), { authenticated: false })

  const [head = '', body = ''] = (ofCity.searchParams.get('response') ?? '').split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
  const forged = Buffer.from(JSON.stringify({ ...claims, iss: 'https://attacker.example' })).toString('base64url')
  const refused = await victim.navigate(`${url}/bff/callback?response=${head}.${forged}.AAAA`)
  t.is(refused.status, 400)
})

test('a step-up goes to the server of the session, whatever its link says', async (t) => {
  const { url, bank, city, frontend, options, gateway, signedInAt } = await twoServers(t)
  const [route] = frontend.routes
  if (route === undefined) return t.fail()
  const prepared = await gateway.prepare({
    ...options,
    frontends: [{ ...frontend, routes: [{ ...route, maxAuthenticationAge: 1 }] }],
  })
  prepared.swap({ drain: 1 })
  const browser = await signedInAt('city')
  let loginUrl = ''
  await eventually(async () => {
    const answer = await browser.call(`${url}/api/orders`)
    if (answer.status !== 401) return false
    loginUrl = (await problemOf(answer)).loginUrl ?? ''
    return true
  })
  const before = city.posted.filter(({ path }) => path === '/request').length
  await browser.navigate(`${url}${loginUrl}&authority=bank`)
  t.is(city.posted.filter(({ path }) => path === '/request').length, before + 1)
  t.is(bank.posted.length, 0)
})

test('a session whose authority the configuration has no longer ends clearly, and its tokens go nowhere', async (t) => {
  const { url, bank, city, frontend, options, gateway, signedInAt } = await twoServers(t)
  const events = watchEvents(t)
  const atBank = await signedInAt('bank')
  const atCity = await signedInAt('city')
  const [first] = frontend.authorities ?? []
  if (first === undefined) return t.fail()
  const posted = city.posted.length
  const renamed = { ...first, name: 'the-bank' }
  // The name of the city is another server's now: names do not decide where tokens go.
  const pretender = { name: 'city', displayName: 'City', authority: bank.issuer, clientId: 'another' }
  const prepared = await gateway.prepare({
    ...options,
    frontends: [{ ...frontend, authorities: [renamed, pretender] }],
  })
  prepared.swap({ drain: 1 })
  t.is((await atBank.call(`${url}/api/orders`)).status, 200, 'another name is the same server')
  const refused = await atCity.call(`${url}/api/orders`)
  t.is(refused.status, 401)
  t.is((await problemOf(refused)).code, 'bff.session.ended')
  t.true(events.some((event) => event.type === 'gateway.session.ended' && event.cause === 'authority-removed'))
  t.is(city.posted.length, posted)
})

test('sessions from before there were several go on', async (t) => {
  const { url, frontend, options, gateway, city } = await twoServers(t)
  const { authorities = [], ...single } = frontend
  const one = await gateway.prepare({ ...options, frontends: [single] })
  one.swap({ drain: 1 })
  const browser = createUserAgent()
  await logIn(browser, `${url}/bff/login`)
  const several = await gateway.prepare({ ...options, frontends: [{ ...single, authorities }] })
  several.swap({ drain: 1 })
  t.is((await browser.call(`${url}/api/orders`)).status, 200)
  const { logoutUrl = '' } = await whoAmI(browser, url)
  await browser.navigate(`${url}${logoutUrl}`, { stopAt: (to) => to.pathname.includes('/session/end') })
  t.is(city.posted.length, 0)
})

const inABrowser = chromiumIsInstalled ? test : test.skip

inABrowser(
  'the page that asks is for keyboards, small screens, the dark and any reader, and leads there',
  async (t) => {
    const { url, city } = await twoServers(t)
    const shots = process.env.SCREENSHOTS
    for (const colorScheme of ['light', 'dark'] as const)
      await withChromium(
        async (context) => {
          const page = await context.newPage()
          await page.goto(`${url}/bff/login?ui_locales=fr`)
          t.deepEqual(await accessibilityFaults(page), [], colorScheme)
          t.true(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'))
          if (shots !== undefined) await page.screenshot({ path: `${shots}/authorities-${colorScheme}.png` })
          await page.evaluate(
            "document.querySelector('nav .button').textContent = 'Donaudampfschifffahrtselektrizitätenwerk'",
          )
          t.true(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), 'one long word')
          await page.keyboard.press('Tab')
          await page.keyboard.press('Tab')
          await page.keyboard.press('Enter')
          await page.waitForURL((to) => to.origin === city.issuer)
          await page.fill('[name=login]', 'alice')
          await page.fill('[name=password]', 'any')
          await page.click('button[type=submit]')
          await page.waitForURL(`${url}/`)
          await page.goto(`${url}/bff/login?ui_locales=fr`)
          t.regex((await page.textContent('nav')) ?? '', /^\s*City of Vienna \(comme la dernière fois\)/)
          if (shots !== undefined) await page.screenshot({ path: `${shots}/authorities-again-${colorScheme}.png` })
          t.deepEqual(await accessibilityFaults(page), [], colorScheme)
        },
        { colorScheme, viewport: { width: 320, height: 560 } },
      )
  },
)
