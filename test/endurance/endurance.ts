import { parseArgs } from 'node:util'
import { abandonedCalls } from './_abandoned-calls.js'
import { bulk } from './_bulk.js'
import { chaos } from './_chaos.js'
import { type MadeAndClosedOptions, madeAndClosed } from './_made-and-closed.js'
import { manyFrontends } from './_many-frontends.js'
import { manyProofs } from './_many-proofs.js'
import type { Report } from './_report.js'
import { stalled } from './_stalled.js'

const { values } = parseArgs({
  options: {
    /** Of chaos. */
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: '' },
  },
})
const seed = Number(values.seed)
const made = (what: MadeAndClosedOptions['what']) => () =>
  madeAndClosed({ what, times: 1_000, growthLimit: 3 * 1_048_576 })
const items: Readonly<Record<string, () => Promise<Report>>> = {
  'made-gateway': made('a gateway with 50 frontends'),
  'made-shared-routes': made('a gateway whose 50 frontends share their routes'),
  'made-authorization-server': made('an authorization server'),
  frontends: () => manyFrontends({ count: 1_000, limitEach: 50 * 1024 }),
  proofs: () => manyProofs({ count: 1_000_000, growthLimit: 150 * 1_048_576 }),
  abandoned: () => abandonedCalls({ count: 10_000, parallel: 400, seed, growthLimit: 20 * 1_048_576 }),
  bulk: () => bulk({ size: 1_073_741_824, growthLimit: 40 * 1_048_576 }),
  stalled: () => stalled({ count: 50, size: 67_108_864, growthLimit: 40 * 1_048_576 }),
  chaos: () => chaos({ seconds: Number(values.minutes) * 60, parallel: 96, seed, growthLimit: 20 * 1_048_576 }),
}

let failed = 0
for (const [name, item] of Object.entries(items)) {
  if (values.only !== '' && !values.only.split(',').includes(name)) continue
  const started = performance.now()
  const { line, failures } = await item()
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`${failures.length === 0 ? 'ok    ' : 'FAILED'} ${line} (${seconds} s, seed ${seed})`)
  for (const failure of failures) console.log(`       ${failure}`)
  failed += failures.length
}
process.exitCode = failed === 0 ? 0 : 1
