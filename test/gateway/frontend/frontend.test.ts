import test from 'ava'
import { ConfigurationError } from '../../../src/errors.js'
import { createGateway } from '../../../src/gateway/gateway.js'
import type { FrontendOptions } from '../../../src/gateway/options.js'
import { aFrontend, aRoute, gatewayOptions } from '../_gateway.js'

const aGood = (overrides: Partial<FrontendOptions> = {}): FrontendOptions =>
  aFrontend({ publicUrl: new URL('https://app.example'), authority: 'https://as.example', ...overrides })

const refused = test.macro(async (t, frontends: readonly FrontendOptions[], ...pointers: readonly string[]) => {
  const error = await t.throwsAsync(createGateway(gatewayOptions(frontends)), { instanceOf: ConfigurationError })
  t.deepEqual(
    error?.problems.map(({ pointer }) => pointer),
    pointers,
  )
})

test('no frontend at all', refused, [], '/frontends')
test('two frontends of one name', refused, [aGood(), aGood({ pathPrefix: '/b' })], '/frontends/1/name')
test('two frontends at one place', refused, [aGood(), aGood({ name: 'b' })], '/frontends/1/pathPrefix')
test(
  'two frontends at one place of one host',
  refused,
  [aGood({ hosts: ['a.example', 'b.example'] }), aGood({ name: 'b', hosts: ['b.example'] })],
  '/frontends/1/pathPrefix',
)
test(
  'a name that no cookie can have',
  refused,
  [aGood({ name: 'a.b' }), aGood({ name: 'a b', pathPrefix: '/b' }), aGood({ name: '', pathPrefix: '/c' })],
  '/frontends/0/name',
  '/frontends/1/name',
  '/frontends/2/name',
)
test(
  'a prefix that is none',
  refused,
  ['/a/', 'b', '/..', '/a/../b', '/.', '/bff', '/a/BFF', '//a', '/ä'].map((pathPrefix, index) =>
    aGood({ name: `f${index}`, pathPrefix }),
  ),
  ...Array.from({ length: 9 }, (_, index) => `/frontends/${index}/pathPrefix`),
)
test(
  'hosts that no browser sends',
  refused,
  [aGood({ hosts: ['B.example', 'https://b.example', 'b.example/x', ''] })],
  ...Array.from({ length: 4 }, (_, index) => `/frontends/0/hosts/${index}`),
)
test('names that differ by case', refused, [aGood(), aGood({ name: 'APP', pathPrefix: '/b' })], '/frontends/1/name')
test(
  'a public URL, an authority, a client and scopes that are none',
  refused,
  [
    aGood({ publicUrl: new URL('https://app.example/x'), authority: 'as.example', clientId: '', scopes: ['a b'] }),
    aGood({ name: 'b', pathPrefix: '/b', authority: 'http://as.example' }),
  ],
  '/frontends/0/publicUrl',
  '/frontends/0/authority',
  '/frontends/0/clientId',
  '/frontends/0/scopes/0',
  '/frontends/1/authority',
)
const route = aRoute({ upstreams: [new URL('http://127.0.0.1:3002')] })
test(
  'routes that lead nowhere, or where they must not',
  refused,
  [
    aGood({
      routes: [
        { ...route, path: '/a/../b' },
        { ...route, path: '/bff/user' },
        { ...route, path: '/api' },
        { ...route, path: '/api' },
        { ...route, path: '/none', upstreams: [] },
        { ...route, path: '/query', upstreams: [new URL('http://127.0.0.1:3002/?x')] },
        { ...route, path: '/file', upstreams: [new URL('file:///etc/passwd')] },
        { ...route, path: '/resource', resource: 'orders' },
        { ...route, path: '/scopes', scopes: ['a b'] },
      ],
    }),
  ],
  ...['0/path', '1/path', '3/path', '4/upstreams', '5/upstreams/0', '6/upstreams/0', '7/resource', '8/scopes/0'].map(
    (member) => `/frontends/0/routes/${member}`,
  ),
)
test(
  'a public address where browsers keep no secure cookie',
  refused,
  [aGood({ publicUrl: new URL('http://app.example') })],
  '/frontends/0/publicUrl',
)
test(
  'a client without a key',
  refused,
  [aGood({ clientAuthentication: { method: 'private_key_jwt', keys: [] } })],
  '/frontends/0/clientAuthentication/keys',
)

test(
  'what FAPI 2.0 does not allow, without the profile that does',
  refused,
  [
    aGood({
      pushedAuthorizationRequests: false,
      dpop: false,
      requireIssuer: false,
      clientAuthentication: { method: 'client_secret_post', secret: 'x' },
    }),
  ],
  ...['clientAuthentication/method', 'pushedAuthorizationRequests', 'dpop', 'requireIssuer'].map(
    (member) => `/frontends/0/${member}`,
  ),
)

test('an authorization server that is down does not keep the gateway from starting', async (t) => {
  const gateway = await createGateway(gatewayOptions([aGood({ authority: 'https://127.0.0.1:9' })]))
  await gateway.close()
  t.pass()
})
