import { mkdir, readdir, readFile } from 'node:fs/promises'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import test from 'ava'
import escapeHtml from 'escape-html'
import { de } from '../../../src/gateway/page/languages/de.js'
import { en } from '../../../src/gateway/page/languages/en.js'
import { fr } from '../../../src/gateway/page/languages/fr.js'
import { answerPerson } from '../../../src/gateway/page/refusal-page.js'
import { Refusal, type RefusalCode, refusals } from '../../../src/gateway/refusal.js'
import { accessibilityFaults } from '../../flows/_accessibility.js'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { aWorld } from '../_world.js'

const person = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const branding = { name: 'Acme & Sons', theme: ':root{--sp-accent:#7a1fa2}' }

test('every refusal has words of its own in every language', (t) => {
  for (const texts of [de, fr])
    for (const [code, { title, remedy }] of Object.entries(refusals)) {
      const words = texts.advice[code as RefusalCode]
      t.not(words.title, title, `${texts.language} ${code}`)
      t.not(words.remedy, remedy, `${texts.language} ${code}`)
    }
})

test("the gateway's pages have the operator's brand, also for a host that is no frontend's", async (t) => {
  const { url } = await aWorld(t, { gateway: { branding }, frontend: { hosts: ['app.example'] } })
  for (const [headers, code] of [
    [{ ...person }, 'bff.frontend.unknown'],
    [{ ...person, host: 'app.example' }, 'bff.login.confirm'],
  ] as const) {
    const { text, policy } = await page(`${url}/bff/login`, { ...headers, 'sec-fetch-site': 'cross-site' })
    t.regex(text, /Acme &amp; Sons/, code)
    t.regex(text, /--sp-accent:#7a1fa2/, code)
    t.regex(text, new RegExp(code.replaceAll('.', '\\.')))
    t.notRegex(text, /Sallyport/, code)
    t.regex(policy, /style-src 'sha256-/)
  }
})

test('every refusal has its page under the operator’s brand, in every language', (t) => {
  for (const [locale, texts] of Object.entries({ en, de, fr }))
    for (const code of Object.keys(refusals) as RefusalCode[]) {
      let body = ''
      const response = { writeHead: () => response, end: (text = '') => (body += text) }
      const request = { url: `/bff/login?ui_locales=${locale}`, headers: { 'accept-language': 'it' } }
      const refused = { requestId: 'r-1', request: request as unknown as IncomingMessage, branding }
      answerPerson(response as unknown as ServerResponse, new Refusal(code, 'why'), refused)
      t.regex(body, new RegExp(`<html lang="${locale}">`), code)
      t.true(body.includes(`<title>${escapeHtml(texts.advice[code].title)}</title>`), code)
      t.regex(body, /Acme &amp; Sons/, code)
      t.notRegex(body, /Sallyport/, code)
    }
})

test('pages for users are made at one place of each product, which knows brand and language', async (t) => {
  const files = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'))
  const found: string[] = []
  for (const file of files) if (/renderPage\(/.test(await readFile(join('src', file), 'utf8'))) found.push(file)
  // The console is for those who run it: it has neither.
  const console = 'server/administration/console/console-page.ts'
  const ofUsers = ['authorization-server/pages/page-response.ts', 'gateway/page/own-page.ts', 'http/page.ts']
  t.deepEqual(found.sort(), [...ofUsers, console])
})

test('they speak the language that ui_locales asks for, else the one that the browser prefers', async (t) => {
  const { url } = await aWorld(t)
  const ask = async (query: string, language: string) => {
    const headers = { ...person, 'sec-fetch-site': 'cross-site', 'accept-language': language }
    return (await page(`${url}/bff/login${query}`, headers)).text
  }
  t.regex(await ask('', 'de-AT, en;q=0.5'), /<html lang="de">.*<h1>Anmelden\?<\/h1>.*>Anmelden<.*Zurück zur Anwendung/s)
  t.regex(await ask('?ui_locales=fr-CA+en', 'de'), /<html lang="fr">.*<h1>Se connecter \?<\/h1>/s)
  t.regex(await ask('', 'it'), /<html lang="en">.*<h1>Sign in\?<\/h1>.*A page of another site has sent you here/s)
  // What is for the developer is English everywhere, and says so.
  t.regex(await ask('', 'de'), /<dd lang="en">A page of another site/)
})

/** As a browser asks, which Node's fetch cannot: with a Host and Fetch Metadata of its own. */
function page(address: string, headers: Record<string, string>): Promise<{ text: string; policy: string }> {
  return new Promise((resolve, reject) => {
    request(address, { headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const policy = String(response.headers['content-security-policy'])
        resolve({ text: Buffer.concat(chunks).toString(), policy })
      })
    })
      .on('error', reject)
      .end()
  })
}

if (!chromiumIsInstalled) test.skip('the pages in a browser: no Chromium is installed', () => {})
else
  for (const colorScheme of ['light', 'dark'] as const)
    test(`pages of the gateway are accessible and fit a narrow screen: ${colorScheme}`, async (t) => {
      const { url } = await aWorld(t, {
        gateway: { branding: { name: branding.name } },
        routes: [{ path: '/down', upstreams: [new URL('http://127.0.0.1:9')], tokenType: 'None' }],
      })
      await withChromium(
        async (context) => {
          const tab = await context.newPage()
          for (const [path, button] of [
            ['bff/nothing', 'Zurück zur Anwendung'],
            ['bff/callback?iss=x&state=y&code=z', 'Anmelden'],
            ['bff/logout', 'Zurück zur Anwendung'],
            ['down/for/now?page=2', 'Noch einmal versuchen'],
          ] as const) {
            await tab.goto(`${url}/${path}`)
            t.deepEqual(await accessibilityFaults(tab), [], path)
            t.true(await tab.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), path)
            await tab.keyboard.press('Tab')
            t.is(await tab.evaluate<string>('document.activeElement.textContent'), button, path)
            // What passes by itself can be asked for again, as it was.
            if (path.startsWith('down'))
              t.is(await tab.evaluate<string>('document.activeElement.href'), `${url}/${path}`)
            const folder = process.env.SCREENSHOTS
            if (folder === undefined) continue
            await mkdir(folder, { recursive: true })
            const name = `${colorScheme}-${path.replaceAll(/\W.*/g, '')}-${path.length}.png`
            await tab.screenshot({ path: join(folder, name), fullPage: true })
          }
        },
        { colorScheme, viewport: { width: 320, height: 640 }, locale: 'de-DE' },
      )
    })
