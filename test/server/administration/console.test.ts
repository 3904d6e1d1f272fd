import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { UpstreamError } from '../../../src/errors.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { publish } from '../../../src/telemetry/events.js'
import { accessibilityFaults } from '../../flows/_accessibility.js'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { anAdministeredGateway, assertionKey, token } from './_administered.js'

const form = (url: string, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(fields) })

/** The `Cookie` of a browser that has signed in, and the value of its forms. */
async function signedIn(url: string) {
  const answer = await form(url, '/console/sign-in', { token })
  const cookie = answer.headers.get('set-cookie') ?? ''
  const headers = { Cookie: cookie.split(';', 1)[0] ?? '' }
  const page = await (await fetch(`${url}/console/sessions`, { headers })).text()
  return { answer, cookie, headers, formValue: /name="form" value="([^"]+)"/.exec(page)?.[1] ?? '' }
}

test('the token opens the console: with a cookie that is not the token, ends soon, and is of this host alone', async (t) => {
  const { url } = await anAdministeredGateway(t)
  const { answer, cookie } = await signedIn(url)
  t.is(answer.status, 303)
  t.is(answer.headers.get('location'), '/console/sessions')
  t.regex(cookie, /^sallyport-admin-console=/)
  for (const attribute of [/HttpOnly/i, /SameSite=Strict/i, /Max-Age=(?:900|899)/]) t.regex(cookie, attribute)
  t.false(cookie.includes(token))
  t.is((await form(url, '/console/sign-in', { token: 'wrong' })).status, 403)
})

test('without a sign-in there is the form, and a made-up, changed or signed-out cookie is none', async (t) => {
  const { url } = await anAdministeredGateway(t)
  const { headers, formValue } = await signedIn(url)
  const { Cookie: cookie } = headers
  const locationWith = async (Cookie: string) =>
    (await fetch(`${url}/console/keys`, { redirect: 'manual', headers: { Cookie } })).headers.get('location')
  for (const wrong of ['', 'sallyport-admin-console=a.1.9999999999.b', `${cookie}x`, cookie.replace(/\.\d+\./, '.1.')])
    t.is(await locationWith(wrong), '/console/sign-in')
  t.is(await locationWith(cookie), null)
  t.is((await form(url, '/console/sign-out', { form: formValue }, headers)).status, 303)
  t.is(await locationWith(cookie), '/console/sign-in')
})

test('who signs out is signed out of every replica, and of one that starts later; without the store, of this one', async (t) => {
  const store = createMemoryStore()
  const isOpen = async (url: string, headers: Record<string, string>) =>
    (await fetch(`${url}/console/keys`, { redirect: 'manual', headers })).status === 200
  const [one, other] = [await anAdministeredGateway(t, { store }), await anAdministeredGateway(t, { store })]
  const { headers, formValue } = await signedIn(one.url)
  t.true(await isOpen(other.url, headers))
  await form(one.url, '/console/sign-out', { form: formValue }, headers)
  t.false(await isOpen(other.url, headers))
  t.false(await isOpen((await anAdministeredGateway(t, { store })).url, headers))

  const away = () => Promise.reject(new UpstreamError('store_unavailable', 'away'))
  const without = await anAdministeredGateway(t, { store: { ...createMemoryStore(), get: away, addIfAbsent: away } })
  const next = await signedIn(without.url)
  t.true(await isOpen(without.url, next.headers))
  const keys = await (await fetch(`${without.url}/console/keys`, { headers: next.headers })).text()
  const own = /name="form" value="([^"]+)"/.exec(keys)?.[1] ?? ''
  await form(without.url, '/console/sign-out', { form: own }, next.headers)
  t.false(await isOpen(without.url, next.headers))
})

test('a page of an application on the same host ends no session with the cookie', async (t) => {
  const { url, plant, sessionsOf } = await anAdministeredGateway(t)
  const { id } = await plant('app', { subject: 'alice' })
  const { headers, formValue } = await signedIn(url)
  for (const [fields, more] of [
    [{ sub: 'alice' }, {}],
    [{ sub: 'alice', form: 'guessed' }, {}],
    [{ sub: 'alice', form: formValue }, { Origin: 'http://127.0.0.1:3000' }],
  ] as const)
    t.is((await form(url, '/console/sessions/end', fields, { ...headers, ...more })).status, 403)
  t.is((await form(url, '/console/sessions/end', { form: formValue }, headers)).status, 400)
  t.not(await sessionsOf('app').open(id), undefined)
  const elsewhere = { sub: 'alice', authority: 'https://another.example', form: formValue }
  const none = await form(url, '/console/sessions/end', elsewhere, headers)
  t.is(none.headers.get('location'), '/console/sessions?sub=alice&ended=0')
  t.not(await sessionsOf('app').open(id), undefined)
  const done = await form(url, '/console/sessions/end', { sub: 'alice', form: formValue }, headers)
  t.is(done.headers.get('location'), '/console/sessions?sub=alice&ended=1')
  t.is(await sessionsOf('app').open(id), undefined)
})

test('what callers say is text on every page, and nothing may be cached, framed or scripted', async (t) => {
  const { url, plant, sessionsOf } = await anAdministeredGateway(t)
  const { id } = await plant('app', { subject: '<script>alert(1)</script>' })
  const session = await sessionsOf('app').open(id)
  if (session !== undefined)
    await sessionsOf('app').keepAlive(id, session, () => ({
      address: '192.0.2.x',
      userAgent: '"><img src=x onerror=1>',
    }))
  const { headers } = await signedIn(url)
  for (const path of [
    'sessions',
    'sessions?sub=%22%3E%3Cscript%3E',
    'sessions?ended=<b>',
    'refusals',
    'upstreams',
    'keys',
    'configuration',
  ]) {
    const answer = await fetch(`${url}/console/${path}`, { headers })
    const text = await answer.text()
    t.is(answer.status, 200, path)
    t.notRegex(text, /<script|<img|<b>/, path)
    t.regex(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/)
    t.is(answer.headers.get('cache-control'), 'no-store')
    if (path === 'keys') t.true(text.includes(`data-label="Keys">${assertionKey.kid}</td>`), text)
    if (path === 'configuration') t.regex(text, /<dt>Frontends added<\/dt><dd>shop<\/dd><\/dl>/)
  }
  const misspelt = await (await fetch(`${url}/console/sessions?frontend=ap`, { headers })).text()
  t.true(misspelt.includes('There is no such session: there is no frontend of that name; known: app.'), misspelt)
  t.is((await fetch(`${url}/console/nothing`, { headers })).status, 404)
  t.is((await fetch(`${url}/console/sessions?after=made-up`, { headers })).status, 400)
  t.is((await fetch(`${url}/console/keys`, { method: 'PUT', headers })).status, 405)
})

/** Titles of columns, labels of buttons, codes and handles that are one word and take two lines. */
const brokenWords = `[...document.querySelectorAll('th, td button, .whole')].filter((title) => {
  const range = document.createRange()
  range.selectNodeContents(title)
  return !title.textContent.includes(' ') && range.getClientRects().length > 1
}).map((title) => title.textContent)`

if (!chromiumIsInstalled) test.skip('the console in a browser: no Chromium is installed', () => {})
else
  test('an operator signs in, finds and ends a session, by keyboard; every page is accessible, light and dark, at 320 px', async (t) => {
    t.timeout(120_000)
    const { url, plant, sessionsOf } = await anAdministeredGateway(t)
    const { id } = await plant('app', { subject: 'alice' })
    await plant('app', { subject: `auth0|${'0123456789abcdef'.repeat(4)}` })
    publish({
      type: 'gateway.request.refused',
      requestId: '3a1f0f53-5e0c-4a53-9d35-6f2b8b8ad2a6',
      code: 'bff.login.failed',
      status: 403,
      frontend: 'app',
      reason: 'the server refused the login',
      serverError: 'access_denied',
      remedy: 'Ask the user to sign in again.',
    })
    const screenshots = process.env.SCREENSHOTS
    if (screenshots !== undefined) await mkdir(screenshots, { recursive: true })
    await withChromium(async (context) => {
      const page = await context.newPage()
      const examine = async (name: string): Promise<void> => {
        // Colours do not depend on the width, and the layout not on colours.
        for (const [colorScheme, width] of [
          ['light', 320],
          ['dark', 1280],
        ] as const) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize({ width, height: 800 })
          const place = `${name} ${colorScheme} ${width}`
          t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${place} scrolls sideways`)
          t.deepEqual(await accessibilityFaults(page), [], place)
          t.deepEqual(await page.evaluate(brokenWords), [], `${place} breaks a word`)
          if (screenshots !== undefined)
            await page.screenshot({ path: join(screenshots, `${place.replaceAll(' ', '-')}.png`), fullPage: true })
        }
      }
      await page.goto(`${url}/console`)
      await examine('sign-in')
      await page.keyboard.type(token)
      await page.keyboard.press('Enter')
      await page.waitForURL(/sessions/)
      await examine('sessions')
      await page.setViewportSize({ width: 320, height: 800 })
      const label = "getComputedStyle(document.querySelector('td:has(form)'), '::before').content"
      t.is(await page.evaluate(label), 'none', 'a button is its own label')
      for (const name of ['Refusals', 'Upstreams', 'Keys', 'Configuration']) {
        await page.getByRole('link', { name }).press('Enter')
        await page.getByRole('heading', { level: 1, name }).waitFor()
        await examine(name.toLowerCase())
      }
      await page.getByRole('link', { name: 'Sessions' }).press('Enter')
      await page.getByLabel('User').fill('alice')
      await page.getByLabel('Authorization server').fill('http://127.0.0.1:9')
      await page.keyboard.press('Enter')
      await page.waitForURL(/sub=alice/)
      await page.getByRole('button', { name: 'End all sessions of alice' }).press('Enter')
      await page.getByText('1 session has been ended').waitFor()
      t.is(await sessionsOf('app').open(id), undefined)
      await page.getByRole('button', { name: 'Sign out' }).press('Enter')
      await page.waitForURL(/sign-in/)
    })
  })
