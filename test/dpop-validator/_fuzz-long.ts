import { adapters } from './_apis.js'
import { type FuzzReport, fuzz, fuzzOverHttp, isCleanedUp, type Variant, variants } from './_fuzz.js'

/**
 * `npm run fuzz [requests] [seed]`: a million by default, with a seed that is printed, so that a failure can be had again.
 * Then one for every two hundred of them over HTTP, in each framework.
 */
const requests = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31)
const round = 20_000
const setUps = Object.keys(variants) as Variant[]
const began = Date.now()
for (let done = 0; done < requests; done += round) {
  const count = Math.min(round, requests - done)
  const variant = setUps[(done / round) % setUps.length] ?? 'usual'
  report(`${done + count} of ${requests}, ${variant}, seed ${seed + done}`, await fuzz(count, seed + done, variant))
}
const overHttp = Math.ceil(requests / 200)
for (const [name, startApi] of Object.entries(adapters)) {
  const isGoodAsWell = name === 'fetch' ? isCleanedUp : undefined
  report(`${overHttp} over HTTP, ${name}, seed ${seed}`, await fuzzOverHttp(overHttp, seed, startApi, isGoodAsWell))
}
console.log(`${requests} broken requests in ${Math.round((Date.now() - began) / 1000)} s: no acceptance, no exception`)

function report(about: string, { failures, outcomes }: FuzzReport): void {
  console.log(`${about}: ${JSON.stringify(outcomes)}`)
  if (failures.length === 0) return
  console.error(failures.join('\n'))
  process.exit(1)
}
