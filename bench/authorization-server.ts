/**
 * `npm run bench:as`: whole flows per CPU second of the server (pushed request, authorization with a session that is there,
 * code for tokens, refresh), ours and node-oidc-provider in turn, each in a process of its own, driven by the same client.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { generateSigningJwk, type Jwk, publicHalf } from '../src/jose/jwk.js'
import { aFlowClient, type FlowClient } from './_flow-client.js'

const contenders = ['sallyport', 'oidc-provider'] as const
const rounds = Number(process.env.ROUNDS ?? 7)
const flows = Number(process.env.FLOWS ?? 300)
const concurrency = Number(process.env.CONCURRENCY ?? 8)

interface Contender {
  readonly name: string
  readonly child: ChildProcess
  readonly client: FlowClient
  readonly perCpuSecond: number[]
  readonly perSecond: number[]
}

async function start(name: string, clientJwk: Jwk): Promise<Contender> {
  const child = fork(new URL(`./_${name}-server.js`, import.meta.url), [JSON.stringify(publicHalf(clientJwk))])
  const [issuer] = (await once(child, 'message')) as [string]
  return { name, child, client: await aFlowClient(issuer, clientJwk), perCpuSecond: [], perSecond: [] }
}

async function cpuSeconds({ child }: Contender): Promise<number> {
  child.send('cpu')
  const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
  return (user + system) / 1e6
}

async function run({ client }: Contender, count: number): Promise<void> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) await client.flow()
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const clientJwk = generateSigningJwk('ES256')
const running = await Promise.all(contenders.map((name) => start(name, clientJwk)))
try {
  for (const contender of running) {
    // Alone, since it signs in; then a round that does not count.
    await contender.client.flow()
    await run(contender, flows)
  }
  for (let round = 0; round < rounds; round++)
    for (const contender of round % 2 === 0 ? running : running.toReversed()) {
      const [cpu, time] = [await cpuSeconds(contender), performance.now()]
      await run(contender, flows)
      contender.perCpuSecond.push(flows / ((await cpuSeconds(contender)) - cpu))
      contender.perSecond.push((flows * 1000) / (performance.now() - time))
    }
  for (const { name, perCpuSecond, perSecond } of running)
    console.log(
      `${name.padEnd(14)} ${median(perCpuSecond).toFixed(0).padStart(5)} flows per CPU second (${Math.min(...perCpuSecond).toFixed(0)} to ${Math.max(...perCpuSecond).toFixed(0)}), ${median(perSecond).toFixed(0)} flows per second`,
    )
  const [ours, theirs] = running
  const ratios = ours?.perCpuSecond.map((value, round) => value / (theirs?.perCpuSecond[round] ?? Number.NaN)) ?? []
  console.log(
    `ratio          ${median(ratios).toFixed(2)} (median of ${rounds} paired rounds; ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}), ${flows} flows each, ${concurrency} at a time, Node ${process.version}`,
  )
} finally {
  for (const { child, client } of running) {
    client.close()
    child.kill()
  }
}
