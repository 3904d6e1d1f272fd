import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { createStaticFiles } from '../../../src/gateway/page/static-files.js'
import { Refusal, statusOf } from '../../../src/gateway/refusal.js'
import { eventually } from '../../_eventually.js'
import { call, type Reply } from '../_client.js'
import { listening } from '../_upstream.js'

const script = 'console.log("page")\n'.repeat(20)
const files: Record<string, string | Buffer> = {
  'index.html': '<!doctype html><title>page</title>',
  'about.html': '<!doctype html><title>about</title>',
  'assets/index-BkX2x9qF.js': script,
  'assets/index-BkX2x9qF.js.br': brotliCompressSync(script),
  'assets/index-BkX2x9qF.js.gz': gzipSync(script),
  'main.3f2a1b4c5d6e.css': 'a{}',
  'chunk-5RJ6SVCV.js': '',
  'my-component.js': '',
  'vendors-Settings.js': '',
  'blank #1?.txt': 'odd name',
  '.env': 'SECRET=1',
  '.git/config': 'secret',
  '.well-known/security.txt': 'Contact: us',
}

interface Page {
  readonly folder: string
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Reply>
}

test('a deep page of the sample is styled: what it names is there, wherever it is opened', async (t) => {
  const serve = createStaticFiles('samples/spa')
  const server = await listening((request, response) =>
    serve(
      request,
      response,
      request.url ?? '',
      request.headers['sec-fetch-mode'] === 'navigate' ? 'navigation' : 'asset',
    ),
  )
  t.teardown(server.close)
  for (const path of ['/', '/orders', '/orders/17/edit', '/orders/17/']) {
    const { text } = await call(server.url, path, { headers: { 'Sec-Fetch-Mode': 'navigate' } })
    const named = [...text.matchAll(/(?:<link[^>]* href|<(?:script|img)[^>]* src)="([^"]+)"/g)].map(
      ([, url = '']) => url,
    )
    t.true(named.length >= 4)
    for (const url of named)
      t.is((await call(server.url, new URL(url, new URL(path, server.url)).pathname)).status, 200, `${url} at ${path}`)
  }
})

async function aPage(t: ExecutionContext): Promise<Page> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  const serve = createStaticFiles(folder)
  const server = await listening(async (request, response) => {
    const purpose = request.headers['sec-fetch-mode'] === 'navigate' ? 'navigation' : 'asset'
    try {
      await serve(request, response, request.url ?? '', purpose)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      response.writeHead(statusOf(error.code)).end(error.code)
    }
  })
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })
  return { folder, get: (path, headers = {}, method = 'GET') => call(server.url, path, { headers, method }) }
}

const navigation = { 'Sec-Fetch-Mode': 'navigate' }

test('a file whose name changes with its content is kept for a year, any other is asked for again', async (t) => {
  const { get } = await aPage(t)
  const caching = async (path: string) => (await get(path)).headers['cache-control']
  for (const path of ['/assets/index-BkX2x9qF.js', '/main.3f2a1b4c5d6e.css', '/chunk-5RJ6SVCV.js'])
    t.is(await caching(path), 'public, max-age=31536000, immutable', path)
  for (const path of ['/', '/my-component.js', '/vendors-Settings.js', '/about.html'])
    t.is(await caching(path), 'no-cache', path)
})

test('a navigation to what is not there gets the page, an asset gets 404', async (t) => {
  const { get } = await aPage(t)
  for (const path of ['/orders/17', '/people/john.doe', '/orders/']) {
    const response = await get(path, navigation)
    t.is(response.status, 200)
    t.is(response.headers['content-type'], 'text/html; charset=utf-8')
    t.true(response.text.includes('<title>page'))
    t.is((await get(path)).status, 404)
  }
  t.true((await get('/about', navigation)).text.includes('<title>about'))
  const missing = await get('/assets/gone.js')
  t.is(missing.status, 404)
  t.is(missing.text, 'bff.asset.unknown')
  t.is(missing.headers['cache-control'], undefined)
})

test('sends what has been compressed beforehand to whoever takes it', async (t) => {
  const { get } = await aPage(t)
  const decode = { br: brotliDecompressSync, gzip: gunzipSync, identity: (bytes: Buffer) => bytes }
  for (const [accepted, sent] of [
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['identity', undefined],
  ] as const) {
    const response = await get('/assets/index-BkX2x9qF.js', { 'Accept-Encoding': accepted })
    t.is(response.headers['content-encoding'], sent)
    t.is(response.headers.vary, 'Accept-Encoding')
    t.is(response.headers['content-type'], 'text/javascript; charset=utf-8')
    t.is(decode[sent ?? 'identity'](Buffer.from(response.text, 'latin1')).toString(), script)
  }
})

test('answers conditions and ranges (RFC 9110 §13 and §14)', async (t) => {
  const { get } = await aPage(t)
  const plain = { 'Accept-Encoding': 'identity' }
  const etag = (await get('/assets/index-BkX2x9qF.js', plain)).headers.etag ?? ''
  t.is((await get('/assets/index-BkX2x9qF.js', { ...plain, 'If-None-Match': `"other", ${etag}` })).status, 304)
  for (const [range, status, content] of [
    ['bytes=0-6', 206, 'console'],
    ['bytes=-5', 206, 'ge")\n'],
    ['bytes=99999-', 416, ''],
    ['bytes=5-2', 416, ''],
    ['lines=1-2', 200, script],
  ] as const) {
    const response = await get('/assets/index-BkX2x9qF.js', { ...plain, Range: range })
    t.is(response.status, status, range)
    t.is(response.text, content, range)
  }
  const head = await get('/assets/index-BkX2x9qF.js', plain, 'HEAD')
  t.is(head.headers['content-length'], String(script.length))
})

test('hidden files and paths that lead out are not there; .well-known is', async (t) => {
  const { get } = await aPage(t)
  for (const path of [
    '/.env',
    '/.git/config',
    '/%2eenv',
    '/..%2f..%2fetc/passwd',
    '/assets/..%5c..%5c.env',
    '/%00',
    '/%ff',
    '/%2e%2e%2f.env',
  ])
    t.is((await get(path)).status, 404, path)
  t.is((await get('/.well-known/security.txt')).text, 'Contact: us')
  t.is((await get('/blank%20%231%3F.txt')).text, 'odd name')
})

test('a page is only read', async (t) => {
  const { get } = await aPage(t)
  t.is((await get('/', {}, 'POST')).status, 405)
})

test('a new build is served without a restart, and a file that vanishes meanwhile is 404', async (t) => {
  const { get, folder } = await aPage(t)
  await writeFile(join(folder, 'new.js'), 'new')
  t.is((await get('/new.js')).text, 'new')
  await rm(join(folder, 'new.js'))
  t.is((await get('/new.js')).status, 404)
})

test('a browser that has gone before its file is found holds nothing up', async (t) => {
  const serve = createStaticFiles('samples/spa')
  let served: Promise<void> | undefined
  const server = await listening((request, response) => {
    response.once('close', () => {
      served = serve(request, response, '/sample.css', 'asset')
    })
    request.socket.resetAndDestroy()
  })
  t.teardown(() => server.close())
  await t.throwsAsync(call(server.url, '/sample.css'))
  await eventually(() => served !== undefined)
  await served
  t.pass()
})
