import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { generateTestKey, mintProof, startTestIssuer } from '../src/dpop-validator/testing/test-issuer.js'

const contenders = [
  'koa, bare',
  'koa, sallyport',
  'koa, oauth4webapi',
  'express, bare',
  'express, sallyport',
  'express, express-oauth2-jwt-bearer',
] as const

const inFlight = 16

/**
 * CPU per request of whole APIs, each in a process of its own, round by round in turn. What counts is the API's own CPU: the
 * load generator, which makes the proofs, runs elsewhere.
 */
export async function benchmarkApis(rounds: number, perRound: number): Promise<void> {
  const audience = 'https://api.example'
  const issuer = await startTestIssuer({ audience })
  const key = generateTestKey()
  const token = issuer.mintToken(key.jkt)
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight })
  const script = new URL('_validated-api.js', import.meta.url).pathname
  const apis = await Promise.all(
    contenders.map(async (name) => {
      const child = fork(script, [name, issuer.issuer, audience])
      const { port } = await answerOf<{ port: number }>(child)
      return { name, child, url: `http://127.0.0.1:${port}/orders`, costs: [] as number[] }
    }),
  )

  for (let round = 0; round < rounds + 4; round++)
    for (const { child, url, costs, name } of apis) {
      const proofs = Array.from({ length: perRound }, () => mintProof({ method: 'GET', url, key, token }, issuer.clock))
      const before = await cpuOf(child)
      await Promise.all(
        Array.from({ length: inFlight }, async () => {
          for (let proof = proofs.pop(); proof !== undefined; proof = proofs.pop()) {
            const status = await statusOf(url, agent, { Authorization: `DPoP ${token}`, DPoP: proof })
            if (status !== 200) throw new Error(`${name} answered ${status}`)
          }
        }),
      )
      const cost = ((await cpuOf(child)) - before) / perRound
      if (round >= 4) costs.push(cost)
    }
  for (const { child } of apis) child.disconnect()
  agent.destroy()
  await issuer.close()

  const costsOf = (name: (typeof contenders)[number]): readonly number[] =>
    apis.find((one) => one.name === name)?.costs ?? []
  console.log(`\nWhole APIs: µs of CPU per request, median of ${rounds} rounds of ${perRound}`)
  for (const { name, costs } of apis) console.log(`${name.padEnd(42)} ${median(costs).toFixed(0).padStart(6)} µs`)
  const ratio = (mine: (typeof contenders)[number], peer: (typeof contenders)[number], goal: number): void => {
    const times = median(costsOf(peer).map((cost, round) => cost / (costsOf(mine)[round] ?? 1)))
    console.log(
      `${mine} ÷ ${peer}: ${times.toFixed(2)} × requests per CPU second, goal ${goal}: ${times >= goal ? 'met' : 'MISSED'}`,
    )
  }
  ratio('koa, sallyport', 'express, express-oauth2-jwt-bearer', 3)
  ratio('koa, sallyport', 'koa, oauth4webapi', 3)
  ratio('express, sallyport', 'express, express-oauth2-jwt-bearer', 2)
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  return (await answerOf<{ cpu: number }>(child)).cpu
}

async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const [answer] = (await once(child, 'message')) as [Answer]
  return answer
}

function statusOf(url: string, agent: Agent, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    }).on('error', reject)
  })
}
