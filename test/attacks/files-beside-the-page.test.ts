import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { createStaticFiles } from '../../src/gateway/page/static-files.js'
import { Refusal, statusOf } from '../../src/gateway/refusal.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { call, type Reply } from '../gateway/_client.js'
import { listening } from '../gateway/_upstream.js'

/*
 * The folder of a page is public, and nothing else is: no link leads out of it, nothing hidden is served under a visible
 * name, and a folder that holds the gateway's own files is refused before anything is served.
 */

type Files = Readonly<Record<string, string>>

async function aTree(t: ExecutionContext, files: Files, links: Files = {}): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'beside-'))
  t.teardown(() => rm(tree, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(tree, name)), { recursive: true })
    await writeFile(join(tree, name), content)
  }
  for (const [name, target] of Object.entries(links)) {
    await mkdir(dirname(join(tree, name)), { recursive: true })
    await symlink(target, join(tree, name))
  }
  return tree
}

async function served(t: ExecutionContext, folder: string): Promise<(path: string) => Promise<Reply>> {
  const serve = createStaticFiles(folder)
  const server = await listening(async (request, response) => {
    try {
      await serve(request, response, request.url ?? '', 'asset')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      response.writeHead(statusOf(error.code)).end(error.code)
    }
  })
  t.teardown(server.close)
  return (path) => call(server.url, path, { headers: { 'Accept-Encoding': 'br, gzip' } })
}

test('no link leads out of the folder: to a file, to a folder, by way of another link, beside it, or compressed', async (t) => {
  const tree = await aTree(
    t,
    {
      'page/index.html': 'page',
      'page/app.js': 'script',
      'page-secrets/key.txt': 'SECRET',
      'outside/key.txt': 'SECRET',
      'outside/index.html': 'SECRET',
    },
    {
      'page/file.txt': '../outside/key.txt',
      'page/sibling.txt': '../page-secrets/key.txt',
      'page/folder': '../outside',
      'page/chain.txt': 'file.txt',
      'page/self': '.',
      'page/app.js.br': '../outside/key.txt',
      'page/passwd': '/etc/passwd',
      'page/.well-known': '../outside',
      'page/loop': 'loop',
    },
  )
  const get = await served(t, join(tree, 'page'))
  for (const path of [
    '/file.txt',
    '/sibling.txt',
    '/folder/key.txt',
    '/folder/',
    '/chain.txt',
    '/self/file.txt',
    '/passwd',
    '/.well-known/key.txt',
    '/loop',
  ]) {
    const { status, text } = await get(path)
    t.is(status, 404, path)
    t.is(text, 'bff.asset.unknown', path)
  }
  const script = await get('/app.js')
  t.is(script.text, 'script')
  t.is(script.headers['content-encoding'], undefined)
})

test('nothing hidden is served under a visible name', async (t) => {
  const tree = await aTree(
    t,
    { '.env': 'SECRET', '.git/config': 'SECRET', 'sub/.htpasswd': 'SECRET', '.well-known/.token': 'SECRET' },
    { 'env.txt': '.env', git: '.git', 'users.txt': 'sub/.htpasswd', 'token.txt': '.well-known/.token' },
  )
  const get = await served(t, tree)
  for (const path of ['/env.txt', '/git/config', '/users.txt', '/token.txt', '/.well-known/.token'])
    t.is((await get(path)).status, 404, path)
})

test('links that stay inside are followed: a mounted volume, a release, the folder itself', async (t) => {
  const tree = await aTree(
    t,
    {
      'releases/1/index.html': 'one',
      'releases/2/index.html': 'two',
      'volume/..2026_11_26/app.txt': 'mounted',
    },
    { current: 'releases/1', 'volume/..data': '..2026_11_26', 'volume/app.txt': '..data/app.txt' },
  )
  const volume = await served(t, join(tree, 'volume'))
  t.is((await volume('/app.txt')).text, 'mounted')
  t.is((await volume('/..data/app.txt')).status, 404)
  t.is((await volume('/..2026_11_26/app.txt')).status, 404)
  const release = await served(t, join(tree, 'current'))
  t.is((await release('/')).text, 'one')
  await symlink('releases/2', join(tree, 'next'))
  await rename(join(tree, 'next'), join(tree, 'current'))
  t.is((await release('/')).text, 'two')
})

for (const [what, files, folder, named] of [
  ['the configuration file', {}, '.', /holds the configuration file frontends\.json/],
  ['it from further up', {}, '..', /holds the configuration file/],
  ['keys made at start', {}, './.sallyport', /StateDirectory/],
  ['a folder in those', { '.sallyport/page/index.html': '' }, './.sallyport/page', /StateDirectory/],
  [
    'the sealing key',
    { 'spa/keys/sealing.key': 'A'.repeat(43) },
    './spa',
    /sealing\.key, the secret that \/Bff\/SealingKeys\/0\/File/,
  ],
  [
    'a key of another purpose',
    { 'spa/old/tls.key': '-----BEGIN PRIVATE KEY-----' },
    './spa',
    /old\/tls\.key, a private key/,
  ],
  ['a private JWK', { 'spa/client.jwk': '{"kty":"EC", "d" : "x"}' }, './spa', /client\.jwk, a private key/],
  ['an environment file', { 'spa/.env.production': '' }, './spa', /\.env\.production: it is the folder of a project/],
  ['a repository', { 'spa/.git/config': '' }, './spa', /folder of a project/],
  ['a project', { 'spa/package.json': '{}', 'spa/dist/index.html': '' }, './spa', /folder of a project/],
] as const) {
  test(`a folder is refused that holds ${what}`, async (t) => {
    const configuration = {
      Bff: {
        Authority: 'https://auth.example.com',
        PublicUrl: 'https://app.example.com',
        SealingKeys: ['spa/keys/sealing.key' in files ? { File: './spa/keys/sealing.key' } : 'A'.repeat(43)],
        Frontends: [
          {
            Name: 'app',
            ClientId: 'my-bff',
            ClientSigningKeyJwk: generateSigningJwk('ES256'),
            StaticFilesPath: folder,
          },
        ],
      },
    }
    const tree = await aTree(t, {
      'index.html': '',
      'spa/index.html': '',
      '.sallyport/index.html': '',
      'frontends.json': JSON.stringify(configuration),
      ...files,
    })
    const error = t.throws(() => readConfiguration({ file: join(tree, 'frontends.json'), environment: {} }), {
      instanceOf: ConfigurationError,
    })
    const [problem] = error.problems.filter(({ pointer }) => pointer === '/Bff/Frontends/0/StaticFilesPath')
    t.regex(problem?.problem ?? '', named)
    t.regex(
      problem?.remedy ?? '',
      'spa/dist/index.html' in files ? /spa\/dist, where/ : /folder of its own|Name .*, where/,
    )
  })
}
