import http from 'node:http'
import test from 'ava'
import { aBrowser } from '../authorization-server/_browser.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { startServer } from '../authorization-server/_running.js'
import { chromiumIsInstalled, withChromium } from '../flows/_chromium.js'

/* A page on the issuer's own origin has a hostile script: it may fetch, but it must not get to see or send our forms. */

type Fields = Readonly<Record<string, string>>

/** As a browser sends it: Node's fetch sets fields of its own. */
function send(
  url: string,
  method: 'GET' | 'POST',
  headers: Fields,
  body = '',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) }
    const request = http.request(
      url,
      { method, headers: { ...headers, ...(method === 'POST' && form) } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      },
    )
    request.on('error', reject).end(body)
  })
}

const person = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'same-origin' }
const others: readonly Fields[] = [
  { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'frame', 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'embed', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', 'sec-fetch-site': 'cross-site' },
  // A browser from before destinations were sent.
  { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
  { ...person, 'sec-purpose': 'prefetch;prerender' },
]

test('sign-in, consent and sign-out page answer navigations only, and so do their forms', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const cookie = (): Fields => ({ cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ') })

  const url = client.authorizationUrl(await client.push())
  const signIn = await browser.get(url)
  for (const fields of others) {
    const { status, text } = await send(url, 'GET', { ...cookie(), ...fields })
    t.is(status, 400, JSON.stringify(fields))
    t.notRegex(text, /form_token|id="sign-in"/, JSON.stringify(fields))
  }
  const consent = await browser.follow(
    await browser.submit(signIn, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  t.regex(consent.text, /id="allow"/)
  const token = /name="form_token" value="([^"]+)"/.exec(consent.text)?.[1] ?? ''
  const { searchParams } = new URL(url)
  const form = new URLSearchParams([...searchParams, ['form_token', token], ['action', 'allow']]).toString()
  const post = new URL('/connect/authorize', server.url).href
  const signOut = `${server.url}/connect/endsession`
  for (const fields of others) {
    for (const [method, address, body] of [
      ['GET', url, ''],
      ['POST', post, form],
      ['GET', signOut, ''],
      ['POST', signOut, 'action=sign-out'],
    ] as const) {
      const { status, text } = await send(address, method, { ...cookie(), ...fields }, body)
      t.is(status, 400, `${method} ${address} ${JSON.stringify(fields)}`)
      t.notRegex(text, /form_token/)
    }
  }

  t.regex((await send(signOut, 'GET', { ...cookie(), ...person })).text, /id="sign-out"/)
  t.regex((await send(url, 'GET', { ...cookie(), ...person })).text, /id="allow"/)
  t.is((await send(post, 'POST', { ...cookie(), ...person }, form)).status, 303)
})

if (!chromiumIsInstalled) test.skip('consent in a pop-up: no Chromium is installed', () => {})
else
  test('a page on the same origin cannot reach into the consent page that it opened', async (t) => {
    const server = await startServer({
      path: '/auth',
      // As the gateway sends pages of applications.
      beside: (_request, response) =>
        response
          .writeHead(200, { 'content-type': 'text/html', 'cross-origin-opener-policy': 'same-origin' })
          .end('<!doctype html><title>application</title>'),
    })
    t.teardown(() => server.stop())
    const url = aProtocolClient(server).authorizationUrl(await aProtocolClient(server).push())
    await withChromium(async (context) => {
      const page = await context.newPage()
      await page.goto(`${server.url}/`)
      const opened = context.waitForEvent('page')
      await page.evaluate(`globalThis.popup = window.open(${JSON.stringify(url)})`)
      const popup = await opened
      await popup.getByRole('button', { name: 'Sign in' }).waitFor()
      const seen = page.evaluate('popup.document.body.innerHTML').catch((error: Error) => error.message)
      t.regex(String(await seen), /security policy|blocked a frame|undefined|null/i)
      t.notRegex(String(await page.evaluate(`fetch(${JSON.stringify(url)}).then((a) => a.text())`)), /form_token/)
    })
  })
