import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { anApplication } from '../gateway/_application.js'
import { watchEvents } from '../gateway/_events.js'
import { listen } from '../gateway/_gateway.js'
import { type RecordingUpstream, recordingUpstream } from '../gateway/_upstream.js'
import { aWorld, type World } from '../gateway/_world.js'
import { chromiumIsInstalled, eventuallyOn, withChromium } from './_chromium.js'

/*
 * Requests that cannot carry a header of ours, made by a real browser with a session: from a page in a folder, from a page
 * that an API renders, by hand, from another site (127.0.0.1) and from a neighbour on the same site (localhost, other port).
 */

/** A second of silence after another: long enough that a browser asks for it in parts. */
function wav(seconds: number): Buffer {
  const rate = 44_100
  const head = Buffer.alloc(44)
  const bytes = seconds * rate * 2
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + bytes, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(bytes, 40)
  return Buffer.concat([head, Buffer.alloc(bytes)])
}

const film = wav(120)
const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><rect width="7" height="7"/></svg>'
const pdf =
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>'

/** What a page has in it. @param at where the API is, as that page sees it */
const elements = (at: string): string => `<!doctype html><meta charset="utf-8"><title>page</title><h1>A page</h1>
<img id="picture" src="${at}/api/picture.svg"><video id="film" preload="metadata" src="${at}/api/film.wav"></video>
<iframe id="paper" src="${at}/api/paper.pdf"></iframe><a id="download" href="${at}/api/report.csv" download>csv</a>
<a id="link" href="${at}/api/page">page</a><script src="${at}/api/script.js"></script>
<script src="${at}/events.js"></script>`
const listener = (at: string): string =>
  `globalThis.heard = []; new EventSource('${at}/api/events', { withCredentials: ${at !== ''} }).onmessage = ({ data }) => heard.push(data)`

async function anApi(t: ExecutionContext): Promise<RecordingUpstream> {
  const api = await recordingUpstream((request, response) => {
    const path = request.url ?? ''
    const send = (type: string, body: string | Buffer, headers = {}) => {
      response.writeHead(200, { 'Content-Type': type, ...headers }).end(body)
    }
    if (path === '/api/page') return send('text/html', elements(''))
    if (path === '/api/picture.svg') return send('image/svg+xml', picture)
    if (path === '/api/script.js') return send('text/javascript', 'globalThis.scripted = true')
    if (path === '/api/paper.pdf') return send('application/pdf', pdf)
    if (path === '/api/report.csv') return send('text/csv', 'a;b\n', { 'Content-Disposition': 'attachment' })
    if (path === '/api/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('data: hello\n\n')
      return
    }
    if (path === '/api/film.wav') {
      const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
      const [first, last] = [Number(from), to === '' ? film.length - 1 : Number(to)]
      response.writeHead(206, {
        'Content-Type': 'audio/wav',
        'Accept-Ranges': 'bytes',
        'Content-Range': `bytes ${first}-${last}/${film.length}`,
      })
      response.end(film.subarray(first, last + 1))
      return
    }
    response.writeHead(404).end()
  })
  t.teardown(() => api.close())
  return api
}

async function signedIn(world: World, page: Page): Promise<void> {
  await page.goto(`${world.url}/bff/login`)
  await page.locator('input[name=login]').fill('alice')
  await page.locator('input[name=password]').fill('any')
  await page.locator('button[type=submit]').click()
  await page.getByRole('heading').waitFor()
}

async function everythingOn(page: Page, t: ExecutionContext): Promise<void> {
  await eventuallyOn(page, "document.getElementById('picture').naturalWidth === 7")
  await eventuallyOn(page, "document.getElementById('film').duration > 119")
  await page.evaluate("void (document.getElementById('film').currentTime = 110)")
  await eventuallyOn(page, "document.getElementById('film').readyState >= 2")
  await eventuallyOn(page, "heard.includes('hello')")
  t.true(await page.evaluate('scripted'))
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#download').click()])
  t.is(await download.failure(), null)
}

interface Found {
  readonly world: World
  readonly api: RecordingUpstream
  readonly page: Page
}

const walk = test.macro(async (t, steps: (found: Found, t: ExecutionContext) => Promise<void>) => {
  const api = await anApi(t)
  const staticFilesPath = await anApplication(t)
  await writeFile(join(staticFilesPath, 'page.html'), elements(''))
  await writeFile(join(staticFilesPath, 'events.js'), listener(''))
  const world = await aWorld(t, { host: 'localhost', frontend: { staticFilesPath }, route: { upstreams: [api.url] } })
  await withChromium(async (context) => {
    const page = context.pages()[0] ?? (await context.newPage())
    await signedIn(world, page)
    await steps({ world, api, page }, t)
  })
})

const pathsSeen = (api: RecordingUpstream): string[] => [...new Set(api.seen.map(({ url }) => url))].sort()
const embedded = ['events', 'film.wav', 'paper.pdf', 'picture.svg', 'report.csv', 'script.js'].map(
  (name) => `/api/${name}`,
)

if (!chromiumIsInstalled) {
  test.skip('ordinary requests of a browser: no Chromium is installed', () => {})
} else {
  test.serial(
    'a page from a folder and a page that an API renders: picture, video in ranges, frame, script, events, download, link',
    walk,
    async ({ world, api, page }, t) => {
      await page.goto(`${world.url}/page.html`)
      await everythingOn(page, t)
      t.deepEqual(pathsSeen(api), embedded)
      api.seen.length = 0
      await page.locator('#link').click()
      await page.waitForURL(`${world.url}/api/page`)
      await everythingOn(page, t)
      t.deepEqual(pathsSeen(api), [...embedded, '/api/page'].sort())
      t.true(api.seen.every(({ headers }) => /^DPoP /.test(headers.authorization ?? '')))
      const ranges = new Set(api.seen.flatMap(({ headers }) => headers.range ?? []))
      t.true(ranges.size >= 2, [...ranges].join(', '))
    },
  )

  test.serial('an address that is typed, reloaded and gone back to', walk, async ({ world, api, page }, t) => {
    for (const open of [
      () => page.goto(`${world.url}/api/page`),
      () => page.reload(),
      () => page.goto(`${world.url}/page.html`).then(() => page.goBack()),
    ]) {
      await open()
      await page.getByRole('heading', { name: 'A page' }).waitFor()
      t.is(page.url(), `${world.url}/api/page`)
    }
    t.true(api.seen.filter(({ url }) => url === '/api/page').length >= 2)
  })

  for (const [where, host] of [
    ['another site', '127.0.0.1'],
    ['a neighbour of the same site', 'localhost'],
  ] as const)
    test.serial(
      `${where}: its link leads to the page, and what it embeds never reaches the API`,
      walk,
      async ({ world, api, page }, t) => {
        const site = await listen((request, response) => {
          response.setHeader('Content-Type', request.url === '/' ? 'text/html' : 'text/javascript')
          response.end(
            request.url === '/'
              ? elements(world.url).replace(`${world.url}/events.js`, '/events.js')
              : listener(world.url),
          )
        })
        t.teardown(() => site.close())
        const events = watchEvents(t)
        await page.goto(`http://${host}:${site.port}/`)
        await page.evaluate(`Promise.all([
          fetch('${world.url}/api/page', { mode: 'no-cors', credentials: 'include' }).catch(() => 0),
          fetch('${world.url}/api/page', { credentials: 'include' }).catch(() => 0),
          fetch('${world.url}/api/page', { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => 0),
          fetch('${world.url}/api/page', { headers: { 'X-CSRF': '1' }, credentials: 'include' }).catch(() => 0),
          new Promise((done) => Object.assign(new Image(), { onerror: done, onload: done, src: '${world.url}/api/picture.svg?again' })),
        ])`)
        await eventuallyOn(page, "document.getElementById('picture').complete")
        t.is(await page.evaluate("document.getElementById('picture').naturalWidth"), 0)
        t.is(await page.evaluate('globalThis.scripted'), undefined)
        t.deepEqual(pathsSeen(api), [])
        await eventuallyOn(page, "document.readyState === 'complete'")
        // Picture, film, frame, script, events and the five by hand: what the browser itself holds back never comes.
        const refused = events.flatMap((event) =>
          event.type === 'gateway.request.refused' && event.path?.startsWith('/api/') ? [event.code] : [],
        )
        t.true(refused.length >= 9, `${refused.length} refused`)
        t.true(
          refused.every((code) => code === 'bff.csrf.cross_site'),
          refused.join(' '),
        )

        await page.locator('#link').click()
        await page.waitForURL(`${world.url}/api/page`)
        await page.getByRole('heading', { name: 'A page' }).waitFor()
        await eventuallyOn(page, "document.getElementById('picture').naturalWidth === 7")
        t.true(pathsSeen(api).includes('/api/page'))
        t.is(await page.evaluate('globalThis.opener'), null)
      },
    )
}
