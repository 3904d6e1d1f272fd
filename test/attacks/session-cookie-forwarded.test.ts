import test from 'ava'
import { ownCookieName } from '../../src/http/cookie.js'
import { call } from '../gateway/_client.js'
import { accessToken } from '../gateway/_forwarding.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, everyWay, passed } from './_gate.js'
import { eachWay } from './_ways.js'

const secret = 'c2VjcmV0LXNlc3Npb24'
const ours = `__Host-Http-bff-shop=${secret}`

for (const [name, lines, passed] of [
  ['alone', [`Cookie: ${ours}`], undefined],
  ['between others', [`Cookie: a=1; ${ours}; b=2`], 'a=1; b=2'],
  ['in a second header', ['Cookie: a=1', `Cookie: ${ours}`], 'a=1'],
  ['of a login', [`Cookie: __Host-Http-bff-shop-login-x=${secret}; a=1`], 'a=1'],
  ['of another frontend', [`Cookie: __Host-Http-bff-admin=${secret}`], undefined],
  ['in other case', [`Cookie: __host-http-BFF-shop=${secret}`], undefined],
  ['without spaces', [`Cookie: a=1;${ours};b=2`], 'a=1; b=2'],
  ['in a quoted value (cookie sandwich)', [`Cookie: $Version=1; p="x; ${ours}; y"`], '$Version=1; p="x; y"'],
  ['as a value without a name', [`Cookie: =${ours}`], undefined],
  ['after a comma', [`Cookie: a=1, ${ours}; b=2,3`], 'b=2,3'],
  ['between commas', [`Cookie: a=1,${ours},b=2`], undefined],
] as const) {
  test(`no API ever sees a cookie of ours: ${name} (Duende GHSA-vvg7-p7jw-8qr3)`, async (t) => {
    await eachWay(t, { headers: [...lines, 'X-CSRF: 1'] }, ({ way, seen }) => {
      t.is(seen?.headers.cookie, passed, way)
      t.false(JSON.stringify(seen).includes(secret), way)
      t.is(seen?.headers['x-csrf'], undefined, way)
      t.is(seen?.headers.authorization, `DPoP ${accessToken}`, way)
    })
  })
}

test('the very cookie that opens a session stays at the gateway, and with it X-CSRF', async (t) => {
  const gate = await aGate(t)
  const { cookie, id, accessToken } = await gate.plant()
  const headers = ['Cookie: theme=dark', `Cookie: __Host-Http-bff-app.tx=${id}; __Host-Http-bff-app~n=${id}; a=b`]
  await everyWay(gate, { cookie, headers }, ({ way, status, seen: [seen] }) => {
    t.is(status, passed(way), way)
    t.is(seen?.headers.cookie, 'theme=dark; a=b', way)
    t.false(JSON.stringify(seen).includes(id), way)
    t.is(seen?.headers['x-csrf'], undefined, way)
    t.is(seen?.headers.authorization, `DPoP ${accessToken}`, way)
    t.truthy(seen?.proof, way)
  })
})

const origins = [new URL('https://shop.example'), new URL('http://localhost:3000')]
const everyCookie = origins.flatMap((origin) => [
  ownCookieName('as', 'session-1a2b3c4d', origin),
  ownCookieName('as', 'browser-1a2b3c4d', origin),
  ownCookieName('bff', 'app', origin),
  ownCookieName('bff', 'app.AbCdEf12', origin),
  ownCookieName('bff', 'app~n', origin),
])

for (const tokenType of ['User', 'UserOrNone', 'UserOrClient', 'Client', 'None'] as const) {
  test(`no cookie of the gateway or the authorization server reaches an API: alone, on a ${tokenType} route`, async (t) => {
    const gate = await aGate(t, { frontends: [{ routes: [{ tokenType }] }] })
    const { cookie } = await gate.plant()
    // A route for users is not called without their session, so that cookie comes along there.
    for (const name of everyCookie)
      await everyWay(
        gate,
        {
          headers: [
            `Cookie: ${tokenType === 'User' || tokenType === 'UserOrClient' ? `${cookie}; ` : ''}${name}=${secret}`,
          ],
        },
        ({ way, seen }) => {
          if (tokenType !== 'Client') t.is(seen.length, 1, `${way} ${name}`)
          t.false(JSON.stringify(seen).includes(secret), `${way} ${name}`)
        },
      )
  })
}

test('nor does it reach the development server of the page', async (t) => {
  const upstream = await webSocketUpstream()
  const gate = await aGate(t, { upstream, frontends: [{ routes: [], developmentServer: upstream.url }] })
  for (const name of everyCookie) {
    const answer = await call(gate.url, '/page', {
      headers: { Host: 'shop.example', Cookie: `theme=dark; ${name}=${secret}` },
    })
    t.is(answer.status, 200, name)
    t.is(upstream.seen.at(-1)?.headers.cookie, 'theme=dark', name)
  }
})

test('an application keeps its own cookies, also those that look a little like ours', async (t) => {
  const theirs = '__Host-session=1; as-of=2; bff-theme=3; __Host-bffish=4; sallyport=5; my-sallyport-bff-app=6'
  await eachWay(t, { headers: [`Cookie: ${theirs}`, 'X-CSRF: 1'] }, ({ way, seen }) =>
    t.is(seen?.headers.cookie, theirs, way),
  )
})
