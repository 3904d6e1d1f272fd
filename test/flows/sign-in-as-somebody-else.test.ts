import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Page } from 'playwright-core'
import { aFrontend, aRoute, gatewayOptions, listen, serveGateway, startApi } from '../gateway/_gateway.js'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
import { roleServers, scopesWithRoles } from './_role-servers.js'

const page = `<!doctype html><title>Admin</title><h1>Admin</h1><p id="answer"></p><script src="/admin.js"></script>`
const script = `fetch('/api/x', { headers: { 'X-CSRF': '1' } }).then(({ status }) => { answer.textContent = status })`

/** At the pages of either server, until the browser is somewhere else. */
async function signIn(tab: Page, username: string): Promise<void> {
  await tab.locator('input[name="login"], input[name="username"]').fill(username)
  await tab.locator('input[type="password"]').fill('wonderland')
  await tab.locator('input[type="password"]').press('Enter')
  const allow = tab.locator('button[value="allow"]')
  await tab.waitForLoadState()
  if ((await allow.count()) > 0) await allow.click()
}

if (!chromiumIsInstalled) test.skip('signing in as somebody else: no Chromium is installed', () => {})
else
  for (const [name, start] of roleServers)
    test(`${name}: who may not in is told so, signs in as somebody else and is where they wanted to be`, async (t) => {
      const [api, on, folder] = [await startApi(), await listen(), await mkdtemp(join(tmpdir(), 'sallyport-page-'))]
      await Promise.all([writeFile(join(folder, 'index.html'), page), writeFile(join(folder, 'admin.js'), script)])
      const { url } = on
      const server = await start(url)
      server.roles.set('alice', ['guest']).set('bob', ['staff'])
      const frontend = aFrontend({
        publicUrl: new URL(url),
        authority: server.issuer,
        scopes: scopesWithRoles,
        staticFilesPath: folder,
        access: [{ claim: 'roles', anyOf: ['staff'] }],
        routes: [aRoute({ upstreams: [new URL(api.url)] })],
      })
      const gateway = await serveGateway(on, gatewayOptions([frontend]))
      t.teardown(async () => {
        await on.close()
        await Promise.all([gateway.close(), server.close(), api.close(), rm(folder, { recursive: true })])
      })
      await withChromium(
        async (context) => {
          const tab = await context.newPage()
          await tab.goto(`${url}/bff/login?returnUrl=${encodeURIComponent('/orders/7?view=all')}`)
          await signIn(tab, 'alice')
          await tab.getByRole('heading', { name: 'This is not open to you' }).waitFor()
          t.is(tab.url(), `${url}/orders/7?view=all`)
          t.regex(await tab.locator('main, body').first().innerText(), /claim "roles"[\s\S]*bff\.access\.denied/)
          t.is(await tab.locator('#answer').count(), 0)
          t.deepEqual(api.calls, [])

          await tab.getByRole('link', { name: 'Sign in as somebody else' }).click()
          await signIn(tab, 'bob')
          await tab.locator('#answer', { hasText: '200' }).waitFor()
          t.is(tab.url(), `${url}/orders/7?view=all`)
          const user = await tab.evaluate(async () => (await fetch('/bff/user')).json())
          t.like(user, { sub: 'bob', roles: ['staff'] })
        },
        { locale: 'en-GB' },
      )
    })
