import test from 'ava'
import type { TokenType } from '../../src/gateway/route-options.js'
import { call } from '../gateway/_client.js'
import { codeOf, navigation } from '../gateway/_planted.js'
import { aGate } from './_gate.js'

/*
 * A link on another site's page, or in a mail, to what needs a session. SameSite=Strict keeps the cookie back, so that nothing
 * is known yet: a page of ours asks for the address again. It is a person's navigation that gets this, once, and nothing else;
 * and it never begins a login unasked.
 */

const kinds: readonly TokenType[] = ['User', 'UserOrNone', 'Client']
const sites = ['cross-site', 'same-site'] as const
const routes = [
  ...kinds.map((tokenType) => ({ path: `/${tokenType.toLowerCase()}`, tokenType })),
  { path: '/strict', requireCsrfHeader: true },
  { path: '/open', tokenType: 'None' as const },
]
const from = (site: string, more: Readonly<Record<string, string>> = {}) => ({
  ...navigation,
  'Sec-Fetch-Site': site,
  ...more,
})
const question = 'bff.login.confirm'

test('a person who follows a link of another site is sent again from here, and nothing has happened until then', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes }] })
  const { cookie } = await gate.plant()
  for (const kind of kinds)
    for (const site of sites) {
      const path = `/${kind.toLowerCase()}/a?b="><script>c&d=1`
      const answer = await call(gate.url, path, { headers: from(site, { Cookie: cookie }) })
      t.is(answer.status, 200, `${kind} ${site}`)
      const [, href] = /<a id="on" href="([^"]*)"/.exec(answer.text) ?? []
      t.is(href, `/${kind.toLowerCase()}/a?b=%22%3E%3Cscript%3Ec&amp;d=1`)
      t.like(answer.headers, {
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
      })
      t.regex(
        String(answer.headers['set-cookie']),
        /^__Host-Http-bff-app~f=[^;]+; Max-Age=60; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      )
    }
  t.is(gate.upstream.seen.length, 0)
})

test('whoever is no person at the top of a window gets a refusal, with or without the cookie', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes }] })
  const { cookie } = await gate.plant()
  for (const site of sites)
    for (const kind of kinds)
      for (const more of [
        { 'Sec-Fetch-Dest': 'iframe' },
        { 'Sec-Fetch-Dest': 'embed' },
        { 'Sec-Fetch-Dest': 'empty' },
        { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
        { 'Sec-Purpose': 'prefetch' },
        { 'Sec-Purpose': 'prefetch;prerender' },
        { 'X-Moz': 'prefetch' },
      ]) {
        const answer = await call(gate.url, `/${kind.toLowerCase()}/x`, {
          headers: from(site, { Cookie: cookie, ...more }),
        })
        t.is(answer.status, 403, `${kind} ${site} ${JSON.stringify(more)}`)
        t.is(answer.headers['set-cookie'], undefined)
      }
  for (const method of ['HEAD', 'POST', 'DELETE'])
    t.is(
      (await call(gate.url, '/user/x', { method, headers: from('cross-site', { Cookie: cookie }) })).status,
      403,
      method,
    )
  t.is(
    codeOf(await call(gate.url, '/strict/x', { headers: from('same-site', { Cookie: cookie }) })),
    'bff.csrf.cross_site',
  )
  t.is(gate.upstream.seen.length, 0)
  t.is((await call(gate.url, '/open/x', { headers: from('cross-site') })).status, 200, 'what is public is public')
})

test('the second time it is a page of ours that asks: with a session it is there, without one the person is asked', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes }] })
  const { cookie } = await gate.plant()
  const first = await call(gate.url, '/user/a?b=1', { headers: from('cross-site') })
  const [mark = ''] = String(first.headers['set-cookie']).split(';')
  const again = (Cookie: string, site = 'same-origin') =>
    call(gate.url, '/user/a?b=1', { headers: from(site, { Cookie }) })
  t.is((await again(`${mark}; ${cookie}`)).status, 200)
  t.is(gate.upstream.seen.length, 1)

  const asked = await again(mark)
  t.is(codeOf(asked), question)
  t.true(asked.text.includes('href="/bff/login?returnUrl=%2Fuser%2Fa%3Fb%3D1"'))
  // A typed address is nobody else's idea, and without the mark no other site had to do with it.
  for (const answer of [await again(mark, 'none'), await again('')]) {
    t.is(answer.status, 303)
    t.is(answer.headers.location, '/bff/login?returnUrl=%2Fuser%2Fa%3Fb%3D1')
  }
})

test('a link of a sibling host, whose cookie would have come along, asks at the login', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes }] })
  const answer = await call(gate.url, '/user/a', { headers: from('same-site') })
  t.is(answer.headers.location, '/bff/login?returnUrl=%2Fuser%2Fa')
  const login = await call(gate.url, String(answer.headers.location), { headers: from('same-site') })
  t.is(codeOf(login), question)
})

test('a browser that comes from another site again and again is not sent round and round', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes }] })
  let mark = ''
  let sent = 0
  for (; sent < 20; sent++) {
    const answer = await call(gate.url, '/user/a', { headers: from('cross-site', { Cookie: mark }) })
    if (answer.status !== 200) {
      t.is(codeOf(answer), question)
      break
    }
    mark = String(answer.headers['set-cookie']).split(';')[0] ?? ''
  }
  t.is(sent, 10)
})

test('what the mark holds is read as times or not at all', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes }] })
  for (const value of [
    '',
    '.',
    'x'.repeat(4000),
    '1.2.3',
    '<script>',
    'zzzzzzzzz',
    '-1',
    Array(11).fill('1').join('.'),
  ]) {
    const Cookie = `__Host-Http-bff-app~f=${value}`
    t.is((await call(gate.url, '/user/a', { headers: from('cross-site', { Cookie }) })).status, 200, value.slice(0, 20))
  }
})
