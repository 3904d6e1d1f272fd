import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'ava'
import { verifyPassword } from '../../src/authorization-server/sign-in/password.js'
import { signingKeyTexts } from '../../src/cli/keygen.js'
import { promptForPassword } from '../../src/cli/password-prompt.js'
import { generateSigningJwk, type Jwk, publicHalf, signatureAlgorithms, signingKey } from '../../src/jose/jwk.js'
import { aFile, aFolder } from '../config/_workspace.js'
import { sallyport, spawnSallyport } from './_sallyport.js'

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
      const { exitCode, stdout, stderr } = await spawnSallyport([command, '--config', file])
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
  const missing = await spawnSallyport(['start', '--config', '/nowhere/frontends.json'])
  t.like(missing, { exitCode: 1 })
  t.regex(missing.stderr, /there is no file \/nowhere\/frontends\.json[\s\S]*→ Name one with --config/)
  t.regex((await sallyport(['strat'])).stderr, /Did you mean start\?/)
  t.regex((await sallyport(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  t.regex(
    (await sallyport(['explain', 'GET', '/api', '--config', 'frontends.example.json'])).stderr,
    /as the browser sees it/,
  )
})

test.serial('where the package lmdb is missing, start and check say so and name both other stores', async (t) => {
  const hooks = `export function resolve(specifier, context, next) {
    if (specifier !== 'lmdb') return next(specifier, context)
    throw Object.assign(new Error("Cannot find package 'lmdb'"), { code: 'ERR_MODULE_NOT_FOUND' })
  }`
  const text = (program: string): string => `data:text/javascript,${encodeURIComponent(program)}`
  const hooked = text(`import { register } from 'node:module'; register('${text(hooks).replaceAll("'", '%27')}')`)
  const environment = { ...process.env, NODE_OPTIONS: `--import=${hooked.replaceAll("'", '%27')}` }
  const file = await aFile(t, {
    Bff: {
      Authority: 'http://127.0.0.1:9',
      PublicUrl: 'http://localhost:3000',
      Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: generateSigningJwk('ES256') }],
    },
  })
  for (const command of ['start', 'check']) {
    const { exitCode, stdout, stderr } = await spawnSallyport([command, '--config', file], { environment })
    const output = stdout + stderr
    t.is(exitCode, 1, output)
    t.regex(output, /lmdb/)
    t.regex(output, /"Store": \{ "Memory": \{\} \}/)
    t.regex(output, /"Store": \{ "Redis": \{ "Url": "redis:/)
    t.notRegex(output, /\n\s+at |node:internal/)
  }
})

for (const algorithm of signatureAlgorithms)
  test(`keygen makes a private ${algorithm} key with a kid, and its public half`, (t) => {
    const { privateKey, publicKey } = signingKeyTexts(algorithm)
    const privateJwk = JSON.parse(privateKey) as Jwk
    const publicJwk = JSON.parse(publicKey) as Jwk
    t.is(signingKey(privateJwk).algorithm, algorithm)
    t.truthy(privateJwk.kid)
    t.deepEqual(publicJwk, publicHalf(privateJwk))
    t.is(publicJwk.d, undefined)
  })

test.serial('what keygen prints to standard output is a key file; its public half stands beside it', async (t) => {
  const pair = await sallyport(['keygen', '--alg', 'Ed25519'])
  const privateJwk = JSON.parse(pair.stdout) as Jwk
  t.is(signingKey(privateJwk).algorithm, 'Ed25519')
  t.deepEqual(JSON.parse(pair.stderr.trim().split('\n').at(-1) ?? ''), publicHalf(privateJwk))
  t.false(pair.stderr.includes(String(privateJwk.d)))
  const sealing = await sallyport(['keygen', '--sealing'])
  t.is(Buffer.from(sealing.stdout.trim(), 'base64url').length, 32)
})

test.serial('keygen --out writes the secret for its owner only, over nothing', async (t) => {
  const file = join(await aFolder(t), 'client.jwk')
  const { stdout, stderr } = await sallyport(['keygen', '--out', file])
  const privateJwk = JSON.parse(await readFile(file, 'utf8')) as Jwk
  t.deepEqual(JSON.parse(stdout), publicHalf(privateJwk))
  t.false((stdout + stderr).includes(String(privateJwk.d)))
  t.is((await stat(file)).mode & 0o777, 0o600)
  const again = await sallyport(['keygen', '--out', file])
  t.is(again.exitCode, 1)
  t.regex(again.stderr, /is there already, and was left alone/)
  t.deepEqual(JSON.parse(await readFile(file, 'utf8')), privateJwk)
})

test.serial('keygen --password makes the hash of the first line on standard input', async (t) => {
  const { stdout } = await sallyport(['keygen', '--password'], { input: 'wonderland\nand more\n' })
  t.true(await verifyPassword('wonderland', stdout.trim()))
  const nothing = await sallyport(['keygen', '--password'], { input: '' })
  t.like(nothing, { exitCode: 1, stdout: '' })
})

/** A terminal, and what is written to it. */
function aTerminal() {
  const modes: boolean[] = []
  const terminal = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => modes.push(on) })
  let shown = ''
  const write = (text: string): void => {
    shown += text
    if (text.endsWith(': ')) terminal.emit('asked')
  }
  return { terminal, modes, write, shown: () => shown }
}

test('a password that is typed is asked for twice and never shown', async (t) => {
  const { terminal, modes, write, shown } = aTerminal()
  terminal.on('asked', () => setImmediate(() => terminal.write('wonderlandX\u007f\r')))
  t.is(await promptForPassword(terminal, write), 'wonderland')
  t.false(shown().includes('wonderland'))
  t.regex(shown(), /^Password \(it is not shown\): \nOnce more: \n$/)
  t.deepEqual(modes, [true, false, true, false])
})

test('two passwords that differ, and Ctrl+C, make nothing; the terminal shows again what is typed', async (t) => {
  for (const [typed, message] of [
    [['one\r', 'two\r'], /differ/],
    [['one\u0003'], /broken off/],
  ] as const) {
    const { terminal, modes, write } = aTerminal()
    const lines = [...typed]
    terminal.on('asked', () => setImmediate(() => terminal.write(lines.shift())))
    await t.throwsAsync(promptForPassword(terminal, write), { message })
    t.is(modes.at(-1), false)
  }
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

test.serial('a port of the demo that is taken: what to do is a command', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { stderr, exitCode } = await spawnSallyport(['dev', '--port', String(port)])
  t.is(exitCode, 1)
  // The demo takes three in a row; another test of this run may have one of the next two.
  t.regex(
    stderr,
    new RegExp(`is 127\\.0\\.0\\.1:(${[port, port + 1, port + 2].join('|')}), which another program listens on`),
  )
  t.regex(stderr, /npm start -- --port 4000/)
  t.regex((await sallyport(['dev', '--port', 'x'])).stderr, /Write a number from 1 to 65532/)
})
