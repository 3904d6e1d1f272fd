import { type Notes, present, type SecretToKeep } from './imported.js'
import type { Section } from './section.js'

/** Where oauth2-proxy's sessions are, as `Store.Redis`. Passwords go into files of their own. */
export function redisOf(
  options: Section,
  secrets: SecretToKeep[],
  notes: Notes,
): Readonly<Record<string, unknown>> | undefined {
  if (options.text('session_store_type') !== 'redis') return undefined
  const kept = (file: string, content: string | undefined) => {
    if (content === undefined) return undefined
    secrets.push({ file, content })
    return { File: `./${file}` }
  }
  const shared = () => ({
    Username: options.text('redis_username'),
    Password: kept('keys/redis.password', options.text('redis_password')),
    CaFile: options.text('redis_ca_path'),
  })
  if (options.flag('redis_use_sentinel') === true) {
    const nodes = addressesOf(options, 'redis_sentinel_connection_urls', notes)
    if (nodes.length === 0) return unknownPlace(notes)
    return present({
      Topology: 'Sentinel',
      Nodes: nodes,
      Sentinel: present({
        Name: options.text('redis_sentinel_master_name') ?? 'mymaster',
        Password: kept('keys/redis-sentinel.password', options.text('redis_sentinel_password')),
      }),
      ...shared(),
    })
  }
  if (options.flag('redis_use_cluster') === true) {
    const nodes = addressesOf(options, 'redis_cluster_connection_urls', notes)
    return nodes.length === 0 ? unknownPlace(notes) : present({ Topology: 'Cluster', Nodes: nodes, ...shared() })
  }
  const url = options.text('redis_connection_url')
  if (url === undefined || !URL.canParse(url)) return unknownPlace(notes)
  const { Password: password, ...others } = shared()
  // One with a password in it is a secret as a whole.
  const Url = new URL(url).password === '' ? url : kept('keys/redis.url', url)
  return present({ Url, Password: password, ...others })
}

function unknownPlace(notes: Notes): undefined {
  notes.missing(
    '/Store/Redis',
    'write where your Redis is, with Sentinel or Cluster if you have them: docs/configuration.md.',
  )
  return undefined
}

/** Without user and password: what a URL says of them would stand in the configuration. */
function addressesOf(options: Section, name: string, notes: Notes): string[] {
  return (options.texts(name) ?? []).flatMap((text) => {
    if (!URL.canParse(text)) return []
    const { protocol, host, username, password } = new URL(text)
    if (username !== '' || password !== '')
      notes.dropped(name, `user and password for ${host}: write Username and Password in Store.Redis.`)
    return [`${protocol}//${host}`]
  })
}
