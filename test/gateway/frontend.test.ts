import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { ConfigurationError } from '../../src/errors.js'
import { createGateway } from '../../src/gateway/gateway.js'
import type { FrontendOptions } from '../../src/gateway/options.js'
import { aFrontend, gatewayOptions } from './_gateway.js'

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
  [aGood({ hosts: ['a.example', 'b.example'] }), aGood({ name: 'b', hosts: ['B.example'] })],
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
  [aGood({ pathPrefix: '/a/' }), aGood({ name: 'b', pathPrefix: 'b' })],
  '/Bff/Frontends/0/PathPrefix',
  '/Bff/Frontends/1/PathPrefix',
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

test('a thousand frontends take what they say, not a cache each', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const used = (): number => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const options = gatewayOptions(
    Array.from({ length: 1000 }, (_, index) => aGood({ name: `f${index}`, pathPrefix: `/f${index}` })),
  )
  const before = used()

  const gateway = await createGateway(options)

  const kilobytesEach = (used() - before) / 1000 / 1024
  t.true(kilobytesEach < 50, `${kilobytesEach.toFixed(0)} KB each`)
  await gateway.close()
})
