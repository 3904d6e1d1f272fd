import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Configuration, readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { selfSigned } from '../http/_self-signed.js'
import { aFile } from './_workspace.js'

// biome-ignore lint/suspicious/noExplicitAny: a configuration file is whatever its writer put there.
type File = any

const before = {
  Server: { Listen: '127.0.0.1:3100', AdminListen: '127.0.0.1:3199' },
  Bff: { Frontends: [{ Name: 'app', Routes: [] }] },
  OpenIddict: { Issuer: 'http://localhost:3101' },
  Authentication: { OpenIddict: { Listen: '127.0.0.1:3102', Audience: 'api' } },
}

/** The running configuration, and what becomes of the file after it was changed. */
async function changed(t: ExecutionContext, change: (file: File) => void) {
  const file = await aFile(t, before)
  const { cert, key } = await selfSigned()
  await writeFile(join(dirname(file), 'cert.pem'), cert)
  await writeFile(join(dirname(file), 'key.pem'), key)
  const running = readConfiguration({ file, environment: {} })
  const next = structuredClone(before)
  change(next)
  await writeFile(file, JSON.stringify(next))
  return { running, next: () => readConfiguration({ file, environment: {}, running }) }
}

const told = ({ kept }: Configuration) => kept.map(({ pointer, where }) => `${pointer} ${where?.replace(/:.*/, '')}`)

function withoutServer(file: File): void {
  delete file.OpenIddict
  file.Bff.Authority = 'https://auth.example.com'
  file.Authentication.OpenIddict.Issuer = 'https://auth.example.com'
  Object.assign(file.Bff.Frontends[0], own('app'))
}

const own = (name: string) => ({ ClientId: name, ClientSigningKeyJwk: generateSigningJwk('ES256') })

const cannotChange: readonly (readonly [string, (file: File) => void])[] = [
  ['/Server/Listen', (file) => (file.Server.Listen = '127.0.0.1:3200')],
  ['/Server/AdminListen', (file) => delete file.Server.AdminListen],
  ['/Server/AdminToken', (file) => (file.Server.AdminToken = '0123456789abcdefghijklmnopqrstuv')],
  ['/Server/StateDirectory', (file) => (file.Server.StateDirectory = 'elsewhere')],
  ['/Server/Limits', (file) => (file.Server.Limits = { Connections: 7 })],
  ['/Server/Tls', (file) => (file.Server.Tls = { CertFile: 'cert.pem', KeyFile: 'key.pem' })],
  ['/OpenIddict', withoutServer],
  ['/OpenIddict/Listen', (file) => (file.OpenIddict.Listen = '127.0.0.1:3201')],
  ['/Authentication', (file) => delete file.Authentication],
  ['/Authentication/OpenIddict/Listen', (file) => (file.Authentication.OpenIddict.Listen = '127.0.0.1:3202')],
]

for (const [pointer, change] of cannotChange)
  test(`${pointer} keeps the value that it has in a running process, and is named`, async (t) => {
    const { running, next } = await changed(t, (file) => {
      change(file)
      file.Bff.Frontends.push({ Name: 'second', PathPrefix: '/second', Routes: [], ...own('second-bff') })
    })
    const configuration = next()
    t.deepEqual(told(configuration), [`${pointer} frontends.json`])
    t.deepEqual(configuration.server.listen, running.server.listen)
    t.deepEqual(configuration.server.adminListen, running.server.adminListen)
    t.deepEqual(configuration.server.limits, running.server.limits)
    t.is(configuration.server.tls, undefined)
    t.is(configuration.stateDirectory, running.stateDirectory)
    t.deepEqual(configuration.authorizationServer?.listen, running.authorizationServer?.listen)
    t.deepEqual(configuration.sampleApi?.listen, running.sampleApi?.listen)
    t.is(configuration.gateway?.frontends.length, 2, 'the rest is taken over')
  })

test('what can change is not named', async (t) => {
  const { next } = await changed(t, (file) => {
    Object.assign(file.Server, { DrainTimeout: '00:00:05', LogLevel: 'warn', AccessLog: false, Watch: false })
    file.Server.TrustedProxies = ['10.0.0.0/8']
    file.Bff.PublicUrl = 'http://localhost:3100'
  })
  const { kept, server } = next()
  t.deepEqual(kept, [])
  t.is(server.logLevel, 'warn')
  t.false(server.watch)
})

test('a file that is wrong where it cannot change is refused all the same', async (t) => {
  const { next } = await changed(t, (file) => (file.Server.Listen = 'nowhere'))
  const error = t.throws(next, { instanceOf: ConfigurationError })
  t.true(error instanceof ConfigurationError && error.problems[0]?.pointer === '/Server/Listen')
})

test('the page names every setting of Server that cannot change', async (t) => {
  const [source, page] = await Promise.all([
    readFile('src/config/pinned.ts', 'utf8'),
    readFile('docs/reload.md', 'utf8'),
  ])
  const [, section = ''] = /## What needs a restart\n([\s\S]*?)\n## /.exec(page) ?? []
  const names = [...source.matchAll(/ofServer\(\s*'(\w+)'/g)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'Tls')
  t.true(names.length > 8)
  for (const name of names) t.regex(section, new RegExp(`\`(?:Server\\.)?${name}\``), name)
  t.regex(section, /TLS where there was none/)
})
