import test from 'ava'
import { accessToken } from '../gateway/_forwarding.js'
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
