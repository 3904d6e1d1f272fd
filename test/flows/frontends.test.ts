import test from 'ava'
import { runStack } from './_stack.js'
import { createUserAgent, type Landing, type UserAgent } from './_user-agent.js'

async function signIn(browser: UserAgent, login: URL): Promise<Landing> {
  const page = await browser.navigate(login)
  const consent = page.body.includes('name="password"')
    ? await browser.submit(page, { username: 'alice', password: 'wonderland' })
    : page
  return browser.submit(consent, {}, { button: 'allow' })
}

test('a third frontend appears by one entry in the file, with a session of its own', async (t) => {
  const stack = await runStack({
    configure: (configuration) => {
      const [first] = configuration.Bff.Frontends
      configuration.Bff.Frontends.push({
        Name: 'reports',
        PathPrefix: '/reports',
        StaticFilesPath: first.StaticFilesPath,
        Routes: first.Routes,
      })
    },
  })
  t.teardown(() => stack.stop())
  const browser = createUserAgent()
  const at = (path: string): URL => new URL(path, stack.gateway)

  const home = await signIn(browser, at('/reports/bff/login'))
  t.is(home.url.pathname, '/reports/', home.body)
  t.is((await browser.call(at('/reports/api/orders'))).status, 200)

  const user = async (prefix: string) =>
    (await (await browser.call(at(`${prefix}/bff/user`))).json()) as { authenticated: boolean; logoutUrl: string }
  t.like(await user('/reports'), { authenticated: true })
  t.like(await user(''), { authenticated: false })
  t.like(await user('/admin'), { authenticated: false })
  t.is((await browser.call(at('/api/orders'))).status, 401)

  await signIn(browser, at('/bff/login'))
  t.like(await user(''), { authenticated: true })

  const { logoutUrl } = await user('/reports')
  await browser.navigate(new URL(logoutUrl, stack.gateway))
  t.like(await user('/reports'), { authenticated: false })
})

test('the same session does not open another frontend, whatever its cookie is called', async (t) => {
  const stack = await runStack()
  t.teardown(() => stack.stop())
  const browser = createUserAgent()
  await signIn(browser, new URL('/bff/login', stack.gateway))
  const value = browser.cookies(stack.gateway).get('sallyport-bff-app') ?? ''
  t.is(value.length, 43)
  const stolen = await fetch(new URL('/admin/bff/user', stack.gateway), {
    headers: { Cookie: `sallyport-bff-admin=${value}`, 'X-CSRF': '1' },
  })
  t.deepEqual(await stolen.json(), { authenticated: false })
})
