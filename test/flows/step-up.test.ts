import test, { type ExecutionContext } from 'ava'
import { type Configuration, interactionPolicy } from 'oidc-provider'
import type { BrowserContext, Page } from 'playwright-core'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier, type Verifier } from '../../src/dpop-validator/dpop-validator.js'
import { verificationKey } from '../../src/jose/jwk.js'
import { aClient, startServer } from '../authorization-server/_running.js'
import { anApplication } from '../gateway/_application.js'
import { aFrontend, aRoute, clientPublicJwk, gatewayOptions, listen, serveGateway } from '../gateway/_gateway.js'
import { startProvider } from '../gateway/_provider.js'
import { chromiumIsInstalled, eventuallyOn, withChromium } from './_chromium.js'

const gold = 'urn:example:gold'
const bronze = 'urn:example:bronze'
const audience = 'https://orders.example.com'

/** An authorization server of either kind, with what a test has to know of it. */
interface Server {
  readonly issuer: string
  /** How well the next user signs in. */
  reaches: string
  /** Fills in and sends the form that it shows. */
  signIn(page: Page): Promise<void>
}

/** What both have in common: a gateway, and an API that asks for gold at `/gold` by itself. */
async function aWorld(t: ExecutionContext, host: string, startOf: (url: string) => Promise<Server>) {
  const staticFilesPath = await anApplication(t)
  const [on, api] = await Promise.all([listen(), listen()])
  const url = `http://${host}:${on.port}`
  const server = await startOf(url)
  const verifier: Verifier = createVerifier({ issuer: server.issuer, audience, publicUrl: api.url })
  const anyone = protect(verifier)
  const asked = protect(verifier, { acr: [gold] })
  const calls: string[] = []
  api.handle(async (request, response) => {
    const isGold = request.url?.startsWith('/gold')
    const auth = await (isGold ? asked : anyone)(request, response)
    if (auth === undefined) return
    let body = ''
    for await (const chunk of request) body += String(chunk)
    calls.push(`${request.method} ${request.url} ${body}`)
    response.setHeader('Content-Type', 'text/plain')
    response.end(`${auth.claims.sub} ${String(auth.claims.acr)} ${body}`)
  })
  const upstreams = [new URL(api.url)]
  const route = (path: string) => aRoute({ path, upstreams, resource: audience })
  const frontend = aFrontend({
    publicUrl: new URL(url),
    authority: server.issuer,
    staticFilesPath,
    scopes: ['openid', 'profile', 'offline_access'],
    routes: [
      route('/api'),
      route('/gold'),
      { ...route('/rule'), acrValues: [gold] },
      { ...route('/recent'), maxAuthenticationAge: 3600 },
    ],
  })
  const gateway = await serveGateway(on, gatewayOptions([frontend]))
  t.teardown(async () => {
    await on.close()
    await Promise.all([gateway.close(), api.close()])
  })
  return { url, server, calls }
}

async function nodeOidcProvider(t: ExecutionContext, url: string): Promise<Server> {
  const policy = interactionPolicy.base()
  const { Check } = interactionPolicy
  policy.get('login')?.checks.add(
    new Check('acr', 'another sign-in is asked for', (ctx) => {
      const { session, params, result } = ctx.oidc
      const asked = String(params?.acr_values ?? '').split(' ')
      if (params?.acr_values === undefined || result?.login !== undefined || asked.includes(session?.acr ?? ''))
        return Check.NO_NEED_TO_PROMPT
      return Check.REQUEST_PROMPT
    }),
  )
  const configuration: Configuration = {
    acrValues: [gold, bronze],
    interactions: { policy },
    features: {
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'PS256' } },
        }),
      },
    },
    extraTokenClaims: ({ oidc: { entities } }) => {
      const { acr, authTime } = entities.AuthorizationCode ?? entities.RefreshToken ?? {}
      return { acr, auth_time: authTime }
    },
  }
  const provider = await startProvider({ configuration })
  t.teardown(() => provider.close())
  provider.register([
    {
      clientId: 'my-bff',
      publicJwk: clientPublicJwk,
      redirectUri: `${url}/bff/callback`,
      postLogoutRedirectUri: `${url}/`,
    },
  ])
  const server: Server = {
    issuer: provider.issuer,
    reaches: bronze,
    async signIn(page) {
      await page.locator('input[name=login]').fill('alice')
      await page.locator('input[name=password]').fill('any')
      await page.locator('button[type=submit]').click()
    },
  }
  // Its development pages sign in without an acr.
  provider.instance().use(async (ctx, next) => {
    if (ctx.method !== 'POST' || !ctx.path.startsWith('/interaction/')) return next()
    const form = new URLSearchParams((ctx.req as unknown as { body: string }).body)
    const login = { accountId: form.get('login') ?? '', acr: server.reaches }
    await provider.instance().interactionFinished(ctx.req, ctx.res, { login })
    ctx.respond = false
  })
  return server
}

async function ownServer(t: ExecutionContext, url: string): Promise<Server> {
  const client = aClient('my-bff', {
    redirectUris: [`${url}/bff/callback`],
    permissions: [
      'ept:authorization',
      'ept:pushed_authorization',
      'ept:token',
      'gt:authorization_code',
      'gt:refresh_token',
      'rst:code',
      'scp:openid',
      'scp:profile',
      'scp:offline_access',
      `rsrc:${audience}`,
    ],
  })
  let self: Server | undefined
  const running = await startServer({
    client: { ...client, options: { ...client.options, keys: [verificationKey(clientPublicJwk)] } },
    scopes: [{ name: 'profile', resources: [audience] }],
    audience,
    // What is asked for is a wish: this directory says what it has done.
    verifyUser: async (username, _password, { acrValues }) => ({
      subject: username,
      claims: { name: username },
      acr: acrValues.length > 0 ? (self?.reaches ?? bronze) : bronze,
    }),
  })
  t.teardown(() => running.stop())
  self = {
    issuer: running.url,
    reaches: bronze,
    async signIn(page) {
      await page.getByLabel('Username').fill('carol')
      await page.getByLabel('Password').fill('any')
      await page.getByRole('button', { name: 'Sign in' }).click()
      const allow = page.getByRole('button', { name: 'Allow' })
      await Promise.race([allow.waitFor(), page.waitForURL(`${url}/**`)]).catch(() => undefined)
      if (page.url().startsWith(running.url)) await allow.click()
    },
  }
  return self
}

type Start = (t: ExecutionContext, url: string) => Promise<Server>
type World = Awaited<ReturnType<typeof aWorld>>

const walk = test.macro(
  async (
    t,
    start: Start,
    host: string,
    steps: (world: World, page: Page, context: BrowserContext, t: ExecutionContext) => Promise<void>,
  ) => {
    const world = await aWorld(t, host, (url) => start(t, url))
    await withChromium(async (context) => {
      const page = context.pages()[0] ?? (await context.newPage())
      await page.goto(`${world.url}/bff/login?returnUrl=/start`)
      await world.server.signIn(page)
      await page.waitForURL(`${world.url}/start`)
      await eventuallyOn(page, `document.title.startsWith('in: ')`)
      await steps(world, page, context, t)
    })
  },
)

const script = async (world: World, page: Page, context: BrowserContext, t: ExecutionContext): Promise<void> => {
  const other = await context.newPage()
  await other.goto(`${world.url}/other`)
  await eventuallyOn(other, `document.title.startsWith('in: ')`)
  world.server.reaches = gold
  await page.goto(`${world.url}/pay?for=shoes#top`)
  await eventuallyOn(page, 'globalThis.ready !== undefined')
  await page.evaluate('ready')
  await page.evaluate(
    `void sallyport.fetch('/gold/pay', { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'ten' })`,
  )
  await page.waitForURL((to) => to.origin === world.server.issuer)
  t.deepEqual(world.calls, [], 'the API has let nothing in')
  t.is(await other.evaluate(`sallyport.fetch('/api').then((answer) => answer.status)`), 200, 'the session stays')
  await world.server.signIn(page)
  await eventuallyOn(page, 'globalThis.repeated?.length === 1')
  t.is(page.url(), `${world.url}/pay?for=shoes#top`, 'query and fragment are as before')
  const [repeated] = (await page.evaluate('repeated')) as {
    url: string
    method: string
    status: number
    body: string
  }[]
  t.like(repeated, { url: '/gold/pay', method: 'POST', status: 200 })
  t.regex(repeated?.body ?? '', /urn:example:gold ten$/)
  t.is(world.calls.filter((call) => call === 'POST /gold/pay ten').length, 1, 'it was made once')
  t.is(await other.evaluate(`sallyport.fetch('/api').then((answer) => answer.status)`), 200, 'the other tab goes on')
  t.is(await other.evaluate(`sallyport.fetch('/rule').then((answer) => answer.status)`), 200)
  await page.reload()
  await eventuallyOn(page, 'globalThis.ready !== undefined')
  t.deepEqual(await page.evaluate('[repeated.length, sessionStorage.length]'), [0, 0])
}

const navigation = async (world: World, page: Page, _context: BrowserContext, t: ExecutionContext): Promise<void> => {
  world.server.reaches = gold
  for (const path of ['/gold/report?page=2', '/rule?x=1']) {
    await page.evaluate(`location.assign('${path}')`)
    if (path.startsWith('/gold')) {
      await page.waitForURL((to) => to.origin === world.server.issuer)
      await world.server.signIn(page)
    }
    await page.waitForURL(world.url + path)
    t.regex((await page.locator('body').textContent()) ?? '', /urn:example:gold/)
  }
}

const refused = async (world: World, page: Page, _context: BrowserContext, t: ExecutionContext): Promise<void> => {
  world.server.reaches = bronze
  await page.evaluate(`void sallyport.fetch('/gold/pay', { method: 'POST', body: 'ten' })`)
  await page.waitForURL((to) => to.origin === world.server.issuer)
  await world.server.signIn(page)
  await page.getByText('bff.step_up.not_met').waitFor()
  await page.goto(`${world.url}/start`)
  await eventuallyOn(page, `document.title.startsWith('in: ')`)
  t.deepEqual(await page.evaluate('repeated'), [], 'nothing is repeated')
  t.is(await page.evaluate(`sallyport.fetch('/api').then((answer) => answer.status)`), 200, 'the session stays')
  t.false(world.calls.some((call) => call.startsWith('POST')))
}

if (!chromiumIsInstalled) {
  test.skip('step-up in a browser: no Chromium is installed', () => {})
} else {
  for (const [name, start] of [
    ['node-oidc-provider', nodeOidcProvider],
    ['the own server', ownServer],
  ] as const) {
    test.serial(
      `${name}: a script's call is made again after a stronger sign-in at another site`,
      walk,
      start,
      'localhost',
      script,
    )
    for (const host of ['localhost', '127.0.0.1'])
      test.serial(`${name}: a person who opens an address comes back to it (${host})`, walk, start, host, navigation)
    test.serial(`${name}: a lower acr than was asked for is refused`, walk, start, 'localhost', refused)
  }
}
