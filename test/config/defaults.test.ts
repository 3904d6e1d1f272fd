import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { stateDirectory } from '../../src/config/resolve/state-directory.js'
import { ConfigurationError } from '../../src/errors.js'
import { generateSigningJwk, type Jwk, thumbprint } from '../../src/jose/jwk.js'
import { aFile, aFolder, load } from './_workspace.js'

const embedded = {
  Bff: {
    PublicUrl: 'http://localhost:3000',
    Frontends: [{ Name: 'app', Routes: [{ Path: '/api', Upstreams: ['http://orders'], Scopes: ['orders'] }] }],
  },
  OpenIddict: { Issuer: 'http://localhost:3001' },
}
const foreign = {
  Bff: {
    Authority: 'https://auth.example.com',
    Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: generateSigningJwk('ES256') }],
  },
}

test('a frontend beside the embedded server gets key, client and registration', async (t) => {
  const { gateway, authorizationServer } = await load(t, embedded)
  const [frontend] = gateway?.frontends ?? []
  const [client] = authorizationServer?.options.clients ?? []
  t.is(frontend?.authority, 'http://localhost:3001')
  t.is(frontend?.clientId, 'app-bff')
  t.is(client?.clientId, 'app-bff')
  t.deepEqual(client?.redirectUris, ['http://localhost:3000/bff/callback'])
  t.deepEqual(client?.postLogoutRedirectUris, ['http://localhost:3000/'])
  t.is(client?.backchannelLogoutUri, 'http://localhost:3000/bff/backchannel-logout')
  t.true(client?.permissions.scopes.includes('orders'))
  const authentication = frontend?.clientAuthentication
  t.true(authentication?.method === 'private_key_jwt' && authentication.keys[0]?.kid === client?.keys[0]?.kid)
})

test('keys that are made are kept, for their owner only', async (t) => {
  const file = await aFile(t, embedded)
  const first = readConfiguration({ file, environment: {} })
  const second = readConfiguration({ file, environment: {} })
  t.deepEqual(first.sealingKeys, second.sealingKeys)
  t.is(keyOf(first), keyOf(second))
  const state = join(dirname(file), '.sallyport')
  t.is((await stat(state)).mode & 0o777, 0o700)
  for (const name of await readdir(state)) t.is((await stat(join(state, name))).mode & 0o777, 0o600, name)
})

test('replicas with one sealing key agree on the keys of clients that are made, and sign with the first', async (t) => {
  const [old, fresh] = [Buffer.alloc(32, 1).toString('base64url'), Buffer.alloc(32, 2).toString('base64url')]
  const withKeys = (...SealingKeys: string[]) => ({ ...embedded, Bff: { ...embedded.Bff, SealingKeys } })
  const [one, other] = await Promise.all([load(t, withKeys(old)), load(t, withKeys(old))])
  t.is(keyOf(one), keyOf(other))
  const rotated = await load(t, withKeys(fresh, old))
  t.not(keyOf(rotated), keyOf(one))
  const known = rotated.authorizationServer?.options.clients[0]?.keys.map(({ publicJwk }) => thumbprint(publicJwk))
  t.deepEqual(known, [keyOf(rotated), keyOf(one)], 'replicas that still sign with the old one are known')
  const admin = await load(t, { ...withKeys(old), Bff: { ...withKeys(old).Bff, Frontends: [{ Name: 'admin' }] } })
  t.not(keyOf(admin), keyOf(one), 'each client has its own')
})

test('looking at a configuration makes nothing', async (t) => {
  const file = await aFile(t, embedded)
  const { sealingKeys } = readConfiguration({ file, environment: {}, state: 'look' })
  t.is(sealingKeys[0]?.length, 32)
  t.deepEqual(await readdir(dirname(file)), ['frontends.json'])
})

test('a configuration that does not work makes nothing either', async (t) => {
  const file = await aFile(t, { ...embedded, Store: { Redis: { Url: 'http://x' } } })
  t.throws(() => readConfiguration({ file, environment: {} }))
  t.deepEqual(await readdir(dirname(file)), ['frontends.json'])
})

test('of several processes that start at once all get one key', async (t) => {
  const folder = join(await aFolder(t), 'state')
  const states = Array.from({ length: 8 }, () => stateDirectory(folder))
  let made = 0
  const kept = states.map((state) =>
    state.keep('sealing.key', () => {
      made++
      // Another process is faster, just now.
      if (made === 1) stateDirectory(folder).keep('sealing.key', () => 'theirs')
      return 'ours'
    }),
  )
  t.deepEqual([...new Set(kept)], ['theirs'])
  t.deepEqual(await readdir(folder), ['sealing.key'])
})

test('hosts default to that of the public URL, so that a request for another host is nobody’s', async (t) => {
  const { gateway } = await load(t, { ...foreign, Bff: { ...foreign.Bff, PublicUrl: 'https://app.example.com:8443' } })
  t.deepEqual(gateway?.frontends[0]?.hosts, ['app.example.com:8443'])
  const open = await load(t, {
    Bff: {
      ...foreign.Bff,
      PublicUrl: 'https://app.example.com',
      Frontends: [{ ...foreign.Bff.Frontends[0], Hosts: [] }],
    },
  })
  t.deepEqual(open.gateway?.frontends[0]?.hosts, [])
})

test('without a public URL it is localhost, with the port that is listened on', async (t) => {
  const { gateway } = await load(t, { ...foreign, Server: { Listen: '127.0.0.1:4000' } })
  t.is(gateway?.frontends[0]?.publicUrl.href, 'http://localhost:4000/')
})

test('without an address to listen on it is the port of a local public URL', async (t) => {
  const { server } = await load(t, { ...foreign, Bff: { ...foreign.Bff, PublicUrl: 'http://localhost:4000' } })
  t.deepEqual(server.listen, { host: '127.0.0.1', port: 4000 })
})

test('the embedded server listens at the port of a local issuer, or shares the listener', async (t) => {
  const { authorizationServer } = await load(t, embedded)
  t.deepEqual(authorizationServer?.listen, { host: '127.0.0.1', port: 3001 })
  const shared = await load(t, { ...embedded, OpenIddict: { Issuer: 'http://localhost:3000/auth' } })
  t.is(shared.authorizationServer?.listen, undefined)
})

test('the section may be called AuthorizationServer', async (t) => {
  const { authorizationServer } = await load(t, { Bff: embedded.Bff, AuthorizationServer: embedded.OpenIddict })
  t.is(authorizationServer?.options.issuer.href, 'http://localhost:3001/')
})

test('a list in the file replaces the default, it is not added to it', async (t) => {
  const { gateway } = await load(t, {
    Bff: { ...foreign.Bff, Frontends: [{ ...foreign.Bff.Frontends[0], Scopes: ['openid', 'openid'] }] },
  })
  t.deepEqual(gateway?.frontends[0]?.scopes, ['openid'])
})

test('a secret comes as text, as an object, from a file or from a variable', async (t) => {
  const jwk = generateSigningJwk('Ed25519')
  const folder = await aFolder(t)
  await mkdir(join(folder, 'keys'))
  await writeFile(join(folder, 'keys/client.jwk'), `${JSON.stringify(jwk)}\n`)
  for (const source of [jwk, JSON.stringify(jwk), { File: 'keys/client.jwk' }, { Env: 'CLIENT_KEY' }]) {
    const file = join(folder, 'frontends.json')
    const frontends = [{ ...foreign.Bff.Frontends[0], ClientSigningKeyJwk: source }]
    await writeFile(file, JSON.stringify({ Bff: { ...foreign.Bff, Frontends: frontends } }))
    const configuration = readConfiguration({ file, environment: { CLIENT_KEY: JSON.stringify(jwk) } })
    t.is(keyOf(configuration), thumbprint(jwk))
  }
})

test('the Baseline profile allows what FAPI 2.0 does not', async (t) => {
  const { gateway } = await load(
    t,
    {
      Bff: {
        ...foreign.Bff,
        Profile: 'Baseline',
        RequireIssuerValidation: false,
        Frontends: [
          {
            Name: 'app',
            ClientId: 'my-bff',
            ClientAuthenticationMethod: 'ClientSecretPost',
            ClientSecret: { Env: 'SECRET' },
            UseDPoP: false,
            UsePushedAuthorizationRequests: false,
          },
        ],
      },
    },
    { SECRET: 'hush' },
  )
  const [frontend] = gateway?.frontends ?? []
  t.deepEqual(frontend?.clientAuthentication, { method: 'client_secret_post', secret: 'hush' })
  t.is(frontend?.profile, 'Baseline')
  t.false(frontend?.requireIssuer)
})

test('options are frozen all the way down', async (t) => {
  const { gateway } = await load(t, embedded)
  t.true(Object.isFrozen(gateway?.frontends[0]?.routes[0]?.upstreams))
})

test('the example is right', async (t) => {
  const file = 'frontends.example.json'
  const { gateway } = readConfiguration({ file, environment: {}, state: 'look' })
  t.deepEqual(
    gateway?.frontends.map(({ name, pathPrefix }) => [name, pathPrefix]),
    [
      ['app', ''],
      ['admin', '/admin'],
    ],
  )
  t.notRegex(await readFile(file, 'utf8'), /"d":/)
})

function keyOf({ gateway }: ReturnType<typeof readConfiguration>): string | undefined {
  const authentication = gateway?.frontends[0]?.clientAuthentication
  return authentication?.method === 'private_key_jwt' ? thumbprint(authentication.keys[0]?.publicJwk as Jwk) : undefined
}

test('a folder that cannot be written to is said to be, before anything starts', async (t) => {
  const file = await aFile(t, {
    ...embedded,
    Store: { Memory: {} },
    Server: { StateDirectory: './frontends.json/state' },
  })
  const error = t.throws(() => readConfiguration({ file, environment: {} }), { instanceOf: ConfigurationError })
  t.is(error?.problems[0]?.pointer, '/Server/StateDirectory')
  t.regex(error?.problems[0]?.remedy ?? '', /give all keys in the file/)
})

test('offline_access is asked for by default at the embedded server only, which needs it for a refresh token', async (t) => {
  const scopesOf = async (content: object) => (await load(t, content)).gateway?.frontends[0]?.scopes
  t.deepEqual(await scopesOf(embedded), ['openid', 'profile', 'email', 'offline_access'])
  t.deepEqual(await scopesOf(foreign), ['openid', 'profile', 'email'])
  const [frontend] = foreign.Bff.Frontends
  const written = { Bff: { ...foreign.Bff, Frontends: [{ ...frontend, Scopes: ['openid', 'offline_access'] }] } }
  t.deepEqual(await scopesOf(written), ['openid', 'offline_access'])
})
