import test from 'ava'
import { eventually } from '../_eventually.js'
import { watchEvents } from '../gateway/_events.js'
import { accessibilityFaults } from './_accessibility.js'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
import { type Engine, engines } from './_engines.js'
import { runStack } from './_stack.js'

const inABrowser = chromiumIsInstalled ? test : test.skip

inABrowser('signing out at one application ends the other by a frame of the sign-out page', async (t) => {
  const events = watchEvents(t)
  const stack = await runStack({
    configure(configuration) {
      const [, admin] = configuration.Bff.Frontends
      admin.UseFrontchannelLogout = true
      // Nothing listens there: the back channel cannot have done it.
      configuration.OpenIddict.Seeding.Applications = [
        { ClientId: 'admin-bff', BackchannelLogoutUri: 'http://127.0.0.1:9/nowhere' },
      ]
    },
  })
  t.teardown(() => stack.stop())
  const at = (path: string): string => new URL(path, stack.gateway).href
  await withChromium(async (context) => {
    const page = await context.newPage()
    const user = (prefix: string) =>
      page.evaluate<{ authenticated: boolean; logoutUrl: string }>(
        `fetch('${prefix}/bff/user', { headers: { 'X-CSRF': '1' } }).then((answer) => answer.json())`,
      )
    await page.goto(at('/bff/login'))
    await page.fill('[name=username]', 'alice')
    await page.fill('[name=password]', 'wonderland')
    await page.click('button[type=submit], form button')
    await page.click('button[value=allow]')
    await page.waitForURL(at('/'))
    await page.goto(at('/admin/bff/login'))
    if (page.url().startsWith(stack.authorizationServer.href)) await page.click('button[value=allow]')
    await page.waitForURL(at('/admin/'))
    t.true((await user('/admin')).authenticated)

    const { logoutUrl } = await user('')
    const answer = await page.goto(at(logoutUrl))
    t.true(page.url().startsWith(stack.authorizationServer.href))
    t.regex(
      answer?.headers()['content-security-policy'] ?? '',
      new RegExp(`frame-src ${stack.gateway.origin.replaceAll('.', '\\.')};`),
    )
    t.deepEqual(await accessibilityFaults(page), [])
    await eventually(() =>
      events.some(
        (event) =>
          event.type === 'gateway.session.ended' && event.frontend === 'admin' && event.cause === 'frontchannel-logout',
      ),
    )
    // By itself, after a moment.
    await page.waitForURL(at('/'))
    t.false((await user('/admin')).authenticated)
    t.false((await user('')).authenticated)
  })
})

/** Whether a frontend of the page's own origin has a session. By a call that any engine waits for. */
const userOf = (prefix: string): string =>
  `((call) => { call.open('GET', '${prefix}/bff/user', false); call.setRequestHeader('X-CSRF', '1'); call.send(); return call.responseText })(new XMLHttpRequest())`

/**
 * Of one site the frame has the session's cookie; of another one no engine sends it (`SameSite=Strict`, and what blocks the
 * cookies of third parties), and `sid` alone has to do.
 */
const walks = test.macro(async (t, { withTab }: Engine, issuerHost: 'localhost' | '127.0.0.1') => {
  const events = watchEvents(t)
  const stack = await runStack({
    configure(configuration) {
      const [, admin] = configuration.Bff.Frontends
      admin.UseFrontchannelLogout = true
      const { OpenIddict, Authentication } = configuration
      OpenIddict.Issuer = OpenIddict.Issuer.replace('localhost', issuerHost)
      Authentication.OpenIddict.Issuer = OpenIddict.Issuer
      OpenIddict.Seeding.Applications = [{ ClientId: 'admin-bff', BackchannelLogoutUri: 'http://127.0.0.1:9/nowhere' }]
    },
  })
  t.teardown(() => stack.stop())
  const origin = `http://localhost:${stack.gateway.port}`
  await withTab(async (tab) => {
    await tab.open(`${origin}/bff/login`)
    await tab.until("document.getElementById('password')")
    t.is(await tab.evaluate('location.hostname'), issuerHost)
    await tab.fill('#username', 'alice')
    await tab.fill('#password', 'wonderland')
    await tab.click('#sign-in')
    await tab.until("document.getElementById('allow')")
    await tab.click('#allow')
    await tab.until(`location.href === '${origin}/'`)
    await tab.open(`${origin}/admin/bff/login`)
    await tab.until("document.getElementById('allow')")
    await tab.click('#allow')
    await tab.until(`location.href === '${origin}/admin/'`)
    t.regex(String(await tab.evaluate(userOf('/admin'))), /"authenticated":true/)

    const { logoutUrl } = JSON.parse(String(await tab.evaluate(userOf('')))) as { readonly logoutUrl: string }
    await tab.open(new URL(logoutUrl, origin).href)
    await eventually(() =>
      events.some(
        (event) =>
          event.type === 'gateway.session.ended' && event.frontend === 'admin' && event.cause === 'frontchannel-logout',
      ),
    )
    // By itself, after a moment.
    await tab.until(`location.href === '${origin}/'`)
    for (const prefix of ['/admin', ''])
      t.regex(String(await tab.evaluate(userOf(prefix))), /"authenticated":false/, prefix)
  })
})

for (const engine of engines)
  for (const [issuerHost, sites] of [
    ['localhost', 'of one site, with the cookie'],
    ['127.0.0.1', 'of two sites, without a cookie'],
  ] as const) {
    const title = `${engine.name}: a sign-out at a server ends the other application by a frame, ${sites}`
    if (engine.isInstalled || process.env.CI === 'true') test.serial(title, walks, engine, issuerHost)
    else test.skip(title, walks, engine, issuerHost)
  }

test('the server says that it has frames only where a client wants one', async (t) => {
  const stack = await runStack()
  t.teardown(() => stack.stop())
  const metadata = await (await fetch(new URL('/.well-known/openid-configuration', stack.authorizationServer))).json()
  t.false('frontchannel_logout_supported' in (metadata as object))
})
