import { readFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import test from 'ava'
import { aWorld } from './_world.js'

/** Files of `src/gateway/` of which a function runs while `work` is done. */
async function filesThatRun(work: () => Promise<unknown>): Promise<readonly string[]> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  await session.post('Profiler.takePreciseCoverage')
  await work()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  session.disconnect()
  const ran = result.filter(({ functions }) => functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)))
  return ran.flatMap(({ url }) => /\/src\/gateway\/(.+)\.js$/.exec(url)?.[1] ?? [])
}

/** Read on the way and have nothing that runs: types, and the tables that others are compiled from. */
const onlyRead = ['forwarding/fields', 'session/session-record', 'tokens/credentials']

test('a proven call of an API goes through the files that docs/architecture.md lists, and they are at most 38', async (t) => {
  const { url, loggedIn } = await aWorld(t)
  const browser = await loggedIn()
  const call = async () => t.is((await browser.call(`${url}/api/orders`)).status, 200)
  // The first call of a session asks and learns more than the others.
  await call()
  const files = [...(await filesThatRun(call)), ...onlyRead].sort()
  const page = await readFile('docs/architecture.md', 'utf8')
  const [, table = ''] = /These files of `src\/gateway\/` do it(.+?)\n\n`test/s.exec(page) ?? []
  t.deepEqual([...table.matchAll(/`([a-z/-]+)`/g)].map(([, file = '']) => file).sort(), files)
  t.true(files.length <= 38, `${files.length} files`)
})
