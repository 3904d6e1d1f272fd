import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { tryStore } from '../../src/cli/probe/store.js'
import type { Configuration } from '../../src/config/load.js'
import { aFolder } from '../config/_workspace.js'
import { freePort, startRedis } from '../store/_redis.js'

const tried = (url: string) =>
  tryStore({ store: { kind: 'redis', url, timeout: 5, prefix: 'check:' } } as unknown as Configuration)

const servers: readonly (readonly [string, readonly string[], RegExp, RegExp])[] = [
  ['is a replica', ['--replicaof', '127.0.0.1 1'], /READONLY|read only replica/, /name its primary/],
  ['is full', ['--maxmemory', '1'], /OOM/, /Its memory is full/],
  [
    'evicts what users need',
    ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
    /allkeys-lru/,
    /noeviction/,
  ],
  [
    'does not let its user count',
    '--user default on nopass ~* &* +@read +@write +@scripting +@pubsub +@connection +info'.split(' '),
    /NOPERM|The user executing the script can't run|ACL failure/,
    /\+info \+time/,
  ],
  [
    'does not let its user speak',
    '--user default on nopass ~* resetchannels +@all'.split(' '),
    /NOPERM/,
    /\+@pubsub .* channels below Prefix/,
  ],
  ['wants a password', ['--requirepass', 'hush'], /NOAUTH/, /Username and Password/],
  ['is a node of a cluster', ['--cluster-enabled', 'yes'], /CLUSTERDOWN|cluster/, /"Topology": "Cluster"/],
]

if ((await startRedis().then(async (redis) => redis?.stop().then(() => redis))) === undefined)
  test.skip('what check says of a Redis: no redis-server is installed', () => {})
else {
  for (const [title, settings, result, remedy] of servers)
    test(`check finds a Redis that ${title}, and says what to do`, async (t) => {
      const more = title.includes('cluster') ? ['--cluster-port', String(await freePort())] : []
      const redis = await startRedis(...settings, ...more)
      t.teardown(async () => redis?.stop())
      const [trial] = await tried(redis?.url ?? '')
      t.is(trial?.outcome, 'failed')
      t.regex(trial?.result ?? '', result)
      t.regex(trial?.remedy ?? '', remedy)
    })

  test('check finds the port of a Sentinel, and says what to do', async (t) => {
    const [trial] = await tried(await aSentinel(t))
    t.is(trial?.outcome, 'failed')
    t.regex(trial?.remedy ?? '', /the port of a Sentinel/)
  })

  test('a Redis in order is said to take writes', async (t) => {
    const redis = await startRedis()
    t.teardown(async () => redis?.stop())
    t.deepEqual(await tried(redis?.url ?? ''), [{ subject: 'Redis', outcome: 'passed', result: 'takes writes' }])
  })
}

async function aSentinel(t: ExecutionContext): Promise<string> {
  const port = await freePort()
  const file = join(await aFolder(t), 'sentinel.conf')
  await writeFile(file, `port ${port}\nbind 127.0.0.1\nsentinel monitor some 127.0.0.1 1 1\n`)
  const sentinel = spawn('redis-server', [file, '--sentinel'])
  t.teardown(async () => {
    sentinel.kill('SIGKILL')
    await once(sentinel, 'exit')
  })
  for await (const chunk of sentinel.stdout) if (/monitor master/.test(String(chunk))) break
  return `redis://127.0.0.1:${port}`
}

test('check finds a file store that is damaged, and says what to do; it makes none', async (t) => {
  const path = await aFolder(t)
  const tryFile = () => tryStore({ store: { kind: 'file', path } } as unknown as Configuration)
  t.deepEqual(await tryFile(), [])
  t.deepEqual(await readdir(path), [])
  await writeFile(join(path, 'store.mdb'), 'no database')
  const [trial] = await tryFile()
  t.is(trial?.outcome, 'failed')
  t.regex(trial?.result ?? '', /store\.mdb is damaged/)
  t.regex(trial?.remedy ?? '', /whole copy/)
})
