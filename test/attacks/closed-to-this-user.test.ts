import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { AccessRule } from '../../src/gateway/route-options.js'
import { call } from '../gateway/_client.js'
import { watchEvents } from '../gateway/_events.js'
import { navigation } from '../gateway/_planted.js'
import { aGate, everyWay, type Gate, passed } from './_gate.js'

const staff: readonly AccessRule[] = [{ claim: 'roles', anyOf: ['staff'] }]
const finance: readonly AccessRule[] = [{ claim: 'department', anyOf: ['finance'] }]

async function userWith({ plant }: Gate, claims: Record<string, unknown>, name = 'app'): Promise<string> {
  return (await plant(name, { claims: { sub: 'alice', ...claims } })).cookie
}

async function aFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-page-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await Promise.all([writeFile(join(folder, 'index.html'), 'the page'), writeFile(join(folder, 'app.js'), 'script')])
  return folder
}

test('a user whose claims a rule does not let in reaches no route of the frontend, in any way', async (t) => {
  const gate = await aGate(t, {
    frontends: [
      {
        access: staff,
        routes: [{}, { path: '/machine', tokenType: 'Client' }, { path: '/maybe', tokenType: 'UserOrNone' }],
      },
    ],
  })
  for (const claims of [{}, { roles: ['guest'] }, { roles: 'Staff' }, { roles: { staff: true } }, { Roles: ['staff'] }])
    for (const target of ['/api/orders', '/machine', '/maybe'])
      for (const method of ['GET', 'POST', 'OPTIONS', 'PROPFIND'])
        await everyWay(
          gate,
          { target, method, cookie: await userWith(gate, claims) },
          ({ way, status, code, seen }) => {
            // The gateway's own token is asked for first, and its server is not there.
            if (target === '/machine') t.true([403, 503].includes(status), `${way} ${status}`)
            else
              t.deepEqual(
                [status, code],
                [403, 'bff.access.denied'],
                `${way} ${target} ${method} ${JSON.stringify(claims)}`,
              )
            t.deepEqual(seen, [])
          },
        )
  t.is(gate.connections(), 0)
})

test('a user whom every rule lets in passes', async (t) => {
  const gate = await aGate(t, { frontends: [{ access: staff, routes: [{ access: finance }] }] })
  const both = await userWith(gate, { roles: ['staff'], department: 'finance' })
  await everyWay(gate, { cookie: both }, ({ way, status }) => t.is(status, passed(way), way))
  for (const claims of [{ roles: ['staff'] }, { department: 'finance' }])
    await everyWay(gate, { cookie: await userWith(gate, claims) }, ({ status, code }) =>
      t.deepEqual([status, code], [403, 'bff.access.denied']),
    )
})

test('the refusal names the claim, and neither what the user has in it nor what would let them in', async (t) => {
  const events = watchEvents(t)
  const gate = await aGate(t, { frontends: [{ access: staff }] })
  const cookie = await userWith(gate, { roles: ['secret-project'] })
  await everyWay(gate, { cookie }, ({ answer }) => {
    t.regex(answer, /claim \\"roles\\"/)
    t.notRegex(answer, /secret-project|staff/)
  })
  t.notRegex(JSON.stringify(events), /secret-project/)
  t.true(events.some((event) => event.type === 'gateway.request.refused' && event.code === 'bff.access.denied'))
})

test('rules open no door: without a session, from another site or without the header it is refused as ever', async (t) => {
  const gate = await aGate(t, {
    frontends: [
      {
        access: staff,
        routes: [{}, { path: '/machine', tokenType: 'Client' }, { path: '/either', tokenType: 'UserOrClient' }],
      },
    ],
  })
  const cookie = await userWith(gate, { roles: ['staff'] })
  for (const target of ['/api/orders', '/machine', '/either'])
    await everyWay(gate, { target }, ({ status, code }) => t.deepEqual([status, code], [401, 'bff.session.absent']))
  for (const target of ['/api/orders', '/machine', '/either'])
    await everyWay(gate, { target, cookie, page: 'unknown', headers: ['Origin: https://evil.example'] }, ({ code }) =>
      t.is(code, 'bff.csrf.cross_site'),
    )
  t.deepEqual(gate.upstream.seen, [])
})

test('a route that looks at no user is open to everyone, and one for users or anybody to those who are not signed in', async (t) => {
  const gate = await aGate(t, {
    frontends: [
      {
        access: staff,
        routes: [
          { path: '/hook', tokenType: 'None' },
          { path: '/maybe', tokenType: 'UserOrNone' },
        ],
      },
    ],
  })
  const cookie = await userWith(gate, {})
  await everyWay(gate, { target: '/hook', cookie }, ({ way, status }) => t.is(status, passed(way)))
  await everyWay(gate, { target: '/maybe' }, ({ way, status }) => t.is(status, passed(way)))
  await everyWay(gate, { target: '/maybe', cookie }, ({ code }) => t.is(code, 'bff.access.denied'))
})

test("one frontend's rules and sessions are not another's", async (t) => {
  const gate = await aGate(t, { frontends: [{ name: 'app' }, { name: 'admin', pathPrefix: '/admin', access: staff }] })
  const ofApp = await userWith(gate, { roles: ['staff'] })
  const guest = await userWith(gate, {}, 'admin')
  await everyWay(gate, { target: '/admin/api/x', cookie: ofApp }, ({ status }) => t.is(status, 401))
  await everyWay(gate, { target: '/admin/api/x', cookie: guest }, ({ status }) => t.is(status, 403))
  await everyWay(gate, { cookie: ofApp }, ({ way, status }) => t.is(status, passed(way)))
})

test('the page and its files are closed to a session that may not in, and open without one', async (t) => {
  const gate = await aGate(t, { frontends: [{ access: staff, staticFilesPath: await aFolder(t) }] })
  const get = async (path: string, cookie: string | undefined, headers = {}) =>
    call(gate.url, path, { headers: { host: 'shop.example', ...headers, ...(cookie !== undefined && { cookie }) } })
  const guest = await userWith(gate, { roles: ['guest'] })
  const chief = await userWith(gate, { roles: ['staff'] })
  for (const path of ['/', '/index.html', '/app.js', '/deep/link', '/none.js']) {
    const { status, text } = await get(path, guest)
    t.is(status, 403, path)
    t.regex(text, /bff\.access\.denied/)
    t.notRegex(text, /the page|script/)
  }
  for (const cookie of [undefined, chief, 'x=y', '__Host-Http-bff-app=none'])
    for (const [path, body] of [
      ['/', 'the page'],
      ['/app.js', 'script'],
    ] as const)
      t.is((await get(path, cookie, path === '/' ? navigation : {})).text, body)
  // Who is signed in, and how to end it, stays with the user.
  t.is((await get('/bff/user', guest)).status, 200)
})

test('the development server and its socket are closed in the same way', async (t) => {
  const { webSocketUpstream } = await import('../gateway/_web-socket-upstream.js')
  const vite = await webSocketUpstream()
  const gate = await aGate(t, {
    upstream: vite,
    frontends: [{ access: staff, routes: [], developmentServer: vite.url }],
  })
  const guest = await userWith(gate, {})
  await everyWay(gate, { target: '/src/main.ts', cookie: guest }, ({ way, status, seen }) => {
    t.is(status, 403, way)
    t.deepEqual(seen, [])
  })
  for (const cookie of [undefined, await userWith(gate, { roles: 'staff' })])
    await everyWay(gate, { target: '/src/main.ts', ...(cookie && { cookie }) }, ({ way, status, seen }) => {
      t.is(status, passed(way))
      // No token goes there, whoever it is.
      t.is(seen[0]?.headers.authorization, undefined)
    })
})

for (const [language, button] of [
  ['en', 'Sign in as somebody else'],
  ['de', 'Als jemand anderes anmelden'],
  ['fr', 'Se connecter avec un autre compte'],
] as const)
  test(`a person is told in ${language}, and may sign in as somebody else and come back`, async (t) => {
    const gate = await aGate(t, { frontends: [{ access: staff, staticFilesPath: await aFolder(t) }] })
    const cookie = await userWith(gate, {})
    const headers = { ...navigation, host: 'shop.example', 'accept-language': language, cookie }
    for (const path of ['/?a=1&b=2', '/api/orders?a=1&b=2']) {
      const { status, text } = await call(gate.url, path, { headers: { ...headers, 'x-csrf': '1' } })
      t.is(status, 403)
      const [, href = ''] = new RegExp(`<a class="button" href="([^"]+)">${button}`).exec(text) ?? []
      const login = new URL(href.replaceAll('&amp;', '&'), 'https://shop.example')
      t.is(login.pathname, '/bff/login')
      t.deepEqual(Object.fromEntries(login.searchParams), { prompt: 'login', returnUrl: path })
    }
  })

test('where a link may not set the prompt, the page offers to sign out', async (t) => {
  const gate = await aGate(t, {
    frontends: [{ access: staff, staticFilesPath: await aFolder(t), loginParameters: ['login_hint'] }],
  })
  const { cookie } = await gate.plant('app', { claims: {} })
  const headers = { ...navigation, host: 'shop.example', cookie }
  const { text } = await call(gate.url, '/', { headers })
  const [, href = ''] = /href="(\/bff\/logout\?sid=[^"]+)"/.exec(text) ?? []
  const out = await call(gate.url, href, { headers: { ...headers, 'sec-fetch-site': 'same-origin' } })
  t.is(out.status, 303)
  t.is(out.headers.location, '/')
})
