import { execFile } from 'node:child_process'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { satisfies } from 'semver'
import { aFolder, install, link, packedPackage } from './_packed.js'

/*
 * What somebody who writes TypeScript gets from `npm install`: every export compiles, in both ways in which a program's
 * imports are resolved, with the declarations themselves checked (`skipLibCheck: false`).
 */
const run = promisify(execFile)

interface Manifest {
  readonly exports: Readonly<Record<string, string | object>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
}

const manifest = JSON.parse(await readFile('package.json', 'utf8')) as Manifest
const entries = Object.keys(manifest.exports).map((name) => name.replace(/^\./, 'sallyport'))
const programs = entries.filter((name) => !name.endsWith('.json'))
const documents = entries.filter((name) => name.endsWith('.json'))

const everyExport = (names: readonly string[]): string =>
  [
    ...names.map((name, index) => `import * as entry${index} from '${name}'`),
    ...documents.map((name, index) => `import document${index} from '${name}' with { type: 'json' }`),
    `export const all: readonly object[] = [${[...names.map((_, index) => `entry${index}`), ...documents.map((_, index) => `document${index}`)]}]`,
  ].join('\n')

const verifier = `
import { createVerifier } from 'sallyport'
const verifier = createVerifier({ issuer: 'https://as.example', audience: 'orders', publicUrl: 'https://api.example' })
`
const inExpress = `
import express from 'express'
import { createGateway, type GatewayOptions } from 'sallyport'
import { protect, requireScopes } from 'sallyport/dpop-validator/express'
${verifier}
const app = express().use(protect(verifier))
app.get('/', requireScopes('orders:read'), (request, response) => void response.json(request.auth?.subject))
export const serve = async (options: GatewayOptions) => app.use((await createGateway(options)).middleware())
`
const inFastify = `
import fastify from 'fastify'
import { protect, requireAcr } from 'sallyport/dpop-validator/fastify'
${verifier}
const app = fastify().register(protect(verifier))
app.get('/', { config: { scopes: ['orders:read'] }, preHandler: requireAcr('mfa') }, (request) => request.auth?.subject)
`
const inKoa = `
import Koa from 'koa'
import { createAuthorizationServer, createGateway, type AuthorizationServerOptions, type GatewayOptions } from 'sallyport'
import { type Auth } from 'sallyport/dpop-validator'
import { protect, requireMaxAge } from 'sallyport/dpop-validator/koa'
${verifier}
const app = new Koa<{ auth: Auth }>().use(protect(verifier)).use(requireMaxAge(60))
app.use((ctx) => void (ctx.body = ctx.state.auth.subject))
export async function serve(gateway: GatewayOptions, server: AuthorizationServerOptions): Promise<void> {
  new Koa().use((await createAuthorizationServer(server)).middleware()).use((await createGateway(gateway)).middleware())
}
`
const withoutFastify = programs.filter((name) => name !== 'sallyport/dpop-validator/fastify')
const onNode = { lib: ['es2023'], types: ['node'] }

interface Consumer {
  /** What it has installed besides us, with its code. */
  readonly packages: readonly string[]
  readonly programs: readonly string[]
  readonly compilerOptions: object
}

const frameworks = [
  'express',
  '@types/express',
  'fastify',
  'koa',
  '@types/koa',
  ...(await dependenciesOf('@types/koa')),
]
const consumers: Readonly<Record<string, Consumer>> = {
  'no framework': { packages: ['@types/node'], programs: [everyExport(withoutFastify)], compilerOptions: onNode },
  'every framework': {
    packages: ['@types/node', ...frameworks],
    programs: [everyExport(programs), inExpress, inFastify, inKoa],
    compilerOptions: onNode,
  },
  'a browser': {
    packages: [],
    programs: [`import { createSallyport } from 'sallyport/browser'\nexport const { fetch } = createSallyport()`],
    compilerOptions: { lib: ['es2023', 'dom'], types: [] },
  },
}

async function dependenciesOf(name: string): Promise<readonly string[]> {
  const { dependencies = {} } = JSON.parse(await readFile(join('node_modules', name, 'package.json'), 'utf8')) as {
    readonly dependencies?: Readonly<Record<string, string>>
  }
  return Object.keys(dependencies)
}

const resolutions = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const

test('every export of the packed package compiles in a clean folder, declarations included', async (t) => {
  t.timeout(300_000)
  const [folder, file] = await Promise.all([aFolder(t), packedPackage()])
  for (const [name, { packages, programs, compilerOptions }] of Object.entries(consumers)) {
    const home = join(folder, name)
    const modules = join(home, 'node_modules')
    await install(file, join(modules, 'sallyport'))
    const needed = new Set([...Object.keys(manifest.dependencies), ...packages])
    await link(modules, Object.fromEntries([...needed].map((one) => [one, one])))
    // As a link it would see what happens to lie beside it in here: another content-disposition, that of Express.
    if (needed.has('@types/koa')) await copy(modules, '@types/koa')
    await writeFile(join(home, 'package.json'), '{ "type": "module" }')
    for (const [index, program] of programs.entries()) await writeFile(join(home, `program-${index}.ts`), program)
    for (const [resolution, how] of Object.entries(resolutions)) {
      const options = { ...how, ...compilerOptions, ...strict }
      await writeFile(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
      t.is(await compiled(home), '', `${name}, ${resolution}`)
    }
  }
})

/** What the compiler has to say. */
function compiled(home: string): Promise<string> {
  return run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', home]).then(
    () => '',
    ({ stdout }: { readonly stdout: string }) => stdout,
  )
}

async function copy(modules: string, name: string): Promise<void> {
  await rm(join(modules, name))
  await cp(resolve('node_modules', name), join(modules, name), { recursive: true })
}

const strict = { target: 'es2023', strict: true, noEmit: true, resolveJsonModule: true, skipLibCheck: false }

test('no dependency asks for another Node.js than we do', async (t) => {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: true; readonly engines?: { readonly node?: string } }>>
  }
  t.true(satisfies('20.19.0', manifest.engines.node) && !satisfies('20.18.3', manifest.engines.node))
  for (const [name, { dev, engines }] of Object.entries(packages))
    for (const version of ['20.19.0', '22.12.0', '24.0.0', '26.0.0'])
      t.true(dev || engines?.node === undefined || satisfies(version, engines.node), `${name} on ${version}`)
})
