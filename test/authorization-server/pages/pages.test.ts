import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { html } from '../../../src/http/page.js'
import { accessibilityFaults } from '../../flows/_accessibility.js'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { aBrowser } from '../_browser.js'
import { aProtocolClient } from '../_client.js'
import { aClient, startServer } from '../_running.js'

/** Where screenshots go; none are made without it. */
const screenshots = process.env.SCREENSHOTS

async function look(t: ExecutionContext, page: Page, name: string): Promise<void> {
  t.deepEqual(await accessibilityFaults(page), [], name)
  t.true(
    await page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
    `${name} needs no sideways scrolling`,
  )
  if (screenshots === undefined) return
  await mkdir(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}

const looks = [
  { name: 'light', options: { colorScheme: 'light', viewport: { width: 1000, height: 800 }, locale: 'en-GB' } },
  { name: 'dark', options: { colorScheme: 'dark', viewport: { width: 1000, height: 800 }, locale: 'de-AT' } },
  { name: '320px', options: { colorScheme: 'light', viewport: { width: 320, height: 640 }, locale: 'fr-FR' } },
  // Zoom halves the room and doubles the pixels.
  {
    name: '200-percent',
    options: { colorScheme: 'dark', viewport: { width: 500, height: 400 }, deviceScaleFactor: 2, locale: 'en-US' },
  },
] as const

if (!chromiumIsInstalled) {
  test.skip('the pages in a browser: no Chromium is installed', () => {})
} else {
  for (const { name, options } of looks)
    test.serial(`every page is accessible by keyboard alone: ${name}`, async (t) => {
      const landing = createServer((_, response) => response.end('the client')).listen(0, '127.0.0.1')
      await once(landing, 'listening')
      const address = landing.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      const callback = `http://127.0.0.1:${address.port}/callback`
      const server = await startServer({
        client: aClient('client-1', {
          displayName: 'Order desk of the Example Trading Company',
          redirectUris: [callback],
          authorizationDetailTypes: ['payment'],
        }),
        authorizationDetailTypes: [
          { type: 'payment', schema: { type: 'object' }, consent: 'Pay {amount} EUR to {creditor}' },
        ],
      })
      const client = aProtocolClient(server)
      try {
        await withChromium(async (context) => {
          const page = await context.newPage()
          const complaints: string[] = []
          page.on('console', (message) => {
            if (/security.policy/i.test(message.text())) complaints.push(message.text())
          })
          await page.goto(
            client.authorizationUrl(
              await client.push({
                redirect_uri: callback,
                scope: 'openid profile email roles offline_access orders',
                authorization_details: JSON.stringify([
                  { type: 'payment', amount: '12.50', creditor: 'Merchant A' },
                  // Nothing to break a line at, and another direction of writing.
                  { type: 'payment', amount: '99.00', creditor: 'W'.repeat(70) },
                  { type: 'payment', amount: '7.00', creditor: 'حساب جديد' },
                ]),
              }),
            ),
          )
          await look(t, page, `${name}-1-sign-in`)
          await page.keyboard.type('alice')
          await page.keyboard.press('Tab')
          await page.keyboard.type('wrong')
          await page.keyboard.press('Enter')
          await page.waitForSelector('[role=alert]')
          await look(t, page, `${name}-2-wrong-password`)
          t.is(await page.evaluate('document.activeElement.id'), 'password', 'the password is what to type again')
          await page.keyboard.type('wonderland')
          await page.keyboard.press('Tab')
          t.is(await page.evaluate('document.activeElement.id'), 'sign-in')
          await page.keyboard.press('Enter')
          await page.waitForSelector('#allow')
          await look(t, page, `${name}-3-consent`)
          await page.keyboard.press('Tab')
          t.is(await page.evaluate('document.activeElement.id'), 'allow')
          await page.keyboard.press('Enter')
          await page.waitForURL(`${callback}**`)
          t.regex(page.url(), /[?&]code=/)

          await page.goto(`${server.url}/connect/authorize?client_id=client-1&request_uri=urn:x`)
          await look(t, page, `${name}-4-error`)
          await page.goto(`${server.url}/connect/endsession`)
          await look(t, page, `${name}-5-sign-out`)
          await page.keyboard.press('Tab')
          await page.keyboard.press('Enter')
          await page.waitForSelector('h1:not(:has(+ form))')
          await look(t, page, `${name}-6-signed-out`)
          t.deepEqual(
            (await context.cookies()).map(({ name }) => name).filter((cookie) => cookie.includes('session')),
            [],
          )
          t.deepEqual(complaints, [], 'the browser can read every policy')
        }, options)
      } finally {
        landing.close()
        await server.stop()
      }
    })
}

test('an operator brands the pages and replaces one, under the same headers', async (t) => {
  const server = await startServer({
    branding: {
      name: 'Acme & Sons',
      theme: ':root{--sp-accent:#7a1fa2}',
      pages: {
        signIn: ({ action, fields, client }) => ({
          title: 'Hello',
          content: html`<h1>Hello, ${client}</h1><form method="post" action="${action}">${Object.entries(fields).map(
            ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
          )}<input name="username"><input name="password" type="password"><button name="action" value="sign-in">Go</button></form>`,
        }),
      },
    },
  })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push()))
  t.regex(page.text, /Acme &amp; Sons/)
  t.regex(page.text, /--sp-accent:#7a1fa2/)
  t.regex(page.text, /<h1>Hello, The client-1<\/h1>/)
  t.regex(page.headers.get('content-security-policy') ?? '', /style-src 'sha256-/)
  t.notRegex(page.headers.get('content-security-policy') ?? '', /unsafe/)
  const consent = await browser.follow(
    await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  t.regex(consent.text, /id="allow"/)
})

for (const [language, how] of [
  ['de', 'the browser prefers'],
  ['fr', 'ui_locales asks for'],
] as const)
  test(`every page has the operator's brand, in the language that ${how}`, async (t) => {
    const branding = { name: 'Acme & Sons', theme: ':root{--sp-accent:#7a1fa2}' }
    const server = await startServer({ branding })
    t.teardown(() => server.stop())
    const client = aProtocolClient(server)
    const isAsked = how === 'ui_locales asks for'
    const browser = aBrowser({ 'accept-language': isAsked ? 'de' : language })
    const locales = isAsked ? { ui_locales: language } : {}
    const query = isAsked ? `?ui_locales=${language}` : ''
    const signIn = await browser.get(client.authorizationUrl(await client.push(locales)))
    const wrong = await browser.submit(signIn, 'sign-in', { username: 'alice', password: 'wrong' })
    const consent = await browser.follow(
      await browser.submit(wrong, 'sign-in', { username: 'alice', password: 'wonderland' }),
    )
    const signOut = await browser.get(`${server.url}/connect/endsession${query}`)
    const stayed = await browser.submit(signOut, 'stay')
    const signedOut = await browser.submit(await browser.get(`${server.url}/connect/endsession${query}`), 'sign-out')
    const all = { signIn, wrong, consent, signOut, stayed, signedOut }
    const errors = isAsked
      ? {}
      : { error: await browser.get(`${server.url}/connect/authorize?client_id=x&request_uri=x`) }
    for (const [name, { text }] of Object.entries({ ...all, ...errors })) {
      t.regex(text, new RegExp(`<html lang="${language}">`), name)
      t.regex(text, /Acme &amp; Sons/, name)
      t.regex(text, /--sp-accent:#7a1fa2/, name)
      t.notRegex(text, /Sallyport/, name)
    }
  })

test('nothing that comes from outside becomes markup', async (t) => {
  const hostile = '"><script>alert(1)</script>'
  const server = await startServer({
    client: aClient('client-1', {
      displayName: hostile,
      permissions: ['ept:authorization', 'ept:pushed_authorization', 'ept:token', 'gt:authorization_code', 'scp:<b>'],
    }),
    verifyUser: async (username) => ({ subject: 'x', claims: { name: username } }),
  })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push({ login_hint: hostile, scope: '<b>' })))
  const consent = await browser.follow(await browser.submit(page, 'sign-in', { username: hostile, password: 'x' }))
  const error = await browser.get(
    `${server.url}/connect/authorize?client_id=${encodeURIComponent(hostile)}&request_uri=x`,
  )
  const out = await browser.get(
    `${server.url}/connect/endsession?ui_locales=${encodeURIComponent(hostile)}&state=${encodeURIComponent(hostile)}`,
  )
  for (const { text } of [page, consent, error, out]) {
    t.notRegex(text, /<script/)
    t.notRegex(text, /<b>/)
  }
  t.regex(consent.text, /&lt;script&gt;/)
})
