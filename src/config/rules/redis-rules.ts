import type { RedisPlan } from '../resolve/store.js'
import { problem, type Rule } from './rule.js'

const asUrl = 'Write it as in "redis://127.0.0.1:6379", or "rediss://…" for TLS.'

const asParts =
  'Write user and password into Username and Password, as in { "Env": "REDIS_PASSWORD" }: within a URL they have to be percent-encoded.'

const asNodes =
  'Write one URL; or several in Nodes, with "Topology": "Sentinel" or "Topology": "Cluster", as in ["redis://redis-1:6379", "redis://redis-2:6379"].'

export const redisRules: readonly Rule[] = [
  ofRedis(function* redisUrlsAreUrls({ url, settings }) {
    if (url !== undefined && !isRedisUrl(url))
      yield problem(
        '/Store/Redis/Url',
        'is not a Redis URL',
        url.includes(',') ? asNodes : /@|#/.test(url) ? asParts : asUrl,
      )
    for (const [index, node] of settings.Nodes.entries()) {
      const pointer = `/Store/Redis/Nodes/${index}`
      if (!isRedisUrl(node)) yield problem(pointer, 'is not a Redis URL', asUrl)
      else if (/@/.test(node))
        yield problem(
          pointer,
          'has a user or password in it',
          'Write them into Username and Password, as in { "Env": "REDIS_PASSWORD" }.',
        )
    }
  }),

  ofRedis(function* nodesSpeakAlike({ settings: { Nodes } }) {
    const plain = Nodes.findIndex((node) => node.startsWith('redis:'))
    if (plain >= 0 && Nodes.some((node) => node.startsWith('rediss:')))
      yield problem(
        `/Store/Redis/Nodes/${plain}`,
        'is plain, and others are TLS',
        'Write "rediss://" for all of them, or for none.',
      )
  }),

  ofRedis(function* topologyHasItsNodes({ settings: { Topology, Nodes, Url, Sentinel } }) {
    // One mistake, whatever follows from it.
    if (Topology === 'Single' && Nodes.length > 0) {
      yield problem(
        '/Store/Redis/Nodes',
        'has no meaning for a single server',
        'Write "Topology": "Sentinel" or "Topology": "Cluster", or the one server as Url.',
      )
      return
    }
    if (Topology === 'Single' && Url === undefined) yield problem('/Store/Redis/Url', 'is missing', asUrl)
    if (Topology === 'Sentinel' && Nodes.length === 0)
      yield problem(
        '/Store/Redis/Nodes',
        'is missing: no Sentinel is named',
        'Write the addresses of the Sentinels, as in ["redis://redis-1:26379", "redis://redis-2:26379"].',
      )
    if (Topology === 'Cluster' && Nodes.length === 0 && Url === undefined)
      yield problem(
        '/Store/Redis/Nodes',
        'is missing: no node of the cluster is named',
        'Write some of its nodes, as in ["redis://redis-1:6379", "redis://redis-2:6379"].',
      )
    if (Topology === 'Sentinel' && Sentinel === undefined)
      yield problem(
        '/Store/Redis/Sentinel',
        'is missing: Sentinels watch several primaries, each under a name',
        'Write "Sentinel": { "Name": "mymaster" } with the name in their "sentinel monitor".',
      )
    if (Topology !== 'Sentinel' && Sentinel !== undefined)
      yield problem(
        '/Store/Redis/Sentinel',
        `has no meaning for Topology ${Topology}`,
        'Write "Topology": "Sentinel", or leave it out.',
      )
  }),

  ofRedis(function* aClusterHasOneDatabase({ settings: { Topology, Database = 0 } }) {
    if (Topology === 'Cluster' && Database > 0)
      yield problem(
        '/Store/Redis/Database',
        'is not 0, which is the only one of a cluster',
        'Leave it out; Prefix keeps installations apart.',
      )
  }),

  ofRedis(function* certificatesNeedTls({ settings, url }) {
    const isTls = [url ?? '', ...settings.Nodes].some((node) => node.startsWith('rediss:'))
    if (isTls || settings.Sentinel?.PrimaryTls === true) return
    for (const name of ['CaFile', 'CertFile', 'KeyFile'] as const)
      if (settings[name] !== undefined)
        yield problem(
          `/Store/Redis/${name}`,
          'is not used, because nothing here speaks TLS',
          'Write "rediss://" in place of "redis://".',
        )
  }),

  ofRedis(function* certificateHasItsKey({ settings: { CertFile, KeyFile } }) {
    if ((CertFile === undefined) !== (KeyFile === undefined))
      yield problem(
        CertFile === undefined ? '/Store/Redis/CertFile' : '/Store/Redis/KeyFile',
        'is missing beside the other one',
        'Give both, the certificate and its private key, or neither.',
      )
  }),
]

function ofRedis(rule: (plan: RedisPlan) => ReturnType<Rule>): Rule {
  return ({ store }) => (store.kind === 'redis' ? rule(store) : [])
}

function isRedisUrl(text: string): boolean {
  return /^rediss?:\/\/./.test(text) && URL.canParse(text)
}
