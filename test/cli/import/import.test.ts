import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { check } from '../../../src/cli/check.js'
import { type ImportKind, importConfiguration } from '../../../src/cli/import/import.js'
import type { Note } from '../../../src/cli/import/imported.js'
import { readConfiguration } from '../../../src/config/load.js'
import type { GatewaySettings } from '../../../src/config/options/gateway-options.js'
import { generateSigningJwk } from '../../../src/jose/jwk.js'
import { aFolder } from '../../config/_workspace.js'
import { sallyport } from '../_sallyport.js'

interface Outcome {
  readonly folder: string
  readonly notes: readonly Note[]
  readonly told: string
  readonly text: string
  readonly gateway: GatewaySettings
}

/** Imports, checks what was written, and reads it. */
async function imported(
  t: ExecutionContext,
  kind: ImportKind,
  content: string | object,
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const folder = await aFolder(t)
  const file = join(folder, 'theirs')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  await mkdir(join(folder, 'spa'))
  await writeFile(join(folder, 'spa/index.html'), '')
  let told = ''
  const out = join(folder, 'frontends.json')
  const { notes } = await importConfiguration({ kind, file, out, output: { write: (text) => (told += text) } })
  let printed = ''
  const output = { write: (text: string) => (printed += text) }
  t.true(await check({ file: out, network: 'none', format: 'text', environment, output }), printed)
  const { gateway } = readConfiguration({ file: out, environment, state: 'look' })
  if (gateway === undefined) throw new Error('no gateway')
  return { folder, notes, told, text: await readFile(out, 'utf8'), gateway }
}

const named = (notes: readonly Note[], kind: Note['kind']) =>
  notes.filter((note) => note.kind === kind).map(({ setting }) => setting)

const key = JSON.stringify(generateSigningJwk('ES256'))

const fapi = {
  ClientAuthenticationMethod: 'PrivateKeyJwt',
  ClientSigningKeyJwk: key,
  UsePushedAuthorizationRequests: true,
  RequirePushedAuthorizationRequests: true,
  UseDPoP: true,
  ErrorRedirectPath: '/login',
}

const cluster = { orders: { Destinations: { a: { Address: 'http://orders:8080/v1/' } } } }

test('granit: a frontend with all of FAPI 2.0 is taken over under the same names, its key into a file', async (t) => {
  const { gateway, notes, folder, text, told } = await imported(t, 'granit', {
    Logging: { LogLevel: { Default: 'Information' } },
    Bff: {
      Authority: 'https://auth.example.com',
      SessionDuration: '01:00:00',
      SessionAbsoluteMaxDuration: '24:00:00',
      UseSessionSlidingExpiration: false,
      Frontends: [{ Name: 'admin', PathPrefix: '/admin', ClientId: 'admin-bff', StaticFilesPath: 'spa', ...fapi }],
    },
  })
  const [frontend] = gateway.frontends
  t.like(frontend, { name: 'admin', pathPrefix: '/admin', clientId: 'admin-bff', profile: 'Fapi2', dpop: true })
  t.like(frontend?.session, { idle: 3600, absolute: 86_400, sliding: false })
  t.deepEqual(frontend?.scopes, ['openid', 'profile', 'email', 'roles', 'offline_access'])
  t.deepEqual(named(notes, 'missing'), ['/Bff/PublicUrl'])
  t.deepEqual(named(notes, 'dropped'), [])
  t.is((await stat(join(folder, 'keys/admin.jwk'))).mode & 0o777, 0o600)
  const secret = (JSON.parse(key) as { d: string }).d
  t.false((text + told).includes(secret), 'no secret is in the configuration or on the terminal')
  t.regex(text, /^\/\/ Fill in:\n\/\/ {3}\/Bff\/PublicUrl: /m, 'what is to do stands in the file too')
})

test('granit: what is off where nothing is said is written as off, under the Baseline profile', async (t) => {
  const { gateway, notes, folder } = await imported(t, 'granit', {
    Bff: {
      Authority: 'https://auth.example.com',
      CsrfHmacKey: 'a'.repeat(44),
      Frontends: [{ Name: 'shop', ClientId: 'shop', ClientSecret: 's3cret', LoginPath: '/login', ClientSide: 'Both' }],
    },
  })
  const [frontend] = gateway.frontends
  t.like(frontend, { profile: 'Baseline', dpop: false, pushedAuthorizationRequests: false })
  t.like(frontend?.clientAuthentication, { method: 'client_secret_post', secret: 's3cret' })
  t.is(await readFile(join(folder, 'keys/shop.secret'), 'utf8'), 's3cret\n')
  t.deepEqual(named(notes, 'dropped'), ['Bff:CsrfHmacKey', 'Bff:Frontends:0:LoginPath', 'Bff:Frontends:0:ClientSide'])
  t.true(named(notes, 'changed').includes('Bff:Profile'))
})

test('granit: routes of YARP call what they called', async (t) => {
  const user = { 'Granit.Bff.RequireAuth': 'true' }
  const route = (Path: string, more: object = {}) => ({ ClusterId: 'orders', Match: { Path }, Metadata: user, ...more })
  const { gateway, notes } = await imported(t, 'granit', {
    Bff: {
      Authority: 'https://auth.example.com',
      Frontends: [{ Name: 'admin', PathPrefix: '/admin', ClientId: 'a', ...fapi }],
    },
    ReverseProxy: {
      Routes: {
        whole: route('/admin/whole/{**rest}'),
        without: route('/admin/without/{**rest}', { Transforms: [{ PathRemovePrefix: '/admin' }] }),
        cut: route('/admin/cut/{**rest}', { Transforms: [{ PathRemovePrefix: '/admin/cut' }, { PathPrefix: '/new' }] }),
        partly: route('/admin/api/orders/{**rest}', { Transforms: [{ PathRemovePrefix: '/admin/api' }, { X: '1' }] }),
        open: route('/admin/open', {
          Metadata: {},
          Match: { Path: '/admin/open', Methods: ['get'], Hosts: ['a.example'] },
        }),
        pattern: route('/admin/{id}/x'),
        elsewhere: route('/other/{**rest}'),
      },
      Clusters: cluster,
    },
  })
  const seen = gateway.frontends[0]?.routes.map(({ path, upstreams, stripPath, tokenType, methods }) => [
    path,
    // What the upstream sees of a request for the path itself.
    `${upstreams[0]?.href.replace(/\/$/, '')}${stripPath ? '' : path}`,
    tokenType,
    methods,
  ])
  t.deepEqual(seen, [
    ['/whole', 'http://orders:8080/v1/admin/whole', 'User', []],
    ['/without', 'http://orders:8080/v1/without', 'User', []],
    ['/cut', 'http://orders:8080/v1/new', 'User', []],
    ['/api/orders', 'http://orders:8080/v1/orders', 'User', []],
    ['/open', 'http://orders:8080/v1/admin/open', 'None', ['GET']],
  ])
  t.deepEqual(named(notes, 'dropped'), [
    'ReverseProxy:Routes:partly:Transforms:1:X',
    'ReverseProxy:Routes:open:Match:Hosts',
    'ReverseProxy:Routes:pattern',
    'ReverseProxy:Routes:elsewhere',
  ])
})

test('granit: the embedded server and the API keep what has a counterpart, and the rest is named', async (t) => {
  const { gateway, notes, text } = await imported(t, 'granit', {
    OpenIddict: {
      Issuer: 'https://auth.example.com',
      EnableFapi2Profile: true,
      UseReferenceTokens: true,
      KeyRotation: { Enabled: true },
      Seeding: {
        Applications: [
          {
            ClientId: 'a',
            ClientSecret: null,
            ConsentType: 'implicit',
            RedirectUris: ['https://app.example.com/bff/callback'],
          },
        ],
        Scopes: [{ Name: 'orders', Resources: ['my-api'], Description: 'x' }],
      },
    },
    Bff: { Frontends: [{ Name: 'app', ClientId: 'a', ...fapi }] },
    Authentication: { OpenIddict: { Audience: 'my-api', RequireDPoP: true }, DPoP: { EnableReplayProtection: true } },
  })
  t.is(gateway.frontends[0]?.publicUrl.origin, 'https://app.example.com')
  t.regex(text, /"Resources": \[\n +"my-api"/)
  t.deepEqual(named(notes, 'dropped').sort(), [
    'Authentication:DPoP:EnableReplayProtection',
    'OpenIddict:KeyRotation',
    'OpenIddict:Seeding:Applications:0:ConsentType',
    'OpenIddict:Seeding:Scopes:0:Description',
    'OpenIddict:UseReferenceTokens',
  ])
  t.deepEqual(named(notes, 'missing'), [])
})

test('granit: a key that is not in the file is a variable to set', async (t) => {
  const { notes } = await imported(
    t,
    'granit',
    {
      Bff: {
        Authority: 'https://auth.example.com',
        Frontends: [{ Name: 'my-app', ClientId: 'a', ...fapi, ClientSigningKeyJwk: null }],
      },
    },
    { MY_APP_CLIENT_KEY: key },
  )
  t.regex(notes.find(({ setting }) => setting.endsWith('ClientSigningKeyJwk'))?.text ?? '', /MY_APP_CLIENT_KEY/)
})

test('duende: frontends, default settings and remote APIs, whatever the case of their names', async (t) => {
  const { gateway, notes } = await imported(t, 'duende', {
    BFF: {
      defaultOidcSettings: {
        authority: 'https://demo.example.com/',
        clientId: 'spa',
        clientSecret: 's3cret',
        callbackPath: '/signin-oidc',
        responseType: 'code',
        scope: ['openid', 'api'],
      },
      defaultCookieSettings: { sameSite: 'Lax' },
      ManagementBasePath: '/bff',
      frontends: {
        first: {
          matchingPath: '/first',
          cdnIndexHtmlUrl: 'https://cdn.example.com/index.html',
          remoteApis: [
            {
              localPath: '/api/orders',
              targetUri: 'https://orders.example.com/v1/',
              userAccessTokenParameters: { resource: 'urn:orders', forceRenewal: true },
            },
            { pathMatch: 'public', targetUri: 'https://public.example.com', requiredTokenType: 'UserOrNone' },
            { localPath: '/nowhere' },
          ],
        },
        Second: {
          matchingOrigin: 'https://second.example.com',
          oidc: { clientId: 'other', clientSecret: 'x', authority: 'https://two.example.com' },
        },
      },
    },
  })
  const [first, second] = gateway.frontends
  t.like(first, {
    name: 'first',
    pathPrefix: '/first',
    clientId: 'spa',
    authority: 'https://demo.example.com',
    profile: 'Baseline',
  })
  t.deepEqual(
    first?.routes.map(({ path, upstreams, stripPath, tokenType, resource }) => [
      path,
      upstreams[0]?.href,
      stripPath,
      tokenType,
      resource,
    ]),
    [
      ['/api/orders', 'https://orders.example.com/v1', true, 'User', 'urn:orders'],
      ['/public', 'https://public.example.com/', true, 'UserOrNone', undefined],
    ],
  )
  t.like(second, { name: 'Second', clientId: 'other', authority: 'https://two.example.com' })
  t.is(second?.publicUrl.origin, 'https://second.example.com')
  t.deepEqual(named(notes, 'dropped').sort(), [
    'BFF:ManagementBasePath',
    'BFF:defaultCookieSettings:sameSite',
    'BFF:frontends:first:CdnIndexHtmlUrl',
    'BFF:frontends:first:remoteApis:0:userAccessTokenParameters:forceRenewal',
    'BFF:frontends:first:remoteApis:2',
  ])
  t.true(named(notes, 'changed').includes('BFF:defaultOidcSettings:CallbackPath'))
  t.true(named(notes, 'changed').includes('code'))
})

test('duende: one frontend of which most is in code', async (t) => {
  const { gateway, notes } = await imported(
    t,
    'duende',
    {
      Authentication: {
        Schemes: { OpenIdConnect: { Authority: 'https://demo.example.com', ClientId: 'spa', UsePkce: true } },
      },
      ReverseProxy: {
        Routes: {
          a: {
            ClusterId: 'orders',
            Match: { Path: '/api/{**all}' },
            Metadata: { 'Duende.Bff.Yarp.TokenType': 'User', 'Duende.Bff.Yarp.AntiforgeryCheck': 'true' },
          },
        },
        Clusters: cluster,
      },
    },
    { APP_CLIENT_SECRET: 'x' },
  )
  t.like(gateway.frontends[0], { name: 'app', clientId: 'spa', authority: 'https://demo.example.com' })
  t.is(gateway.frontends[0]?.routes[0]?.tokenType, 'User')
  t.deepEqual(named(notes, 'dropped'), ['Authentication:Schemes:OpenIdConnect:UsePkce'])
  t.deepEqual(named(notes, 'missing'), ['Frontends:app:Oidc:ClientSecret', '/Bff/PublicUrl'])
})

const proxy = (more: string) =>
  `provider = "oidc"\noidc_issuer_url = "https://kc.example.com/realms/x"\nclient_id = "proxy"\nclient_secret = "s3cret"\nredirect_url = "https://app.example.com/oauth2/callback"\n${more}`

test('oauth2-proxy: upstreams become routes, open paths routes without a session, groups a rule', async (t) => {
  const { gateway, notes } = await imported(
    t,
    'oauth2-proxy',
    proxy(`
upstreams = [ "http://app:8080/", "http://orders:9000/api/", "http://orders2:9000/api/", "static://200" ]
skip_auth_routes = [ "GET=^/health$", "^/public/.*", "^/(a|b)" ]
allowed_groups = ["staff"]
email_domains = ["example.com"]
upstream_timeout = "30s"
cookie_expire = "24h"
scope = "openid email"
acr_values = "urn:two"
`),
  )
  const [frontend] = gateway.frontends
  t.like(frontend, { profile: 'Baseline', clientId: 'proxy', authority: 'https://kc.example.com/realms/x' })
  t.is(frontend?.publicUrl.origin, 'https://app.example.com')
  t.deepEqual(frontend?.access, [{ claim: 'groups', anyOf: ['staff'] }])
  t.deepEqual(frontend?.authorizationParameters, { acr_values: 'urn:two' })
  t.like(frontend?.session, { idle: 86_400, absolute: 86_400 })
  t.deepEqual(
    frontend?.routes.map(({ path, upstreams, tokenType, methods }) => [
      path,
      upstreams.map(({ host }) => host),
      tokenType,
      methods,
    ]),
    [
      ['/', ['app:8080'], 'User', []],
      ['/api', ['orders:9000', 'orders2:9000'], 'User', []],
      ['/health', ['app:8080'], 'None', ['GET']],
      ['/public', ['app:8080'], 'None', []],
    ],
  )
  t.deepEqual(named(notes, 'dropped'), ['upstreams', 'skip_auth_routes', 'email_domains'])
})

test('oauth2-proxy: upstreams on Unix sockets become Sockets, and URLs and sockets of one path are not mixed', async (t) => {
  const { gateway, notes } = await imported(
    t,
    'oauth2-proxy',
    proxy(`
upstreams = [ "unix:///run/app.sock", "unix:///run/one.sock:/api/", "unix:/run/two.sock:/api", "http://orders:9000/api/" ]
skip_auth_routes = [ "^/health$" ]
`),
  )
  t.deepEqual(
    gateway.frontends[0]?.routes.map(({ path, upstreams, sockets }) => [
      path,
      upstreams.map(({ origin }) => origin),
      sockets,
    ]),
    [
      ['/', ['http://localhost'], ['/run/app.sock']],
      ['/api', ['http://localhost'], ['/run/one.sock', '/run/two.sock']],
      ['/health', ['http://localhost'], ['/run/app.sock']],
    ],
  )
  t.deepEqual(named(notes, 'dropped'), ['upstreams'])
})

test('oauth2-proxy: listener, Redis with its password in a file, and what an operator has to fill in', async (t) => {
  const { folder, notes, told, text } = await imported(
    t,
    'oauth2-proxy',
    proxy(`
http_address = "0.0.0.0:4180"
metrics_address = ":9090"
reverse_proxy = true
session_store_type = "redis"
redis_connection_url = "redis://redis:6379"
redis_password = "p@ss"
upstreams = "http://user:hunter2@app:8080/"
`),
  )
  t.is(await readFile(join(folder, 'keys/redis.password'), 'utf8'), 'p@ss\n')
  t.regex(text, /"Url": "redis:\/\/redis:6379",\n +"Password": {\n +"File": "\.\/keys\/redis\.password"/)
  t.regex(text, /"Listen": "0\.0\.0\.0:4180",\n +"AdminListen": "0\.0\.0\.0:9090"/)
  t.deepEqual(named(notes, 'missing'), ['/Server/TrustedProxies'])
  for (const secret of ['s3cret', 'p@ss', 'p%40ss', 'hunter2']) t.false((told + text).includes(secret), secret)
})

test('oauth2-proxy: sentinels, the addresses of its proxies and a Unix socket have their counterparts', async (t) => {
  const { folder, notes, told, text } = await imported(
    t,
    'oauth2-proxy',
    proxy(`
http_address = "unix:///run/proxy.sock"
reverse_proxy = true
trusted_proxy_ips = ["10.0.0.0/8"]
session_store_type = "redis"
redis_use_sentinel = true
redis_sentinel_master_name = "staff"
redis_sentinel_connection_urls = ["redis://:hunter2@s1:26379", "redis://s2:26379"]
redis_password = "p@ss"
redis_sentinel_password = "s3ntinel"
upstreams = "http://app:8080/"
`),
  )
  const { Server, Store } = JSON.parse(text.replace(/^\/\/.*$/gm, ''))
  t.like(Server, { Listen: 'unix:/run/proxy.sock', TrustedProxies: ['10.0.0.0/8', '127.0.0.1/32'] })
  t.deepEqual(Store.Redis, {
    Topology: 'Sentinel',
    Nodes: ['redis://s1:26379', 'redis://s2:26379'],
    Sentinel: { Name: 'staff', Password: { File: './keys/redis-sentinel.password' } },
    Password: { File: './keys/redis.password' },
  })
  t.is(await readFile(join(folder, 'keys/redis-sentinel.password'), 'utf8'), 's3ntinel\n')
  t.deepEqual(named(notes, 'missing'), [])
  t.deepEqual(named(notes, 'dropped'), ['redis_sentinel_connection_urls'])
  for (const secret of ['p@ss', 's3ntinel', 'hunter2']) t.false((told + text).includes(secret), secret)
})

test('oauth2-proxy: a cluster is named by its nodes', async (t) => {
  const { text } = await imported(
    t,
    'oauth2-proxy',
    proxy(
      'session_store_type = "redis"\nredis_use_cluster = true\nredis_cluster_connection_urls = ["rediss://c1:6379"]\nupstreams = "http://app:8080/"',
    ),
  )
  t.deepEqual(JSON.parse(text.replace(/^\/\/.*$/gm, '')).Store.Redis, {
    Topology: 'Cluster',
    Nodes: ['rediss://c1:6379'],
  })
})

test('oauth2-proxy: every option of the example that nothing here is made of is named with what to do instead', async (t) => {
  const options = {
    cookie_secret: '"0123456789abcdef"',
    cookie_samesite: '"lax"',
    email_domains: '["*"]',
    pass_access_token: 'true',
    htpasswd_file: '"/x"',
    skip_provider_button: 'true',
    ssl_insecure_skip_verify: 'true',
    whitelist_domains: '[".example.com"]',
    nobody_knows_this: '1',
  }
  const { notes } = await imported(
    t,
    'oauth2-proxy',
    proxy(
      Object.entries(options)
        .map(([name, value]) => `${name} = ${value}`)
        .join('\n'),
    ),
  )
  const dropped = notes.filter(({ kind }) => kind === 'dropped')
  t.deepEqual(
    dropped.map(({ setting }) => setting),
    Object.keys(options).filter((name) => name !== 'email_domains'),
  )
  t.is(dropped.at(-1)?.text, 'it has no counterpart here.')
})

test('what is no configuration of that program is said, and nothing is written', async (t) => {
  const folder = await aFolder(t)
  const out = join(folder, 'frontends.json')
  const attempt = async (kind: ImportKind, content: string | undefined) => {
    const file = join(folder, 'theirs')
    if (content !== undefined) await writeFile(file, content)
    return importConfiguration({ kind, file, out, output: { write: () => undefined } })
  }
  await t.throwsAsync(attempt('granit', undefined), { message: /cannot be read \(ENOENT\)/ })
  await t.throwsAsync(attempt('oauth2-proxy', 'upstreams:\n  - id: x\n'), {
    message: /this is YAML, oauth2-proxy’s alpha/,
  })
  await t.throwsAsync(attempt('oauth2-proxy', '{}'), { message: /this is not TOML/ })
  await t.throwsAsync(attempt('duende', '{ "Bff": '), { message: /theirs/ })
  await t.throwsAsync(stat(out))
  await writeFile(out, '{}')
  await t.throwsAsync(attempt('granit', '{}'), { message: /is there already, and was left alone/ })
  t.is(await readFile(out, 'utf8'), '{}')
})

test.serial('the command tells what it made and what comes next', async (t) => {
  const folder = await aFolder(t)
  await writeFile(join(folder, 'oauth2-proxy.cfg'), proxy('upstreams = ["http://app:8080/"]'))
  const { exitCode, stderr } = await sallyport(['import', 'oauth2-proxy', 'oauth2-proxy.cfg'], { cwd: folder })
  t.is(exitCode, 0, stderr)
  t.regex(stderr, /^made frontends\.json\nmade keys\/sealing\.key\nmade keys\/app\.secret\n/)
  t.regex(stderr, /Next: npx --no-install sallyport check --offline --config \.\/frontends\.json\n$/)
})
