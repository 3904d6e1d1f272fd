import test from 'ava'
import { anApplication } from '../gateway/_application.js'
import { listen } from '../gateway/_gateway.js'
import { aWorld } from '../gateway/_world.js'
import { type Engine, engines } from './_engines.js'

/* The way to a page behind the login and back, in each engine: the server (127.0.0.1) is on another site than the application. */

const address = '/reports/7?year=2026#chapter-2'
const another = '/reports/8?year=2026#chapter-3'

const walks = test.macro(async (t, { withTab }: Engine) => {
  const staticFilesPath = await anApplication(t)
  const world = await aWorld(t, { host: 'localhost', frontend: { staticFilesPath, requireLogin: 'Page' } })
  const site = await listen((_request, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end(`<a id="link" href="${world.url}${address}">go</a>`)
  })
  t.teardown(() => site.close())
  await withTab(async (tab) => {
    const arrived = (address: string) =>
      tab.until(
        `location.href === ${JSON.stringify(world.url + address)} && document.querySelector('h1')?.textContent === 'Application'`,
      )
    await tab.open(world.url + address)
    await tab.until("document.querySelector('input[name=login]')")
    await tab.fill('input[name=login]', 'alice')
    await tab.fill('input[name=password]', 'any')
    await tab.click('button[type=submit]')
    await arrived(address)

    await tab.open(site.url)
    await tab.click('#link')
    await arrived(address)

    // Signed out here, but known at the server: nothing is asked, and nothing goes round.
    await tab.evaluate(
      "void fetch('/bff/logout', { method: 'POST', headers: { 'X-CSRF': '1' } }).then(() => (document.body.dataset.left = 'yes'))",
    )
    await tab.until("document.body.dataset.left === 'yes'")
    const logins = world.provider.requests.filter((request) => request === 'GET /auth').length
    await tab.open(world.url + another)
    await arrived(another)
    t.is(world.provider.requests.filter((request) => request === 'GET /auth').length, logins + 1)
  })
})

for (const engine of engines) {
  const title = `a bookmark and a link of another site lead to the page behind the login, fragment included: ${engine.name}`
  if (engine.isInstalled) test.serial(title, walks, engine)
  else test.skip(`${title}: it is not installed`, walks, engine)
}
