import test from 'ava'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { problemsOf } from './_workspace.js'

/* Every rule that has no place among the misconfigurations: what breaks it, where it is said, and in which words. */

const key = generateSigningJwk('ES256')
const hash = '$scrypt$ln=15,r=8,p=3$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr+Twy6xb0+3Q97sTUiOk'
const frontend = { Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: key }
const bff = { Authority: 'https://auth.example.com', PublicUrl: 'https://app.example.com', Frontends: [frontend] }
const route = { Path: '/api', Upstreams: ['http://orders:8080'] }
const application = {
  ClientId: 'other',
  SigningKeyJwk: publicHalf(key),
  Permissions: ['gt:authorization_code'],
  RedirectUris: ['https://other.example.com/callback'],
}
const server = { Issuer: 'https://auth.example.com' }

const withFrontend = (more: object) => ({ Bff: { ...bff, Frontends: [{ ...frontend, ...more }] } })
const withRoute = (more: object) => withFrontend({ Routes: [{ ...route, ...more }] })
const withServer = (more: object) => ({ OpenIddict: { ...server, ...more } })
const withSeeding = (more: object) => withServer({ Seeding: more })

const broken = test.macro({
  title: (title = '') => title,
  async exec(t, configuration: object, pointer: string, words: RegExp) {
    const problems = await problemsOf(t, configuration)
    const text = problems.map((each) => `${each.pointer}: ${each.problem}. ${each.remedy}`).join('\n')
    t.deepEqual(
      problems.map((each) => each.pointer),
      [pointer],
      text,
    )
    t.regex(text, words)
  },
})

test(
  'a forwarded host that no proxy may forward',
  broken,
  { Bff: bff, Server: { TrustForwardedHost: true } },
  '/Server/TrustForwardedHost',
  /no proxy is trusted.*Server\.TrustedProxies/s,
)
test('nothing to run', broken, {}, '', /describes nothing to run/)
test(
  'a gateway without frontends',
  broken,
  { Bff: { PublicUrl: 'https://app.example.com' } },
  '/Bff/Frontends',
  /missing/,
)
test('a file that is a list', broken, [], '', /is a list; an object goes here/)
test(
  'two names for one section',
  broken,
  { OpenIddict: server, AuthorizationServer: server },
  '/AuthorizationServer',
  /same section/,
)
test(
  'the admin listener where browsers are',
  broken,
  { Server: { Listen: '127.0.0.1:80', AdminListen: '127.0.0.1:80' }, Bff: bff },
  '/Server/AdminListen',
  /address that browsers use/,
)
test(
  'an admin token that could be guessed',
  broken,
  { Server: { AdminListen: '127.0.0.1:9464', AdminToken: 'too short' }, Bff: bff },
  '/Server/AdminToken',
  /fewer than 32/,
)
test(
  'an admin token without a listener',
  broken,
  { Server: { AdminToken: '0123456789abcdefghijklmnopqrstuv' }, Bff: bff },
  '/Server/AdminToken',
  /opens nothing/,
)
test(
  'a Redis URL of another kind',
  broken,
  { Store: { Redis: { Url: 'http://redis' } }, Bff: { ...bff, SealingKeys: [Buffer.alloc(32).toString('base64url')] } },
  '/Store/Redis/Url',
  /not a Redis URL/,
)
const withRedis = (more: object) => ({
  Store: { Redis: more },
  Bff: { ...bff, SealingKeys: [Buffer.alloc(32).toString('base64url')] },
})
const sentinels = { Topology: 'Sentinel', Nodes: ['redis://one:26379'], Sentinel: { Name: 'main' } }
const redisCases: readonly (readonly [string, object, string, RegExp])[] = [
  ['one Redis without an address', {}, '/Store/Redis/Url', /is missing/],
  [
    'one Redis with several nodes',
    { Url: 'redis://one', Nodes: ['redis://two'] },
    '/Store/Redis/Nodes',
    /single server/,
  ],
  ['Sentinels without an address', { ...sentinels, Nodes: [] }, '/Store/Redis/Nodes', /no Sentinel/],
  [
    'Sentinels without the name of a primary',
    { ...sentinels, Sentinel: undefined },
    '/Store/Redis/Sentinel',
    /under a name/,
  ],
  [
    'a Sentinel beside a cluster',
    { ...sentinels, Topology: 'Cluster' },
    '/Store/Redis/Sentinel',
    /no meaning for Topology Cluster/,
  ],
  ['a cluster without nodes', { Topology: 'Cluster' }, '/Store/Redis/Nodes', /no node/],
  ['a node without a scheme', { ...sentinels, Nodes: ['one:26379'] }, '/Store/Redis/Nodes/0', /not a Redis URL/],
  ['a password in a node', { ...sentinels, Nodes: ['redis://:p@one'] }, '/Store/Redis/Nodes/0', /user or password/],
  [
    'a second database of a cluster',
    { Topology: 'Cluster', Nodes: ['redis://one'], Database: 1 },
    '/Store/Redis/Database',
    /the only one/,
  ],
  [
    'a certificate without its key',
    { Url: 'rediss://one', CertFile: './frontends.json' },
    '/Store/Redis/KeyFile',
    /missing beside/,
  ],
  ['a file that is not there', { Url: 'rediss://one', CaFile: './gone.pem' }, '/Store/Redis/CaFile', /not there/],
]
for (const [title, more, pointer, words] of redisCases) test(`Redis: ${title}`, broken, withRedis(more), pointer, words)

test(
  'an endless drain',
  broken,
  { Server: { DrainTimeout: '01:00:00' }, Bff: bff },
  '/Server/DrainTimeout',
  /ten minutes/,
)
test(
  'an endless drain delay',
  broken,
  { Server: { DrainDelay: '01:00:00' }, Bff: bff },
  '/Server/DrainDelay',
  /two minutes/,
)
test(
  'a header that may take for ever',
  broken,
  { Server: { Limits: { HeadTimeout: '00:00:00' } }, Bff: bff },
  '/Server/Limits/HeadTimeout',
  /between a second and an hour/,
)
test(
  'a fall-back to plain requests',
  broken,
  withFrontend({ RequirePushedAuthorizationRequests: false }),
  '/Bff/Frontends/0/RequirePushedAuthorizationRequests',
  /no fall-back/,
)
test(
  'a secret that is not used',
  broken,
  withFrontend({ ClientSecret: 'hush' }),
  '/Bff/Frontends/0/ClientSecret',
  /is not used/,
)
test(
  'no authorization server',
  broken,
  { Bff: { PublicUrl: bff.PublicUrl, Frontends: [frontend] } },
  '/Bff/Authority',
  /is missing/,
)
test(
  'no client identifier',
  broken,
  { Bff: { ...bff, Frontends: [{ Name: 'app', ClientSigningKeyJwk: key }] } },
  '/Bff/Frontends/0/ClientId',
  /is missing/,
)
test(
  'no public URL, and none that could be told',
  broken,
  { Server: { Listen: '0.0.0.0:3000' }, Bff: { Authority: bff.Authority, Frontends: [frontend] } },
  '/Bff/PublicUrl',
  /cannot be told from listening on 0\.0\.0\.0:3000/,
)
test(
  'a prefix that hides endpoints',
  broken,
  withFrontend({ PathPrefix: '/bff' }),
  '/Bff/Frontends/0/PathPrefix',
  /segment "bff"/,
)
test('a prefix with a way up', broken, withFrontend({ PathPrefix: '/a/..' }), '/Bff/Frontends/0/PathPrefix', /prefix/)
test(
  'a session of seconds',
  broken,
  { Bff: { ...bff, SessionDuration: '00:00:08' } },
  '/Bff/SessionDuration',
  /less than a minute/,
)
test(
  'a refresh on every call',
  broken,
  { Bff: { ...bff, RefreshGracePeriod: '01:00:00' } },
  '/Bff/RefreshGracePeriod',
  /on every call/,
)
test(
  'a frontend whose session outlives itself',
  broken,
  withFrontend({ SessionDuration: '23:00:00' }),
  '/Bff/Frontends/0/SessionDuration',
  /longer than the absolute limit/,
)
test(
  'scopes in one text',
  broken,
  withFrontend({ Scopes: ['openid', 'profile email'] }),
  '/Bff/Frontends/0/Scopes/1',
  /name of one scope/,
)
test(
  'an application in two places',
  broken,
  withFrontend({ ClientUrl: 'https://www.example.com', DevelopmentServer: 'http://localhost:5173' }),
  '/Bff/Frontends/0/DevelopmentServer',
  /both say where/,
)
test(
  'a landing page on another origin',
  broken,
  withFrontend({ PostLoginRedirectPath: '//evil.example' }),
  '/Bff/Frontends/0/PostLoginRedirectPath',
  /not a path on this origin/,
)
test(
  'a landing page behind a backslash',
  broken,
  withFrontend({ ErrorRedirectPath: '/\\evil.example' }),
  '/Bff/Frontends/0/ErrorRedirectPath',
  /not a path on this origin/,
)
test(
  'an origin with a path',
  broken,
  withFrontend({ Cors: { Origins: ['https://www.example.com/app'] } }),
  '/Bff/Frontends/0/Cors/Origins/0',
  /more than an origin/,
)
test(
  'an origin in the clear',
  broken,
  withFrontend({ Cors: { Origins: ['http://www.example.com'] } }),
  '/Bff/Frontends/0/Cors/Origins/0',
  /plain http/,
)
test(
  'a pattern for whose pages may frame it',
  broken,
  withFrontend({ PublicUrl: 'https://app.example.com', Embedding: { Origins: ['https://*.portal.example'] } }),
  '/Bff/Frontends/0/Embedding/Origins/0',
  /not exactly one https origin/,
)
test(
  'a page for frames without headers',
  broken,
  withFrontend({
    PublicUrl: 'https://app.example.com',
    Embedding: { Origins: ['https://portal.example'] },
    SecurityHeaders: 'None',
  }),
  '/Bff/Frontends/0/SecurityHeaders',
  /any site could show/,
)
test(
  'one route twice',
  broken,
  withFrontend({ Routes: [route, { ...route, Path: '/api/x' }, route] }),
  '/Bff/Frontends/0/Routes/2/Path',
  /never used/,
)
test('a route over endpoints', broken, withRoute({ Path: '/bff/x' }), '/Bff/Frontends/0/Routes/0/Path', /below \/bff/)
test(
  'an upstream with a query',
  broken,
  withRoute({ Upstreams: ['http://orders/?x=1'] }),
  '/Bff/Frontends/0/Routes/0/Upstreams/0',
  /query/,
)
test(
  'an upstream with a password',
  broken,
  withRoute({ Upstreams: ['http://user:hush@orders/'] }),
  '/Bff/Frontends/0/Routes/0/Upstreams/0',
  /not an absolute http or https URL/,
)
test(
  'a resource that is no URI',
  broken,
  withRoute({ Resource: 'orders' }),
  '/Bff/Frontends/0/Routes/0/Resource',
  /RFC 8707/,
)
test(
  'a certificate without its key',
  broken,
  withRoute({ Upstreams: ['https://orders'], Tls: { CertFile: 'frontends.json' } }),
  '/Bff/Frontends/0/Routes/0/Tls',
  /without its key/,
)
test(
  'scopes of no token',
  broken,
  withRoute({ TokenType: 'None', Scopes: ['orders'] }),
  '/Bff/Frontends/0/Routes/0/TokenType',
  /no token/,
)
test(
  'a method in small letters',
  broken,
  withRoute({ Methods: ['get'] }),
  '/Bff/Frontends/0/Routes/0/Methods/0',
  /capitals/,
)
test(
  'an issuer with a slash',
  broken,
  withServer({ Issuer: 'https://auth.example.com/' }),
  '/OpenIddict/Issuer',
  /slash/,
)
test('an issuer in the clear', broken, withServer({ Issuer: 'http://auth.example.com' }), '/OpenIddict/Issuer', /http/)
test('an issuer with a query', broken, withServer({ Issuer: 'https://a.example?x' }), '/OpenIddict/Issuer', /RFC 8414/)
test(
  'access tokens for a day',
  broken,
  withServer({ AccessTokenLifetime: '1.00:00:00' }),
  '/OpenIddict/AccessTokenLifetime',
  /an hour/,
)
test(
  'refresh tokens shorter than access tokens',
  broken,
  withServer({ RefreshTokenLifetime: '00:05:00' }),
  '/OpenIddict/RefreshTokenLifetime',
  /shorter/,
)
test(
  'two applications of one name',
  broken,
  withSeeding({ Applications: [application, application] }),
  '/OpenIddict/Seeding/Applications/1/ClientId',
  /too/,
)
test(
  'an application without a key',
  broken,
  withSeeding({ Applications: [{ ...application, SigningKeyJwk: null }] }),
  '/OpenIddict/Seeding/Applications/0/SigningKeyJwk',
  /is missing/,
)
test(
  'an application without a redirect URI',
  broken,
  withSeeding({ Applications: [{ ...application, RedirectUris: [] }] }),
  '/OpenIddict/Seeding/Applications/0/RedirectUris',
  /is missing/,
)
test(
  'a redirect URI in the clear',
  broken,
  withSeeding({ Applications: [{ ...application, RedirectUris: ['http://other.example.com/callback'] }] }),
  '/OpenIddict/Seeding/Applications/0/RedirectUris/0',
  /plain http/,
)
test(
  'a redirect URI with a fragment',
  broken,
  withSeeding({ Applications: [{ ...application, RedirectUris: ['https://other.example.com/#x'] }] }),
  '/OpenIddict/Seeding/Applications/0/RedirectUris/0',
  /fragment/,
)
test(
  'a permission outside the profile',
  broken,
  withSeeding({ Applications: [{ ...application, Permissions: ['gt:password'] }] }),
  '/OpenIddict/Seeding/Applications/0/Permissions/0',
  /outside the FAPI 2\.0/,
)
test(
  'two users of one name',
  broken,
  withSeeding({
    Users: [
      { Username: 'alice', PasswordHash: hash },
      { Username: 'Alice', PasswordHash: hash, Claims: { sub: '2' } },
    ],
  }),
  '/OpenIddict/Seeding/Users/1/Username',
  /too/,
)
test(
  'two users of one subject',
  broken,
  withSeeding({
    Users: [
      { Username: 'alice', PasswordHash: hash },
      { Username: 'bob', PasswordHash: hash, Claims: { sub: 'alice' } },
    ],
  }),
  '/OpenIddict/Seeding/Users/1/Claims/sub',
  /one person/,
)
test(
  'a user that is called like a client',
  broken,
  withSeeding({ Applications: [application], Users: [{ Username: 'other', PasswordHash: hash }] }),
  '/OpenIddict/Seeding/Users/0/Username',
  /ClientId of an application/,
)
test(
  'a subject that is a number',
  broken,
  withSeeding({ Users: [{ Username: 'alice', PasswordHash: hash, Claims: { sub: 1 } }] }),
  '/OpenIddict/Seeding/Users/0/Claims/sub',
  /not a text/,
)
test(
  'one scope twice',
  broken,
  withSeeding({ Scopes: [{ Name: 'orders' }, { Name: 'orders' }] }),
  '/OpenIddict/Seeding/Scopes/1/Name',
  /too/,
)
test(
  'two servers at one address',
  broken,
  { Server: { Listen: '127.0.0.1:3000' }, Bff: bff, OpenIddict: { ...server, Listen: '127.0.0.1:3000' } },
  '/OpenIddict/Listen',
  /where the frontends are served/,
)
test(
  'the sample API at an address that is taken',
  broken,
  {
    Server: { Listen: '127.0.0.1:3000' },
    Bff: bff,
    Authentication: { OpenIddict: { Listen: '127.0.0.1:3000', Issuer: 'https://auth.example.com', Audience: 'api' } },
  },
  '/Authentication/OpenIddict/Listen',
  /taken/,
)
for (const Listen of ['0.0.0.0:3002', '[::]:3002', '10.0.0.7:3002', 'api:3002', '127.0.0.1:0'])
  test(
    `the sample API at ${Listen} without a name`,
    broken,
    { Authentication: { OpenIddict: { Listen, Issuer: 'https://auth.example.com', Audience: 'api' } } },
    '/Authentication/OpenIddict/PublicUrl',
    /is missing/,
  )
test(
  'a name of the sample API that is more than that',
  broken,
  {
    Authentication: {
      OpenIddict: { PublicUrl: 'http://api:3002/?a', Issuer: 'https://auth.example.com', Audience: 'api' },
    },
  },
  '/Authentication/OpenIddict/PublicUrl',
  /has a query/,
)
test(
  'frontend and issuer that nothing tells apart',
  broken,
  {
    Bff: { PublicUrl: 'https://app.example.com', Frontends: [{ Name: 'app' }] },
    OpenIddict: { Issuer: 'https://app.example.com' },
  },
  '/OpenIddict/Issuer',
  /never reached/,
)
test(
  'an API without an issuer',
  broken,
  { Authentication: { OpenIddict: { Audience: 'api' } } },
  '/Authentication/OpenIddict/Issuer',
  /is missing/,
)
test(
  'an API with a clock of its own',
  broken,
  { Authentication: { OpenIddict: { Audience: 'api', Issuer: 'https://a.example' }, DPoP: { ClockSkew: '00:05:00' } } },
  '/Authentication/DPoP/ClockSkew',
  /10 and 60 seconds/,
)
test(
  'proofs for an hour',
  broken,
  {
    Authentication: {
      OpenIddict: { Audience: 'api', Issuer: 'https://a.example' },
      DPoP: { MaxProofLifetime: '01:00:00' },
    },
  },
  '/Authentication/DPoP/MaxProofLifetime',
  /ten minutes/,
)

test(
  'a sample API whose audience no token has',
  broken,
  { ...withServer({ Audience: 'other-api' }), Authentication: { OpenIddict: { Audience: 'my-api' } } },
  '/Authentication/OpenIddict/Audience',
  /in no access token.*"other-api"/,
)
test(
  'a resource that is no URI among the permissions',
  broken,
  withSeeding({ Applications: [{ ...application, Permissions: [...application.Permissions, 'rsrc:orders'] }] }),
  '/OpenIddict/Seeding/Applications/0/Permissions/1',
  /absolute URI.*Resources of a scope/,
)

const ownRoute = { ...route, Resource: 'https://orders.example.com', Scopes: ['orders'] }
const withOwnRoute = (Scopes: readonly object[]) => ({
  Bff: { ...bff, Frontends: [{ ...frontend, Routes: [ownRoute], Scopes: ['openid', 'orders'] }] },
  OpenIddict: {
    ...server,
    Seeding: {
      Scopes,
      Applications: [
        {
          ClientId: 'my-bff',
          Permissions: [
            ...['ept:authorization', 'ept:pushed_authorization', 'ept:token', 'gt:authorization_code'],
            ...['scp:openid', 'scp:orders'],
          ],
        },
      ],
    },
  },
})
test(
  'a route for an API that the permissions do not lead to',
  broken,
  withOwnRoute([{ Name: 'openid', Resources: ['https://orders.example.com'] }]),
  '/OpenIddict/Seeding/Applications/0/Permissions',
  /Add "rsrc:https:\/\/orders\.example\.com"/,
)
test('a route for an API that its scope is declared for', async (t) => {
  t.deepEqual(await problemsOf(t, withOwnRoute([{ Name: 'orders', Resources: ['https://orders.example.com'] }])), [])
})

test(
  'logins that are limited within no time',
  broken,
  { Bff: { ...bff, LoginLimits: { Window: '00:00:00' } } },
  '/Bff/LoginLimits/Window',
  /nothing would be limited/,
)
test(
  'sign-ins that are limited within no time',
  broken,
  withServer({ SignInLimits: { Window: '00:00:00' } }),
  '/OpenIddict/SignInLimits/Window',
  /nothing would be limited.*00:15:00/,
)
test(
  'a theme for the gateway that is not there',
  broken,
  { Bff: { ...bff, Branding: { ThemeFile: 'missing.css' } } },
  '/Bff/Branding/ThemeFile',
  /missing\.css/,
)

for (const [what, more, pointer, words] of [
  ['a rule about no claim', { Claim: 'realm_access..roles', AnyOf: ['staff'] }, '0/Claim', /not the name of a claim/],
  ['a rule about an empty path', { Claim: [], AnyOf: ['staff'] }, '0/Claim', /is empty/],
  ['a rule that no value satisfies', { Claim: 'roles', AnyOf: [] }, '0/AnyOf', /is empty/],
] as const) {
  test(what, broken, withFrontend({ Access: [more] }), `/Bff/Frontends/0/Access/${pointer}`, words)
  test(
    `${what}, on a route`,
    broken,
    withRoute({ Access: [more] }),
    `/Bff/Frontends/0/Routes/0/Access/${pointer}`,
    words,
  )
}
for (const TokenType of ['None', 'UserOrNone'])
  test(
    `a rule about users on a route with TokenType ${TokenType}`,
    broken,
    withRoute({ Access: [{ Claim: 'roles', AnyOf: ['staff'] }], TokenType }),
    '/Bff/Frontends/0/Routes/0/Access',
    /lets in callers who have not signed in.*TokenType "User"/s,
  )
test('rules on a frontend, and on routes for users and of the gateway itself, are in order', async (t) => {
  const Access = [
    { Claim: 'realm_access.roles', AnyOf: ['staff', 'chief'] },
    { Claim: ['https://example.com/roles'], AnyOf: ['staff'] },
  ]
  const Routes = ['User', 'Client'].map((TokenType) => ({ ...route, Path: `/${TokenType}`, Access, TokenType }))
  t.deepEqual(await problemsOf(t, withFrontend({ Access, Routes })), [])
})
test(
  'a rule with a misspelled member',
  broken,
  withFrontend({ Access: [{ Claim: 'roles', AnyOff: ['staff'], AnyOf: ['staff'] }] }),
  '/Bff/Frontends/0/Access/0/AnyOff',
  /AnyOf/,
)
