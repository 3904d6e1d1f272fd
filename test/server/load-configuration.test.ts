import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  ConfigurationError,
  createAuthorizationServer,
  createGateway,
  type LoadConfigurationOptions,
  loadConfiguration,
} from '../../src/index.js'

async function aFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-embedded-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

const configuration = {
  Bff: {
    PublicUrl: 'http://localhost:3000',
    Frontends: [{ Name: 'app', Routes: [{ Path: '/api', Upstreams: ['http://localhost:8080'] }] }],
  },
  OpenIddict: { Issuer: 'http://localhost:3000/auth' },
}

async function products(t: ExecutionContext, source: string | object, options?: LoadConfigurationOptions) {
  const loaded = await loadConfiguration(source, options)
  t.teardown(loaded.close)
  t.not(loaded.gateway, undefined)
  t.not(loaded.authorizationServer, undefined)
  const [gateway, server] = await Promise.all([
    loaded.gateway && createGateway(loaded.gateway),
    loaded.authorizationServer && createAuthorizationServer(loaded.authorizationServer),
  ])
  t.teardown(() => Promise.all([gateway?.close(), server?.close()]))
  return loaded
}

test('an object becomes options of both products, and its keys are kept where it says', async (t) => {
  const directory = await aFolder(t)
  const { gateway } = await products(t, configuration, { environment: {}, directory })
  t.is(gateway?.frontends[0]?.authority, 'http://localhost:3000/auth')
  t.true((await readdir(join(directory, '.sallyport'))).includes('sealing.key'))
})

test('a file becomes the same, with the overrides of the environment', async (t) => {
  const file = join(await aFolder(t), 'frontends.json')
  await writeFile(file, JSON.stringify(configuration))
  const { gateway } = await products(t, file, { environment: { Bff__Frontends__0__Name: 'shop' } })
  t.is(gateway?.frontends[0]?.name, 'shop')
  t.regex(await readFile(join(file, '../.sallyport/sealing.key'), 'utf8'), /^[\w-]{43}\s*$/)
})

test('what is wrong with an object is told with its pointer, all at once, and nothing is made', async (t) => {
  const directory = await aFolder(t)
  const wrong = { Bff: { ...configuration.Bff, Frontends: [{ Name: 'a b', Routs: [] }] } }
  const error = await t.throwsAsync<ConfigurationError>(loadConfiguration(wrong, { environment: {}, directory }))
  const told = error.problems.map(({ pointer, where }) => `${where} ${pointer}`)
  t.true(told.includes('the object /Bff/Frontends/0/Routs'), told.join('\n'))
  t.true(told.includes('the object /Bff/Frontends/0/Name'), told.join('\n'))
  t.deepEqual(await readdir(directory), [])
})

test('what is no configuration at all is refused as one', async (t) => {
  const circle: Record<string, unknown> = {}
  circle.itself = circle
  for (const source of [undefined, null, 5, [], circle, { Bff: 1n }])
    await t.throwsAsync(loadConfiguration(source as object, { environment: {} }), { instanceOf: ConfigurationError })
})
