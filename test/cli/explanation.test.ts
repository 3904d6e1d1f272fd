import { createServer, request as httpRequest, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { explanationOf } from '../../src/cli/explanation.js'
import { createGateway } from '../../src/gateway/gateway.js'
import type { FrontendOptions } from '../../src/gateway/options.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { generateSigningJwk, signingKey } from '../../src/jose/jwk.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'

/*
 * What `explain` says is compared with what a running gateway does, so that the two cannot part.
 */

interface Seen {
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

async function listening(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function aRunningGateway(t: ExecutionContext) {
  let seen: Seen | undefined
  const upstream = await listening(t, ({ url = '', headers }, response) => {
    seen = { url, headers }
    response.end('{}')
  })
  const route = (path: string, more: Partial<RouteOptions> = {}): RouteOptions => ({
    path,
    upstreams: [new URL(upstream)],
    stripPath: false,
    methods: [],
    tokenType: 'None',
    scopes: [],
    ...more,
  })
  const frontend = (name: string, pathPrefix: string, routes: readonly RouteOptions[]): FrontendOptions => ({
    name,
    hosts: ['app.example.com'],
    pathPrefix,
    publicUrl: new URL('https://app.example.com'),
    authority: 'https://auth.example.com',
    clientId: name,
    clientAuthentication: { method: 'private_key_jwt', keys: [signingKey(generateSigningJwk('ES256'))] },
    pushedAuthorizationRequests: true,
    dpop: true,
    requireIssuer: true,
    scopes: ['openid'],
    session: { idle: 60, absolute: 60, sliding: true, refreshGracePeriod: 5 },
    postLoginRedirectPath: '/',
    postLogoutRedirectPath: '/',
    routes,
  })
  const frontends = [
    frontend('app', '', [
      route('/open'),
      route('/open/deep', { upstreams: [new URL(`${upstream}/v1/`)], stripPath: true, methods: ['GET'] }),
      route('/api', { tokenType: 'User' }),
      route('/gateway', { tokenType: 'Client' }),
      route('/strict', { requireCsrfHeader: true }),
    ]),
    frontend('admin', '/admin', [route('/open', { methods: ['GET', 'POST'] })]),
  ]
  const gateway = await createGateway({
    frontends,
    store: createMemoryStore(),
    seal: createSeal([Buffer.alloc(32, 7)]),
  })
  t.teardown(() => gateway.close())
  const origin = await listening(t, gateway.callback())

  const call = (method: string, path: string, headers: Record<string, string>, host = 'app.example.com') =>
    new Promise<{ readonly status: number; readonly code: string | undefined; readonly seen: Seen | undefined }>(
      (resolve, reject) => {
        seen = undefined
        const options = { method, path, headers: { ...headers, host }, agent: false }
        const request = httpRequest(origin, options, (response) => {
          let body = ''
          response.on('data', (chunk) => {
            body += chunk
          })
          response.on('end', () => {
            const code = /"code":"([^"]+)"|<dt>Code<\/dt><dd>([^<]*)/.exec(body)?.slice(1).find(Boolean)
            resolve({ status: response.statusCode ?? 0, code, seen })
          })
        })
        request.on('error', reject)
        request.end()
      },
    )
  return { frontends, call, upstream }
}

const requests = [
  ['GET', '/open/orders?a=1'],
  ['POST', '/open'],
  ['GET', '/open/deep/er'],
  ['GET', '/open/deep?x'],
  ['PUT', '/open/deep'],
  ['GET', '/admin/open/x'],
  ['DELETE', '/admin/open/x'],
  ['GET', '/nothing'],
  ['GET', '/openly'],
  ['GET', '/open/../api'],
  ['GET', '/open/%2e%2e/api'],
  ['GET', '//open'],
  ['GET', '/Open'],
  ['GET', '/open%2Fdeep'],
  ['TRACE', '/open'],
  ['GET', '/bff/nothing'],
  ['DELETE', '/bff/login'],
  ['HEAD', '/bff/user'],
] as const

test('says what a running gateway does', async (t) => {
  const { frontends, call, upstream } = await aRunningGateway(t)
  for (const [method, path] of requests) {
    const { outcome } = explanationOf(method, `https://app.example.com${path}`, frontends)
    const { status, code, seen } = await call(method, path, { 'x-csrf': '1' })
    if (outcome.kind === 'refused') {
      t.is(status, outcome.status, `${method} ${path}`)
      if (method !== 'HEAD') t.is(code, outcome.code, `${method} ${path}`)
      t.is(seen, undefined)
    } else if (outcome.kind === 'forwarded') {
      t.is(status, 200, `${method} ${path}`)
      t.is(`${upstream}${seen?.url}`, outcome.forwarding.calls[0]?.url ?? '', `${method} ${path}`)
    } else t.fail(`${method} ${path}: ${outcome.kind}`)
  }
})

test('says which headers stay behind and which are added', async (t) => {
  const { frontends, call } = await aRunningGateway(t)
  const { outcome } = explanationOf('GET', 'https://app.example.com/open', frontends)
  if (outcome.kind !== 'forwarded') return t.fail(outcome.kind)
  const sent: Record<string, string> = {
    accept: 'application/json',
    authorization: 'Bearer x',
    dpop: 'x',
    'x-csrf': '1',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-user': 'root',
    x_forwarded_user: 'root',
    'x-real-ip': '192.0.2.1',
    'x-hop': '1',
    connection: 'x-hop',
    cookie: 'theme=dark; __Host-Http-bff-app=secret',
  }
  const { seen } = await call('GET', '/open', sent)
  const { headersDropped, headersAdded } = outcome.forwarding
  for (const name of [
    'authorization',
    'dpop',
    'x-csrf',
    'x-forwarded-user',
    'x_forwarded_user',
    'x-real-ip',
    'x-hop',
  ]) {
    t.true(headersDropped.includes(name), name)
    t.is(seen?.headers[name], undefined, name)
  }
  t.is(seen?.headers.cookie, 'theme=dark')
  t.true(headersDropped.some((name) => name.startsWith('our cookies')))
  t.is(seen?.headers.accept, 'application/json')
  for (const name of headersAdded) t.truthy(seen?.headers[name], name)
  t.false(headersAdded.includes('authorization'), 'a route without a token')
})

test('says what the anti-forgery check does', async (t) => {
  const { frontends, call } = await aRunningGateway(t)
  const missing = '403 bff.csrf.header_missing'
  const foreign = '403 bff.csrf.cross_site'
  for (const [method, path, expected] of [
    ['GET', '/open', { own: 'passes', bare: 'passes', typed: 'passes', silent: 'passes', foreign: 'passes' }],
    ['POST', '/open', { own: 'passes', bare: 'passes', typed: 'passes', silent: 'passes', foreign: 'passes' }],
    ['GET', '/gateway', { own: 'passes', bare: 'passes', typed: 'passes', silent: missing, foreign }],
    ['POST', '/gateway', { own: 'passes', bare: missing, typed: missing, silent: missing, foreign }],
    ['GET', '/strict', { own: 'passes', bare: missing, typed: missing, silent: missing, foreign }],
  ] as const) {
    const { outcome } = explanationOf(method, `https://app.example.com${path}`, frontends)
    if (outcome.kind !== 'forwarded') return t.fail(outcome.kind)
    t.deepEqual(outcome.forwarding.csrf, expected, `${method} ${path}`)
    const verdict = async (headers: Record<string, string>): Promise<string> => {
      const { status, code } = await call(method, path, headers)
      // There is no authorization server to give the gateway's own token.
      return status === 200 || code === 'bff.issuer.unavailable' ? 'passes' : `${status} ${code}`
    }
    const own = { 'sec-fetch-site': 'same-origin', ...(method === 'POST' && { origin: 'https://app.example.com' }) }
    const typed = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    const another = { 'x-csrf': '1', origin: 'https://another.example', 'sec-fetch-site': 'cross-site' }
    const really = {
      own: await verdict({ ...own, 'x-csrf': '1' }),
      bare: await verdict(own),
      typed: await verdict(typed),
      silent: await verdict({}),
      foreign: await verdict(another),
    }
    t.deepEqual(really, expected, `${method} ${path}`)
  }
})

test('says how a user’s call is made', async (t) => {
  const { frontends, call, upstream } = await aRunningGateway(t)
  const { outcome, frontend } = explanationOf('GET', 'https://app.example.com/api/orders?q=1', frontends)
  t.is(frontend?.name, 'app')
  if (outcome.kind !== 'forwarded') return t.fail(outcome.kind)
  const { token, scheme, calls, headersAdded } = outcome.forwarding
  t.is(token, 'User')
  t.is(scheme, 'DPoP')
  t.deepEqual(calls, [{ url: `${upstream}/api/orders?q=1`, htu: `${upstream}/api/orders` }])
  t.true(headersAdded.includes('dpop'))
  t.is((await call('GET', '/api/orders', { 'x-csrf': '1' })).code, 'bff.session.absent')
})

test('another host is nobody’s', async (t) => {
  const { frontends, call } = await aRunningGateway(t)
  const { outcome } = explanationOf('GET', 'https://evil.example/open', frontends)
  t.like(outcome, { kind: 'refused', status: 421, code: 'bff.frontend.unknown' })
  t.like(await call('GET', '/open', {}, 'evil.example'), { status: 421, code: 'bff.frontend.unknown' })
})

test('says whose pages may show it in a frame, and what tells of the session there', async (t) => {
  const { frontends } = await aRunningGateway(t)
  const framed = frontends.map((frontend) => ({ ...frontend, embedding: { origins: ['https://portal.example'] } }))
  const explain = (given: typeof frontends) => explanationOf('GET', 'https://app.example.com/bff/user', given)
  t.deepEqual(explain(framed).frontend?.framedBy, ['https://portal.example'])
  t.like(explain(framed).outcome, {
    csrf: { own: 'passes', bare: 'passes', silent: '403 bff.csrf.header_missing', foreign: '403 bff.csrf.cross_site' },
  })
  t.is(explain(frontends).frontend?.framedBy, undefined)
  t.like(explain(frontends).outcome, { csrf: undefined })
})
