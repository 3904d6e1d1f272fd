import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { aFolder, install, link, packedPackage, packedValidator } from './_packed.js'
import { freePorts, runStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

/** A framework by its heading in the page, with all that its user has installed besides us. */
interface Framework {
  readonly heading: string
  /** Name to import it by, and the folder of `node_modules` it is in here. */
  readonly packages: Readonly<Record<string, string>>
  /** With the package that has the validator alone. */
  readonly alone?: true
}

const frameworks: readonly Framework[] = [
  { heading: 'In Koa', packages: { koa: 'koa', '@koa/router': '@koa/router' } },
  { heading: 'In Express, 4 or 5', packages: { express: 'express4' } },
  { heading: 'In Express, 4 or 5', packages: { express: 'express' } },
  { heading: 'In Express, 4 or 5', packages: { express: 'express' }, alone: true },
  { heading: 'In Fastify', packages: { fastify: 'fastify' } },
  { heading: 'In plain `node:http`', packages: {} },
  { heading: 'In a Fetch handler', packages: {} },
]
/** What the validator itself needs to run. */
const ours = { 'lru-cache': 'lru-cache', 'ipaddr.js': 'ipaddr.js' }
const validator = 'sallyport-dpop-validator'

/** A Fetch handler needs somebody to call it. */
const fetchServer = `
import { createServer } from 'node:http'
import { handler } from './api.mjs'
createServer(async (incoming, outgoing) => {
  const url = new URL(incoming.url, 'http://' + incoming.headers.host)
  const answer = await handler(new Request(url, { method: incoming.method, headers: incoming.headers }), { incoming, outgoing })
  outgoing.writeHead(answer.status, [...answer.headers].flat())
  outgoing.end(Buffer.from(await answer.arrayBuffer()))
}).listen(8080)
`

test('an API in each framework, written from the page with the packed package in a clean folder, works behind the gateway', async (t) => {
  const folder = await aFolder(t)
  const ports = await freePorts(frameworks.length)

  let audience = ''
  const stack = await runStack({
    configure: (configuration) => {
      audience = configuration.Authentication.OpenIddict.Audience
      const [frontend] = configuration.Bff.Frontends
      for (const [index, port] of ports.entries())
        frontend.Routes.push({ Path: `/api${index}`, StripPath: true, Upstreams: [`http://127.0.0.1:${port}`] })
    },
  })
  t.teardown(() => stack.stop())

  const page = await readFile('docs/protect-an-api.md', 'utf8')
  for (const [index, { heading, packages, alone }] of frameworks.entries()) {
    const home = join(folder, String(index))
    const [file, name] = alone ? [await packedValidator(), validator] : [await packedPackage(), 'sallyport']
    await install(file, join(home, 'node_modules', name))
    await link(join(home, 'node_modules'), { ...ours, ...packages })
    const port = ports[index] ?? 0
    const program = blockBelow(page, heading)
      .replaceAll('sallyport/dpop-validator', alone ? validator : 'sallyport/dpop-validator')
      .replaceAll('https://auth.example.com', stack.authorizationServer.origin)
      .replace(/audience: '[^']+'/, `audience: '${audience}'`)
      .replace(/publicUrl: '[^']+'/, `publicUrl: 'http://127.0.0.1:${port}'`)
    await writeFile(join(home, 'api.mjs'), program.replace('8080', String(port)))
    await writeFile(join(home, 'server.mjs'), fetchServer.replace('8080', String(port)))
    await start(t, home, heading === 'In a Fetch handler' ? 'server.mjs' : 'api.mjs', port)
  }

  const browser = createUserAgent()
  const signIn = await browser.navigate(new URL('/bff/login?returnUrl=/', stack.gateway))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  for (const [index, { heading }] of frameworks.entries()) {
    const answer = await browser.call(new URL(`/api${index}/orders`, stack.gateway))
    t.is(answer.status, 200, heading)
    t.like(await answer.json(), { for: 'alice' }, heading)
    const bare = await fetch(`http://127.0.0.1:${ports[index]}/orders`)
    t.is(bare.status, 401, heading)
    t.regex(bare.headers.get('WWW-Authenticate') ?? '', /^DPoP algs="ES256 EdDSA PS256"/, heading)
  }
})

function blockBelow(page: string, heading: string): string {
  const section = page.slice(page.indexOf(`\n## ${heading}\n`))
  return /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? ''
}

async function start(t: ExecutionContext, cwd: string, program: string, port: number): Promise<void> {
  const child = spawn(process.execPath, [program], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => child.kill())
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1')
    const isListening = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isListening) return
  }
  t.fail(`${program} has ended: ${said}`)
}

test('the validator can be had alone, with three packages that it depends on', async (t) => {
  const folder = await aFolder(t)
  await install(await packedValidator(), join(folder, validator))
  const manifest = JSON.parse(await readFile(join(folder, validator, 'package.json'), 'utf8')) as {
    readonly dependencies: object
    readonly exports: object
  }
  t.deepEqual(Object.keys(manifest.dependencies), ['ipaddr.js', 'jose', 'lru-cache'])
  t.true('.' in manifest.exports && './express' in manifest.exports)
})
