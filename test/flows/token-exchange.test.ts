import test from 'ava'
import { runStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

test('a route with TokenExchange calls its API with a token of its own, in exchange for that of the login', async (t) => {
  const stack = await runStack({
    configure(configuration) {
      const api = configuration.Authentication.OpenIddict.Audience
      // The token of the login is for nobody's API.
      configuration.OpenIddict.Audience = 'https://portal.example.com'
      const [route] = configuration.Bff.Frontends[0].Routes
      configuration.Bff.Frontends[0].Routes = [
        { ...route, Path: '/plain', StripPath: true },
        { ...route, TokenExchange: {}, Resource: api, Scopes: ['orders'] },
      ]
    },
  })
  t.teardown(stack.stop)
  const at = (path: string): URL => new URL(path, stack.gateway)
  const browser = createUserAgent()
  const signIn = await browser.navigate(at('/bff/login'))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })

  t.is((await browser.call(at('/plain/api/orders'))).status, 401, 'the token of the login')
  const answers = await Promise.all([1, 2, 3].map(() => browser.call(at('/api/orders'))))
  for (const answer of answers) {
    t.is(answer.status, 200, stack.output())
    const { seen } = (await answer.json()) as { readonly seen: { readonly scopes: readonly string[] } }
    t.deepEqual(seen.scopes, ['orders'])
  }
  t.is((await browser.call(at('/api/orders'))).status, 200)
  const exchanges = stack
    .output()
    .split('\n')
    .filter((line) => /as\.token\.issued/.test(line) && /token_exchange/.test(line))
  t.is(exchanges.length, 1, 'however many calls want it')
})
