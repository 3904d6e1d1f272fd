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

test('no frontend at all', refused, [], '/Bff/Frontends')
test('two frontends of one name', refused, [aGood(), aGood({ pathPrefix: '/b' })], '/Bff/Frontends/1/Name')
test('two frontends at one place', refused, [aGood(), aGood({ name: 'b' })], '/Bff/Frontends/1/PathPrefix')
test(
  'two frontends at one place of one host',
  refused,
  [aGood({ hosts: ['a.example', 'b.example'] }), aGood({ name: 'b', hosts: ['b.example'] })],
  '/Bff/Frontends/1/PathPrefix',
)
test(
  'a name that no cookie can have',
  refused,
  [aGood({ name: 'a.b' }), aGood({ name: 'a b', pathPrefix: '/b' }), aGood({ name: '', pathPrefix: '/c' })],
  '/Bff/Frontends/0/Name',
  '/Bff/Frontends/1/Name',
  '/Bff/Frontends/2/Name',
)
test(
  'a prefix that is none',
  refused,
  ['/a/', 'b', '/..', '/a/../b', '/.', '/bff', '/a/BFF', '//a', '/ä'].map((pathPrefix, index) =>
    aGood({ name: `f${index}`, pathPrefix }),
  ),
  ...Array.from({ length: 9 }, (_, index) => `/Bff/Frontends/${index}/PathPrefix`),
)
test(
  'hosts that no browser sends',
  refused,
  [aGood({ hosts: ['B.example', 'https://b.example', 'b.example/x', ''] })],
  ...Array.from({ length: 4 }, (_, index) => `/Bff/Frontends/0/Hosts/${index}`),
)
test('names that differ by case', refused, [aGood(), aGood({ name: 'APP', pathPrefix: '/b' })], '/Bff/Frontends/1/Name')
test(
  'a public URL, an authority, a client and scopes that are none',
  refused,
  [
    aGood({ publicUrl: new URL('https://app.example/x'), authority: 'as.example', clientId: '', scopes: ['a b'] }),
    aGood({ name: 'b', pathPrefix: '/b', authority: 'http://as.example' }),
  ],
  '/Bff/Frontends/0/PublicUrl',
  '/Bff/Frontends/0/Authority',
  '/Bff/Frontends/0/ClientId',
  '/Bff/Frontends/0/Scopes/0',
  '/Bff/Frontends/1/Authority',
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
  ...['0/Path', '1/Path', '3/Path', '4/Upstreams', '5/Upstreams/0', '6/Upstreams/0', '7/Resource', '8/Scopes/0'].map(
    (member) => `/Bff/Frontends/0/Routes/${member}`,
  ),
)
test(
  'a public address where browsers keep no secure cookie',
  refused,
  [aGood({ publicUrl: new URL('http://app.example') })],
  '/Bff/Frontends/0/PublicUrl',
)
test(
  'a client without a key',
  refused,
  [aGood({ clientAuthentication: { method: 'private_key_jwt', keys: [] } })],
  '/Bff/Frontends/0/ClientSigningKeyJwk',
)

test('an authorization server that is down does not keep the gateway from starting', async (t) => {
  const gateway = await createGateway(gatewayOptions([aGood({ authority: 'https://127.0.0.1:9' })]))
  await gateway.close()
  t.pass()
})
