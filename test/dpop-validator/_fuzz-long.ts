import { fuzz } from './_fuzz.js'

/** `npm run fuzz [requests] [seed]`: a million by default, with a seed that is printed, so that a failure can be had again. */
const requests = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31)
const round = 20_000
const began = Date.now()
for (let done = 0; done < requests; done += round) {
  const { failures, outcomes } = await fuzz(Math.min(round, requests - done), seed + done)
  console.log(`${done + round} of ${requests}, seed ${seed + done}: ${JSON.stringify(outcomes)}`)
  if (failures.length > 0) {
    console.error(failures.join('\n'))
    process.exit(1)
  }
}
console.log(`${requests} broken requests in ${Math.round((Date.now() - began) / 1000)} s: no acceptance, no exception`)
