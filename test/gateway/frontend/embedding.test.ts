import test from 'ava'
import { embeddingProblems } from '../../../src/gateway/frontend/check-embedding.js'
import { refusesFrames } from '../../../src/gateway/frontend/embedding.js'
import { createFrontend } from '../../../src/gateway/frontend/frontend.js'
import type { FrontendOptions } from '../../../src/gateway/options.js'
import { createSecurityHeaders } from '../../../src/gateway/page/security-headers.js'
import { call } from '../_client.js'
import { aFrontend, aRoute } from '../_gateway.js'
import { aPlantedGateway, ownPage } from '../_planted.js'
import { listening } from '../_upstream.js'

const portal = 'https://portal.example'
const embedding = { origins: [portal, 'https://intranet.example:8443'] }
const options = (overrides: Partial<FrontendOptions> = {}): FrontendOptions =>
  aFrontend({ publicUrl: new URL('https://app.example'), authority: 'https://auth.example', embedding, ...overrides })

const refused: readonly (readonly [string, Partial<FrontendOptions>, string])[] = [
  ['a page over plain http', { publicUrl: new URL('http://localhost:3000') }, 'Embedding'],
  ['no origin at all', { embedding: { origins: [] } }, 'Embedding/Origins'],
  ['headers of the files’ server', { securityHeaders: 'None' }, 'SecurityHeaders'],
  ['another list of ancestors', { contentSecurityPolicy: 'Frame-Ancestors *' }, 'ContentSecurityPolicy'],
  ['a page that another server has', { clientUrl: new URL('https://www.example') }, 'ClientUrl'],
  ['pages of other origins that may call', { cors: { origins: [portal] } }, 'Cors'],
  ...[
    '*',
    'https://*.portal.example',
    'http://portal.example',
    'http://localhost:8080',
    'https://portal.example/',
    'https://portal.example/app',
    'https://PORTAL.example',
    'https://portal.example:443',
    'https://user@portal.example',
    'https://[::1]:8443',
    'https://portal.example https://evil.example',
    'https://portal.example; script-src *',
    'portal.example',
    'https:',
    "'self'",
    'null',
    'data:',
    '',
  ].map(
    (origin) =>
      [`the origin "${origin}"`, { embedding: { origins: [portal, origin] } }, 'Embedding/Origins/1'] as const,
  ),
]

for (const [what, overrides, member] of refused)
  test(`a page for frames is refused beside ${what}`, (t) => {
    const problems = [...embeddingProblems(options(overrides))]
    t.deepEqual(
      problems.map((problem) => problem.member),
      [member],
    )
    for (const { problem, remedy } of problems) t.true(problem.length > 10 && remedy.length > 10)
  })

test('nothing is refused that goes together, nor anything where nothing is embedded', (t) => {
  for (const overrides of [
    {},
    { securityHeaders: 'Strict' },
    { contentSecurityPolicy: "default-src 'self'" },
    { profile: 'Baseline', dpop: false },
    { embedding: { origins: ['https://app.example', 'https://192.0.2.7:8443'] } },
  ] as const)
    t.deepEqual([...embeddingProblems(options(overrides))], [])
  const { embedding: _, ...plain } = options()
  t.deepEqual([...embeddingProblems({ ...plain, securityHeaders: 'None', cors: { origins: [portal] } })], [])
})

for (const [own, policy] of [
  [undefined, 'frame-ancestors https://portal.example https://intranet.example:8443'],
  ["default-src 'self'", "default-src 'self'; frame-ancestors https://portal.example https://intranet.example:8443"],
] as const)
  test(`the page names exactly those origins, ${own === undefined ? 'in the preset' : 'beside a policy of its own'}`, async (t) => {
    const set = createSecurityHeaders(options(own === undefined ? {} : { contentSecurityPolicy: own }))
    const server = await listening((request, response) => {
      set(request, response)
      response.end()
    })
    t.teardown(server.close)
    const { headers } = await call(server.url, '/')
    const sent = String(headers['content-security-policy'])
    t.true(own === undefined ? sent.split(';').includes(policy) : sent === policy, sent)
    t.is(headers['x-frame-options'], undefined)
    t.is(headers['x-content-type-options'], 'nosniff')
  })

test('every cookie of an embedded frontend is None, Secure, Partitioned and keeps its name', async (t) => {
  const world = await aPlantedGateway(t, {
    frontends: [options({ session: { idle: 60, absolute: 600, sliding: true, refreshGracePeriod: 1 } })],
  })
  const frontend = createFrontend(options())
  t.is(frontend.sessionCookie, '__Host-Http-bff-app')
  const framed = { sameSite: 'none', partitioned: true } as const
  t.deepEqual(frontend.cookieReach, { session: framed, login: framed })
  const { cookie } = await world.plant()
  const ended = await world.call('/bff/logout', {
    method: 'POST',
    headers: { ...ownPage, Cookie: `${cookie}; ${frontend.transactionCookie}abcdefgh=x` },
  })
  const cookies = ended.headers['set-cookie'] ?? []
  t.is(cookies.length, 3, 'session, login under way, count of logins')
  for (const field of cookies)
    t.regex(
      field,
      /^__Host-Http-bff-app(?=.*samesite=none)(?=.*; secure)(?=.*; httponly)(?=.*; partitioned)(?=.*path=\/(?:;|$))/i,
    )
})

test('one frontend’s embedding is no other’s', async (t) => {
  const { embedding: _, ...plain } = options({ name: 'admin', pathPrefix: '/admin' })
  const world = await aPlantedGateway(t, { frontends: [options(), plain] })
  for (const [name, path, sameSite] of [
    ['app', '/bff/logout', /samesite=none.*partitioned/i],
    ['admin', '/admin/bff/logout', /samesite=strict(?!.*partitioned)/i],
    ['app', '/bff/logout', /samesite=none.*partitioned/i],
  ] as const) {
    const { cookie } = await world.plant(name)
    const { headers } = await world.call(path, { method: 'POST', headers: { ...ownPage, Cookie: cookie } })
    t.regex(headers['set-cookie']?.find((field) => field.startsWith(`__Host-Http-bff-${name}=`)) ?? '', sameSite)
  }
})

const answers: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ['says nothing', {}, ['ours']],
  ['has a policy', { 'Content-Security-Policy': "default-src 'none'" }, ["default-src 'none'", 'ours']],
  ['lets any page frame it', { 'Content-Security-Policy': 'frame-ancestors *' }, ['frame-ancestors *', 'ours']],
  ['refuses frames', { 'X-Frame-Options': 'DENY' }, []],
  ['refuses frames of others', { 'X-Frame-Options': 'SameOrigin' }, []],
  ['means nothing by the older field', { 'X-Frame-Options': 'ALLOWALL' }, ['ours']],
  [
    'says both',
    { 'X-Frame-Options': 'DENY', 'Content-Security-Policy': 'frame-ancestors *' },
    ['frame-ancestors *', 'ours'],
  ],
]

for (const [what, headers, policies] of answers)
  test(`an API that ${what} is framed by those origins at most`, async (t) => {
    const upstream = await listening((_request, response) => response.writeHead(200, headers).end('page'))
    t.teardown(upstream.close)
    const routes = [aRoute({ upstreams: [upstream.url], tokenType: 'None' })]
    const world = await aPlantedGateway(t, { frontends: [options({ routes })] })
    const answer = await fetch(new URL('/api/x', world.on.url))
    const ours = `frame-ancestors ${embedding.origins.join(' ')}`
    t.is(answer.headers.get('content-security-policy') ?? '', policies.map((p) => (p === 'ours' ? ours : p)).join(', '))
    t.is(answer.headers.get('x-frame-options'), headers['X-Frame-Options'] ?? null)
    t.is(refusesFrames(Object.fromEntries(answer.headers)), policies.length === 0)
  })
