import { resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Finding } from '../../../src/cli/routes/audit.js'
import type { ListedFrontend } from '../../../src/cli/routes/route-list.js'
import { routes } from '../../../src/cli/routes/routes.js'
import { aFile, aFolder } from '../../config/_workspace.js'
import { key } from '../_checked.js'
import { sallyport } from '../_sallyport.js'

interface Listed {
  readonly frontends: readonly ListedFrontend[]
  readonly findings?: readonly Finding[]
}

const narrowRoute = {
  Path: '/api',
  Upstreams: ['https://orders.example.com'],
  Methods: ['GET', 'POST'],
  Scopes: ['orders'],
  RateLimits: [{ Requests: 600, Per: '00:01:00' }],
  BodyLimit: 1_048_576,
}
const narrowFrontend = { Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: key, UserClaims: ['sub'] }

/** A configuration with nothing to find, but for what a test changes. */
function aConfiguration(route: object = {}, frontend: object = {}, bff: object = {}): object {
  return {
    Bff: {
      Authority: 'https://auth.example.com',
      PublicUrl: 'https://app.example.com',
      Frontends: [{ ...narrowFrontend, Routes: [{ ...narrowRoute, ...route }], ...frontend }],
      ...bff,
    },
  }
}

async function listed(t: ExecutionContext, content: object, look: 'list' | 'audit' = 'audit'): Promise<Listed> {
  let text = ''
  const output = { write: (more: string) => (text += more) }
  await routes({ file: await aFile(t, content), format: 'json', look, environment: {}, output })
  return JSON.parse(text) as Listed
}

test('a route that is written as narrow as it can be has no finding', async (t) => {
  t.deepEqual((await listed(t, aConfiguration())).findings, [])
})

const without = (name: string) => ({ [name]: undefined })

for (const [what, content, pointer, finding] of [
  ['every method', aConfiguration(without('Methods')), '/Bff/Frontends/0/Routes/0/Methods', /every method/],
  [
    'a token with all scopes',
    aConfiguration(without('Scopes')),
    '/Bff/Frontends/0/Routes/0/Scopes',
    /openid profile email/,
  ],
  ['calls without a limit', aConfiguration(without('RateLimits')), '/Bff/Frontends/0/Routes/0/RateLimits', /as often/],
  ['bodies of any size', aConfiguration(without('BodyLimit')), '/Bff/Frontends/0/Routes/0/BodyLimit', /any size/],
  [
    'the gateway’s own token for every caller',
    aConfiguration({ TokenType: 'Client' }),
    '/Bff/Frontends/0/Routes/0/TokenType',
    /every caller who can reach \/api/,
  ],
  [
    'the gateway’s own token for callers without a session',
    aConfiguration({ TokenType: 'UserOrClient' }),
    '/Bff/Frontends/0/Routes/0/TokenType',
    /own rights/,
  ],
  [
    'changes without a session',
    aConfiguration({ TokenType: 'None', Scopes: undefined }),
    '/Bff/Frontends/0/Routes/0/TokenType',
    /takes POST without a session, from pages of other sites too/,
  ],
  [
    'changes without a session, by our page',
    aConfiguration({ TokenType: 'UserOrNone' }),
    '/Bff/Frontends/0/Routes/0/TokenType',
    /takes POST without a session$/,
  ],
  [
    'a token in clear',
    aConfiguration({ Upstreams: ['http://orders:8080'] }),
    '/Bff/Frontends/0/Routes/0/Upstreams/0',
    /in clear/,
  ],
  [
    'one token for two APIs',
    aConfiguration({}, { Routes: [narrowRoute, { ...narrowRoute, Path: '/b', Upstreams: ['https://b.example.com'] }] }),
    '/Bff/Frontends/0/Routes',
    /orders\.example\.com and https:\/\/b\.example\.com name no Resource/,
  ],
  [
    'pages of another origin',
    aConfiguration({}, { Cors: { Origins: ['https://www.example.com'] } }),
    '/Bff/Frontends/0/Cors/Origins',
    /pages of https:\/\/www\.example\.com/,
  ],
  ['every claim', aConfiguration({}, without('UserClaims')), '/Bff/Frontends/0/UserClaims', /every claim/],
  [
    'a page without a policy',
    aConfiguration({}, { SecurityHeaders: 'None', StaticFilesPath: resolve('samples/spa') }),
    '/Bff/Frontends/0/SecurityHeaders',
    /any origin/,
  ],
  [
    'two frontends on one origin',
    aConfiguration(
      {},
      {},
      {
        Frontends: [
          { ...narrowFrontend, Routes: [narrowRoute] },
          { ...narrowFrontend, Name: 'admin', PathPrefix: '/admin', Routes: [narrowRoute] },
        ],
      },
    ),
    '/Bff/Frontends/1/PathPrefix',
    /shares the origin https:\/\/app\.example\.com with "app"/,
  ],
  [
    'a development server in public',
    aConfiguration({}, { DevelopmentServer: 'http://localhost:5173' }),
    '/Bff/Frontends/0/DevelopmentServer',
    /development server/,
  ],
] as const)
  test(`routes --audit finds ${what}`, async (t) => {
    const { findings = [] } = await listed(t, content)
    t.deepEqual(
      findings.map((found) => found.pointer),
      [pointer],
    )
    t.regex(findings[0]?.finding ?? '', finding)
    t.not(findings[0]?.remedy ?? '', '')
  })

test('an access rule closes a route with the gateway’s own token, and a limit of the frontend counts for its routes', async (t) => {
  const rules = { Access: [{ Claim: 'roles', AnyOf: ['staff'] }] }
  const { findings, frontends } = await listed(t, aConfiguration({ TokenType: 'Client', ...rules }))
  t.deepEqual(findings, [])
  t.is(frontends[0]?.routes[0]?.session, 'required')
  const limited = aConfiguration(without('RateLimits'), { RateLimits: [{ Requests: 1, Per: '00:00:01' }] })
  t.deepEqual((await listed(t, limited)).findings, [])
})

test('routes lists what each lets through, the longest path first, with the frontend’s prefix', async (t) => {
  const { frontends, findings } = await listed(
    t,
    aConfiguration(
      {},
      {
        PathPrefix: '/shop',
        Routes: [narrowRoute, { Path: '/api/hook', Upstreams: ['https://b.example.com'], TokenType: 'None' }],
      },
    ),
    'list',
  )
  t.is(findings, undefined)
  const [frontend] = frontends
  t.like(frontend, {
    pointer: '/Bff/Frontends/0',
    name: 'app',
    url: 'https://app.example.com/shop/',
    requireLogin: 'Calls',
  })
  t.deepEqual(
    frontend?.routes.map(({ path, pointer, methods, tokenType, scheme, session, scopes }) => [
      path,
      pointer,
      methods,
      tokenType,
      scheme,
      session,
      scopes,
    ]),
    [
      ['/shop/api/hook', '/Bff/Frontends/0/Routes/1', [], 'None', 'none', 'none', []],
      ['/shop/api', '/Bff/Frontends/0/Routes/0', ['GET', 'POST'], 'User', 'DPoP', 'required', ['orders']],
    ],
  )
})

test.serial(
  'routes ends with 0, its audit with 2 when something is wide, and both with 1 without a configuration',
  async (t) => {
    const wide = ['--config', await aFile(t, aConfiguration(without('Methods')))]
    const list = await sallyport(['routes', ...wide])
    t.is(list.exitCode, 0)
    t.regex(list.stdout, /^ {2}\/api\n {4}methods +all but TRACE and CONNECT$/m)
    const audited = await sallyport(['routes', '--audit', ...wide])
    t.is(audited.exitCode, 2)
    t.regex(audited.stdout, /^wide {2}\/Bff\/Frontends\/0\/Routes\/0\/Methods is left out[^\n]*\n {6}→ Write those/m)
    t.is((await sallyport(['routes', '--audit', '--config', await aFile(t, aConfiguration())])).exitCode, 0)
    t.like(await sallyport(['routes'], { cwd: await aFolder(t) }), { exitCode: 1, stdout: '' })
  },
)
