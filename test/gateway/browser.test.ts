import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import type { BrowserContext, Page } from 'playwright-core'
import { chromiumIsInstalled, eventuallyOn, withChromium } from '../flows/_chromium.js'
import { anApplication } from './_application.js'
import { aWorld, type World, type WorldOptions } from './_world.js'

test('the browser helper has no imports and at most 2 KB', async (t) => {
  const source = await readFile(new URL('../../src/browser/browser.js', import.meta.url))
  t.false(/^\s*import\s/m.test(source.toString()))
  t.true(gzipSync(source).length <= 2200)
})

type Walk = (world: World, context: BrowserContext, page: Page) => Promise<void>

/** The provider is on another site (127.0.0.1), so that SameSite=Strict means something. */
const walk = test.macro(
  async (t, options: WorldOptions, steps: (...args: [...Parameters<Walk>, ExecutionContext]) => Promise<void>) => {
    const staticFilesPath = await anApplication(t)
    const world = await aWorld(t, { host: 'localhost', ...options, frontend: { staticFilesPath, ...options.frontend } })
    await withChromium(async (context) => {
      await steps(world, context, context.pages()[0] ?? (await context.newPage()), t)
    })
  },
)

async function signIn(page: Page, name = 'alice'): Promise<void> {
  await page.locator('input[name=login]').fill(name)
  await page.locator('input[name=password]').fill('any')
  await page.locator('button[type=submit]').click()
}

const titled = (page: Page, title: string) => eventuallyOn(page, `document.title === ${JSON.stringify(title)}`)

if (!chromiumIsInstalled) {
  test.skip('the walks in a browser: no Chromium is installed', () => {})
} else {
  test.serial(
    'the helper: one login for many refused calls, tabs that share login and logout, a warning before the end',
    walk,
    {
      frontend: { session: { idle: 8, absolute: 3600, sliding: true, refreshGracePeriod: 0 } },
    },
    async (world, context, page, t) => {
      await page.goto(`${world.url}/`)
      await titled(page, 'out')
      const other = await context.newPage()
      await other.goto(`${world.url}/`)
      await titled(other, 'out')

      const logins: string[] = []
      page.on('request', (request) => request.url().includes('/bff/login') && logins.push(request.url()))
      await page.evaluate(`Promise.all(Array.from({ length: 10 }, (_, i) => sallyport.fetch('/api/' + i)))`)
      await page.locator('input[name=login]').waitFor()
      t.is(logins.length, 1)
      await signIn(page)
      await titled(page, 'in: alice')
      await titled(other, 'in: alice')
      t.is(await page.evaluate(`sallyport.fetch('/api/x').then((answer) => answer.status)`), 200)

      await eventuallyOn(other, 'expiring.length === 1')
      t.is(await page.evaluate(`sallyport.fetch('/api/x').then((answer) => answer.status)`), 200)
      await page.evaluate('void sallyport.logout()')
      await titled(other, 'out')
    },
  )

  test.serial('several tabs: each lands where it wanted to go', walk, {}, async (world, context, first, t) => {
    const tabs = [first, await context.newPage(), await context.newPage()]
    for (const [index, tab] of tabs.entries()) {
      await tab.goto(`${world.url}/bff/login?returnUrl=/tab/${index}`)
      await tab.locator('input[name=login]').waitFor()
    }
    for (const [index, tab] of tabs.entries()) {
      await signIn(tab)
      await tab.waitForURL(`${world.url}/tab/${index}`)
      t.pass()
      await titled(tab, 'in: alice')
    }
  })

  test.serial(
    'reload on a failed callback and the back button: a late tab whose login happened elsewhere lands on its page',
    walk,
    {},
    async (world, context, page, t) => {
      await page.goto(`${world.url}/bff/login?returnUrl=/late`)
      await page.locator('input[name=login]').waitFor()
      world.provider.tokenOutage = 'unavailable'
      await signIn(page)
      await page.getByRole('heading', { name: 'The sign-in service does not answer' }).waitFor()
      const callback = page.url()
      t.is(new URL(callback).pathname, '/bff/callback')
      world.provider.tokenOutage = 'none'

      await page.reload()
      await page.getByText('This login was completed or given up before.').waitFor()
      const other = await context.newPage()
      await other.goto(`${world.url}/bff/login?returnUrl=/early`)
      await titled(other, 'in: alice')
      await page.reload()
      await page.waitForURL(`${world.url}/late`)
      await titled(page, 'in: alice')
      // From the provider's own site, as its redirect would: without the session's cookie at first.
      await page.goto(`${world.provider.issuer}/.well-known/openid-configuration`)
      await page.evaluate(`document.location.href = ${JSON.stringify(callback)}`)
      await page.waitForURL(`${world.url}/late`)
      await page.goBack()
      t.false(page.url().includes('/bff/callback?'))
    },
  )

  test.serial(
    'an expired login says what to do, and its button does it',
    walk,
    {},
    async (world, _context, page, t) => {
      await page.goto(`${world.url}/bff/login?returnUrl=/orders`)
      await page.locator('input[name=login]').waitFor()
      for (const cookie of await page.context().cookies(world.url)) {
        if (cookie.name.includes('.')) await page.context().clearCookies({ name: cookie.name })
      }
      await signIn(page)
      await page.getByRole('heading', { name: 'This sign-in cannot be completed' }).waitFor()
      await page.getByText('bff.login.transaction_absent').waitFor()
      t.is(await page.getByRole('link', { name: 'Sign in' }).count(), 1)
      await page.getByRole('link', { name: 'Sign in' }).click()
      await titled(page, 'in: alice')
    },
  )

  test.serial('denied: the page says that nothing happened', walk, {}, async (world, _context, page, t) => {
    await page.goto(`${world.url}/bff/login`)
    await page.getByRole('link', { name: /cancel/i }).click()
    await page.getByRole('heading', { name: 'You did not sign in' }).waitFor()
    await page.getByText('bff.login.denied').waitFor()
    await page.getByRole('link', { name: 'Back to the application' }).click()
    await titled(page, 'out')
    t.pass()
  })

  test.serial('clocks too far apart: the page names them', walk, {}, async (world, _context, page, t) => {
    // What a server says to an assertion from its future.
    world.provider.tokenOutage = { status: 401, body: '{"error":"invalid_client"}' }
    await page.goto(`${world.url}/bff/login`)
    await signIn(page)
    await page.getByRole('heading', { name: 'Signing in did not work' }).waitFor()
    t.regex(await page.locator('main').innerText(), /clock/)
  })

  test.serial(
    'a link on another site asks first, and goes on as it meant',
    walk,
    {},
    async (world, _context, page, t) => {
      await page.goto(`${world.provider.issuer}/.well-known/openid-configuration`)
      await page.evaluate(`document.location.href = ${JSON.stringify(`${world.url}/bff/login?returnUrl=/deep/link`)}`)
      await page.getByRole('heading', { name: 'Sign in?' }).waitFor()
      t.is(world.provider.posted.length, 0)
      await page.getByRole('link', { name: 'Sign in' }).click()
      await signIn(page)
      await page.waitForURL(`${world.url}/deep/link`)
      await titled(page, 'in: alice')
      // No script can read the cookie.
      t.is(await page.evaluate('document.cookie'), '')
      const session = (await page.context().cookies(world.url)).find(({ name }) => name === 'sallyport-bff-app')
      t.like(session, { httpOnly: true, sameSite: 'Strict', path: '/', domain: 'localhost' })
    },
  )
}
