import test from 'ava'
import { durationOf, seconds } from '../../src/config/duration.js'
import { optionProblems } from '../../src/gateway/check-options.js'
import type { GatewayOptions } from '../../src/gateway/options.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { atOnce } from '../../src/slices.js'
import { load, problemsOf } from './_workspace.js'

/* What the file says of a gateway and what `createGateway` is given are held to one rule: each refuses what the other does. */

type Json = { [member: string]: Json } | Json[] | string | number | boolean | null

const file: Json = JSON.parse(
  JSON.stringify({
    Bff: {
      PublicUrl: 'https://app.example',
      Authority: 'https://auth.example',
      LoginLimits: { PerAddress: 5, Window: '00:01:00' },
      Frontends: [
        {
          Name: 'app',
          Hosts: ['app.example', 'www.app.example'],
          ClientId: 'my-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Scopes: ['openid'],
          PostLoginRedirectPath: '/',
          PostLogoutRedirectPath: '/',
          ErrorRedirectPath: '/oops',
          ContentSecurityPolicy: "default-src 'self'",
          ClientUrl: 'https://www.app.example',
          Cors: { Origins: ['https://page.example'] },
          Routes: [
            {
              Path: '/api',
              Upstreams: ['http://orders:8080'],
              Methods: ['GET'],
              Resource: 'https://orders.example',
              Scopes: ['orders'],
              BodyLimit: 1,
              ReplayLimit: 1,
              Retries: 1,
              Timeouts: { Connect: '00:00:01', ResponseHeaders: '00:00:01', Idle: '00:00:01', Total: '00:00:01' },
              HealthCheck: { Path: '/up', Interval: '00:00:01', Timeout: '00:00:01' },
              CircuitBreaker: { Failures: 1, OpenFor: '00:00:01' },
              WebSocket: { PingInterval: '00:00:01' },
            },
            { Path: '/other', Upstreams: ['http://other:8080'] },
          ],
        },
        {
          Name: 'admin',
          PathPrefix: '/admin',
          ClientId: 'admin-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          DevelopmentServer: 'http://localhost:5173',
        },
      ],
    },
  }),
)

const paths = [
  '',
  '/',
  '/x',
  '/x/',
  '//x',
  '/..',
  '/a/../b',
  '/.',
  '/bff',
  '/BFF/x',
  '/bff/user',
  '/bffx',
  '/x?y',
  '/x#y',
]
const otherPaths = [
  '/%2e',
  '/x*',
  '/größe',
  '/a b',
  '/a\\b',
  '/\t/host',
  '/Other',
  '/other/',
  'x',
  '/admin',
  '/admin/x',
]
const names = [
  '',
  ' ',
  'app',
  'APP',
  'Admin',
  'a.b',
  'a b',
  'größe',
  '-a',
  'a'.repeat(33),
  'a~n',
  'a\n',
  ' a',
  'openid',
  'a"b',
]
const hosts = [
  '',
  'App.example',
  'a.example:8443',
  '*.example',
  'https://a.example',
  'a_b.example',
  '[::1]:80',
  'a.example/',
]
const urls = [
  ...['https://a.example', 'http://a.example', 'https://a.example/x', 'https://a.example/?x', 'https://a.example/#x'],
  ...['https://u:p@a.example', 'http://localhost:5', 'ftp://a.example', 'https://x.app.example', 'http://0.0.0.0:1'],
  ...['http://[::]:1', 'http://other:8080', 'https://app.example.evil.example'],
]
const counts = [-1, 0, 1, 5, 6, 1.5, 2 ** 53]
const periods = [0, 1, 60]
const policies = ['', "default-src 'none'", 'a\nb', 'größe', 'a\u0000']

type Kind = 'text' | 'url' | 'duration' | 'number'

/** A setting, the option that it becomes, and what both are given. */
const rows: readonly (readonly [setting: string, option: string, kind: Kind, values: readonly (string | number)[]])[] =
  [
    ['/Bff/Frontends/1/Name', '/frontends/1/name', 'text', names],
    ['/Bff/Frontends/1/PathPrefix', '/frontends/1/pathPrefix', 'text', [...paths, ...otherPaths]],
    ['/Bff/Frontends/0/Hosts/1', '/frontends/0/hosts/1', 'text', hosts],
    ['/Bff/Frontends/0/ClientId', '/frontends/0/clientId', 'text', names],
    ['/Bff/Frontends/0/Scopes/0', '/frontends/0/scopes/0', 'text', names],
    ['/Bff/Frontends/0/PostLoginRedirectPath', '/frontends/0/postLoginRedirectPath', 'text', [...paths, ...otherPaths]],
    [
      '/Bff/Frontends/0/PostLogoutRedirectPath',
      '/frontends/0/postLogoutRedirectPath',
      'text',
      [...paths, ...otherPaths],
    ],
    ['/Bff/Frontends/0/ErrorRedirectPath', '/frontends/0/errorRedirectPath', 'text', [...paths, ...otherPaths]],
    ['/Bff/Frontends/0/ContentSecurityPolicy', '/frontends/0/contentSecurityPolicy', 'text', policies],
    ['/Bff/Frontends/0/ClientUrl', '/frontends/0/clientUrl', 'url', urls],
    ['/Bff/Frontends/1/DevelopmentServer', '/frontends/1/developmentServer', 'url', urls],
    ['/Bff/Frontends/0/Cors/Origins/0', '/frontends/0/cors/origins/0', 'text', urls],
    ['/Bff/Frontends/0/Routes/0/Path', '/frontends/0/routes/0/path', 'text', ['/', ...paths, ...otherPaths]],
    [
      '/Bff/Frontends/0/Routes/0/Methods/0',
      '/frontends/0/routes/0/methods/0',
      'text',
      ['', 'GET', 'get', '*', 'M-SEARCH'],
    ],
    ['/Bff/Frontends/0/Routes/0/Upstreams/0', '/frontends/0/routes/0/upstreams/0', 'url', urls],
    ['/Bff/Frontends/0/Routes/0/Resource', '/frontends/0/routes/0/resource', 'text', ['orders', 'urn:x', ...urls]],
    ['/Bff/Frontends/0/Routes/0/Scopes/0', '/frontends/0/routes/0/scopes/0', 'text', names],
    ['/Bff/Frontends/0/Routes/0/BodyLimit', '/frontends/0/routes/0/bodyLimit', 'number', counts],
    ['/Bff/Frontends/0/Routes/0/ReplayLimit', '/frontends/0/routes/0/replayLimit', 'number', counts],
    ['/Bff/Frontends/0/Routes/0/Retries', '/frontends/0/routes/0/retries', 'number', counts],
    ...(['Connect', 'ResponseHeaders', 'Idle', 'Total'] as const).map(
      (name) =>
        [
          `/Bff/Frontends/0/Routes/0/Timeouts/${name}`,
          `/frontends/0/routes/0/timeouts/${name.charAt(0).toLowerCase()}${name.slice(1)}`,
          'duration',
          periods,
        ] as const,
    ),
    [
      '/Bff/Frontends/0/Routes/0/HealthCheck/Path',
      '/frontends/0/routes/0/healthCheck/path',
      'text',
      [...paths, ...otherPaths],
    ],
    [
      '/Bff/Frontends/0/Routes/0/HealthCheck/Interval',
      '/frontends/0/routes/0/healthCheck/interval',
      'duration',
      periods,
    ],
    ['/Bff/Frontends/0/Routes/0/HealthCheck/Timeout', '/frontends/0/routes/0/healthCheck/timeout', 'duration', periods],
    [
      '/Bff/Frontends/0/Routes/0/CircuitBreaker/Failures',
      '/frontends/0/routes/0/circuitBreaker/failures',
      'number',
      counts,
    ],
    [
      '/Bff/Frontends/0/Routes/0/CircuitBreaker/OpenFor',
      '/frontends/0/routes/0/circuitBreaker/openFor',
      'duration',
      periods,
    ],
    [
      '/Bff/Frontends/0/Routes/0/WebSocket/PingInterval',
      '/frontends/0/routes/0/webSocket/pingInterval',
      'duration',
      periods,
    ],
    ['/Bff/LoginLimits/Window', '/loginLimits/window', 'duration', periods],
  ]

function withAt(value: unknown, [first, ...rest]: readonly string[], replacement: unknown): unknown {
  if (first === undefined) return replacement
  if (Array.isArray(value))
    return value.map((item, at) => (String(at) === first ? withAt(item, rest, replacement) : item))
  const holder = { ...(value as Record<string, unknown>) }
  return { ...holder, [first]: withAt(holder[first], rest, replacement) }
}

const segments = (pointer: string): readonly string[] => pointer.slice(1).split('/')

for (const [setting, option, kind, values] of rows)
  test(`${setting} and ${option} are held to one rule`, async (t) => {
    const { gateway } = await load(t, file as object)
    t.deepEqual(atOnce(optionProblems(gateway as GatewayOptions)), [])
    const refused = new Set<boolean>()
    for (const value of values) {
      const written = kind === 'duration' ? durationOf(Number(value)) : value
      const given = kind === 'url' ? new URL(String(value)) : kind === 'duration' ? seconds(String(written)) : value
      const inFile = (await problemsOf(t, withAt(file, segments(setting), written) as object)).filter(
        ({ pointer }) => pointer === setting,
      )
      const inCode = atOnce(optionProblems(withAt(gateway, segments(option), given) as GatewayOptions)).filter(
        ({ pointer }) => pointer === option,
      )
      t.is(
        inCode.length > 0,
        inFile.length > 0,
        `${JSON.stringify(value)}: ${inFile[0]?.problem} / ${inCode[0]?.problem}`,
      )
      refused.add(inFile.length > 0)
    }
    t.true(refused.has(false), 'something passes')
  })
