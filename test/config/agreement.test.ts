import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { createAuthorizationServer } from '../../src/authorization-server/authorization-server.js'
import { check } from '../../src/cli/check.js'
import { type Configuration, readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { createGateway } from '../../src/gateway/gateway.js'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { createSampleApi } from '../../src/server/sample-api.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import { aFolder, problemsOf } from './_workspace.js'

/* What `sallyport check --offline` finds in order starts: the file's rules and the products' own are one list. */

type Json = { [member: string]: Json } | Json[] | string | number | boolean | null

const key = generateSigningJwk('ES256')
const passwordHash = '$scrypt$ln=4,r=8,p=1$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr+Twy6xb0+3Q97sTUiOk'
const written = {
  Server: { Listen: '127.0.0.1:3000', TrustedProxies: ['10.0.0.0/8'] },
  Bff: {
    PublicUrl: 'http://localhost:3000',
    SealingKeys: [randomBytes(32).toString('base64url')],
    SessionDuration: '01:00:00',
    Frontends: [
      {
        Name: 'app',
        Hosts: ['localhost:3000'],
        PathPrefix: '',
        ClientId: 'my-bff',
        ClientSigningKeyJwk: key,
        Scopes: ['openid', 'orders'],
        Access: [{ Claim: 'realm_access.roles', AnyOf: ['staff'] }],
        PostLoginRedirectPath: '/',
        ClientUrl: 'http://localhost:5173',
        Cors: { Origins: ['https://page.example.com'] },
        ContentSecurityPolicy: "default-src 'self'",
        Routes: [
          {
            Path: '/api',
            Upstreams: ['http://127.0.0.1:3002/base'],
            Resource: 'https://orders.example.com',
            Scopes: ['orders'],
            Access: [{ Claim: ['department'], AnyOf: ['finance'] }],
            Timeouts: { Idle: '00:01:00', Connect: '00:00:05' },
            HealthCheck: { Path: '/healthz', Interval: '00:00:10' },
            CircuitBreaker: { Failures: 5, OpenFor: '00:00:01' },
          },
        ],
      },
      { Name: 'admin', PathPrefix: '/admin' },
    ],
  },
  OpenIddict: {
    Issuer: 'http://localhost:3001',
    Audience: 'api',
    AccessTokenLifetime: '00:10:00',
    SessionLifetime: '08:00:00',
    ConsentLifetime: '08:00:00',
    SignInLimits: { PerUser: 5, Window: '00:15:00' },
    Seeding: {
      Applications: [
        {
          ClientId: 'other',
          SigningKeyJwk: publicHalf(key),
          Permissions: ['ept:token', 'gt:client_credentials', 'scp:orders', 'rsrc:https://stock.example.com'],
          RedirectUris: ['https://other.example.com/callback'],
          PostLogoutRedirectUris: ['https://other.example.com/'],
          BackchannelLogoutUri: 'https://other.example.com/ended',
          Audiences: ['orders-api'],
        },
      ],
      Users: [
        { Username: 'alice', PasswordHash: passwordHash, Claims: { sub: 'a1' } },
        { Username: 'bob', PasswordHash: passwordHash },
      ],
      Scopes: [{ Name: 'orders', DisplayName: 'Orders', Resources: ['https://orders.example.com', 'orders-api'] }],
    },
  },
  Authentication: { OpenIddict: { Audience: 'api' }, DPoP: { MaxProofLifetime: '00:01:00', ClockSkew: '00:00:10' } },
}

/** Complete and right. */
const right = JSON.parse(JSON.stringify(written)) as Json

const values: readonly Json[] = [
  ...[
    '',
    ' ',
    'my-api',
    'app',
    'App',
    'alice',
    'ALICE',
    'ａｌｉｃｅ',
    'a1',
    'other',
    'my-bff',
    'a b',
    'openid',
    'größe',
    '\n',
  ],
  ...['/', '/bff', '/BFF/x', '/..', '/a/../b', '/.', '/admin', '//x', '/api/', '/%2e', '/x?y', '/x#y'],
  ...['https://a.example', 'https://a.example/#x', 'https://a.example/#', 'https://a.example?x', 'http://a.example'],
  ...['https://u:p@a.example', 'http://a\\b', 'https://a.example/b', 'urn:x:y', 'http://localhost:3001', 'ftp://a'],
  ...['https://A.example', 'https://a.example:443', 'http://localhost', 'https://größe.example', 'https://a.example/ö'],
  ...['00:00:00', '00:00:01', '99:00:00', '1000.00:00:00', '0.0.0.0/0', '10/8', '::1/128', '127.0.0.1:0', '[::1]:3000'],
  ...['scp:a', 'scp:', 'rsrc:x', 'rsrc:https://a.example/#', 'gt:authorization_code', 'ept:token', 'EdDSA', 'RS256'],
  ...['$scrypt$ln=99,r=8,p=3$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr', '$scrypt$ln=1,r=8,p=3$x$y'],
  ...[0, 1, -1, 1e9, true, false, null],
  ...[[], ['a', 'a'], ['https://a.example/#'], ['my-api'], ['openid', 'openid']],
]

/** Leaves the place out. */
const absent = Symbol('absent')

function placesIn(value: Json, path: readonly string[] = []): (readonly string[])[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [path, ...inner.flatMap(([name, member]) => placesIn(member, [...path, name]))]
}

function withAt(value: Json, [first, ...rest]: readonly string[], replacement: Json | typeof absent): Json {
  if (first === undefined) return replacement === absent ? null : replacement
  if (typeof value !== 'object' || value === null) return value
  if (rest.length === 0 && replacement === absent) return without(value, first)
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === first ? withAt(item, rest, replacement) : item))
  return { ...value, [first]: withAt(value[first] ?? null, rest, replacement) }
}

function without(value: { [member: string]: Json } | Json[], gone: string): Json {
  if (Array.isArray(value)) return value.filter((_, index) => String(index) !== gone)
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== gone))
}

const places = placesIn(right).filter(({ length }) => length > 1)
const store = createMemoryStore()
const seal = createSeal([randomBytes(32)])
test.after.always(() => store.close())

/** As `start` does it, but for listening. */
async function provision({ gateway, authorizationServer, sampleApi }: Configuration): Promise<void> {
  if (authorizationServer)
    await (await createAuthorizationServer({ ...authorizationServer.options, store, seal })).close()
  if (gateway) await (await createGateway({ ...gateway, store, seal })).close()
  if (sampleApi) createSampleApi(sampleApi.verifier)
}

/** Whether `sallyport check --offline` finds it in order. */
async function isInOrder(file: string): Promise<boolean> {
  return check({ file, network: 'none', format: 'json', environment: {}, output: { write: () => true } })
}

/** Whether `sallyport start` would listen: all that it does before. */
async function starts(file: string): Promise<boolean> {
  try {
    await provision(readConfiguration({ file, environment: {} }))
    return true
  } catch (error) {
    if (error instanceof ConfigurationError) return false
    throw error
  }
}

test('whatever is changed or left out: check --offline accepts it and it starts, or neither', async (t) => {
  const file = join(await aFolder(t), 'frontends.json')
  const changes = fc.array(fc.tuple(fc.constantFrom(...places), fc.constantFrom(...values, absent)), {
    minLength: 1,
    maxLength: 2,
  })
  let started = 0
  await fc.assert(
    fc.asyncProperty(changes, async (all) => {
      const changed = all.reduce<Json>((value, [path, replacement]) => withAt(value, path, replacement), right)
      writeFileSync(file, JSON.stringify(changed))
      const [accepted, works] = [await isInOrder(file), await starts(file)]
      if (accepted !== works) throw new Error(`check says ${accepted}, start ${works}`)
      if (works) started += 1
    }),
    { numRuns: 500 },
  )
  t.true(started > 20, `${started} of 500 started`)
})

const found = test.macro({
  title: (_, path: string, value: Json) => `${path}: ${JSON.stringify(value)} is found before it starts`,
  async exec(t, path: string, value: Json) {
    const problems = await problemsOf(t, withAt(right, path.split('/').slice(1), value))
    t.deepEqual([...new Set(problems.map((each) => each.pointer))], [path])
  },
})

test(found, '/OpenIddict/SessionLifetime', '00:00:00')
test(found, '/OpenIddict/ConsentLifetime', '00:00:00')
test(found, '/OpenIddict/SignInLimits/Window', '00:00:00')
test(found, '/OpenIddict/Seeding/Users/0/Username', ' ')
test(found, '/OpenIddict/Seeding/Users/1/Username', 'ａｌｉｃｅ')
test(found, '/OpenIddict/Seeding/Users/0/PasswordHash', passwordHash.replace('ln=4', 'ln=99'))
test(found, '/OpenIddict/Seeding/Scopes/0/Name', 'or ders')
test(found, '/Bff/Frontends/0/Routes/0/Scopes/0', 'or ders')
test('names without the meaning of a URI are resources of a scope', async (t) => {
  t.deepEqual(
    await problemsOf(t, withAt(right, ['OpenIddict', 'Seeding', 'Scopes', '0', 'Resources', '0'], 'my-api')),
    [],
  )
})
