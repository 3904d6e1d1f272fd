import { readFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import test, { type ExecutionContext } from 'ava'
import { aWorld } from './_world.js'

type Functions = ReadonlyMap<string, readonly Profiler.FunctionCoverage[]>

/**
 * Functions of our code that run each time that `work` is done, by file below `src/`. What another test has left behind, a
 * try to revoke a token, say, may run beside it once: it does not run each time.
 */
async function functionsThatRun(work: () => Promise<unknown>, times = 5): Promise<Functions> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  await session.post('Profiler.takePreciseCoverage')
  const runs: Functions[] = []
  for (let time = 0; time < times; time++) {
    await work()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    runs.push(new Map(result.flatMap(ofOurCode)))
  }
  session.disconnect()
  return runs.reduce(inBoth)
}

function ofOurCode({
  url,
  functions,
}: Profiler.ScriptCoverage): readonly (readonly [string, readonly Profiler.FunctionCoverage[]])[] {
  const [, file] = /\/build\/src\/(.+)\.js$/.exec(url) ?? []
  return file !== undefined && functions.some(hasRun) ? [[file, functions]] : []
}

function hasRun({ ranges }: Profiler.FunctionCoverage): boolean {
  return ranges.some(({ count }) => count > 0)
}

/** Those that did not run in one of them count as never called, which is what the innermost function of a place needs. */
function inBoth(some: Functions, others: Functions): Functions {
  const both = [...some].map(([file, functions]) => {
    const ran = new Set((others.get(file) ?? []).filter(hasRun).map(placeOf))
    return [file, functions.map((one) => (ran.has(placeOf(one)) ? one : neverCalled(one)))] as const
  })
  return new Map(both.filter(([, functions]) => functions.some(hasRun)))
}

function placeOf({ ranges }: Profiler.FunctionCoverage): string {
  return `${ranges[0]?.startOffset}-${ranges[0]?.endOffset}`
}

function neverCalled(one: Profiler.FunctionCoverage): Profiler.FunctionCoverage {
  return { ...one, ranges: one.ranges.map((range) => ({ ...range, count: 0 })) }
}

/** Where these functions of a file spread an object, those of them that ran: a branch that a call never takes is a function of its own. */
async function spreadsOf(file: string, functions: readonly Profiler.FunctionCoverage[]): Promise<readonly string[]> {
  const text = await readFile(`build/src/${file}.js`, 'utf8')
  const ranges = functions.flatMap(({ ranges }) => ranges)
  return [...text.matchAll(/\.\.\.(?=[\w({])/g)].flatMap(({ index }) => {
    const around = ranges.filter(({ startOffset, endOffset }) => startOffset <= index && index < endOffset)
    const innermost = around.reduce<Profiler.CoverageRange | undefined>(
      (inner, range) => (inner !== undefined && inner.startOffset > range.startOffset ? inner : range),
      undefined,
    )
    const line = text.slice(text.lastIndexOf('\n', index) + 1, text.indexOf('\n', index)).trim()
    return (innermost?.count ?? 0) > 0 && openBracket(text, index) === '{' ? [`${file}: ${line}`] : []
  })
}

/** The bracket that is open at this place. */
function openBracket(text: string, index: number): string | undefined {
  let closed = 0
  for (let at = index - 1; at >= 0; at--) {
    const character = text.charAt(at)
    if ('})]'.includes(character)) closed++
    else if ('{(['.includes(character) && closed-- === 0) return character
  }
  return undefined
}

/** Read on the way and have nothing that runs: types, and the tables that others are compiled from. */
const onlyRead = ['forwarding/fields', 'tokens/credentials']

/** The calls after the first one of a session, which asks and learns more than the others. */
async function aWarmCall(t: ExecutionContext): Promise<Functions> {
  const { url, loggedIn } = await aWorld(t)
  const browser = await loggedIn()
  const call = async () => t.is((await browser.call(`${url}/api/orders`)).status, 200)
  await call()
  return functionsThatRun(call)
}

test.serial(
  'a proven call of an API goes through the files that docs/architecture.md lists, and they are at most 38',
  async (t) => {
    const files = [...(await aWarmCall(t)).keys()].flatMap((file) => /^gateway\/(.+)/.exec(file)?.[1] ?? [])
    const page = await readFile('docs/architecture.md', 'utf8')
    const [, table = ''] = /These files of `src\/gateway\/` do it(.+?)\n\n`test/s.exec(page) ?? []
    const listed = [...table.matchAll(/`([a-z/-]+)`/g)].map(([, file = '']) => file)
    t.deepEqual(listed.sort(), [...files, ...onlyRead].sort())
    t.true(listed.length <= 38, `${listed.length} files`)
  },
)

test.serial('a proven call of an API spreads no object: one cost a quarter of its processor time', async (t) => {
  const spreads = await Promise.all([...(await aWarmCall(t))].map((file) => spreadsOf(...file)))
  t.deepEqual(spreads.flat(), [])
})
