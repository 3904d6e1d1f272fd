import { channel } from 'node:diagnostics_channel'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { demoSettings, inspectorUrl } from '../../../src/cli/dev/demo-settings.js'
import { watched } from '../../../src/cli/dev/dev.js'
import type { Exchange } from '../../../src/cli/dev/inspector/exchange.js'
import { createFlows } from '../../../src/cli/dev/inspector/flows.js'
import { createHttpTap } from '../../../src/cli/dev/inspector/http-tap.js'
import { createInspector } from '../../../src/cli/dev/inspector/inspector.js'
import { attacks } from '../../../src/cli/dev/inspector/lab/attacks.js'
import { readConfiguration } from '../../../src/config/load.js'
import { listen } from '../../../src/server/listener.js'
import { run } from '../../../src/server/run.js'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { freePorts } from '../../flows/_stack.js'

/** The demo and its inspector, in this process, once for all tests of this file that need them. */
let begun: ReturnType<typeof begin> | undefined
function demo(): ReturnType<typeof begin> {
  begun ??= begin()
  return begun
}

async function begin() {
  const [port = 0] = await freePorts(1)
  const stateDirectory = await mkdtemp(join(tmpdir(), 'sallyport-'))
  const configuration = watched(
    readConfiguration({
      file: 'frontends.example.json',
      environment: { ...demoSettings({ port, certificate: undefined }), Server__StateDirectory: stateDirectory },
    }),
  )
  const secrets = new Set<string>()
  const wire = createHttpTap<undefined>(({ request }) => {
    for (const field of ['authorization', 'dpop'])
      for (const value of request.headersDistinct[field] ?? []) secrets.add(value.split(' ').at(-1) ?? '')
    for (const pair of (request.headers.cookie ?? '').split(';')) secrets.add(pair.slice(pair.indexOf('=') + 1))
    collect(new URL(request.url ?? '', 'http://localhost').searchParams)
    return {
      cause: undefined,
      requested: (body) => collect(new URLSearchParams(body)),
      answered({ fields, body }) {
        const location = fields.find(([name]) => name === 'location')?.[1] ?? ''
        collect(new URL(location, 'http://localhost').searchParams)
        for (const [, name = '', value = ''] of body.matchAll(/"(\w+_token|request_uri)":"([^"]+)"/g))
          collect(new URLSearchParams({ [name]: value }))
        for (const [name, value] of fields)
          if (name === 'set-cookie') secrets.add(value.slice(value.indexOf('=') + 1, value.indexOf(';')))
      },
    }
  })
  const secretNames =
    /^(?:code|code_verifier|client_assertion|request_uri|state|nonce|password|form_token|access_token|refresh_token|id_token)$/
  function collect(parameters: URLSearchParams): void {
    for (const [name, value] of parameters) if (secretNames.test(name)) secrets.add(value)
  }
  const running = await run(configuration)
  const inspector = createInspector(configuration)
  const address = { host: '127.0.0.1', port: 0 }
  const listener = await listen({ pointer: '/Server/Listen', address, onRequest: inspector.onRequest })
  return {
    gateway: `http://localhost:${port}`,
    inspector: listener.url.replace('127.0.0.1', 'localhost'),
    secrets,
    async close() {
      begun = undefined
      await inspector.close()
      wire.close()
      await listener.drain(1)
      await running.stop()
      await rm(stateDirectory, { recursive: true })
    },
  }
}
test.after.always('the demo has ended', async () => {
  await (await begun)?.close()
})

/** The button of each attack, and what refuses it. */
const refusals = {
  'replay-proof': [401, 'invalid_dpop_proof', /used before/],
  'other-key': [401, 'invalid_token', /key binding/],
  'other-method': [401, 'invalid_dpop_proof', /htm/],
  'other-address': [401, 'invalid_dpop_proof', /htu/],
  'as-bearer': [401, 'invalid_token', /DPoP scheme only/],
  'no-csrf-header': [403, 'bff.csrf.header_missing', /X-CSRF/],
  'other-site': [403, 'bff.csrf.cross_site', /another origin/],
  'broken-cookie': [401, 'bff.session.ended', /ended/],
  'drop-iss': [400, 'bff.login.issuer_mismatch', /no issuer/],
  'other-iss': [400, 'bff.login.issuer_mismatch', /evil\.example/],
  'other-browser': [400, 'bff.login.transaction_absent', /another browser/],
  'code-twice': [400, 'invalid_grant', /used before/],
  'wrong-verifier': [400, 'invalid_grant', /code_verifier/],
  'code-with-other-key': [400, 'invalid_grant', /another DPoP key/],
  'assertion-twice': [401, 'invalid_client', /used before/],
  'not-pushed': [303, 'invalid_request', /not pushed/],
  'request-twice': [400, 'invalid_request_uri', /was used/],
} as const satisfies Record<string, readonly [number, string, RegExp]>

async function press(name: string, headers: Record<string, string> = { 'X-CSRF': '1' }): Promise<Response> {
  return fetch(`${(await demo()).inspector}/attacks/${name}`, { method: 'POST', headers })
}

test.serial('every attack is refused by the check that is there for it', async (t) => {
  const offered = (await (await fetch(`${(await demo()).inspector}/lessons`)).json()) as { attacks: { name: string }[] }
  t.deepEqual(
    offered.attacks.map(({ name }) => name),
    Object.keys(refusals),
  )
  for (const [name, [status, code, reason]] of Object.entries(refusals)) {
    const result = (await (await press(name)).json()) as { reason: string }
    t.like(result, { status, code, asExpected: true }, name)
    t.regex(result.reason, reason, name)
  }
})

/** Everything that the stream tells to who connects now. */
async function told(): Promise<string> {
  const answer = await fetch(`${(await demo()).inspector}/events`)
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString()
    if (text.includes('event: caught-up')) break
  }
  return text
}

test.serial('the stream has the messages of each flow, and none of their secrets', async (t) => {
  const text = await told()
  const changes = [...text.matchAll(/^data: (\{"flow".*)$/gm)].map(
    ([, json = '']) => JSON.parse(json) as { flow: { title: string }; exchange: Exchange },
  )
  const kindsOf = (title: string) =>
    changes.filter(({ flow }) => flow.title === title).map(({ exchange }) => exchange.kind)
  const codeTwice = kindsOf('Use a code twice')
  // The server may have asked for a nonce first.
  t.deepEqual([...new Set(codeTwice)], ['par', 'authorize', 'redeem', 'api'])
  t.true(codeTwice.filter((kind) => kind === 'redeem').length >= 2)
  const last = changes.findLast(({ flow }) => flow.title === 'Use a code twice')?.exchange
  t.like(last, { answer: { status: 401 }, refusal: { code: 'invalid_token', check: 'FAPI2-5.3.4-3' } })
  const redeemed = changes.find(
    ({ exchange: { kind, answer } }) => kind === 'redeem' && answer?.status === 200,
  )?.exchange
  const shown = redeemed?.request.parameters.find(({ name }) => name === 'code_verifier')
  t.regex(shown?.value ?? '', /^.{6}… \(code verifier, 43 characters\)$/)
  t.true(redeemed?.request.proof?.checks.every(({ holds }) => holds))
  const { secrets } = await demo()
  const long = [...secrets].filter((value) => value.length >= 7)
  t.true(long.length > 100, String(long.length))
  t.true(secrets.has('builder') && long.some((value) => value.startsWith('eyJ')))
  for (const secret of long) t.false(text.includes(secret) || text.includes(encodeURIComponent(secret)), secret)
})

test.serial('only its own page reads the stream and presses the buttons', async (t) => {
  const { inspector } = await demo()
  const status = async (path: string, init: RequestInit = {}) => (await fetch(inspector + path, init)).status
  for (const site of ['same-site', 'cross-site']) {
    t.is(await status('/events', { headers: { 'Sec-Fetch-Site': site } }), 403)
    t.is((await press('replay-proof', { 'X-CSRF': '1', 'Sec-Fetch-Site': site })).status, 403)
  }
  t.is((await press('replay-proof', { 'X-CSRF': '1', Origin: 'https://evil.example' })).status, 403)
  t.is((await press('replay-proof', {})).status, 403)
  t.is(await status('/attacks/replay-proof'), 405)
  t.is(await status('/attacks/none', { method: 'POST', headers: { 'X-CSRF': '1' } }), 404)
  const page = await fetch(inspector)
  t.is(page.headers.get('access-control-allow-origin'), null)
  t.regex(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
})

test.serial('a name that leads to this machine is not its name', async (t) => {
  const { request } = await import('node:http')
  const { port } = new URL((await demo()).inspector)
  const status = await new Promise((done, fail) =>
    request({ host: '127.0.0.1', port, path: '/events', headers: { Host: 'evil.example' } }, (answer) => {
      answer.resume()
      done(answer.statusCode)
    })
      .on('error', fail)
      .end(),
  )
  t.is(status, 421)
})

test('memory is bounded by flows, and each flow by messages', (t) => {
  const flows = createFlows({ max: 100, maxExchanges: 60 })
  for (let index = 0; index < 1000; index++) {
    const flow = flows.begin('call', 'x')
    flows.thread(flow, [`thread ${index}`])
    for (let id = 0; id < 100; id++) flows.put(flow, { id } as Exchange)
  }
  t.is(flows.all().length, 100)
  t.true(flows.all().every(({ exchanges }) => exchanges.length === 60))
  t.is(flows.withThread(['thread 1']), undefined)
  t.is(flows.withThread(['thread 999'])?.id, 1000)
})

test('the documents speak of what refuses each attack, where the inspector says so', async (t) => {
  for (const { name, href } of attacks) {
    const [, file = '', anchor = ''] = /\/(docs\/[\w-]+\.md)#(.+)$/.exec(href) ?? []
    const text = await readFile(file, 'utf8')
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'))
    t.true(headings.includes(anchor) || text.includes(`id="${anchor}"`), `${name}: ${href}`)
  }
})

test('nothing but the command dev knows the inspector', async (t) => {
  const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'))
  const knowing: string[] = []
  for (const file of files)
    if (/inspector\/|dev\/dev\.js/.test(await readFile(join('src', file), 'utf8'))) knowing.push(file)
  t.deepEqual(knowing.filter((file) => !file.startsWith('cli/dev/inspector/')).sort(), [
    'cli/commands/run-commands.ts',
    'cli/dev/dev.ts',
  ])
})

async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () =>
    (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
  )
}

if (!chromiumIsInstalled) {
  test.skip('the inspector in a browser: no Chromium is installed', () => {})
} else {
  test.serial('a login and a call are drawn as they happen, and can be read by all', async (t) => {
    const { gateway, inspector } = await demo()
    await withChromium(
      async (context) => {
        const wrong: string[] = []
        const page = await context.newPage()
        page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()))
        page.on('pageerror', (error) => wrong.push(error.message))
        await page.goto(inspector)
        await page.getByText('Live', { exact: true }).waitFor()

        const app = await context.newPage()
        await app.goto(gateway)
        await app.getByRole('link', { name: 'Sign in' }).click()
        await app.getByLabel('Username').fill('alice')
        await app.getByLabel('Password').fill('wonderland')
        await app.getByRole('button', { name: 'Sign in' }).click()
        await app.getByRole('button', { name: 'Allow' }).click()
        await app.getByRole('heading', { name: /Hello, Alice/ }).waitFor()

        for (const text of [
          'Browser to Gateway: GET /bff/login',
          'Gateway to Authorization server: POST /connect/par',
          'Browser to Authorization server: POST /connect/authorize',
          'Authorization server to Browser: 303 · authorization response',
          'Browser to Gateway: GET /bff/callback',
          'Gateway to Authorization server: POST /connect/token',
        ])
          await page.locator('#messages').getByRole('button', { name: text }).first().waitFor()
        await page
          .getByRole('button', { name: /POST \/connect\/par/ })
          .last()
          .press('Enter')
        await page.getByRole('heading', { name: 'The gateway pushes the authorization request' }).waitFor()
        await page.getByRole('link', { name: 'FAPI 2.0 §5.3.2.2-5' }).waitFor()
        await page.getByText('dpop+jwt', { exact: true }).waitFor()
        await page.emulateMedia({ colorScheme: 'dark' })
        t.deepEqual(await faults(page), [])
        await page.emulateMedia({ colorScheme: 'light' })

        await page.getByLabel('Show the newest').check()
        await app.getByRole('button', { name: 'List orders' }).click()
        await page.getByRole('button', { name: 'Gateway to API: GET /api/orders' }).click()
        await page.getByText(/htu RFC9449-4.3-9/).waitFor()
        const drawn = app.getByRole('link', { name: 'The flow inspector draws this call' })
        t.is(await drawn.getAttribute('href'), inspectorUrl(Number(new URL(gateway).port)))

        await page.getByRole('button', { name: 'Try it: Send a proof a second time' }).click()
        await page.getByText('Refused: 401 invalid_dpop_proof').waitFor()
        await page.getByRole('button', { name: 'See it in the diagram' }).click()
        await page.getByText('RFC9449-11.1').first().waitFor()
        const content = await page.content()
        const secrets = [...(await demo()).secrets].filter((value) => value.length >= 7)
        for (const secret of secrets) t.false(content.includes(secret), secret)

        await page.setViewportSize({ width: 320, height: 640 })
        t.is(await page.evaluate('document.documentElement.scrollWidth'), 320)
        t.deepEqual(await faults(page), [])
        t.deepEqual(wrong, [])
      },
      { viewport: { width: 1400, height: 900 } },
    )
  })
}

test.serial('when it has ended, nothing of it hears the process any more', async (t) => {
  await (await demo()).close()
  for (const name of ['undici:request:create', 'undici:client:sendHeaders', 'http.server.request.start', 'sallyport'])
    t.false(channel(name).hasSubscribers, name)
})
