import test, { type ExecutionContext } from 'ava'
import type { BrowserContext, Page, Request } from 'playwright-core'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { anApplication } from '../_application.js'
import { listen } from '../_gateway.js'
import { aWorld, type World, type WorldOptions } from '../_world.js'

/* What a person with a real browser sees. The provider is on another site (127.0.0.1) than the application (localhost). */

interface Walk {
  readonly world: World
  readonly context: BrowserContext
  readonly page: Page
  /** A page of another site, with a link to each of these. */
  linkingTo(...addresses: readonly string[]): Promise<string>
}

const walk = test.macro(async (t, options: WorldOptions, steps: (walk: Walk, t: ExecutionContext) => Promise<void>) => {
  const staticFilesPath = await anApplication(t)
  const world = await aWorld(t, { host: 'localhost', ...options, frontend: { staticFilesPath, ...options.frontend } })
  await withChromium(async (context) => {
    const page = context.pages()[0] ?? (await context.newPage())
    const linkingTo = async (...addresses: readonly string[]): Promise<string> => {
      const site = await listen((_request, response) => {
        response.setHeader('Content-Type', 'text/html')
        response.end(addresses.map((address, index) => `<a id="link-${index}" href="${address}">go</a>`).join(''))
      })
      t.teardown(() => site.close())
      return site.url
    }
    await steps({ world, context, page, linkingTo }, t)
  })
})

async function signIn(page: Page, name = 'alice'): Promise<void> {
  await page.locator('input[name=login]').fill(name)
  await page.locator('input[name=password]').fill('any')
  await page.locator('button[type=submit]').click()
}

/** Documents that the browser showed or went through, with what they were answered. */
function documentsOf(page: Page): string[] {
  const seen: string[] = []
  page.on('response', (response) => {
    const request: Request = response.request()
    if (request.isNavigationRequest() && request.frame() === page.mainFrame())
      seen.push(`${response.status()} ${new URL(response.url()).pathname}`)
  })
  return seen
}

const redirectsIn = (documents: readonly string[]) => documents.filter((document) => document.startsWith('3'))

const address = '/reports/7?year=2026&sort=%C3%BC#chapter-2'
const closed: WorldOptions = { frontend: { requireLogin: 'Page' } }

if (!chromiumIsInstalled) {
  test.skip('pages behind the login in a browser: no Chromium is installed', () => {})
} else {
  test.serial(
    'a bookmarked page behind the login: two redirects and one page later it is there, query and fragment kept',
    walk,
    closed,
    async ({ world, page }, t) => {
      const documents = documentsOf(page)
      await page.goto(world.url + address)
      await page.locator('input[name=login]').waitFor()
      t.deepEqual(redirectsIn(documents), ['303 /bff/login', '303 /auth'])
      await signIn(page)
      await page.getByRole('heading', { name: 'Application' }).waitFor()
      t.is(page.url(), world.url + address)
      t.is(documents.at(-1), '200 /reports/7')
    },
  )

  test.serial(
    'the same once the server knows the person already: nobody is asked anything',
    walk,
    closed,
    async ({ world, page, context }, t) => {
      await page.goto(`${world.url}/`)
      await signIn(page)
      await page.getByRole('heading', { name: 'Application' }).waitFor()
      await context.clearCookies({ domain: 'localhost' })
      const documents = documentsOf(page)
      await page.goto(world.url + address)
      await page.getByRole('heading', { name: 'Application' }).waitFor()
      t.is(page.url(), world.url + address)
      t.deepEqual(redirectsIn(documents), ['303 /bff/login', '303 /auth', '303 /bff/callback'])
    },
  )

  test.serial(
    'a link on another site: with a session the page is there at once, and without one it is asked for first',
    walk,
    closed,
    async ({ world, page, linkingTo }, t) => {
      const mail = await linkingTo(world.url + address)
      await page.goto(mail)
      await page.locator('#link-0').click()
      await page.getByRole('heading', { name: 'Sign in?' }).waitFor()
      t.is(world.provider.posted.length, 0, 'no login is begun by another site')
      await page.getByRole('link', { name: 'Sign in' }).click()
      await signIn(page)
      await page.getByRole('heading', { name: 'Application' }).waitFor()
      t.is(page.url(), world.url + address)

      const documents = documentsOf(page)
      await page.goto(mail)
      await page.locator('#link-0').click()
      await page.getByRole('heading', { name: 'Application' }).waitFor()
      t.is(page.url(), world.url + address)
      t.deepEqual(documents.slice(1), ['200 /reports/7', '200 /reports/7'], 'once more, and from here')
      await page.goBack()
      t.is(page.url(), `${mail}/`, 'and the way back is one step')
    },
  )
}
