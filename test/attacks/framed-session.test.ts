import test, { type ExecutionContext } from 'ava'
import type { TokenType } from '../../src/gateway/route-options.js'
import { call } from '../gateway/_client.js'
import { codeOf } from '../gateway/_planted.js'
import { aGate, publicOrigin } from './_gate.js'

/*
 * With `Embedding` the cookie comes with requests of any page below the site that shows the frame: that page itself, and other
 * frames in it. Nothing is left of `SameSite`; what browsers say of a request, and the header, have to do alone.
 */

const portal = 'https://portal.example'

const aGateway = async (t: ExecutionContext, embedded = true) => {
  const routes = (['User', 'UserOrNone'] as const).map((tokenType: TokenType) => ({
    path: `/${tokenType.toLowerCase()}`,
    tokenType,
  }))
  const gate = await aGate(t, { frontends: [{ routes, ...(embedded && { embedding: { origins: [portal] } }) }] })
  const { cookie } = await gate.plant()
  return {
    ...gate,
    cookie,
    ask: (method: string, path: string, headers: Readonly<Record<string, string>>) =>
      call(gate.url, path, { method, headers: { Cookie: cookie, ...headers } }),
  }
}

const fromPortal = (mode: string, destination: string, more: Readonly<Record<string, string>> = {}) => ({
  'Sec-Fetch-Site': 'cross-site',
  'Sec-Fetch-Mode': mode,
  'Sec-Fetch-Dest': destination,
  Referer: `${portal}/`,
  ...more,
})

/** What a page of the site around the frame can send, also with the frame's cookie. */
const foreign: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['an image', fromPortal('no-cors', 'image')],
  ['a script', fromPortal('no-cors', 'script')],
  ['a style sheet', fromPortal('no-cors', 'style')],
  ['a video', fromPortal('no-cors', 'video', { Range: 'bytes=0-' })],
  ['a module', fromPortal('cors', 'script', { Origin: portal })],
  ['an event stream', fromPortal('cors', 'empty', { Origin: portal, Accept: 'text/event-stream' })],
  ['a call', fromPortal('cors', 'empty', { Origin: portal })],
  ['a call without CORS', fromPortal('no-cors', 'empty', { Origin: portal })],
  ['a call with a header it could not add', fromPortal('cors', 'empty', { Origin: portal, 'X-CSRF': '1' })],
  ['a form', fromPortal('navigate', 'iframe', { Origin: portal })],
  ['a form of a page that hides its origin', fromPortal('navigate', 'iframe', { Origin: 'null' })],
  ['a frame it points at an API', fromPortal('navigate', 'iframe', { Accept: 'text/html' })],
  ['a frame that says nothing of its origin', { ...fromPortal('navigate', 'iframe'), Referer: '' }],
  ['an object', fromPortal('navigate', 'object')],
  ['a sandboxed frame of ours', fromPortal('cors', 'empty', { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' })],
  ['a page of the same site', { ...fromPortal('cors', 'empty'), 'Sec-Fetch-Site': 'same-site' }],
  [
    'a page of the same site, with a header',
    { ...fromPortal('cors', 'empty', { 'X-CSRF': '1' }), 'Sec-Fetch-Site': 'same-site' },
  ],
  ['a browser that says nothing', {}],
  ['an older browser, from a page', { Referer: `${portal}/`, Accept: '*/*' }],
  ['an older browser, from a form', { Origin: portal, Referer: `${portal}/` }],
  ['an older browser, from a form that hides its origin', { Origin: 'null' }],
  ['an older browser that the frame’s own page leads', { Referer: `${publicOrigin}/` }],
]

const targets = ['/user/x', '/userornone/x', '/bff/user', '/bff/sessions', '/bff/logout', '/bff/sessions/x'] as const

for (const [what, headers] of foreign)
  test(`the frame’s cookie is of no use to ${what}`, async (t) => {
    const gate = await aGateway(t)
    for (const path of targets)
      for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
        const answer = await gate.ask(method, path, headers)
        t.true(answer.status >= 400 && answer.status < 500, `${method} ${path}: ${answer.status}`)
        t.is(answer.headers['set-cookie'], undefined, `${method} ${path}`)
        t.notRegex(answer.text, /alice/)
      }
    t.is(gate.upstream.seen.length, 0)
    const own = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }
    t.regex((await gate.ask('GET', '/bff/user', own)).text, /"authenticated":true/, 'and the session is still there')
  })

const own: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  ['a call', 'GET', { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', 'X-CSRF': '1' }],
  ['a call that changes something', 'POST', { 'Sec-Fetch-Site': 'same-origin', Origin: publicOrigin, 'X-CSRF': '1' }],
  ['an image', 'GET', { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
  ['an older browser’s call', 'GET', { 'X-CSRF': '1' }],
]

for (const [what, method, headers] of own)
  test(`the frame’s own page gets what it asks for: ${what}`, async (t) => {
    const gate = await aGateway(t)
    t.is((await gate.ask(method, '/user/x', headers)).status, 200)
    t.is(gate.upstream.seen.length, 1)
    if (method === 'GET') t.regex((await gate.ask('GET', '/bff/user', headers)).text, /"authenticated":true/)
  })

test('who is signed in is not for the page around the frame to measure', async (t) => {
  const gate = await aGateway(t)
  const [withSession, without] = await Promise.all([
    gate.ask('GET', '/bff/user', fromPortal('no-cors', 'image')),
    gate.ask('GET', '/bff/user', { ...fromPortal('no-cors', 'image'), Cookie: '' }),
  ])
  t.is(codeOf(withSession), 'bff.csrf.cross_site')
  t.is(withSession.status, without.status)
  t.is(withSession.text.length, without.text.length)
})

test('a link of another site neither begins nor ends a session', async (t) => {
  const gate = await aGateway(t)
  const link = fromPortal('navigate', 'document', { Accept: 'text/html', 'Sec-Fetch-User': '?1' })
  const { status, headers, text } = await gate.ask('GET', '/bff/logout', link)
  t.is(status, 403)
  t.regex(text, /bff\.logout\.confirm/)
  t.regex(String(headers['content-security-policy']), /frame-ancestors 'none'/, 'the question itself is in no frame')
  t.is(headers['x-frame-options'], 'DENY')
  t.regex((await gate.ask('GET', '/bff/login', link)).text, /bff\.login\.confirm/)
  for (const path of ['/bff/login', '/bff/logout', '/bff/callback?state=x&iss=y&code=z'])
    t.is(codeOf(await gate.ask('GET', path, fromPortal('navigate', 'iframe'))), 'bff.navigation.required', path)
})

test('without Embedding P/user may still be asked for by anything: the cookie does not come along', async (t) => {
  const gate = await aGateway(t, false)
  t.is((await gate.ask('GET', '/bff/user', { ...fromPortal('no-cors', 'image'), Cookie: '' })).status, 200)
})

test('a socket that the page around the frame opens is refused', async (t) => {
  const gate = await aGateway(t)
  const handshake = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  for (const headers of [{ Origin: portal }, { Origin: 'null' }, {}])
    t.is((await gate.ask('GET', '/user/x', { ...handshake, ...headers })).status, 403)
  t.is(gate.upstream.seen.length, 0)
})
