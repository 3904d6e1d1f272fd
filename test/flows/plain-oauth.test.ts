import test from 'ava'
import { runStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

test('a frontend without "openid" has sessions without claims: login, API, list of sessions, logout', async (t) => {
  const stack = await runStack({
    configure(configuration) {
      configuration.Bff.Frontends[0].Scopes = ['orders', 'offline_access']
    },
  })
  t.teardown(stack.stop)
  const at = (path: string): URL => new URL(path, stack.gateway)
  const browser = createUserAgent()
  const signIn = await browser.navigate(at('/bff/login'))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  const home = await browser.submit(consent, {}, { button: 'allow' })
  t.is(home.url.href, stack.gateway.href, stack.output())

  const user = (await (await browser.call(at('/bff/user'))).json()) as { readonly logoutUrl: string }
  t.like(user, { authenticated: true, sub: undefined, name: undefined })
  const answer = await browser.call(at('/api/orders'))
  t.is(answer.status, 200, stack.output())
  const { seen } = (await answer.json()) as { readonly seen: { readonly scopes: readonly string[] } }
  t.false(seen.scopes.includes('openid'))
  t.is((await browser.call(at('/bff/sessions'))).status, 200)

  await browser.navigate(new URL(user.logoutUrl, at('/')))
  t.deepEqual(await (await browser.call(at('/bff/user'))).json(), { authenticated: false })
})
