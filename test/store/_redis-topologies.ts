import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { eventually } from '../_eventually.js'
import { freePort, type RunningRedis, startRedis } from './_redis.js'

/** Several real processes that are one store. */
export interface RedisTopology {
  /** Nodes of the cluster, or Sentinels. */
  readonly urls: readonly string[]
  /** Ends a server that takes writes, by SIGKILL. */
  killPrimary(): Promise<void>
  stop(): Promise<void>
}

async function ask({ url }: Pick<RunningRedis, 'url'>, ...command: string[]): Promise<string> {
  // RESP 2 has lists of texts for everything.
  const client = await createClient({ url, RESP: 2 })
    .on('error', () => undefined)
    .connect()
  try {
    return String(await client.sendCommand(command))
  } finally {
    client.destroy()
  }
}

/** A server that is just starting does not answer. */
const until = (condition: () => Promise<boolean>): Promise<void> => eventually(() => condition().catch(() => false))

/** Three that share the slots, and a replica of the first. */
export async function startRedisCluster(): Promise<RedisTopology | undefined> {
  const nodes: RunningRedis[] = []
  for (let count = 0; count < 4; count++) {
    const node = await startRedis(
      ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--cluster-node-timeout', '2000'],
    )
    if (node === undefined) return undefined
    nodes.push(node)
  }
  const [first, second, third, replica] = nodes as [RunningRedis, RunningRedis, RunningRedis, RunningRedis]
  const busOf = async (node: RunningRedis): Promise<string> =>
    /@(\d+)/.exec(await ask(node, 'CLUSTER', 'NODES'))?.[1] ?? ''
  await ask(first, 'CLUSTER', 'ADDSLOTSRANGE', '0', '5460')
  await ask(second, 'CLUSTER', 'ADDSLOTSRANGE', '5461', '10922')
  await ask(third, 'CLUSTER', 'ADDSLOTSRANGE', '10923', '16383')
  for (const [index, node] of [second, third, replica].entries()) {
    await ask(node, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 2))
    await ask(first, 'CLUSTER', 'MEET', '127.0.0.1', String(node.port), await busOf(node))
  }
  const id = await ask(first, 'CLUSTER', 'MYID')
  await until(async () => (await ask(replica, 'CLUSTER', 'REPLICATE', id)) === 'OK')
  for (const node of nodes)
    await until(async () => {
      const info = await ask(node, 'CLUSTER', 'INFO')
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:4')
    })
  await until(async () => (await ask(replica, 'INFO', 'replication')).includes('master_link_status:up'))
  return {
    urls: nodes.map(({ url }) => url),
    killPrimary: first.stop,
    async stop() {
      for (const node of nodes) await node.stop()
    },
  }
}

/** A primary, its replica and a Sentinel that watches them under the name `sallyport`, each with an own password. */
export async function startRedisSentinel(): Promise<RedisTopology | undefined> {
  const secured = ['--requirepass', 'of-the-data', '--masterauth', 'of-the-data']
  const primary = await startRedis(...secured)
  const replica = await startRedis(...secured, '--replicaof', `127.0.0.1 ${primary?.port}`)
  if (primary === undefined || replica === undefined) return undefined
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      'requirepass of-the-sentinel',
      `sentinel monitor sallyport 127.0.0.1 ${primary.port} 1`,
      'sentinel auth-pass sallyport of-the-data',
      'sentinel down-after-milliseconds sallyport 500',
      'sentinel failover-timeout sallyport 5000',
      '',
    ].join('\n'),
  )
  const sentinel = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const url = `redis://127.0.0.1:${port}`
  const withPassword = { url: `redis://:of-the-sentinel@127.0.0.1:${port}` }
  await until(async () => /num-slaves,1,/.test(await ask(withPassword, 'SENTINEL', 'MASTER', 'sallyport')))
  await until(async () =>
    (await ask({ url: `redis://:of-the-data@127.0.0.1:${replica.port}` }, 'INFO', 'replication')).includes(
      'master_link_status:up',
    ),
  )
  return {
    urls: [url],
    killPrimary: primary.stop,
    async stop() {
      sentinel.kill('SIGKILL')
      await once(sentinel, 'exit')
      await primary.stop()
      await replica.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
