import test, { type ExecutionContext } from 'ava'
import { advice } from '../../src/cli/advice.js'
import { traceDestination } from '../../src/cli/trace-destination.js'
import { readConfiguration } from '../../src/config/load.js'
import { publicHalf } from '../../src/jose/jwk.js'
import { aFile } from '../config/_workspace.js'
import { aFrontend, key } from './_checked.js'

const passwordHash = '$scrypt$ln=15,r=8,p=3$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr+Twy6xb0+3Q97sTUiOk'
const rule = (Claim: string) => [{ Claim, AnyOf: ['x'] }]
const foreign = (Claim: string, Scopes: readonly string[]) =>
  aFrontend('https://auth.example.com', { Access: rule(Claim), Scopes })
const embedded = (Claim: string, Scopes: readonly string[], Claims: object = {}) => ({
  Bff: {
    PublicUrl: 'http://localhost:3000',
    Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: key, Access: rule(Claim), Scopes }],
  },
  OpenIddict: {
    Issuer: 'http://localhost:3001',
    Seeding: { Users: [{ Username: 'alice', PasswordHash: passwordHash, Claims }] },
  },
})

async function notesOn(t: ExecutionContext, content: object) {
  const file = await aFile(t, content)
  return advice(readConfiguration({ file, environment: {}, state: 'look' }))
}

for (const [what, content, result, remedy] of [
  ['a claim of a scope that is not asked for', foreign('email', ['openid']), /scope "email"/, /Add "email"/],
  ['a member of such a claim', foreign('address.country', ['openid']), /scope "address"/, /Add "address"/],
  ['a claim without openid', foreign('roles', ['orders']), /without the scope "openid"/, /Add "openid"/],
  ['the embedded server’s roles without their scope', embedded('roles', ['openid']), /scope "roles"/, /Add "roles"/],
  [
    'a claim that the embedded server does not give',
    embedded('groups', ['openid', 'roles'], { groups: ['x'] }),
    /gives no such claim/,
    /"roles"/,
  ],
  ['a claim that no user has', embedded('roles', ['openid', 'roles']), /no user/, /Seeding\.Users/],
] as const)
  test(`check notes ${what}`, async (t) => {
    const notes = await notesOn(t, content)
    t.is(notes.length, 1, JSON.stringify(notes))
    t.like(notes[0], { subject: '/Bff/Frontends/0/Access/0/Claim', outcome: 'noted' })
    t.regex(notes[0]?.result ?? '', result)
    t.regex(notes[0]?.remedy ?? '', remedy)
  })

for (const [what, content] of [
  ['a claim whose scope is asked for', foreign('email', ['openid', 'email'])],
  ['a claim that a foreign server may well give', foreign('realm_access.roles', ['openid'])],
  ['roles at a foreign server', foreign('roles', ['openid'])],
  ['a claim of the login', foreign('acr', ['openid'])],
  ['roles that a user has', embedded('roles', ['openid', 'roles'], { roles: ['x'] })],
  ['a claim that every user has', embedded('sub', ['openid'])],
] as const)
  test(`check notes nothing about ${what}`, async (t) => {
    t.deepEqual(await notesOn(t, content), [])
  })

const app = (settings: object, bff: object = {}) => {
  const { Bff } = aFrontend('https://auth.example.com', settings)
  return { Bff: { ...Bff, ...bff } }
}
const orders = { Path: '/api', Upstreams: ['https://orders.example.com'] }
const anApi = (settings: object) => ({ Routes: [{ ...orders, ...settings }] })

for (const [what, content, member, result, remedy] of [
  [
    'a limit that another one keeps from being reached',
    app({
      RateLimits: [
        { Requests: 10, Per: '00:01:00' },
        { Requests: 100, Per: '00:02:00' },
      ],
    }),
    'RateLimits/1',
    /10 in 60 s come before 100 in 120 s/,
    /lower its Requests/,
  ],
  [
    'a parameter of login links that is misspelt',
    app({ LoginParameters: ['acr_value'] }),
    'LoginParameters/0',
    /"acr_value"/,
    /"acr_values"/,
  ],
  [
    'a retired key that is the one that signs',
    app({ RetiredClientSigningKeyJwks: [key] }),
    'RetiredClientSigningKeyJwks/0',
    /changes nothing/,
    /former key/,
  ],
  [
    'a connection that may take longer than the whole call',
    app(anApi({ Timeouts: { Connect: '00:00:30', Total: '00:00:10' } })),
    'Routes/0/Timeouts/Connect',
    /is 30 s, and Timeouts\/Total is 10 s/,
    /the shorter one/,
  ],
  [
    'a health check that takes longer than the pause between two',
    app(anApi({ HealthCheck: { Path: '/health', Interval: '00:00:05', Timeout: '00:00:10' } })),
    'Routes/0/HealthCheck/Timeout',
    /is 10 s, and HealthCheck\/Interval is 5 s/,
    /the shorter one/,
  ],
  [
    'calls that do not count where none does',
    app(anApi({ CountsAsUse: false }), { UseSessionSlidingExpiration: false }),
    'Routes/0/CountsAsUse',
    /changes nothing/,
    /Leave out/,
  ],
  ['a rule about the token', app({ Access: rule('iss') }), 'Access/0/Claim', /the ID token/, /claim of the user/],
  [
    'a logout that leads to the login',
    app({ ...anApi({}), PostLogoutRedirectPath: '/api/bye' }),
    'PostLogoutRedirectPath',
    /needs a session/,
    /says goodbye/,
  ],
] as const)
  test(`check notes ${what}`, async (t) => {
    const notes = (await notesOn(t, content)).filter(({ subject }) => subject === `/Bff/Frontends/0/${member}`)
    t.is(notes.length, 1)
    t.regex(notes[0]?.result ?? '', result)
    t.regex(notes[0]?.remedy ?? '', remedy)
  })

test('check notes scopes of the embedded server that are declared nowhere', async (t) => {
  const content = (scope: string) => ({
    Bff: {
      PublicUrl: 'http://localhost:3000',
      Frontends: [{ Name: 'app', Scopes: ['openid', scope], Routes: [{ ...orders, Scopes: [scope] }] }],
    },
    OpenIddict: {
      Issuer: 'http://localhost:3001',
      Seeding: {
        Scopes: [{ Name: 'orders', Resources: ['https://orders.example.com'] }],
        Applications: [
          {
            ClientId: 'm',
            SigningKeyJwk: publicHalf(key),
            Permissions: ['ept:token', 'gt:client_credentials', `scp:${scope}`],
          },
        ],
      },
    },
  })
  const at = [
    '/Bff/Frontends/0/Scopes/1',
    '/Bff/Frontends/0/Routes/0/Scopes/0',
    '/OpenIddict/Seeding/Applications/0/Permissions/2',
  ]
  const noted = async (scope: string) =>
    (await notesOn(t, content(scope))).filter(({ result }) => result.includes('names the scope'))
  const close = await noted('ordrs')
  t.deepEqual(
    close.map(({ subject }) => subject),
    at,
  )
  for (const { remedy } of close) t.is(remedy, 'Did you mean "orders"?')
  for (const { remedy } of await noted('invoices')) t.regex(remedy ?? '', /Declare it there.*"Name": "invoices"/)
  t.deepEqual(await noted('orders'), [])
  t.deepEqual(await noted('roles'), [])
})

const two = (first: object, second: object) => {
  const [one] = app({ Routes: [{ ...orders, Path: '/admin/orders' }], ...first }).Bff.Frontends
  const [other] = app({ Name: 'two', ClientId: 'two', PathPrefix: '/admin', ...second }).Bff.Frontends
  return {
    Bff: { Authority: 'https://auth.example.com', PublicUrl: 'https://shop.example.com', Frontends: [one, other] },
  }
}

test('check notes a route that lies where another frontend of the same host answers', async (t) => {
  const [note, ...others] = await notesOn(t, two({}, {}))
  t.deepEqual(others, [])
  t.like(note, { subject: '/Bff/Frontends/0/Routes/0/Path', outcome: 'noted' })
  t.regex(note?.result ?? '', /never reached: what begins with \/admin is the frontend "two"/)
})

for (const [what, first, second] of [
  ['on another host', {}, { PublicUrl: 'https://admin.example.com' }],
  ['on one of two hosts', { Hosts: ['shop.example.com', 'www.example.com'] }, { Hosts: ['shop.example.com'] }],
  ['on any host, behind one that names it', {}, { Hosts: [] }],
  ['beside it', {}, { PathPrefix: '/adm' }],
  ['below it', { Routes: [{ ...orders, Path: '/admin' }] }, { PathPrefix: '/admin/two' }],
] as const)
  test(`check notes nothing about a route and a frontend ${what}`, async (t) => {
    t.deepEqual(
      (await notesOn(t, two(first, second))).filter(({ subject }) => subject.endsWith('/Path')),
      [],
    )
  })

test('check notes an origin of https with the port on which the gateway listens without', async (t) => {
  const on = (Server: object, PublicUrl: string) => ({ Server, ...app({}, { PublicUrl }) })
  const [note, ...others] = await notesOn(t, on({ Listen: '0.0.0.0:8080' }, 'https://app.example.com:8080'))
  t.deepEqual(others, [])
  t.like(note, { subject: '/Bff/PublicUrl', outcome: 'noted' })
  t.regex(note?.remedy ?? '', /"https:\/\/app\.example\.com"/)
  t.deepEqual(await notesOn(t, on({ Listen: '0.0.0.0:8080' }, 'https://app.example.com:8443')), [])
})

for (const [value, outcome, result] of [
  ['collector:4318', 'failed', /no URL of http/],
  ['grpc://collector:4317', 'failed', /no URL of http/],
  ['http://collector:4317', 'noted', /gRPC/],
  ['http://collector:4318', undefined, undefined],
  ['https://collector.example.com/otlp', undefined, undefined],
] as const)
  test(`check on traces that go to ${value}: ${outcome ?? 'nothing'}`, (t) => {
    for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) {
      const [note] = traceDestination({ [name]: value })
      t.is(note?.outcome, outcome)
      if (result !== undefined) t.regex(note?.result ?? '', result)
      if (note !== undefined) t.is(note.subject, name)
      // Where none are sent, where to does not matter.
      t.deepEqual(traceDestination({ [name]: value, OTEL_SDK_DISABLED: 'true' }), [])
      t.deepEqual(traceDestination({ [name]: value, OTEL_TRACES_EXPORTER: 'none' }), [])
    }
  })

test('check notes nothing about two limits that are both reached, and parameters that some server has', async (t) => {
  const content = app({
    RateLimits: [
      { Requests: 10, Per: '00:00:01' },
      { Requests: 100, Per: '00:01:00' },
      { Requests: 100, Per: '00:02:00', By: 'Address' },
    ],
    LoginParameters: ['acr_values', 'tenant'],
    AuthorizationParameters: { audience: 'orders' },
  })
  t.deepEqual(await notesOn(t, content), [])
})

test('check notes that sessions without refresh tokens leave nothing to revoke', async (t) => {
  const noted = async (Scopes: readonly string[]) => {
    const content = {
      Bff: {
        PublicUrl: 'http://localhost:3000',
        RevokeEndedSessions: true,
        Frontends: [{ Name: 'app', Scopes }],
      },
      OpenIddict: { Issuer: 'http://localhost:3001' },
    }
    return (await notesOn(t, content)).map(({ subject }) => subject)
  }
  t.true((await noted(['openid'])).includes('/Bff/RevokeEndedSessions'))
  t.false((await noted(['openid', 'offline_access'])).includes('/Bff/RevokeEndedSessions'))
})

test('check notes a Unix socket in a folder that is not there yet', async (t) => {
  const content = foreign('roles', ['openid'])
  const Server = { Listen: 'unix:./not-there/gateway.sock', TrustedProxies: ['127.0.0.1/32'] }
  const notes = await notesOn(t, { ...content, Server })
  t.deepEqual(
    notes.map(({ subject, outcome }) => `${outcome} ${subject}`),
    ['noted /Server/Listen'],
  )
  t.deepEqual(await notesOn(t, { ...content, Server: { ...Server, Listen: 'unix:./gateway.sock' } }), [])
})

test('check notes a balance over one upstream, and nothing over several servers or sockets', async (t) => {
  const noted = async (route: object) => {
    const Routes = [{ Path: '/api', Balance: 'Sticky', ...route }]
    const notes = await notesOn(t, aFrontend('https://auth.example.com', { Routes }))
    return notes.map(({ subject, result }) => `${subject} ${result}`)
  }
  t.deepEqual(await noted({ Upstreams: ['http://orders'] }), [
    '/Bff/Frontends/0/Routes/0/Balance changes nothing: is "Sticky", and there is one upstream',
  ])
  t.deepEqual(await noted({ Upstreams: ['http://orders'], Balance: 'RoundRobin' }), [])
  t.deepEqual(await noted({ Upstreams: ['http://orders-1', 'http://orders-2'] }), [])
  t.deepEqual(await noted({ Upstreams: ['http://orders'], Sockets: ['unix:/a.sock', 'unix:/b.sock'] }), [])
})

test('check notes an outgoing proxy by which nothing is called', async (t) => {
  const noted = async (authority: string, NoProxy: readonly string[]) => {
    const { Bff } = aFrontend(authority)
    const HttpProxy = { Url: 'http://proxy.example.com:3128', NoProxy }
    return (await notesOn(t, { Bff: { ...Bff, HttpProxy } })).map(({ subject }) => subject)
  }
  t.deepEqual(await noted('https://auth.example.com', []), [])
  t.deepEqual(await noted('https://auth.example.com', ['example.com']), ['/Bff/HttpProxy'])
  t.deepEqual(await noted('http://127.0.0.1:3001', []), ['/Bff/HttpProxy'])
})
