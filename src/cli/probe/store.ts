import type { Configuration } from '../../config/load.js'
import { otherStores, wholeCopy } from '../../config/rules/store-rules.js'
import { durableFile, loadDatabase } from '../../store/file-database.js'
import { assertSound } from '../../store/file-soundness.js'
import { inspectRedis, type RedisInspection } from '../../store/redis-inspection.js'
import { failed, passed, reasonOf, type Trial } from './probe.js'

const subject = 'Redis'
const clusterRemedy = 'Write "Topology": "Cluster", and some of its nodes into Nodes.'

/** Makes and changes nothing on this machine: the user who calls `check` may be another one than the one that serves. */
export async function tryStore({ store: settings }: Configuration): Promise<readonly Trial[]> {
  switch (settings.kind) {
    case 'memory':
      return []
    case 'file':
      return tryFile(settings.path)
    case 'redis':
      return inspectRedis(settings).then(
        (inspection) => verdictOn(inspection, settings.topology === 'cluster'),
        (error: unknown) => [failed(subject, reasonOf(error), remedyFor(error))],
      )
  }
}

async function tryFile(path: string): Promise<readonly Trial[]> {
  try {
    await loadDatabase()
  } catch {
    return [failed('file store', 'has no database for this platform: the package lmdb cannot be loaded', otherStores)]
  }
  return assertSound(durableFile(path)).then(
    () => [],
    (error: unknown) => [failed('file store', reasonOf(error), wholeCopy)],
  )
}

function verdictOn(
  { version = '', mode, evictionPolicy, maxMemory = 0 }: RedisInspection,
  isCluster: boolean,
): Trial[] {
  if (version !== '' && Number.parseInt(version, 10) < 7)
    return [failed(subject, `is version ${version}, and every login would fail`, 'Take Redis 7 or later, or Valkey.')]
  if (mode === 'cluster' && !isCluster) return [failed(subject, 'is a node of a cluster', clusterRemedy)]
  if (maxMemory > 0 && evictionPolicy !== undefined && evictionPolicy !== 'noeviction')
    return [
      failed(
        subject,
        `evicts records when its memory is full (maxmemory-policy ${evictionPolicy}): users are logged out without a word`,
        'Set maxmemory-policy to noeviction, and give it a Redis of its own.',
      ),
    ]
  return [passed(subject, 'takes writes')]
}

/** By the first word of Redis' own sentence. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/^READONLY/, 'This is a replica: name its primary, or the Sentinels with "Topology": "Sentinel".'],
  [/^OOM/, 'Its memory is full: give it more, and see what else is in there.'],
  [/^(?:NOAUTH|WRONGPASS)/, 'Write Store.Redis.Username and Password as the server has them.'],
  [
    /^NOPERM|ACL|user executing the script/,
    'The user needs: +@read +@write +@scripting +@pubsub +@connection +info +time, for the keys and channels below Prefix.',
  ],
  [/^(?:MOVED|CLUSTERDOWN|CROSSSLOT)/, clusterRemedy],
  [/unknown command/i, 'This is the port of a Sentinel: name it in Nodes, and write "Topology": "Sentinel".'],
  [
    /timeout|wrong version number|packet length/i,
    'Does it speak TLS at this port? redis:// is plain, rediss:// is TLS. Otherwise: is the address right, and may this machine connect?',
  ],
  [/cluster support disabled/i, 'This is no cluster: leave Topology out.'],
]

function remedyFor(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  return (
    remedies.find(([said]) => said.test(message))?.[1] ??
    'Are the addresses in Store.Redis right, and may this machine connect?'
  )
}
