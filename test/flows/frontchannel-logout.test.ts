import test from 'ava'
import { eventually } from '../_eventually.js'
import { watchEvents } from '../gateway/_events.js'
import { accessibilityFaults } from './_accessibility.js'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
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

test('the server says that it has frames only where a client wants one', async (t) => {
  const stack = await runStack()
  t.teardown(() => stack.stop())
  const metadata = await (await fetch(new URL('/.well-known/openid-configuration', stack.authorizationServer))).json()
  t.false('frontchannel_logout_supported' in (metadata as object))
})
