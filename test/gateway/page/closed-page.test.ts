import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { FrontendOptions } from '../../../src/gateway/options.js'
import { anApplication } from '../_application.js'
import { aPlantedGateway, codeOf, navigation } from '../_planted.js'
import { webSocketUpstream } from '../_web-socket-upstream.js'

const script = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' }
const hashed = '/assets/index-BkX2x9qF.js'

async function aClosedPage(t: ExecutionContext, more: Partial<FrontendOptions> = {}) {
  const staticFilesPath = await anApplication(t)
  await mkdir(join(staticFilesPath, 'assets'))
  await writeFile(join(staticFilesPath, hashed), 'export {}')
  return aPlantedGateway(t, { frontends: [{ name: 'app', staticFilesPath, requireLogin: 'Page', ...more }] })
}

test('without a session a person is sent to the login with the address, whatever is there', async (t) => {
  const world = await aClosedPage(t)
  for (const path of ['/', '/index.html', '/orders/7?a=1', hashed, '/no-such-file.js']) {
    const answer = await world.call(path, { headers: navigation })
    t.is(answer.status, 303, path)
    t.is(answer.headers.location, `/bff/login?returnUrl=${encodeURIComponent(path)}`)
  }
})

test('without a session a script, a style and a picture are 401, those that are not there like the others', async (t) => {
  const world = await aClosedPage(t)
  for (const path of ['/', '/app.js', hashed, '/no-such-file.js', '/.env'])
    for (const headers of [
      script,
      { ...script, 'Sec-Fetch-Dest': 'style' },
      { ...script, 'Sec-Fetch-Dest': 'image' },
      { ...navigation, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'iframe' },
      { ...script, 'If-None-Match': '*' },
      { 'X-CSRF': '1' },
      {},
    ]) {
      const answer = await world.call(path, { headers })
      t.is(answer.status, 401, `${path} ${JSON.stringify(headers)}`)
      t.is(codeOf(answer), 'bff.session.absent')
      t.is(answer.headers['cache-control'], 'no-store')
    }
  for (const method of ['POST', 'PUT', 'OPTIONS']) t.is((await world.call('/app.js', { method })).status, 401, method)
})

test('with a session the files are there, for this person’s browser alone', async (t) => {
  const world = await aClosedPage(t)
  const { cookie } = await world.plant()
  const ask = (path: string, headers: Readonly<Record<string, string>>) =>
    world.call(path, { headers: { Cookie: cookie, ...headers } })
  const page = await ask('/orders/7', navigation)
  t.is(page.status, 200)
  t.regex(page.text, /Application/)
  t.regex(String(page.headers['set-cookie']), /^sallyport-bff-app=/, 'to open a page is to use the session')
  t.is(page.headers['cache-control'], 'no-store')
  for (const [path, caching] of [
    ['/app.js', 'private, no-cache'],
    [hashed, 'private, max-age=31536000, immutable'],
  ] as const) {
    const file = await ask(path, script)
    t.is(file.status, 200, path)
    t.is(file.headers['cache-control'], caching)
    t.regex(String(file.headers.vary), /\bCookie\b/)
    t.is(file.headers['set-cookie'], undefined)
    const known = await ask(path, { ...script, 'If-None-Match': String(file.headers.etag) })
    t.is(known.status, 304)
  }
})

test('a session that has ended opens nothing', async (t) => {
  const world = await aClosedPage(t)
  const { cookie, id } = await world.plant()
  const session = await world.sessionsOf('app').open(id)
  if (session !== undefined) await world.sessionsOf('app').end(session, 'logout')
  const ask = (headers: Readonly<Record<string, string>>) =>
    world.call('/app.js', { headers: { Cookie: cookie, ...headers } })
  t.is(codeOf(await ask(script)), 'bff.session.ended')
  t.is((await ask(navigation)).headers.location, '/bff/login?returnUrl=%2Fapp.js')
})

test('a link of another site comes again from here; what another site embeds is refused', async (t) => {
  const world = await aClosedPage(t)
  const { cookie } = await world.plant()
  const foreign = await world.call('/orders', { headers: { ...navigation, 'Sec-Fetch-Site': 'cross-site' } })
  t.is(foreign.status, 200)
  t.regex(foreign.text, /<a id="on" href="\/orders">/)
  t.notRegex(foreign.text, /Application/)
  const sibling = (headers: Readonly<Record<string, string>>) =>
    world.call('/app.js', { headers: { Cookie: cookie, ...headers, 'Sec-Fetch-Site': 'same-site' } })
  t.is((await sibling(navigation)).status, 200, 'the cookie came along: there is nothing to ask again for')
  t.is(codeOf(await sibling(script)), 'bff.csrf.cross_site')
  t.is((await world.call('/app.js', { headers: { ...script, 'Sec-Fetch-Site': 'cross-site' } })).status, 401)
})

test('routes beside the page keep their own rules: public ones are public', async (t) => {
  const planted = await aPlantedGateway(t)
  const upstreams = [new URL(planted.api.url)]
  const world = await aClosedPage(t, {
    routes: [{ path: '/hooks', upstreams, stripPath: false, methods: [], tokenType: 'None', scopes: [] }],
  })
  t.is((await world.call('/hooks/x', { method: 'POST' })).status, 200)
})

test('a development server’s page is closed in the same way, its socket too, and no token goes there', async (t) => {
  const vite = await webSocketUpstream()
  t.teardown(() => vite.close())
  const world = await aPlantedGateway(t, {
    frontends: [{ name: 'app', routes: [], developmentServer: vite.url, requireLogin: 'Page' }],
  })
  const { cookie } = await world.plant()
  const { origin } = new URL(world.on.url)
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', Origin: origin }
  const key = { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }
  t.is((await world.call('/src/main.ts', { headers: script })).status, 401)
  t.is((await world.call('/x', { headers: navigation })).headers.location, '/bff/login?returnUrl=%2Fx')
  t.is((await world.call('/', { headers: { ...upgrade, ...key } })).status, 401)
  const foreign = await world.call('/x', { headers: { ...navigation, 'Sec-Fetch-Site': 'cross-site' } })
  t.regex(foreign.text, /<a id="on" href="\/x">/)
  t.is(vite.seen.length, 0)
  const answer = await world.call('/src/main.ts', { headers: { ...script, Cookie: cookie } })
  t.is(answer.status, 200)
  t.regex(String(answer.headers['cache-control']), /private|no-store/)
  t.is(vite.seen[0]?.headers.authorization, undefined)
  t.is(vite.seen[0]?.headers.cookie, undefined)
})
