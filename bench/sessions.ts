/**
 * `npm run bench:sessions`: what a process takes that holds 100,000 sessions in its memory, each planted as a login makes it and
 * used once, with tokens of a kilobyte. Loopback only. Exits 1 when it is more than asked. `-- --sessions 50000 --most 400`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePorts } from '../test/flows/_stack.js'
import { onInterruption } from './_interruption.js'
import { startNode } from './_processes.js'
import { type Holder, type HolderOrder, sessionIdentifierOf, type Weight } from './_session-holder.js'

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    /** Megabytes. */
    most: { type: 'string', default: '600' },
  },
})
const [sessions, most] = [values.sessions, values.most].map(Number) as [number, number]
const scripts = resolve('build/bench')

const [port = 0] = await freePorts(1)
const upstream = await startNode(join(scripts, '_upstream.js'), port)
const child = fork(join(scripts, '_session-holder.js'), [`http://127.0.0.1:${port}`])
const stop = async (): Promise<void> => {
  child.removeAllListeners('exit')
  child.kill('SIGKILL')
  await upstream.stop()
}
onInterruption(stop)
child.once('exit', (code) => {
  console.error(`the process that holds the sessions has ended with ${code}`)
  void stop().finally(() => process.exit(1))
})
const [holder] = (await once(child, 'message')) as [Holder]
const order = async (one: HolderOrder): Promise<Weight> => {
  const done = once(child, 'message')
  child.send(one)
  return ((await done) as [Weight])[0]
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })
const call = (index: number): Promise<number | undefined> =>
  new Promise((done, fail) => {
    const headers = { Cookie: `sallyport-bff-app=${sessionIdentifierOf(index)}`, 'X-CSRF': '1' }
    request({ agent, port: holder.port, host: '127.0.0.1', path: '/api/200b', headers }, (response) =>
      response.resume().on('end', () => done(response.statusCode)),
    )
      .on('error', fail)
      .end()
  })
async function useEach(): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < sessions) {
      const status = await call(next++)
      if (status !== 200) throw new Error(`a call was answered ${status}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
}

function line(what: string, { rss, heapUsed, heapTotal, external, store }: Weight): void {
  const megabytes = [rss, heapTotal, heapUsed, external, store].map((bytes) => (bytes / 1e6).toFixed(0).padStart(9))
  console.log(`| ${what.padEnd(22)} | ${megabytes.join(' | ')} |`)
}

console.log(
  '| MB                     |       RSS |      heap |   in use |  beside it | the store says |\n|---|---|---|---|---|---|',
)
try {
  line('before', await order({ weigh: 'as it is' }))
  for (let from = 0; from < sessions; from += 1000)
    await order({ plant: { from, to: Math.min(sessions, from + 1000) } })
  line('planted', await order({ weigh: 'as it is' }))
  await useEach()
  line('each was used', await order({ weigh: 'as it is' }))
  await delay(30_000)
  const settled = await order({ weigh: 'as it is' })
  line('half a minute later', settled)
  line('after a collection', await order({ weigh: 'collected' }))
  if (settled.rss > most * 1e6) process.exitCode = 1
} finally {
  await stop()
}
process.exit()
