import test from 'ava'
import { safeReturnUrl } from '../../src/gateway/endpoints/return-url.js'
import { publicLocation } from '../../src/gateway/forwarding/redirect.js'
import { createFrontend } from '../../src/gateway/frontend/frontend.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { aFrontend } from '../gateway/_gateway.js'
import { logIn } from '../gateway/_provider.js'
import { aWorld } from '../gateway/_world.js'

const origin = new URL('https://app.example.com')
const evil = 'evil.example'

/** Ways to write "somewhere else", by class. */
const elsewhere = [
  // Absolute URLs, with every scheme that leads anywhere
  ...['https:', 'http:', 'HTTPS:', 'ftp:', 'ws:', 'wss:', 'gopher:', 'file:', 'blob:https:'].map(
    (scheme) => `${scheme}//${evil}/`,
  ),
  ...[
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'javascript://%0aalert(1)',
    'data:text/html,x',
    'vbscript:x',
    'mailto:a@b',
    'about:blank',
    'view-source:https://evil.example',
    'intent://evil.example#Intent;end',
  ],
  // Scheme-relative, with every number and kind of slash
  ...['//', '///', '////', '\\\\', '/\\', '\\/', '/\\/', '\\/\\', '//\\', '/\\\\', '\\', '\\\\\\'].map(
    (slashes) => `${slashes}${evil}`,
  ),
  ...['//', '///', '/\\', '\\/', '\\\\'].map((slashes) => `${slashes}${evil}/%2f..`),
  ...['https:', 'http:', 'https:/', 'http:/', 'https:\\\\', 'https:/\\', 'https:///', 'http:\\'].map(
    (start) => `${start}${evil}`,
  ),
  // Something that browsers drop or trim in between or in front
  ...['\t', '\n', '\r', '\r\n', '\0', '\v', '\f', '\b', '\u007f', '\u0085', '\u001f'].flatMap((control) => [
    `/${control}/${evil}`,
    `${control}//${evil}`,
    `/${control}${control}/${evil}`,
    `//${control}${evil}`,
    `ht${control}tps://${evil}`,
    `${control}javascript:alert(1)`,
  ]),
  ...[' ', '\u00a0', '\u2003', '\ufeff', '\u3000'].map((space) => `${space}//${evil}`),
  ...[' ', '\u00a0', '\u2003'].map((space) => `${space}https://${evil}`),
  // User information, and our own name as a part of another's
  ...[
    'https://app.example.com@evil.example',
    'https://app.example.com:pw@evil.example/',
    'https://user@app.example.com/',
    '//app.example.com@evil.example',
    'https://app.example.com%40evil.example',
    'https://evil.example#@app.example.com',
    'https://evil.example?@app.example.com',
    'https://evil.example\\@app.example.com',
    'https://app.example.com.evil.example',
    'https://app.example.comevil.example',
    'https://evil.example/app.example.com',
    'https://evil.example/https://app.example.com',
    'https://xapp.example.com',
    'https://app.example.com:8443',
    'http://app.example.com',
    'https://app.example.com:80',
    'https://sub.app.example.com',
  ],
  // Dots, numbers and foreign letters as hosts
  ...[
    '//evil。example',
    '//evil%2eexample',
    '//①②⑦.0.0.1',
    '//2130706433',
    '//0x7f000001',
    '//017700000001',
    '//[::1]',
    '//[::ffff:7f00:1]',
    '//xn--e1awd7f.com',
    '//%65vil.example',
    '//evil.example:443',
    '//evil.example.',
    '//.evil.example',
    '//localhost',
    '///localhost',
  ],
  // A path that only looks like one until it is taken alone
  ...[
    '/.//evil.example',
    '/..//evil.example',
    '/./\\evil.example',
    '/a/..//evil.example',
    '/a/../..//evil.example',
    '/.%2e//evil.example',
    '/%2e%2e//evil.example',
    '/a/%2e%2e//evil.example',
    './/evil.example',
    '..//evil.example',
    '/./..//evil.example',
    '/%2e//evil.example',
  ],
  // Relative, empty and senseless
  ...[
    '',
    'evil.example',
    'evil.example/path',
    'path',
    './path',
    '../path',
    '?returnUrl=//evil.example',
    '#//evil.example',
    '@evil.example',
    ':evil',
    '*',
    'null',
    'undefined',
    ';//evil.example',
    '%2f%2fevil.example',
    '%5cevil.example',
    '%09//evil.example',
    '%0d%0aLocation:%20//evil.example',
    'https%3a%2f%2fevil.example',
    '//',
    '///',
    'https://',
    'http://',
    'https:',
    '\\',
    '\\\\',
  ],
  // Header splitting
  ...[
    '/\r\nLocation: https://evil.example',
    '/\nSet-Cookie: a=b',
    '/path\r\n\r\n<script>',
    '/\u2028//evil.example'.replace('\u2028', '\n'),
  ],
  // Too long to be a page of ours
  `/${'a'.repeat(4096)}`,
  `/?${'a'.repeat(100_000)}`,
]

/** Ways to write a page of ours that look dangerous and are not: what comes out has one reading only. */
const ours: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['/orders', '/orders'],
  ['/orders?id=1:2&next=//evil.example#top', '/orders?id=1:2&next=//evil.example#top'],
  ['/a//b', '/a//b'],
  ['/a:b/c', '/a:b/c'],
  ['/ä', '/%C3%A4'],
  ['/a/../b', '/b'],
  ['/%5Cevil.example', '/%5Cevil.example'],
  ['/%2f%2fevil.example', '/%2f%2fevil.example'],
  ['/@evil.example', '/@evil.example'],
  ['/https://evil.example', '/https://evil.example'],
  ['https://app.example.com/orders?x=1', '/orders?x=1'],
  ['https://APP.example.com:443/orders', '/orders'],
]

const options = { publicUrl: origin, authority: 'https://as.example' }
const frontend = createFrontend(aFrontend(options))

test('a login ends at no endpoint of the gateway, in whatever spelling: they are no pages', (t) => {
  const admin = createFrontend(aFrontend({ ...options, pathPrefix: '/admin' }))
  const endpoints = [
    '/bff',
    '/bff/',
    '/bff/logout',
    '/bff/login?returnUrl=/bff/login',
    '/bff?x',
    '/bff#x',
    '/x/../bff/logout',
    '/./bff/logout',
    '/%62ff/logout',
    '/%62%66%66/logout',
    '/%2562ff/logout',
    '/bff%2Flogout',
    '/bff%5Clogout',
    '/BFF/logout',
    '/bff;x/logout',
    '/bff./logout',
    '/bff%20/logout',
    '/%EF%BD%82ff/logout',
    '/bff%EF%BC%8Flogout',
    '/x/%2e%2e/bff/logout',
    'https://app.example.com/bff/logout',
  ]
  for (const value of endpoints) {
    t.is(safeReturnUrl(value, frontend), undefined, value)
    const below = value.replace('https://app.example.com', '')
    t.is(safeReturnUrl(`/admin${below}`, admin), undefined, `/admin${below}`)
  }
  for (const value of ['/bffs', '/bff-docs/1', '/docs/bff/logout', '/%E4%B8', '/a%zz', '/'])
    t.is(safeReturnUrl(value, frontend), value)
  t.is(safeReturnUrl('/bff/logout', admin), '/bff/logout', 'there it is a page like any other')
})

test(`none of ${elsewhere.length} ways to write another place leads there`, (t) => {
  t.true(elsewhere.length >= 150)
  for (const value of elsewhere) {
    const accepted = safeReturnUrl(value, frontend)
    t.is(accepted, undefined, JSON.stringify(value))
  }
})

test('a page of ours is kept, in one spelling that every browser reads alike', (t) => {
  for (const [value, expected] of ours) {
    const accepted = safeReturnUrl(value, frontend)
    t.is(accepted, expected)
    t.is(new URL(accepted ?? '', origin).origin, origin.origin)
  }
})

test('a page of an SPA elsewhere comes back whole, and nothing else does', (t) => {
  const ofSpa = createFrontend(aFrontend({ ...options, clientUrl: new URL('http://localhost:5173') }))
  t.is(safeReturnUrl('/orders', ofSpa), 'http://localhost:5173/orders')
  t.is(safeReturnUrl('http://localhost:5173/orders', ofSpa), 'http://localhost:5173/orders')
  t.is(safeReturnUrl('https://app.example.com/orders', ofSpa), undefined)
  for (const value of elsewhere) t.is(safeReturnUrl(value, ofSpa), undefined, JSON.stringify(value))
})

test('a login with a hostile return URL ends on our own first page', async (t) => {
  const { url } = await aWorld(t)
  const browser = createUserAgent()
  for (const hostile of ['/\\evil.example', '/\t/evil.example', '/a/..//evil.example']) {
    const landing = await logIn(browser, `${url}/bff/login?returnUrl=${encodeURIComponent(hostile)}`)
    t.is(landing.url.href, `${url}/`)
    const { logoutUrl } = (await (await browser.call(`${url}/bff/user`)).json()) as { readonly logoutUrl: string }
    const end = await browser.navigate(`${url + logoutUrl}&returnUrl=${encodeURIComponent(hostile)}`, {
      stopAt: () => true,
    })
    t.is(end.url.searchParams.get('post_logout_redirect_uri'), `${url}/`)
  }
})

test('a redirect of an upstream to itself stays on the frontend, in whatever spelling', (t) => {
  const upstream = 'http://orders.internal:8080'
  const paths = ['//', '/.//', '/a/..//', '/%2e//', '///', '/\\', '\\\\', '\\@', '/\t/', '/./\\/', '/a/../\\'].flatMap(
    (start) => [`${start}${evil}/`, `${start}${evil}?x#y`],
  )
  let seen = 0
  for (const removedPrefix of ['', '/api'])
    for (const basePath of ['', '/v1'])
      for (const field of paths.flatMap((path) => [
        path,
        basePath + path,
        upstream + path,
        upstream + basePath + path,
      ])) {
        const pathname = `${basePath}/orders`
        const called = { protocol: 'http:', origin: upstream, pathname, path: pathname } as const
        const location = publicLocation(field, called, { origin: upstream, basePath }, { removedPrefix })
        const meant = new URL(field, upstream + called.path)
        if (meant.origin !== upstream || !`${meant.pathname}/`.startsWith(`${basePath}/`)) continue
        seen++
        t.is(
          new URL(location, 'https://app.example.com/api/orders').origin,
          origin.origin,
          `${field} became ${location}`,
        )
      }
  t.true(seen > 40, String(seen))
})
