import { randomBytes } from 'node:crypto'
import test from 'ava'
import { clientJwk, clientPublicJwk, startApi } from '../gateway/_gateway.js'
import { logIn, startProvider } from '../gateway/_provider.js'
import { startRedis } from '../store/_redis.js'
import { type Configuration, startStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

const redis = await startRedis()
test.after.always(() => redis?.stop())

if (redis === undefined) {
  test.skip('two gateway processes: no redis-server is installed', () => {})
} else {
  test('50 calls at expiry over two gateway processes on one Redis make one token request, at a rotating server that takes 3 s', async (t) => {
    const [provider, api] = await Promise.all([startProvider(), startApi()])
    const environment = { SEALING_KEY: randomBytes(32).toString('base64url') }
    const settings = (publicUrl?: string) => (configuration: Configuration) => {
      delete configuration.OpenIddict
      delete configuration.Authentication
      configuration.Store = { Redis: { Url: redis.url, Timeout: '00:00:30' } }
      configuration.Bff = {
        ...configuration.Bff,
        ...(publicUrl !== undefined && { PublicUrl: publicUrl }),
        Authority: provider.issuer,
        SealingKeys: [{ Env: 'SEALING_KEY' }],
        Frontends: [
          {
            Name: 'app',
            Hosts: [],
            ClientId: 'my-bff',
            ClientSigningKeyJwk: clientJwk,
            Scopes: ['openid', 'offline_access'],
            Routes: [{ Path: '/api', Upstreams: [api.url] }],
          },
        ],
      }
    }
    const one = await startStack({ configure: settings(), environment })
    const two = await startStack({ configure: settings(one.gateway.origin), environment })
    t.teardown(() => Promise.all([one.stop(), two.stop(), provider.close(), api.close()]))
    provider.register([
      {
        clientId: 'my-bff',
        publicJwk: clientPublicJwk,
        redirectUri: new URL('/bff/callback', one.gateway).href,
        postLogoutRedirectUri: one.gateway.href,
      },
    ])

    // Alive, and due for a refresh: it ends within the grace period.
    provider.accessTokenLifetime = 45
    const browser = createUserAgent()
    await logIn(browser, new URL('/bff/login', one.gateway).href)
    provider.accessTokenLifetime = 3600
    provider.tokenDelay = 3000

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => browser.call(new URL(`/api/${i}`, i % 2 ? one.gateway : two.gateway))),
    )
    t.deepEqual([...new Set(answers.map(({ status }) => status))], [200], one.output() + two.output())
    const refreshes = provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token')
    t.is(new Set(refreshes.map(({ body }) => body.get('refresh_token'))).size, 1)
    // The one refresh may have been asked for a nonce, and sent again.
    t.true(refreshes.length <= 2)
    t.is(new Set(api.calls.map(({ headers }) => headers.authorization)).size, 1)
    for (const { gateway } of [one, two])
      t.like(await (await browser.call(new URL('/bff/user', gateway))).json(), { authenticated: true })
  })
}
