import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { WebSocket } from 'ws'
import { generateTestKey, startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { createValidating } from '../../src/server/validating.js'
import { call, rawCall } from '../gateway/_client.js'
import { type Asking, type AskingKind, askingKinds, startAsking, startValidating } from './_asking.js'
import { installed } from './_manifests.js'
import type { SeenByApi } from './_proven-api.js'

const there = new Set<AskingKind>()
for (const kind of askingKinds) if ((await installed(kind)) !== undefined) there.add(kind)

/** Each proxy with its file of docs/forward-auth.md: it forwards, and asks the gateway first. */
let asking: Asking
const closing: (() => unknown)[] = []
test.before(async () => {
  asking = await startAsking({ teardown: (close) => void closing.unshift(close) })
})
test.after.always(async () => {
  for (const close of closing) await close()
})

const through = (
  kind: AskingKind,
  title: string,
  check: (t: ExecutionContext, origin: string) => Promise<void>,
): void => (there.has(kind) ? test.serial : test.serial.skip)(`${kind}: ${title}`, (t) => check(t, asking.origin(kind)))

/** What the API saw of this path, by calls of this test alone. */
const seenAt = (path: string): SeenByApi[] => asking.seen.filter(({ url }) => url.startsWith(path))

for (const kind of askingKinds) {
  through(kind, 'a login, and calls with a proof each', async (t, origin) => {
    const browser = await asking.loggedIn(kind)
    const path = `/api/orders/${kind}`
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', 'one order'],
      ['HEAD', undefined],
      ['DELETE', undefined],
    ] as const) {
      const answer = await browser.call(`${origin}${path}?open=1`, { method, ...(body && { body }) })
      t.is(answer.status, 200, `${method} ${asking.output(kind)}`)
      t.is(answer.headers.get('cache-control'), 'no-store')
      t.is(answer.headers.get('authorization'), null)
      t.is(answer.headers.get('dpop'), null)
    }
    const seen = seenAt(path)
    t.deepEqual(
      seen.map(({ method, url, body }) => [method, url, body]),
      [
        ['GET', `${path}?open=1`, ''],
        ['POST', `${path}?open=1`, 'one order'],
        ['HEAD', `${path}?open=1`, ''],
        ['DELETE', `${path}?open=1`, ''],
      ],
    )
    // The session's cookie is for no API.
    for (const { headers } of seen) t.false(JSON.stringify(headers).includes('sallyport-bff'), JSON.stringify(headers))
    t.like(await (await browser.call(`${origin}/bff/user`)).json(), { sub: 'alice' })
  })

  through(kind, 'what an application has of cookies of its own reaches its API', async (t, origin) => {
    const browser = await asking.loggedIn(kind)
    const cookie = [...browser.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(`${origin}/api/cookies/${kind}`, {
      headers: { Cookie: `theme=dark; ${cookie}; lang=de`, 'X-CSRF': '1' },
    })
    t.is(answer.status, 200)
    t.is(seenAt(`/api/cookies/${kind}`)[0]?.headers.cookie, 'theme=dark; lang=de')
  })

  through(kind, 'a person is sent to the login, and a script is told why', async (t, origin) => {
    const navigation = {
      Accept: 'text/html',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
      'Sec-Fetch-Site': 'none',
    }
    // fetch would write Sec-Fetch-Mode itself.
    const open = (path: string, headers: object) =>
      call(new URL(origin), path, { headers: { ...navigation, ...headers } })
    const person = await open('/api/orders?x=1', {})
    t.is(person.status, 303, asking.output(kind))
    t.is(person.headers.location, '/bff/login?returnUrl=%2Fapi%2Forders%3Fx%3D1')
    const script = await fetch(`${origin}/api/orders`, { headers: { 'X-CSRF': '1' } })
    t.is(script.status, 401)
    t.is(((await script.json()) as { code: string }).code, 'bff.session.absent')
    // A page of another site that leads here: shown, and no yes to the proxy.
    const link = await open(`/api/linked/${kind}`, { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-User': '?1' })
    t.true(link.status >= 300, String(link.status))
    t.regex(link.text, /location\.replace/)
    t.deepEqual(seenAt(`/api/linked/${kind}`), [])
  })

  through(kind, 'rules, limits and methods hold as they do for what is forwarded', async (t, origin) => {
    const browser = await asking.loggedIn(kind)
    const refusals: [string, RequestInit, number, string][] = [
      ['/api/orders', { headers: { 'X-CSRF': '0' }, method: 'POST' }, 403, 'bff.csrf.header_missing'],
      ['/api/orders', { headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403, 'bff.csrf.cross_site'],
      ['/api/orders', { headers: { Origin: 'https://evil.example' } }, 403, 'bff.csrf.cross_site'],
      ['/api/admin', {}, 403, 'bff.access.denied'],
      ['/api/read-only', { method: 'POST' }, 405, 'bff.route.method_denied'],
    ]
    const { length } = asking.seen
    for (const [path, init, status, code] of refusals) {
      const answer = await browser.call(`${origin}${path}`, init)
      t.is(answer.status, status, `${path} ${code}`)
      t.is(((await answer.json()) as { code: string }).code, code)
    }
    t.is(asking.seen.length, length)
    t.is((await browser.call(`${origin}/api/few`)).status, 200)
    t.is((await browser.call(`${origin}/api/few`)).status, 200)
    const limited = await browser.call(`${origin}/api/few`)
    t.is(limited.status, 429)
    t.truthy(limited.headers.get('retry-after'))
    // A route without a user: nothing of a client's credentials goes along.
    const open = await fetch(`${origin}/api/public/${kind}`, {
      headers: { Authorization: 'Bearer forged', DPoP: 'forged' },
    })
    t.is(open.status, 200)
    const [{ headers }] = seenAt(`/api/public/${kind}`) as [SeenByApi]
    t.is(headers.authorization || undefined, undefined)
    t.is(headers.dpop || undefined, undefined)
  })

  through(kind, 'no field of a client says which request it is, or who the user', async (t, origin) => {
    const browser = await asking.loggedIn(kind)
    const path = `/api/forged/${kind}`
    const told: Record<string, string> = { 'X-Forwarded-Host': 'evil.example' }
    const tellsByThem = kind === 'caddy' || kind === 'traefik'
    if (tellsByThem) Object.assign(told, { 'X-Forwarded-Uri': '/api/public', 'X-Forwarded-Method': 'GET' })
    // The proxy writes over them, or nothing reads them.
    const answer = await browser.call(`${origin}${path}`, {
      method: 'POST',
      headers: { ...told, Authorization: 'Bearer forged', DPoP: 'forged', 'X-Forwarded-For': '203.0.113.9' },
    })
    t.is(answer.status, 200)
    const [{ headers }] = seenAt(path) as [SeenByApi]
    t.regex(headers.authorization ?? '', /^DPoP /)
    t.false(JSON.stringify(headers).includes('evil.example'), JSON.stringify(headers))
    t.is(headers['x-forwarded-uri'] ?? headers['x-forwarded-method'], undefined)
    // The last entry is the proxy's. Envoy leaves those before it.
    t.notRegex(String(headers['x-forwarded-for']), kind === 'envoy' ? /203\.0\.113\.9$/ : /203/)
    const { length } = asking.seen
    for (const field of [
      'X-Auth-Subject',
      'X-HTTP-Method-Override',
      'X-Method-Override',
      'X-Rewrite-URL',
      ...(tellsByThem ? [] : ['X-Forwarded-Uri', 'X-Forwarded-Method']),
      ...(kind === 'nginx' ? [] : ['X-Original-URL', 'X_Auth_Subject']),
    ]) {
      const refused = await browser.call(`${origin}${path}`, { headers: { [field]: '/api/public' } })
      t.is(refused.status, 403, field)
      t.is(((await refused.json()) as { code: string }).code, 'bff.forward_auth.forged_field', field)
    }
    t.is(asking.seen.length, length)
    if (kind === 'nginx') {
      const url = { 'X-Original-URL': `${origin}/api/public`, 'X-Original-Method': 'GET' }
      t.is((await fetch(`${origin}/api/orders`, { method: 'POST', headers: url })).status, 403)
    }
  })

  through(kind, 'no connection changes to a protocol in which more requests follow (h2c)', async (t, origin) => {
    const path = `/api/public/h2c-${kind}`
    const call = request(`${origin}${path}`, {
      headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' },
    })
    const status = await new Promise<number | undefined>((resolve, reject) => {
      call.on('response', (answer) => resolve(answer.resume().statusCode))
      call.on('upgrade', (answer) => resolve(answer.statusCode)).on('error', reject)
      call.end()
    })
    t.not(status, 101)
    for (const { headers } of seenAt(path))
      t.is(headers.upgrade ?? headers['http2-settings'], undefined, JSON.stringify(headers))
  })

  through(kind, 'a target with two meanings is refused, or is what was decided on', async (t, origin) => {
    const browser = await asking.loggedIn(kind)
    const cookie = [...browser.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ')
    const { host } = new URL(origin)
    for (const target of [
      '/api/..;/admin',
      '/api/%2e%2e/admin',
      '/api/../api/admin',
      '/api/x/../admin',
      '/api//admin',
      '//api/orders',
      '/api%2fadmin',
      '/api/%61dmin',
      '/api/Admin',
      '/api/admin%20',
      '/api/admin;x',
      '/api/public/..;/admin',
      '/api/public/%2e%2e/admin',
      '/api/public%2f..%2fadmin',
      '/api/x%5cy',
      `http://${host}/api/admin`,
      'http://evil.example/api/orders',
    ]) {
      const { length } = asking.seen
      const bytes = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nX-CSRF: 1\r\nConnection: close\r\n\r\n`
      const answer = await rawCall(new URL(origin.replace('localhost', '127.0.0.1')), bytes)
      const reached = asking.seen.slice(length)
      // What reaches the API had a proof for just that, and is not what only others may.
      for (const { url } of reached) t.notRegex(decodeURIComponent(url), /admin/i, `${kind} ${target}`)
      if (reached.length === 0) t.notRegex(answer, /isProven/, `${kind} ${target}\n${answer}`)
    }
  })

  through(
    kind,
    'a WebSocket opens, with a proof, for the own page of a user with a session, and for no other',
    async (t, origin) => {
      const browser = await asking.loggedIn(kind)
      const session = [...browser.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ')
      const path = `/api/socket/${kind}`
      const open = (headers: Record<string, string>, target = path) =>
        opened(`${origin.replace('http:', 'ws:')}${target}`, headers)
      for (const [headers, status] of [
        [{ Origin: origin }, 401],
        [{ Origin: 'https://evil.example', Cookie: session }, 403],
        [{ Cookie: session }, 403],
        [{ Origin: origin, Cookie: session, 'X-Auth-Subject': 'admin' }, 403],
      ] as const)
        t.is(await open(headers), status, JSON.stringify(Object.keys(headers)))
      t.is(await open({ Origin: origin, Cookie: session }, '/api/admin/socket'), 403)
      t.deepEqual(seenAt(path), [])
      t.deepEqual(seenAt('/api/admin'), [])

      const socket = await open({ Origin: origin, Cookie: `theme=dark; ${session}`, Authorization: 'Bearer forged' })
      if (typeof socket === 'number') return t.fail(`${socket} ${asking.output(kind)}`)
      socket.send('one order')
      t.is(String((await once(socket, 'message'))[0]), 'one order')
      socket.close()
      await once(socket, 'close')
      const [{ headers }] = seenAt(path) as [SeenByApi]
      t.is(headers.cookie, 'theme=dark')
      t.regex(headers.authorization ?? '', /^DPoP /)
    },
  )

  through(kind, 'another host has no part in it', async (t, origin) => {
    const browser = await asking.loggedIn(kind)
    const cookie = [...browser.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ')
    const { length } = asking.seen
    for (const hosts of [['evil.example'], ['evil.example', new URL(origin).host]]) {
      const lines = hosts.map((host) => `Host: ${host}\r\n`).join('')
      const bytes = `GET /api/orders/host HTTP/1.1\r\n${lines}X-CSRF: 1\r\nConnection: close\r\n\r\n`
      const answer = await rawCall(new URL(origin.replace('localhost', '127.0.0.1')), bytes)
      t.notRegex(answer, /isProven/, `${kind} ${hosts}`)
    }
    t.is(asking.seen.length, length)
    t.truthy(cookie)
  })
}

/** The status where it is not opened. */
async function opened(url: string, headers: Record<string, string>): Promise<WebSocket | number> {
  const socket = new WebSocket(url, { headers })
  socket.on('error', () => undefined)
  return Promise.race([
    once(socket, 'open').then(() => socket),
    once(socket, 'unexpected-response').then(([request, response]) => {
      request.destroy()
      return (response as IncomingMessage).statusCode ?? 0
    }),
  ])
}

for (const kind of askingKinds)
  through(kind, 'API clients are checked by the validator, and their API is told who they are', async (t) => {
    const audience = 'https://orders.example.com'
    const issuer = await startTestIssuer({ audience })
    t.teardown(issuer.close)
    const { origin, seen, output } = await startValidating(t, kind, (port) => {
      const validating = createValidating(
        {
          verifier: { issuer: issuer.issuer, audience, challenge: { resourceMetadata: false } },
          publicUrls: [`http://localhost:${port}`],
          identityFields: { 'X-Auth-Subject': 'sub' },
        },
        [],
      )
      return (request, response) => {
        request.url = request.url?.replace(/^\/validate/, '') ?? ''
        validating(request, response)
      }
    })
    const key = generateTestKey()
    const token = issuer.mintToken(key.jkt)
    // For the public URL, while the API listens elsewhere. Below /api/public it does not look at proofs itself.
    const proven = (path: string, method = 'GET') => ({
      Authorization: `DPoP ${token}`,
      DPoP: issuer.mintProof({ method, url: origin + path, key, token }),
    })
    const good = proven('/api/public/orders')
    t.is((await fetch(`${origin}/api/public/orders?x=1`, { headers: good })).status, 200, output())
    t.is(seen.length, 1)
    t.is(seen[0]?.headers['x-auth-subject'], 'alice')
    for (const [what, path, headers, status] of [
      ['the same proof again', '/api/public/orders', good, 401],
      ['no token', '/api/public/orders', {}, 401],
      ['a proof for another path', '/api/public/other', proven('/api/public/orders'), 401],
      ['a proof for another method', '/api/public/orders', proven('/api/public/orders', 'POST'), 401],
      ['a forged identity', '/api/public/orders', { ...proven('/api/public/orders'), 'X-Auth-Subject': 'admin' }, 403],
      // nginx writes over its own field, Caddy and Traefik over theirs; those of the others are refused.
      [
        'a forged target',
        '/api/public/orders',
        { 'X-Original-URL': `${origin}/`, ...proven('/') },
        kind === 'nginx' ? 401 : 403,
      ],
      [
        'another forged target',
        '/api/public/orders',
        { 'X-Forwarded-Uri': '/', ...proven('/') },
        kind === 'caddy' || kind === 'traefik' ? 401 : 403,
      ],
    ] as const) {
      const answer = await fetch(origin + path, { headers })
      t.is(answer.status, status, what)
      if (status === 401) t.regex(answer.headers.get('www-authenticate') ?? '', /^DPoP /, what)
    }
    t.is(seen.length, 1)
  })
