import test, { type ExecutionContext } from 'ava'
import { createProofVerifier } from '../../../src/dpop/verifier.js'
import type { ForwardAuthOptions } from '../../../src/gateway/forward-auth/options.js'
import { type CallOptions, call, rawCall } from '../_client.js'
import { aRoute, listen } from '../_gateway.js'
import { aPlantedGateway, codeOf, navigation, ownPage } from '../_planted.js'

/* What each kind of proxy sends, without the proxy. test/deploy/forward-auth.test.ts has real ones. */

const upstreams = [new URL('http://orders.internal:8080/v1')]

async function asked(t: ExecutionContext, options: ForwardAuthOptions = {}) {
  const planted = await aPlantedGateway(t, {
    frontends: [
      {
        name: 'app',
        publicUrl: new URL('https://app.example'),
        hosts: ['app.example'],
        cors: { origins: ['https://other.example'] },
        routes: [
          aRoute({ path: '/api', upstreams, stripPath: true }),
          aRoute({ path: '/socket', upstreams, requireCsrfHeader: true }),
          aRoute({ path: '/open', upstreams, tokenType: 'None' }),
          aRoute({ path: '/maybe', upstreams, tokenType: 'UserOrNone' }),
        ],
      },
    ],
  })
  const on = await listen(await planted.gateway.forwardAuth(options))
  t.teardown(on.close)
  const { cookie, accessToken } = await planted.plant('app', {
    claims: { sub: 'alice', name: 'Älice, 100 %', roles: ['staff', 'a,b'], deep: { er: true } },
  })
  const ask = (path: string, headers: CallOptions['headers'] = {}, method = 'GET') =>
    call(new URL(on.url), path, { method, headers: { 'X-Forwarded-For': '192.0.2.7', ...headers } })
  return { ...planted, on, cookie, accessToken, ask }
}

const forwarded = (uri: string, method = 'GET') => ({
  Host: 'app.example',
  'X-Forwarded-Method': method,
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'app.example',
  'X-Forwarded-Uri': uri,
})

/** A question about one request, in the words of each proxy. */
const questions = {
  nginx: (uri: string, method = 'GET') => [
    '/nginx',
    { 'X-Original-URL': `https://app.example${uri}`, 'X-Original-Method': method },
    'GET',
  ],
  traefik: (uri: string, method = 'GET') => ['/traefik', { ...forwarded(uri, method), Host: '127.0.0.1' }, 'GET'],
  caddy: (uri: string, method = 'GET') => ['/caddy', forwarded(uri, method), 'GET'],
  envoy: (uri: string, method = 'GET') => [
    `/envoy${uri}`,
    { Host: 'app.example', 'X-Forwarded-Proto': 'https' },
    method,
  ],
} as const satisfies Record<string, (uri: string, method?: string) => readonly [string, object, string]>

for (const [kind, question] of Object.entries(questions)) {
  test(`${kind}: a call of the page's gets a proof for the URL that its route names`, async (t) => {
    const { ask, cookie, accessToken } = await asked(t)
    const [path, headers, method] = question('/api/orders?open=1', 'POST')
    const answer = await ask(path, { ...headers, ...ownPage, Cookie: `${cookie}; theme=dark` }, method)
    t.is(answer.status, 200, answer.text)
    t.is(answer.headers.authorization, `DPoP ${accessToken}`)
    t.is(answer.headers.cookie, 'theme=dark')
    t.is(answer.headers['cache-control'], 'no-store')
    const url = new URL('http://orders.internal:8080/v1/orders')
    t.notThrows(() => createProofVerifier()(String(answer.headers.dpop), { method: 'POST', url, accessToken }))
  })

  test(`${kind}: without credentials nothing of the client's takes their place`, async (t) => {
    const { ask, cookie } = await asked(t, { identityFields: { 'X-Auth-Subject': 'sub' } })
    for (const uri of ['/open/1', '/maybe/1']) {
      const [path, headers, method] = question(uri)
      const forged = { Authorization: 'Bearer forged', DPoP: 'forged', 'X-Real-IP': '203.0.113.9' }
      const answer = await ask(path, { ...headers, ...ownPage, ...forged }, method)
      t.is(answer.status, 200, `${uri} ${answer.text}`)
      const says = { nginx: '', caddy: '' }[kind]
      for (const name of ['authorization', 'dpop', 'cookie', 'x-auth-subject']) t.is(answer.headers[name], says, name)
      if (kind === 'envoy') {
        const removed = String(answer.headers['x-envoy-auth-headers-to-remove']).split(',')
        t.deepEqual(removed.sort(), ['authorization', 'cookie', 'dpop', 'x-auth-subject', 'x-csrf', 'x-real-ip'])
      }
    }
    const [path, headers, method] = question('/api/orders')
    const answer = await ask(path, { ...headers, ...ownPage, Cookie: cookie }, method)
    t.is(answer.headers['x-auth-subject'], 'alice')
    if (kind === 'envoy')
      t.deepEqual(String(answer.headers['x-envoy-auth-headers-to-remove']).split(',').sort(), ['cookie', 'x-csrf'])
  })

  test(`${kind}: every refusal is none of 2xx, a page that leads on and a preflight request neither`, async (t) => {
    const { ask, cookie } = await asked(t)
    const cases: [string, string, object, number][] = [
      ['/api/orders', 'GET', ownPage, 401],
      ['/api/orders', 'POST', { Cookie: cookie }, 403],
      ['/api/orders', 'GET', { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site' }, 403],
      ['/api/orders', 'GET', navigation, 303],
      ['/api/orders', 'GET', { ...navigation, 'Sec-Fetch-Site': 'cross-site', 'Upgrade-Insecure-Requests': '1' }, 403],
      ['/api/orders', 'GET', { ...navigation, 'Upgrade-Insecure-Requests': '1' }, 403],
      ['/api/orders', 'OPTIONS', { Origin: 'https://other.example', 'Access-Control-Request-Method': 'GET' }, 403],
      ['/api/..;/admin', 'GET', { ...ownPage, Cookie: cookie }, 400],
      ['/api/%2e%2e/admin', 'GET', { ...ownPage, Cookie: cookie }, 400],
      ['/page', 'GET', { ...ownPage, Cookie: cookie }, 404],
      ['/api%2forders', 'GET', { ...ownPage, Cookie: cookie }, 404],
      ['/bff/user', 'GET', { ...ownPage, Cookie: cookie }, 404],
      ['/bff/login', 'GET', { ...navigation, Cookie: cookie }, 404],
      ['/api/orders', 'HEAD', { Cookie: cookie }, 403],
      ['/api/orders', 'TRACE', { ...ownPage, Cookie: cookie }, 405],
    ]
    for (const [uri, asking, more, status] of cases) {
      const [path, headers, method] = question(uri, asking)
      const answer = await ask(path, { ...headers, ...more }, method)
      t.is(answer.status, status, `${asking} ${uri} ${JSON.stringify(more)} ${answer.text}`)
      for (const name of ['authorization', 'dpop']) t.is(answer.headers[name], undefined)
    }
  })

  test(`${kind}: what the proxy does not tell, or tells twice, passes nothing`, async (t) => {
    const { ask, cookie, on } = await asked(t)
    const [path, headers, method] = question('/api/orders')
    const good = { ...headers, ...ownPage, Cookie: cookie, 'X-Forwarded-For': '192.0.2.7' }
    t.is((await ask(path, good, method)).status, 200)
    const telling = Object.keys(good).filter((name) => /^x-(?:original|forwarded)/i.test(name))
    for (const name of telling) {
      for (const value of [undefined, '', 'nonsense with space', '\u00fc']) {
        const { [name]: _, ...others } = good as Record<string, string>
        const answer = await ask(path, { ...others, 'X-Forwarded-For': '192.0.2.7', [name]: value ?? [] }, method)
        t.true(answer.status >= 400 && answer.status < 500, `${name} ${value} ${answer.status}`)
      }
      const lines = Object.entries(good).map(([field, value]) => `${field}: ${value}\r\n`)
      const host = 'Host' in good ? '' : 'Host: 127.0.0.1\r\n'
      const twice = `${method} ${path} HTTP/1.1\r\n${host}${lines.join('')}${name}: ${(good as Record<string, string>)[name]}\r\nConnection: close\r\n\r\n`
      t.regex(await rawCall(new URL(on.url), twice), /^HTTP\/1\.1 4/, `${name} twice`)
    }
  })

  test(`${kind}: another host is no frontend's`, async (t) => {
    const { ask, cookie } = await asked(t)
    const [path, headers, method] = question('/api/orders')
    const elsewhere = JSON.parse(JSON.stringify(headers).replaceAll('app.example', 'evil.example')) as object
    const answer = await ask(path, { ...elsewhere, ...ownPage, Cookie: cookie }, method)
    t.is(answer.status, 421, answer.text)
  })
}

test('a field that names another method, another address or the user is refused', async (t) => {
  const { ask, cookie } = await asked(t, { identityFields: { 'X-Auth-Subject': 'sub' } })
  for (const kind of ['nginx', 'traefik', 'caddy', 'envoy'] as const)
    for (const name of [
      'X-HTTP-Method-Override',
      'X-Method-Override',
      'X-Rewrite-URL',
      'x-auth-subject',
      'X_Auth_Subject',
      'HTTP2-Settings',
    ]) {
      const [path, headers, method] = questions[kind]('/api/orders')
      const answer = await ask(path, { ...headers, ...ownPage, Cookie: cookie, [name]: 'x' }, method)
      t.is(answer.status, 403, `${kind} ${name}`)
      t.is(codeOf(answer), 'bff.forward_auth.forged_field')
    }
  // nginx does not tell by it, and passes on what a client has written.
  const [nginx, told] = questions.nginx('/api/orders')
  for (const name of ['X-Forwarded-Uri', 'X-Forwarded-Method'])
    t.is((await ask(nginx, { ...told, ...ownPage, Cookie: cookie, [name]: '/admin' })).status, 403, name)
  // Only nginx tells by it: behind the others it is a client's.
  const [path, headers] = questions.caddy('/api/orders')
  t.is((await ask(path, { ...headers, ...ownPage, Cookie: cookie, 'X-Original-URL': '/admin' })).status, 403)
})

test('identity fields are visible ASCII, and say all of it', async (t) => {
  const identityFields = {
    'X-Auth-Name': 'name',
    'X-Auth-Roles': 'roles',
    'X-Auth-Deep': 'deep.er',
    'X-Auth-None': 'none',
  }
  const { ask, cookie } = await asked(t, { identityFields })
  const [path, headers] = questions.nginx('/api/orders')
  const answer = await ask(path, { ...headers, ...ownPage, Cookie: cookie })
  t.is(answer.headers['x-auth-name'], '%C3%84lice, 100 %25')
  t.is(answer.headers['x-auth-roles'], 'staff,a%2Cb')
  t.is(answer.headers['x-auth-deep'], 'true')
  t.is(answer.headers['x-auth-none'], '')
})

test('nginx asks what to say of a refusal: then nothing is granted', async (t) => {
  const { ask, cookie } = await asked(t)
  const [, headers] = questions.nginx('/api/orders')
  const refused = await ask('/nginx/refusal', { ...headers, ...ownPage })
  t.is(refused.status, 401)
  t.is(codeOf(refused), 'bff.session.absent')
  const changed = await ask('/nginx/refusal', { ...headers, ...ownPage, Cookie: cookie })
  t.is(changed.status, 503)
  t.is(codeOf(changed), 'bff.forward_auth.changed')
  t.is(changed.headers.authorization, undefined)
  t.is((await ask('/caddy/refusal', { ...forwarded('/api/orders'), ...ownPage, Cookie: cookie })).status, 404)
  for (const path of ['/', '/haproxy', '/nginx/other', '/nginxx', '/bff/login'])
    t.is((await ask(path, { ...headers, ...ownPage, Cookie: cookie })).status, 404, path)
})

test('a page whose name leads to this machine cannot ask (DNS rebinding)', async (t) => {
  const { ask } = await asked(t)
  const [, nginx] = questions.nginx('/open/1')
  t.is((await ask('/nginx', { ...nginx, Host: 'evil.example:4180' })).status, 404)
  for (const host of ['127.0.0.1:4180', '[::1]:4180', 'sallyport_asked', 'gateway.auth.svc:4180', 'localhost'])
    t.is((await ask('/nginx', { ...nginx, Host: host })).status, 200, host)
  t.is((await ask('/traefik', { ...forwarded('/open/1'), Host: 'evil.example' })).status, 404)
  t.is((await ask('/caddy', { ...forwarded('/open/1'), Host: 'evil.example' })).status, 400)
})

test("a socket's handshake passes by its origin, and by no other", async (t) => {
  const { ask, cookie } = await asked(t)
  const [path, headers] = questions.nginx('/socket')
  const handshake = { ...headers, Cookie: cookie, 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'x' }
  t.is((await ask(path, { ...handshake, Origin: 'https://app.example' })).status, 200)
  t.is((await ask(path, { ...handshake, Origin: 'https://evil.example' })).status, 403)
  t.is((await ask(path, handshake)).status, 403)
})

test('the session lives on by the cookie of the answer, and only one is said where a proxy joins several', async (t) => {
  const { ask, cookie, options } = await asked(t)
  const [, headers] = questions.nginx('/api/orders')
  const loop = `${cookie.split('=')[0]}~n=${Math.floor(Date.now() / 1000)}`
  for (const [path, question, most] of [
    ['/nginx', headers, 1],
    ['/traefik', questions.traefik('/api/orders')[1], 2],
  ] as const) {
    const answer = await ask(path, { ...question, ...ownPage, Cookie: `${cookie}; ${loop}` })
    t.is(answer.status, 200)
    t.true((answer.headers['set-cookie'] ?? []).length <= most, path)
  }
  t.truthy(options)
})
