import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)
const root = new URL('../../../', import.meta.url).pathname
const front = (file: string): string => new URL(`../../src/dpop-validator/${file}.js`, import.meta.url).href

async function evaluated(program: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return run(process.execPath, ['--input-type=module', '-e', program], { cwd: root })
}

/** Every package that a process has loaded after importing these modules. */
async function packagesOf(specifiers: readonly string[]): Promise<readonly string[]> {
  const trace = `
    export function load(url, context, next) {
      const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]
      if (name) process.stderr.write('package ' + name + '\\n')
      return next(url, context)
    }
  `
  const { stderr } = await evaluated(`
    import * as module from 'node:module'
    const { register, registerHooks } = module
    const trace = 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(trace)})
    // Node.js 20 has hooks in a thread only; those of newer ones do not see what CommonJS loads there.
    if (registerHooks) registerHooks(await import(trace))
    else register(trace)
    for (const specifier of ${JSON.stringify(specifiers)}) await import(specifier)
  `)
  return [...new Set([...stderr.matchAll(/^package (.+)$/gm)].map(([, name]) => name ?? ''))].sort()
}

/** Milliseconds of CPU that an import takes: the machine may have other things to do. */
async function importCost(specifier: string): Promise<number> {
  const { stdout } = await evaluated(`
    const before = process.cpuUsage()
    await import(${JSON.stringify(specifier)})
    const { user, system } = process.cpuUsage(before)
    console.log((user + system) / 1000)
  `)
  return Number(stdout)
}

test('loading the validator and its adapters loads no package of the gateway, and no framework', async (t) => {
  const files = [
    'dpop-validator',
    ...['koa', 'express', 'fastify', 'node', 'fetch'].map((name) => `adapters/${name}`),
    'proof/replay-cluster',
  ]
  t.deepEqual(await packagesOf(files.map(front)), ['ipaddr.js', 'lru-cache'])
})

test('loading the validator and its Fetch adapter needs no node:cluster, which not every runtime has', async (t) => {
  const refuse = `
    export function resolve(specifier, context, next) {
      if (specifier.endsWith('cluster')) throw new Error('there is no ' + specifier)
      return next(specifier, context)
    }
  `
  const loads = (specifier: string) =>
    evaluated(`
      import { register } from 'node:module'
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(refuse)}))
      await import(${JSON.stringify(specifier)})
    `)
  for (const file of ['dpop-validator', 'adapters/fetch']) await t.notThrowsAsync(loads(front(file)))
  await t.throwsAsync(loads(front('proof/replay-cluster')), { message: /there is no node:cluster/ })
})

// Of one and the other in turn: what a busy machine adds, it adds to both.
test('loading the validator takes at most three times as long as loading jose', async (t) => {
  const costs = { validator: Number.POSITIVE_INFINITY, jose: Number.POSITIVE_INFINITY }
  for (let n = 0; n < 5; n++) {
    costs.validator = Math.min(costs.validator, await importCost(front('dpop-validator')))
    costs.jose = Math.min(costs.jose, await importCost('jose'))
  }
  t.log(`validator ${costs.validator.toFixed(0)} ms, jose ${costs.jose.toFixed(0)} ms of CPU`)
  t.true(costs.validator <= costs.jose * 3)
})
