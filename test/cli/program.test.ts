import { execFile } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test from 'ava'
import { verifyPassword } from '../../src/authorization-server/password.js'
import { initialise } from '../../src/cli/init.js'
import { signingKeyText } from '../../src/cli/keygen.js'
import { loadConfiguration } from '../../src/config/load.js'
import { type Jwk, publicHalf, signatureAlgorithms, signingKey } from '../../src/keys.js'
import { aFile, aFolder } from '../config/_workspace.js'

interface Result {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const main = resolve('build/src/main.js')

function sallyport(words: readonly string[], { input = '', cwd = '.' } = {}): Promise<Result> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [main, ...words], { cwd }, (error, stdout, stderr) => {
      done({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
    child.stdin?.end(input)
  })
}

test.serial(
  'a file with ten mistakes prints all ten with pointer and remedy, exit code 1 and no stack trace',
  async (t) => {
    const file = await aFile(
      t,
      `{
  "Server": { "Listen": "everywhere", "TrustedProxies": ["10.0.0.0"] },
  "Bff": {
    "Authority": "http://auth.example.com",
    "PublicUrl": "https://app.example.com/app",
    "SessionDuration": "8h",
    "UseSessionSlidingExpiration": "yes",
    "Frontends": [
      { "Name": "admin", "ClientID": "my-bff", "UseDPoP": false, "ClientSigningKeyJwk": { "Env": "NOT_SET_ANYWHERE" } },
      { "Name": "admin", "ClientId": "other", "PathPrefix": "/other", "ClientSigningKeyJwk": { "File": "missing.json" } }
    ]
  }
}`,
    )
    const pointers = [
      '/Server/Listen',
      '/Server/TrustedProxies/0',
      '/Bff/Authority',
      '/Bff/PublicUrl',
      '/Bff/SessionDuration',
      '/Bff/UseSessionSlidingExpiration',
      '/Bff/Frontends/0/ClientID',
      '/Bff/Frontends/0/UseDPoP',
      '/Bff/Frontends/0/ClientSigningKeyJwk/Env',
      '/Bff/Frontends/1/Name',
      '/Bff/Frontends/1/ClientSigningKeyJwk/File',
    ]
    for (const command of ['start', 'check']) {
      const { exitCode, stdout, stderr } = await sallyport([command, '--config', file])
      t.is(exitCode, 1, command)
      const output = stdout + stderr
      for (const pointer of pointers) t.true(output.includes(`error ${pointer} `), `${command}: ${pointer}`)
      t.is(output.match(/^ {6}→ ./gm)?.length, 11)
      t.is(output.match(/^ {6}frontends\.json:\d+:\d+$/gm)?.length, 11)
      t.true(output.includes('11 problems'))
      t.notRegex(output, /\n\s+at |node:internal/)
      t.false(output.includes('\u001b'), 'no colours but on a terminal')
    }
  },
)

test.serial('no file, no command, no such command: each says what to do', async (t) => {
  const missing = await sallyport(['start', '--config', '/nowhere/frontends.json'])
  t.like(missing, { exitCode: 1 })
  t.regex(missing.stderr, /there is no file \/nowhere\/frontends\.json[\s\S]*→ Name one with --config/)
  t.regex((await sallyport(['strat'])).stderr, /Did you mean start\?/)
  t.regex((await sallyport(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  t.regex(
    (await sallyport(['explain', 'GET', '/api', '--config', 'frontends.example.json'])).stderr,
    /as the browser sees it/,
  )
})

for (const algorithm of signatureAlgorithms)
  test(`keygen makes a private ${algorithm} key with a kid, and its public half`, (t) => {
    const [privateJwk, publicJwk] = signingKeyText(algorithm)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Jwk)
    t.is(signingKey(privateJwk ?? {}).algorithm, algorithm)
    t.truthy(privateJwk?.kid)
    t.deepEqual(publicJwk, publicHalf(privateJwk ?? {}))
    t.is(publicJwk?.d, undefined)
  })

test.serial('keygen prints nothing but keys to standard output', async (t) => {
  const pair = await sallyport(['keygen', '--alg', 'Ed25519'])
  t.deepEqual(
    pair.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Jwk).crv),
    ['Ed25519', 'Ed25519'],
  )
  t.regex(pair.stderr, /First line: the private key/)
  const sealing = await sallyport(['keygen', '--sealing'])
  t.is(Buffer.from(sealing.stdout.trim(), 'base64url').length, 32)
})

test.serial('keygen --password makes the hash of the first line on standard input', async (t) => {
  const { stdout } = await sallyport(['keygen', '--password'], { input: 'wonderland\nand more\n' })
  t.true(await verifyPassword('wonderland', stdout.trim()))
  const nothing = await sallyport(['keygen', '--password'], { input: '' })
  t.like(nothing, { exitCode: 1, stdout: '' })
})

test('init writes a configuration that is right, with keys for their owner only, over nothing', async (t) => {
  const folder = join(await aFolder(t), 'new')
  t.deepEqual(initialise(folder).kept, [])
  t.deepEqual((await readdir(folder)).sort(), ['.gitignore', 'frontends.json', 'keys', 'spa'])
  for (const name of ['client.jwk', 'sealing.key']) t.is((await stat(join(folder, 'keys', name))).mode & 0o777, 0o600)
  const file = join(folder, 'frontends.json')
  t.notThrows(() => loadConfiguration({ file, environment: {}, state: 'look' }))

  await writeFile(file, '{}')
  const key = await readFile(join(folder, 'keys/client.jwk'), 'utf8')
  t.true(initialise(folder).kept.includes('frontends.json'))
  t.is(await readFile(file, 'utf8'), '{}')
  t.is(await readFile(join(folder, 'keys/client.jwk'), 'utf8'), key)
})

test.serial('explain prints what happens', async (t) => {
  const { stdout, exitCode } = await sallyport([
    'explain',
    'get',
    'http://localhost:3000/admin/api/orders?x=1',
    '--config',
    'frontends.example.json',
  ])
  t.is(exitCode, 0)
  for (const line of [/^frontend +admin/m, /^route +\/api$/m, /^calls +http:\/\/127\.0\.0\.1:3002\/api\/orders\?x=1$/m])
    t.regex(stdout, line)
  t.regex(stdout, /^htu +http:\/\/127\.0\.0\.1:3002\/api\/orders$/m)
})
