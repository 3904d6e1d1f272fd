import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { verifyPassword } from '../../../src/authorization-server/sign-in/password.js'
import { check } from '../../../src/cli/check.js'
import { askForChoices, choicesOf, type InitFlags } from '../../../src/cli/init/choices.js'
import { hasPage, initialise } from '../../../src/cli/init/init.js'
import { fitOf, type ServerFit } from '../../../src/cli/init/server-fit.js'
import { readConfiguration } from '../../../src/config/load.js'
import { aFolder } from '../../config/_workspace.js'
import { freePorts } from '../../flows/_stack.js'
import { aServer, listening } from '../_checked.js'
import { sallyport } from '../_sallyport.js'

const embedded = { server: { kind: 'embedded', user: { name: 'alice' } } } as const

const look = (folder: string) =>
  readConfiguration({ file: join(folder, 'frontends.json'), environment: {}, state: 'look' })

async function isRight(t: ExecutionContext, folder: string, network: 'try' | 'none' = 'none'): Promise<void> {
  let text = ''
  const output = { write: (more: string) => (text += more) }
  t.true(await check({ file: join(folder, 'frontends.json'), network, format: 'text', environment: {}, output }), text)
}

test('init writes a configuration that is right, with keys for their owner only, over nothing', async (t) => {
  const folder = join(await aFolder(t), 'new')
  t.deepEqual((await initialise(folder)).kept, [])
  t.deepEqual((await readdir(folder)).sort(), ['.gitignore', 'frontends.json', 'keys', 'spa'])
  t.is(await readFile(join(folder, '.gitignore'), 'utf8'), 'keys/\n.sallyport/\nnode_modules/\n')
  for (const name of ['client.jwk', 'sealing.key']) t.is((await stat(join(folder, 'keys', name))).mode & 0o777, 0o600)
  t.is((await stat(join(folder, 'keys'))).mode & 0o777, 0o700)
  await isRight(t, folder)

  const file = join(folder, 'frontends.json')
  await writeFile(file, '{}')
  const key = await readFile(join(folder, 'keys/client.jwk'), 'utf8')
  t.true((await initialise(folder)).kept.includes('frontends.json'))
  t.is(await readFile(file, 'utf8'), '{}')
  t.is(await readFile(join(folder, 'keys/client.jwk'), 'utf8'), key)
})

test('init --embedded makes a whole: its user signs in with the password that is shown once', async (t) => {
  const folder = await aFolder(t)
  const { password = '', created } = await initialise(folder, embedded)
  t.false(created.includes('keys/client.jwk'))
  const configuration = look(folder)
  t.is(configuration.gateway?.frontends[0]?.publicUrl.origin, 'http://localhost:3000')
  const [user] = configuration.authorizationServer?.options.users ?? []
  t.true(await verifyPassword(password, user?.passwordHash ?? ''))
  t.false((await readFile(join(folder, 'frontends.json'), 'utf8')).includes(password))
  t.is((await initialise(folder, embedded)).password, undefined)
})

test('what init --embedded writes passes check with the network, as it is', async (t) => {
  const folder = await aFolder(t)
  await initialise(folder, embedded)
  const [gateway, issuer, admin] = await freePorts(3)
  const file = join(folder, 'frontends.json')
  const text = await readFile(file, 'utf8')
  await writeFile(
    file,
    text.replaceAll(':3000', `:${gateway}`).replaceAll(':3001', `:${issuer}`).replaceAll(':9464', `:${admin}`),
  )
  await isRight(t, folder, 'try')
})

test('a password of one’s own is not shown', async (t) => {
  const folder = await aFolder(t)
  const user = { name: 'carol', password: 'through the looking-glass' }
  const { password } = await initialise(folder, { server: { kind: 'embedded', user } })
  t.is(password, undefined)
  const [made] = look(folder).authorizationServer?.options.users ?? []
  t.is(made?.username, 'carol')
  t.true(await verifyPassword(user.password, made?.passwordHash ?? ''))
})

test('--spa takes a folder with a page, or a development server; --api becomes a route with its own audience', async (t) => {
  const folder = await aFolder(t)
  await mkdir(join(folder, 'dist'))
  await t.throwsAsync(async () => choicesOf({ embedded: true, spa: join(folder, 'dist') }, hasPage), {
    message: /has no index\.html\. Build the application first/,
  })
  await writeFile(join(folder, 'dist/index.html'), '<!doctype html>')
  const built = choicesOf({ embedded: true, spa: join(folder, 'dist'), api: 'http://127.0.0.1:8080/v1' }, hasPage)
  await initialise(join(folder, 'gateway'), built)
  await isRight(t, join(folder, 'gateway'))
  const [frontend] = look(join(folder, 'gateway')).gateway?.frontends ?? []
  t.is(frontend?.staticFilesPath, join(folder, 'dist'))
  t.like(frontend?.routes[0], { path: '/api', resource: 'http://127.0.0.1:8080' })
  t.is(frontend?.routes[0]?.upstreams[0]?.href, 'http://127.0.0.1:8080/v1')

  const served = choicesOf({ authority: 'https://127.0.0.1:9', spa: 'http://localhost:3000/index.html' }, hasPage)
  const { url } = await initialise(join(folder, 'other'), served)
  t.is(url, 'http://localhost:4000', 'the port of the development server is left to it')
  await isRight(t, join(folder, 'other'))
  t.is(look(join(folder, 'other')).gateway?.frontends[0]?.developmentServer?.origin, 'http://localhost:3000')
})

test('what is no URL is refused with an example', (t) => {
  for (const [flags, message] of [
    ...['login.example.com', 'http://login.example.com', 'https://a.example/?x', '"', 'https://me@a.example'].map(
      (authority): [InitFlags, RegExp] => [{ authority }, /--authority is the issuer identifier/],
    ),
    [{ api: 'orders:8080' }, /--api is where your API listens, as in/],
    [{ spa: 'http://' }, /--spa is a folder, or the origin/],
  ] satisfies [InitFlags, RegExp][])
    t.throws(() => choicesOf(flags, hasPage), { message })
})

const complete = {
  pushed_authorization_request_endpoint: 'https://a.example/par',
  dpop_signing_alg_values_supported: ['ES256'],
  authorization_response_iss_parameter_supported: true,
  token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_post'],
  token_endpoint_auth_signing_alg_values_supported: ['ES256', 'PS256'],
  id_token_signing_alg_values_supported: ['RS256', 'PS256'],
  code_challenge_methods_supported: ['S256'],
  scopes_supported: ['openid', 'offline_access'],
}

for (const [what, change, fit, lacks] of [
  [
    'all of FAPI 2.0',
    {},
    { profile: 'Fapi2', algorithm: 'ES256', scopes: ['openid', 'profile', 'offline_access'] },
    [],
  ],
  [
    'client keys for PS256 only',
    { token_endpoint_auth_signing_alg_values_supported: ['PS256'] },
    { profile: 'Fapi2', algorithm: 'PS256' },
    [],
  ],
  [
    'client keys for EdDSA only',
    { token_endpoint_auth_signing_alg_values_supported: ['EdDSA'] },
    { algorithm: 'Ed25519' },
    [],
  ],
  [
    'no PAR',
    { pushed_authorization_request_endpoint: undefined },
    { profile: 'Baseline', pushedRequests: false },
    [/pushed/],
  ],
  ['no DPoP', { dpop_signing_alg_values_supported: undefined }, { profile: 'Baseline', dpop: false }, [/DPoP/]],
  [
    'DPoP with RS256 only',
    { dpop_signing_alg_values_supported: ['RS256'] },
    { profile: 'Baseline', dpop: false },
    [/DPoP/],
  ],
  [
    'no iss in callbacks',
    { authorization_response_iss_parameter_supported: undefined },
    { profile: 'Baseline', issuerInCallbacks: false },
    [/iss/],
  ],
  [
    'ID tokens with RS256 only',
    { id_token_signing_alg_values_supported: ['RS256'] },
    { profile: 'Baseline' },
    [/ID tokens/],
  ],
  [
    'no algorithm for ID tokens',
    { id_token_signing_alg_values_supported: [] },
    { profile: 'Fapi2' },
    [/no algorithm for ID tokens: give it a signing key/],
  ],
  [
    'client secrets only',
    { token_endpoint_auth_methods_supported: ['client_secret_post'] },
    { profile: 'Baseline', clientAuthentication: 'ClientSecretPost' },
    [/private_key_jwt/],
  ],
  [
    'client secrets in Authorization: Basic only',
    { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
    { profile: 'Baseline', clientAuthentication: 'ClientSecretBasic' },
    [/private_key_jwt/],
  ],
  [
    'clients by another way only',
    { token_endpoint_auth_methods_supported: ['tls_client_auth'] },
    { profile: 'Fapi2', clientAuthentication: 'PrivateKeyJwt' },
    [/switch private_key_jwt on/],
  ],
  ['signed requests only', { require_signed_request_object: true }, { profile: 'Fapi2', signedRequests: true }, []],
  ['no PKCE with S256', { code_challenge_methods_supported: ['plain'] }, { profile: 'Fapi2' }, [/S256/]],
  [
    'Keycloak’s addresses',
    { token_endpoint: 'https://a.example/realms/x/protocol/openid-connect/token' },
    { scopes: ['openid', 'profile'] },
    [],
  ],
] satisfies [string, object, Partial<ServerFit>, RegExp[]][])
  test(`a server with ${what} gets what fits to it`, async (t) => {
    const metadata = { issuer: '', jwks_uri: '', ...complete, ...change }
    const found = fitOf('https://a.example', metadata)
    t.like(found, fit)
    t.is(found.lacks.length, lacks.length, found.lacks.join('\n'))
    for (const [index, lack] of lacks.entries()) t.regex(found.lacks[index] ?? '', lack)

    const authority = await listening(t, (request, response) => {
      const isKeys = request.url === '/keys'
      const issuer = `http://${request.headers.host}`
      const document = isKeys ? { keys: [{}] } : { ...metadata, issuer, jwks_uri: `${issuer}/keys` }
      response.end(JSON.stringify(document))
    })
    const folder = await aFolder(t)
    const result = await initialise(folder, { server: { kind: 'foreign', authority } })
    t.deepEqual(result.lacks, found.lacks)
    await isRight(t, folder)
    const { gateway } = look(folder)
    const [frontend] = gateway?.frontends ?? []
    t.is(frontend?.profile, found.profile)
    t.is(frontend?.dpop, found.dpop)
    t.is(frontend?.signedRequests, found.signedRequests)
    t.is(frontend?.pushedAuthorizationRequests, found.pushedRequests)
    t.is(frontend?.requireIssuer, found.issuerInCallbacks)
  })

test('init --authority reads a real server, from its discovery URL and without its last slash too', async (t) => {
  const authority = await aServer(t)
  const folder = await aFolder(t)
  const { lacks } = await initialise(
    folder,
    choicesOf({ authority: `${authority}/.well-known/openid-configuration` }, hasPage),
  )
  t.deepEqual(lacks, [])
  t.is(look(folder).gateway?.frontends[0]?.authority, authority)
  const slashed = await aFolder(t)
  await initialise(slashed, choicesOf({ authority: `${authority}/` }, hasPage))
  t.is(look(slashed).gateway?.frontends[0]?.authority, authority)
})

test('a server that cannot be read is taken for a FAPI 2.0 server, and that is said', async (t) => {
  const folder = await aFolder(t)
  const { lacks } = await initialise(folder, { server: { kind: 'foreign', authority: 'http://127.0.0.1:9' } })
  t.is(lacks.length, 1)
  t.regex(lacks[0] ?? '', /could not be read, so that this is written for a FAPI 2\.0 server/)
  await isRight(t, folder)
})

function answers(t: ExecutionContext, given: readonly string[]) {
  const left = [...given]
  const questions: string[] = []
  return {
    questions,
    ask: async (question: string) => {
      questions.push(question)
      const answer = left.shift()
      if (answer === undefined) throw new Error(`asked beyond what is answered: ${question}`)
      return answer
    },
    done: () => t.deepEqual(left, []),
  }
}

test('a person at a terminal is asked four things, and Enter answers each', async (t) => {
  const { ask, questions, done } = answers(t, ['', '', '', '', ''])
  t.deepEqual(await askForChoices(ask, async () => t.fail() as never, hasPage), embedded)
  t.is(questions.length, 5)
  done()
  const own = answers(t, ['', 'carol', 'y', 'http://localhost:5173', 'http://127.0.0.1:8080'])
  const choices = await askForChoices(own.ask, async () => 'a password', hasPage)
  t.like(choices, { server: { kind: 'embedded', user: { name: 'carol', password: 'a password' } } })
  t.is(choices.api?.port, '8080')
  const foreign = answers(t, ['https://auth.example.com', '', ''])
  t.deepEqual(await askForChoices(foreign.ask, async () => t.fail() as never, hasPage), {
    server: { kind: 'foreign', authority: 'https://auth.example.com' },
  })
})

test.serial('init without a terminal asks nothing, and says the next command', async (t) => {
  const folder = await aFolder(t)
  const run = async (words: readonly string[]) => {
    const { exitCode, stdout, stderr } = await sallyport(['init', ...words], { cwd: folder })
    t.is(exitCode, 0, stderr)
    return stdout
  }
  t.regex(
    await run([]),
    /Write your authorization server into frontends\.json, as Authority\.\nNext: npx --no-install sallyport check\n/,
  )
  const text = await run(['shop', '--embedded'])
  t.regex(text, /^Sign in as alice with \S{12}: it is shown this once\.$/m)
  t.regex(text, /^Next: npx --no-install sallyport check --config shop\/frontends\.json$/m)
  t.regex(text, /^Then open http:\/\/localhost:3000 in a browser\.$/m)
  t.notRegex(await run(['shop', '--embedded']), /Sign in as/)
})
