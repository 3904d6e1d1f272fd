import test, { type ExecutionContext } from 'ava'
import { call } from '../gateway/_client.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, publicOrigin } from './_gate.js'

async function aDevelopmentServer(t: ExecutionContext, pathPrefix = '') {
  const vite = await webSocketUpstream()
  const gate = await aGate(t, { upstream: vite, frontends: [{ pathPrefix, routes: [], developmentServer: vite.url }] })
  return { ...gate, vite }
}

const foreign = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  { origin: 'https://evil.example', 'x-csrf': '1' },
]

test('a page of another site changes nothing at the development server', async (t) => {
  const { url, vite } = await aDevelopmentServer(t)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
    for (const headers of [...foreign, {}]) {
      const { status, text } = await call(url, '/__open', { method, headers })
      t.is(status, 403, `${method} ${JSON.stringify(headers)}`)
      t.regex(text, /bff\.csrf\./)
    }
  for (const headers of [...foreign, { origin: publicOrigin, 'x-csrf': '1' }])
    t.is((await call(url, '/', { method: 'TRACE', headers })).status, 405)
  t.deepEqual(vite.seen, [])
})

test('its own page does, by script or by form, and anybody may look at the page', async (t) => {
  const { url, vite } = await aDevelopmentServer(t)
  for (const headers of [{ origin: publicOrigin }, { 'sec-fetch-site': 'same-origin' }, { 'x-csrf': '1' }])
    t.is((await call(url, '/action', { method: 'POST', headers, body: 'a=1' })).status, 200)
  for (const headers of [...foreign, {}]) t.is((await call(url, '/src/main.ts', { headers })).status, 200)
  t.is(vite.seen.length, 3 + foreign.length + 1)
})

test('its hot-reload socket opens to our own page only, like any other', async (t) => {
  const { url, vite } = await aDevelopmentServer(t)
  const upgrade = {
    ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  for (const headers of [...foreign, {}])
    t.is((await call(url, '/', { headers: { ...upgrade, ...headers } })).status, 403, JSON.stringify(headers))
  t.deepEqual(vite.seen, [])
})

test("no upgrade leads around the gateway's own endpoints", async (t) => {
  const { url, vite } = await aDevelopmentServer(t)
  const headers = { origin: publicOrigin, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  t.is((await call(url, '/bff/user', { headers })).status, 404)
  t.deepEqual(vite.seen, [])
})

test('the prefix of a frontend without its slash is 308 to the page, whatever serves it', async (t) => {
  const { url, vite } = await aDevelopmentServer(t, '/shop')
  const { status, headers } = await call(url, '/shop?a=1')
  t.is(status, 308)
  t.is(headers.location, '/shop/?a=1')
  t.is((await call(url, '/shop/')).status, 200)
  t.deepEqual(
    vite.seen.map((seen) => seen.url),
    ['/shop/'],
  )
})
