/**
 * Sallyport with real programs of others: `npm run test:interop`, or `npm run test:interop -- keycloak nimbus` for some. Not part of
 * `npm test`. A program that cannot be had here is skipped, and with CI set in the environment that is a failure. Everything listens
 * on loopback, one foreign program at a time.
 */
import { installed } from '../deploy/_manifests.js'
import { type ForeignProgram, NotHere } from './_walk.js'
import { programs } from './programs.js'

/** Seconds. */
const limits = { begin: 1800, trial: 300 }

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in programs))
if (unknown.length > 0) throw new Error(`no such program: ${unknown.join()}; there are ${Object.keys(programs).join()}`)
let isWhole = true
for (const [name, program] of Object.entries(programs)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`\n${program.title}`)
  if (!(await walked(program))) isWhole = false
}
// What is left open by a program of others, such as a kept connection, does not keep this one.
process.exit(isWhole ? 0 : 1)

/** False: something failed. */
async function walked(program: ForeignProgram): Promise<boolean> {
  const skipped = (why: string): boolean => {
    console.log(`skipped  ${why}`)
    return process.env.CI === undefined || process.env.CI === ''
  }
  for (const command of program.needs)
    if ((await installed(command)) === undefined) return skipped(`${command} is not installed`)
  const start = Date.now()
  let walk: Awaited<ReturnType<ForeignProgram['begin']>>
  try {
    walk = await within(limits.begin, program.begin())
  } catch (error) {
    if (error instanceof NotHere) return skipped(error.message)
    console.log('FAILED   it did not start')
    console.log(error)
    return false
  }
  let failed = 0
  try {
    for (const [name, trial] of Object.entries(walk.trials)) {
      const error = await within(limits.trial, trial()).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      console.log(`${error === undefined ? 'passed ' : 'FAILED '}  ${name}`)
      if (error === undefined) continue
      failed++
      console.log(error)
    }
    if (failed > 0) console.log(walk.output().slice(-20_000))
  } finally {
    await walk.stop()
  }
  console.log(`         in ${Math.round((Date.now() - start) / 1000)} s`)
  return failed === 0
}

async function within<Result>(seconds: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
