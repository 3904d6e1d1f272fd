import test, { type ExecutionContext } from 'ava'
import { decodeJwt } from 'jose'
import { startApi } from '../gateway/_gateway.js'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
import { type Configuration, runStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

/* The program with its own authorization server: which token goes where, and what a page that polls too fast is told. */

interface Seen {
  readonly url: string
  readonly scope: unknown
  readonly subject: unknown
}

async function aStack(t: ExecutionContext) {
  const api = await startApi()
  const stack = await runStack({
    configure: (configuration: Configuration) => {
      const [app] = configuration.Bff.Frontends
      configuration.OpenIddict.Seeding.Scopes.push({ Name: 'stock', Resources: ['https://stock.example'] })
      app.Scopes = ['openid', 'profile', 'offline_access']
      app.Routes = [
        { Path: '/api', Upstreams: [api.url] },
        { Path: '/stock', Upstreams: [api.url], Scopes: ['stock'], TokenType: 'UserOrClient' },
        { Path: '/news', Upstreams: [api.url], RateLimits: [{ Requests: 5, Per: '00:00:02' }], CountsAsUse: false },
      ]
      configuration.Bff.Frontends = [app]
    },
  })
  t.teardown(() => Promise.all([stack.stop(), api.close()]))
  const seen = (): Seen[] =>
    api.calls.map(({ url, headers }) => {
      const { scope, sub: subject } = decodeJwt((headers.authorization ?? '').split(' ')[1] ?? '')
      return { url, scope, subject }
    })
  return { stack, seen, at: (path: string) => new URL(path, stack.gateway) }
}

test('each route gets a token with its own scopes, and a caller without a session the gateway’s', async (t) => {
  const { at, seen, stack } = await aStack(t)
  const browser = createUserAgent()
  const consent = await browser.submit(await browser.navigate(at('/bff/login')), {
    username: 'alice',
    password: 'wonderland',
  })
  t.true(consent.body.includes('stock'), 'the user agrees to all of it once')
  await browser.submit(consent, {}, { button: 'allow' })
  for (const path of ['/api/1', '/stock/1', '/api/2'])
    t.is((await browser.call(at(path))).status, 200, `${path} ${stack.output()}`)
  t.is((await createUserAgent().call(at('/stock/2'))).status, 200, stack.output())
  t.deepEqual(seen(), [
    { url: '/api/1', scope: 'openid profile offline_access', subject: 'alice' },
    { url: '/stock/1', scope: 'stock', subject: 'alice' },
    { url: '/api/2', scope: 'openid profile offline_access', subject: 'alice' },
    { url: '/stock/2', scope: 'stock', subject: 'app-bff' },
  ])
})

if (chromiumIsInstalled) {
  test('a page in Chromium that polls ten times a second is told when and why, and goes on when it may', async (t) => {
    const { at } = await aStack(t)
    await withChromium(async (context) => {
      const page = await context.newPage()
      await page.goto(at('/bff/login').href)
      await page.fill('[name=username]', 'alice')
      await page.fill('[name=password]', 'wonderland')
      await page.click('button')
      await page.click('button[value=allow]')
      await page.waitForURL(at('/').href)
      // In the page's own script, as an application would: what it can read is what it is told.
      const told = await page.evaluate(async () => {
        const poll = () => fetch('/news/latest', { headers: { 'X-CSRF': '1' } })
        const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
        for (let i = 0; i < 50; i++) {
          const answer = await poll()
          if (answer.status === 429) {
            const { code, detail } = (await answer.json()) as { code: string; detail: string }
            const seconds = Number(answer.headers.get('retry-after'))
            const policy = answer.headers.get('ratelimit-policy')
            await pause(seconds * 1000)
            return { polls: i, code, detail, seconds, policy, after: (await poll()).status }
          }
          await pause(100)
        }
        return undefined
      })
      t.like(told, { polls: 5, code: 'bff.rate.exceeded', policy: '"route-session-2s";q=5;w=2', after: 200 })
      t.regex(
        told?.detail ?? '',
        /^more than 5 requests within 2 s come from this session; the next one is taken in \d s$/,
      )
      t.true((told?.seconds ?? 0) >= 1 && (told?.seconds ?? 0) <= 3)
    })
  })
} else {
  test.skip('a page in Chromium that polls too fast: Chromium is not installed', () => {})
}
