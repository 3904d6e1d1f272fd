import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { rawConnection } from './_client.js'
import { aPlantedGateway, navigation, ownPage } from './_planted.js'

const preflight = {
  method: 'OPTIONS',
  headers: { Origin: 'https://www.app.example', 'Access-Control-Request-Method': 'POST' },
}

for (const [what, path, options] of [
  ['an endpoint', '/bff/user', { headers: ownPage }],
  ['a document that is public', '/bff/jwks', { headers: {} }],
  ['an endpoint that is not there', '/bff/nothing', { headers: ownPage }],
  ['a method that is not allowed', '/bff/user', { method: 'PUT', headers: ownPage }],
  ['a redirect', '/api/report', { headers: navigation }],
  ['a page for a person', '/bff/callback?state=x', { headers: navigation }],
  ['a call without a session', '/api/x', { headers: ownPage }],
  ['a call from another site', '/api/x', { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
  ['a path that nothing covers', '/nothing', { headers: ownPage }],
  ['a preflight request', '/bff/user', preflight],
] as const)
  test(`every answer has its browser headers: ${what}`, async (t) => {
    const world = await aPlantedGateway(t, {
      frontends: [
        { name: 'app', publicUrl: new URL('https://app.example'), clientUrl: new URL('https://www.app.example') },
        { name: 'plain', hosts: ['plain.example'], cors: { origins: ['https://www.app.example'] } },
        {
          name: 'bare',
          hosts: ['bare.example'],
          publicUrl: new URL('https://bare.example'),
          cors: { origins: ['https://www.app.example'] },
          securityHeaders: 'None',
        },
      ],
    })
    const ask = async (Host: string) =>
      (await world.call(path, { ...options, headers: { ...options.headers, Host } })).headers
    const headers = await ask('app.example')
    t.is(headers['strict-transport-security'], 'max-age=31536000')
    t.is(headers['x-content-type-options'], 'nosniff')
    // Plain http is for loopback, where no browser may be told to insist on https; and `None` leaves it to the server in front.
    for (const host of ['plain.example', 'bare.example']) {
      const other = await ask(host)
      t.is(other['strict-transport-security'], undefined, host)
      t.is(other['x-content-type-options'], 'nosniff', host)
    }
  })

test('a refused upgrade has them too', async (t) => {
  const world = await aPlantedGateway(t, { frontends: [{ name: 'app', publicUrl: new URL('https://app.example') }] })
  const { socket, received } = await rawConnection(new URL(world.on.url))
  socket.write(
    'GET /api/socket HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await new Promise((resolve) => socket.once('close', resolve))
  t.regex(received(), /\r\nStrict-Transport-Security: max-age=31536000\r\n/)
  t.regex(received(), /\r\nX-Content-Type-Options: nosniff\r\n/)
})

test('the redirect to a frontend’s folder has them, as its files have', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'page-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'index.html'), 'page')
  const world = await aPlantedGateway(t, {
    frontends: [
      { name: 'app', publicUrl: new URL('https://app.example'), pathPrefix: '/shop', staticFilesPath: folder },
    ],
  })
  for (const [path, status] of [
    ['/shop', 308],
    ['/shop/', 200],
    ['/shop/gone.js', 404],
  ] as const) {
    const answer = await world.call(path, { headers: { Host: 'app.example' } })
    t.is(answer.status, status, path)
    t.regex(String(answer.headers['strict-transport-security']), /^max-age=31536000/, path)
    t.is(answer.headers['x-content-type-options'], 'nosniff', path)
  }
})

test('an answer of an API has them too, and HSTS is the frontend’s and not the API’s', async (t) => {
  const world = await aPlantedGateway(t, { frontends: [{ name: 'app', publicUrl: new URL('https://app.example') }] })
  const { cookie } = await world.plant('app')
  const { status, headers } = await world.call('/api/x', {
    headers: { ...ownPage, Host: 'app.example', Cookie: cookie },
  })
  t.is(status, 200)
  t.is(headers['strict-transport-security'], 'max-age=31536000')
  t.is(headers['x-content-type-options'], 'nosniff')
})
