import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { BrowserContext, Frame, Page } from 'playwright-core'
import { eventually } from '../_eventually.js'
import { selfSigned } from '../http/_self-signed.js'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
import { freePorts, startStack } from './_stack.js'

/*
 * A portal at https://127.0.0.1 shows the application of https://localhost in a frame: two sites. The browser keeps no
 * cookies of third parties but partitioned ones, and storage apart as real ones do (Playwright turns that off).
 */
const args = ['--disable-features=Translate', '--test-third-party-cookie-phaseout']

const script = `
import { createSallyport } from './browser.js'
import { createFrameLogin } from './frame.js'
const show = (user) => {
  document.title = user.authenticated ? 'in: ' + user.sub : 'out'
}
const frame = createFrameLogin()
globalThis.sallyport = createSallyport({ onChange: show, frame })
globalThis.problems = []
document.getElementById('in').onclick = () => sallyport.login().catch((error) => problems.push(error.message))
document.getElementById('out').onclick = () => sallyport.logout()
sallyport.user().then(show)
`
const page = `<!doctype html><meta charset="utf-8"><title>…</title><script type="module" src="/app.js"></script>
<button id="in">Sign in</button><button id="out">Sign out</button>`

interface Portal {
  readonly app: string
  readonly portal: string
  /** Another page, of the portal's site and not among the origins. */
  readonly stranger: string
  stop(): Promise<void>
}

async function startPortal(): Promise<Portal> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-portal-'))
  const spa = join(folder, 'spa')
  await mkdir(spa)
  const certificate = await selfSigned()
  const [CertFile, KeyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const helper = (name: string): Promise<void> =>
    copyFile(fileURLToPath(new URL(`../../src/browser/${name}`, import.meta.url)), join(spa, name))
  await Promise.all([
    writeFile(CertFile, certificate.cert),
    writeFile(KeyFile, certificate.key),
    writeFile(join(spa, 'index.html'), page),
    writeFile(join(spa, 'app.js'), script),
    helper('browser.js'),
    helper('frame.js'),
  ])
  const [portalPort = 0, strangerPort = 0] = await freePorts(2)
  const portal = `https://127.0.0.1:${portalPort}`
  const stack = await startStack({
    configure(configuration) {
      const { Server, Bff, OpenIddict, Authentication } = configuration
      Server.Tls = OpenIddict.Tls = { CertFile, KeyFile }
      Bff.PublicUrl = Bff.PublicUrl.replace('http:', 'https:')
      Bff.AuthorityCaFile = CertFile
      OpenIddict.Issuer = OpenIddict.Issuer.replace('http:', 'https:')
      Authentication.OpenIddict.Issuer = OpenIddict.Issuer
      Object.assign(Bff.Frontends[0], { StaticFilesPath: spa, Embedding: { Origins: [portal] } })
    },
    environment: { NODE_EXTRA_CA_CERTS: CertFile },
  })
  const app = `https://localhost:${stack.gateway.port}`
  const servers = [portalPort, strangerPort].map((port) =>
    createServer(certificate, (_request, response) => {
      response.setHeader('Content-Type', 'text/html')
      response.end(`<title>portal</title><iframe src="${app}/" allow="" width="400" height="300"></iframe>`)
    }).listen(port, '127.0.0.1'),
  )
  return {
    app,
    portal,
    stranger: `https://127.0.0.1:${strangerPort}`,
    async stop() {
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
      if ((await stack.stop()) !== 0) throw new Error(stack.output())
      await rm(folder, { recursive: true })
    },
  }
}

/** One for all walks, each with a browser profile of its own. */
let started: Promise<Portal> | undefined
const aPortal = (): Promise<Portal> => (started ??= startPortal())
test.after.always(async () => (await started)?.stop())

/** A page that is just being left answers with an error. */
const until = (what: Frame | Page, expression: string): Promise<void> =>
  eventually(async () => Boolean(await what.evaluate(expression).catch(() => false))).catch((cause) => {
    throw new Error(`never: ${expression}`, { cause })
  })

const titled = (what: Frame | Page, title: string) => until(what, `document.title === ${JSON.stringify(title)}`)

async function frameOf(tab: Page, { app }: Portal): Promise<Frame> {
  const handle = await tab.waitForSelector('iframe')
  const frame = await handle.contentFrame()
  if (frame === null) throw new Error('there is no frame')
  await until(frame, `location.origin === ${JSON.stringify(app)}`)
  return frame
}

/** What a person does in the window that the frame opens. */
async function signInIn(context: BrowserContext, frame: Frame): Promise<void> {
  const [opened] = await Promise.all([context.waitForEvent('page'), frame.locator('#in').click()])
  const closed = opened.isClosed() ? Promise.resolve() : opened.waitForEvent('close')
  await opened.locator('#username, #allow').first().waitFor()
  if (await opened.locator('#username').isVisible()) {
    await opened.locator('#username').fill('alice')
    await opened.locator('#password').fill('wonderland')
    await opened.locator('#sign-in').click()
  }
  // Who has agreed once is not asked again.
  const allow = opened.locator('#allow')
  const isAsked = await allow.waitFor().then(
    () => true,
    () => false,
  )
  if (isAsked) await allow.click()
  await closed
}

const call = (frame: Frame | Page, init = '{}') =>
  frame.evaluate(`sallyport.fetch('/api/whoami', ${init}).then((answer) => answer.status)`)

const walk = chromiumIsInstalled ? test.serial : test.skip

walk('a page in a frame of another site: sign in by a window, call, reload, sign out', async (t) => {
  const world = await aPortal()
  await withChromium(
    async (context) => {
      const tab = context.pages()[0] ?? (await context.newPage())
      await tab.goto(world.portal)
      const frame = await frameOf(tab, world)
      await titled(frame, 'out')
      t.is(await call(frame), 401)
      await signInIn(context, frame)
      await titled(frame, 'in: alice')
      t.deepEqual(await frame.evaluate('problems'), [])
      t.is(await call(frame), 200)
      t.is(await frame.evaluate('document.cookie'), '', 'no script sees a cookie')

      const cookies = (await context.cookies()).filter(({ name }) => name.startsWith('__Host-Http-bff-app'))
      for (const { sameSite, secure, httpOnly, partitionKey } of cookies)
        t.deepEqual([sameSite, secure, httpOnly, partitionKey !== undefined], ['None', true, true, true])
      const session = cookies.filter(({ name }) => name === '__Host-Http-bff-app')
      t.deepEqual(
        session.map(({ partitionKey }) => partitionKey),
        ['https://127.0.0.1'],
        'the window has none of it',
      )

      await tab.reload()
      await titled(await frameOf(tab, world), 'in: alice')

      // In an address bar of its own the application is another matter, and a login there leaves the frame alone.
      const other = await context.newPage()
      await other.goto(`${world.app}/`)
      await titled(other, 'out')
      await other.locator('#in').click()
      await titled(other, 'in: alice')
      await tab.reload()
      const reloaded = await frameOf(tab, world)
      await titled(reloaded, 'in: alice')

      t.is(await call(other), 200, 'each has its own session')
      const [ended] = await Promise.all([context.waitForEvent('page'), reloaded.locator('#out').click()])
      await titled(reloaded, 'out')
      t.is(await call(reloaded), 401)
      await until(ended, `location.origin === ${JSON.stringify(world.app)}`)
      // By back-channel logout: whoever signs out at the authorization server is out everywhere.
      await until(other, `fetch('/bff/user').then((answer) => answer.json()).then((user) => !user.authenticated)`)
    },
    { ignoreHTTPSErrors: true, args, take: 'browser' },
  )
})

walk('what the page around the frame does with the frame’s cookie is refused', async (t) => {
  const world = await aPortal()
  await withChromium(
    async (context) => {
      const tab = context.pages()[0] ?? (await context.newPage())
      await tab.goto(world.portal)
      const frame = await frameOf(tab, world)
      await titled(frame, 'out')
      await signInIn(context, frame)
      await titled(frame, 'in: alice')

      const answers: { readonly path: string; readonly status: number }[] = []
      tab.on('response', (response) => {
        if (response.request().frame() === frame || !response.url().startsWith(world.app)) return
        answers.push({ path: new URL(response.url()).pathname, status: response.status() })
      })
      let withCookie = 0
      const protocol = await context.newCDPSession(tab)
      protocol.on('Network.requestWillBeSentExtraInfo', ({ headers }) => {
        if (/__Host-Http-bff-app=/.test(headers.Cookie ?? headers.cookie ?? '')) withCookie += 1
      })
      await protocol.send('Network.enable')
      const tries = await tab.evaluate(`(async (app) => {
        const outcome = (ask) => ask().then((answer) => answer.type + ' ' + answer.status, () => 'failed')
        const image = (path) => new Promise((done) => {
          const element = new Image()
          element.onload = () => done('loaded')
          element.onerror = () => done('failed')
          element.src = app + path
        })
        return [
          await outcome(() => fetch(app + '/api/whoami', { credentials: 'include', headers: { 'X-CSRF': '1' } })),
          await outcome(() => fetch(app + '/api/orders', { credentials: 'include', method: 'POST', mode: 'no-cors' })),
          await outcome(() => fetch(app + '/bff/user', { credentials: 'include' })),
          await outcome(() => fetch(app + '/bff/logout', { credentials: 'include', method: 'POST', mode: 'no-cors' })),
          await outcome(() => fetch(app + '/bff/popup-login', { credentials: 'include', method: 'POST', mode: 'no-cors' })),
          await image('/api/whoami'),
        ]
      })(${JSON.stringify(world.app)})`)
      t.deepEqual(tries, ['failed', 'opaque 0', 'failed', 'opaque 0', 'opaque 0', 'failed'])
      t.true(withCookie >= 3, 'the browser does send the cookie along')
      // Of the others the browser tells not even that there was an answer.
      t.deepEqual(answers.map(({ path }) => path).sort(), ['/api/orders', '/bff/logout', '/bff/popup-login'])
      for (const { path, status } of answers) t.is(status, 403, path)

      // A form of the page around it, into a window: what only the application's page may post.
      const [opened] = await Promise.all([
        context.waitForEvent('page'),
        tab.evaluate(`(() => {
          const form = document.createElement('form')
          Object.assign(form, { method: 'post', action: ${JSON.stringify(`${world.app}/bff/popup-login/window`)}, target: '_blank' })
          document.body.append(form)
          form.submit()
        })()`),
      ])
      await until(opened, `document.body.textContent.includes('bff.csrf.cross_site')`)
      await opened.close()
      t.is(await call(frame), 200, 'and the session is still there')
    },
    { ignoreHTTPSErrors: true, args, take: 'browser' },
  )
})

walk('a page that is not among the origins shows an empty frame', async (t) => {
  const world = await aPortal()
  await withChromium(
    async (context) => {
      const tab = context.pages()[0] ?? (await context.newPage())
      const blocked = tab.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()))
      await tab.goto(world.stranger)
      t.regex((await blocked).text(), /violates.*frame-ancestors/)
      for (const frame of tab.frames()) t.not(frame.url(), `${world.app}/`)
    },
    { ignoreHTTPSErrors: true, args, take: 'browser' },
  )
})
