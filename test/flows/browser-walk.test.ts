import test from 'ava'
import { aJwt } from '../_jwt.js'
import { accessibilityFaults } from './_accessibility.js'
import { chromiumIsInstalled, withChromium } from './_chromium.js'
import { runStack } from './_stack.js'

if (!chromiumIsInstalled) {
  test.skip('the walk in a browser: no Chromium is installed', () => {})
} else {
  test.serial(
    'alice signs in with a browser, consents, calls the API, visits the other frontend and signs out',
    async (t) => {
      const stack = await runStack()
      try {
        await withChromium(async (context) => {
          const page = context.pages()[0] ?? (await context.newPage())
          const bodies: Promise<string>[] = []
          page.on('response', (response) => bodies.push(response.text().catch(() => '')))
          const faults = async (where: string): Promise<void> => {
            t.deepEqual(await accessibilityFaults(page), [], `accessibility of ${where}`)
          }

          await page.goto(stack.gateway.href)
          await page.getByRole('link', { name: 'Sign in' }).waitFor()
          await faults('the signed-out page')
          await page.getByRole('link', { name: 'Sign in' }).click()

          await page.getByLabel('Username').fill('alice')
          t.is(page.url().includes('code_challenge'), false)
          t.deepEqual(
            [...new URL(page.url()).searchParams.keys()].filter((key) => !['client_id', 'request_uri'].includes(key)),
            [],
          )
          await faults('the sign-in page')
          await page.getByLabel('Password').fill('wrong')
          await page.getByRole('button', { name: 'Sign in' }).click()
          await page.getByRole('alert').waitFor()
          await faults('the sign-in page with an error')
          await page.getByLabel('Username').fill('alice')
          await page.getByLabel('Password').fill('wonderland')
          await page.getByRole('button', { name: 'Sign in' }).click()

          await page.getByRole('button', { name: 'Allow' }).waitFor()
          await faults('the consent page')
          await page.getByRole('button', { name: 'Allow' }).click()

          await page.getByRole('heading', { name: /Hello, Alice/ }).waitFor()
          t.is(page.url(), stack.gateway.href)
          await faults('the signed-in page')

          const status = async (name: string): Promise<string | null> => {
            await page.evaluate("document.getElementById('path').removeAttribute('data-status')")
            await page.getByRole('button', { name }).click()
            await page.locator('#path[data-status]').waitFor()
            return page.locator('#path').getAttribute('data-status')
          }
          t.is(await status('List orders'), '200')
          await page.getByText('The API saw: the proof').waitFor()
          await faults('the answer of the API')
          t.is(await status('Place an order'), '201')
          await page.getByText('new jti').waitFor()
          await page.getByText('same keyThumbprint').waitFor()
          await page.getByRole('rowheader', { name: 'DPoP proof' }).waitFor()
          await faults('what has changed since the last call')
          t.is(await page.getByRole('link', { name: /inspector/ }).count(), 0, 'only the demo has one')
          t.is(await status('Who am I to the API?'), '200')
          t.is(await status('Order without X-CSRF'), '403')

          await page.getByRole('link', { name: 'admin', exact: true }).click()
          await page.getByRole('link', { name: 'Sign in' }).click()
          // The authorization server knows alice already: it only asks what this frontend may do.
          await page.getByRole('button', { name: 'Allow' }).click()
          await page.getByRole('heading', { name: /Hello, Alice/ }).waitFor()
          t.is(new URL(page.url()).pathname, '/admin/')
          t.is(await status('List orders'), '200')

          await page.getByRole('link', { name: 'Sign out' }).click()
          await page.getByRole('link', { name: 'Sign in' }).waitFor()
          await page.goto(stack.gateway.href)
          await page.getByRole('heading', { name: /Hello, Alice|Two doors/ }).waitFor()

          const seen = (await Promise.all(bodies)).join('\n')
          t.false(aJwt.test(seen), 'no response to the browser holds a token')
          const stored = await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')
          t.deepEqual(stored, [0, 0, ''])
        })
      } finally {
        t.is(await stack.stop(), 0, stack.output())
      }
    },
  )
}
