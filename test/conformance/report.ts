import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Runs the conformance tests and prints one line per module of each plan: `npm run test:conformance`. */

type Verdict = 'PASSED' | 'FAILED' | 'SKIPPED'

interface Line {
  readonly plan: string
  readonly module: string
  readonly parameters: string
  verdict: Verdict
  reason: string
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const ava = spawn(
  process.execPath,
  ['node_modules/ava/entrypoints/cli.mjs', '--tap', 'build/test/conformance/**/*.test.js'],
  {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SALLYPORT_CONFORMANCE: 'full' },
  },
)

const ended = new Promise<number>((resolve) => ava.once('close', (code) => resolve(code ?? 1)))
// Warnings of node-oidc-provider and of the validator, whose API is called by wrong names on purpose: shown if the run breaks.
let complaints = ''
ava.stderr.setEncoding('utf8').on('data', (text: string) => {
  complaints += text
})

const lines: Line[] = []
let others = 0
let failures = 0
let explaining = false
for await (const text of createInterface({ input: ava.stdout })) {
  if (explaining) console.log(text)
  if (text === '  ...') explaining = false
  const result = /^(not )?ok \d+ - (.*)$/.exec(text)
  if (result !== null) {
    const [, failed, title = ''] = result
    const [, file = '', module = '', variant = '', parameters = ''] =
      /^(.*) › (.*?) \((openid_connect|plain_oauth|oidc)(?:, (.*))?\)$/.exec(title) ?? []
    if (failed) {
      failures++
      explaining = true
      console.log(`FAILED   ${title}`)
    }
    if (module === '') others++
    else {
      const verdict = failed ? 'FAILED' : 'PASSED'
      lines.push({ plan: planOf(file, module, variant, parameters), module, parameters, verdict, reason: '' })
    }
    continue
  }
  const skipped = /^#\s+SKIPPED: (.*)$/.exec(text)
  const last = lines.at(-1)
  if (skipped !== null && last !== undefined) {
    last.verdict = 'SKIPPED'
    last.reason = skipped[1] ?? ''
  }
}

for (const [plan, all] of grouped(lines, ({ plan }) => plan)) {
  console.log(`\n${plan}`)
  const modules = grouped(all, ({ module }) => module)
  let [held, skipped] = [0, 0]
  for (const [module, runs] of modules) {
    const verdicts = new Set(runs.map(({ verdict }) => verdict))
    const verdict: Verdict = verdicts.has('FAILED') ? 'FAILED' : verdicts.has('PASSED') ? 'PASSED' : 'SKIPPED'
    if (verdict !== 'FAILED') held++
    if (verdict === 'SKIPPED') skipped++
    const notes = runs
      .filter((run) => run.verdict !== 'PASSED')
      .map(({ parameters, verdict: other, reason }) => `${other} with ${parameters}${reason && `: ${reason}`}`)
    console.log(`  ${verdict.padEnd(8)} ${module}${notes.length > 0 ? `  (${notes.join('; ')})` : ''}`)
  }
  const without = skipped > 0 ? ` (${skipped} of them SKIPPED)` : ''
  const parameters = [...new Set(all.map((line) => line.parameters))].join(' | ')
  console.log(`  ${held} of ${modules.length}${without}, each with ${parameters}`)
}
console.log(`\n${lines.length} runs of modules, ${others} other tests, ${failures} failures`)
const exitCode = await ended
if (exitCode !== 0) console.error(complaints)
process.exitCode = exitCode

/** Test files are named after their subject, and after what they try it with where one subject has several. */
function planOf(file: string, module: string, variant: string, parameters: string): string {
  const [subject = '', tried = ''] = (file.split(' › ').at(-1) ?? '').split(/-(?=\w+$)/)
  const role = file.startsWith('client') ? 'client' : 'authorization server'
  if (tried === 'requirements') return `${subject}, requirements that the suite does not test: ${variant}`
  const extent = `${module.startsWith('beyond') ? 'beyond the' : 'the'} ${tried === 'signing' ? 'message signing ' : ''}`
  const name = /^(ps256|es256|ed25519|eddsa|beyond|signing|mtls)$/.test(tried) ? subject : file.split(' › ').at(-1)
  // Each combination has a plan of its own, with requests that are signed and without.
  const combined = tried === 'mtls' ? `, ${parameters.replace(/^(?:\w+ (?:clients?|server), )+/, '')}` : ''
  return `${name}, ${extent}${role} plan: ${variant}${combined}`
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly [string, readonly T[]])[] {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  return [...groups]
}
