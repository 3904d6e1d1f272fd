import { type Notes, present } from './imported.js'
import type { Section } from './section.js'
import { durationFrom } from './time.js'

/** A route of YARP, as far as it can be one of ours. */
export interface YarpRoute {
  /** The section it stands in, for what only one product knows. */
  readonly metadata: Section
  readonly place: string
  /** As a browser asks for it, without a slash at the end. */
  readonly path: string
  /** @param prefix of the frontend that it is for */
  settings(prefix: string): Readonly<Record<string, unknown>>
}

/** Reads `ReverseProxy`: which paths go where. */
export function yarpRoutes(section: Section, notes: Notes): readonly YarpRoute[] {
  const clusters = new Map(section.sections('Clusters').map(([name, cluster]) => [name, clusterOf(cluster, notes)]))
  return section.sections('Routes').flatMap(([, route]) => {
    const match = route.section('Match')
    const pattern = match.text('Path') ?? '/{**all}'
    const path = plainPath(pattern)
    const cluster = clusters.get(route.text('ClusterId') ?? '')
    const metadata = route.section('Metadata')
    route.value('Order')
    if (path === undefined || cluster === undefined) {
      notes.dropped(
        route.place,
        path === undefined
          ? `its path ${pattern} is a pattern, and paths here cover all that is below them: write a route for what stands before the first variable.`
          : 'its cluster has no destination.',
      )
      return []
    }
    const hosts = match.texts('Hosts')
    if (hosts !== undefined)
      notes.dropped(
        `${match.place}:Hosts`,
        `write ${hosts.join(', ')} into Hosts of the frontend: hosts choose a frontend, not a route.`,
      )
    const methods = match.texts('Methods')?.map((method) => method.toUpperCase())
    const { removed, added } = transformsOf(route, notes)
    return [
      {
        metadata,
        place: route.place,
        path,
        settings(prefix) {
          const below = path.slice(prefix.length)
          // What the upstream sees of the whole path; the frontend's prefix never goes there by itself.
          const kept = path.startsWith(removed) ? path.slice(removed.length) : path
          const keepsPath = below !== '' && kept.endsWith(below)
          const base = added + (keepsPath ? kept.slice(0, kept.length - below.length) : kept)
          return {
            Path: below === '' ? '/' : below,
            Upstreams: cluster.addresses.map((address) => joined(address, base)),
            ...(!keepsPath && below !== '' && { StripPath: true }),
            ...present({ Methods: methods, ...cluster.settings }),
          }
        },
      },
    ]
  })
}

function joined(address: string, base: string): string {
  return `${address.replace(/\/+$/, '')}${base}`
}

/** `/api/{**rest}` is `/api` and all below it. */
function plainPath(pattern: string): string | undefined {
  const path = (pattern.startsWith('/') ? pattern : `/${pattern}`)
    .replace(/\/?\{\*\*?[^{}]*\}$/, '')
    .replace(/\/+$/, '')
  return /[{}*]/.test(path) ? undefined : path
}

function transformsOf(route: Section, notes: Notes): { readonly removed: string; readonly added: string } {
  let removed = ''
  let added = ''
  for (const [, transform] of route.sections('Transforms')) {
    removed = transform.text('PathRemovePrefix')?.replace(/\/+$/, '') ?? removed
    added = transform.text('PathPrefix')?.replace(/\/+$/, '') ?? added
    for (const place of transform.unread())
      notes.dropped(
        place,
        'of transforms only PathRemovePrefix and PathPrefix have a counterpart; have the API do the rest.',
      )
    for (const name of transform.unread()) transform.value(name.split(':').at(-1) ?? '')
  }
  return { removed, added }
}

interface Cluster {
  readonly addresses: readonly string[]
  readonly settings: Readonly<Record<string, unknown>>
}

function clusterOf(cluster: Section, notes: Notes): Cluster | undefined {
  const addresses = cluster.sections('Destinations').flatMap(([, destination]) => destination.text('Address') ?? [])
  const active = cluster.section('HealthCheck').section('Active')
  const isChecked = active.flag('Enabled') === true
  const [interval, timeout] = [active.text('Interval'), active.text('Timeout')].map((text) =>
    text === undefined ? undefined : durationFrom(text),
  )
  const activity = cluster.section('HttpRequest').text('ActivityTimeout')
  const path = active.text('Path')
  const settings = {
    ...balance(cluster, notes),
    ...(isChecked &&
      path !== undefined && { HealthCheck: present({ Path: path, Interval: interval, Timeout: timeout }) }),
    ...(activity !== undefined && { Timeouts: present({ Idle: durationFrom(activity) }) }),
  }
  return addresses.length === 0 ? undefined : { addresses, settings }
}

function balance(cluster: Section, notes: Notes): { readonly Balance?: string } {
  const policy = cluster.text('LoadBalancingPolicy')
  if (cluster.section('SessionAffinity').flag('Enabled') === true) return { Balance: 'Sticky' }
  if (policy === undefined || policy === 'RoundRobin') return {}
  if (policy === 'LeastRequests') return { Balance: policy }
  const instead = policy === 'PowerOfTwoChoices' ? 'LeastRequests' : 'RoundRobin'
  notes.changed(`${cluster.place}:LoadBalancingPolicy`, `${policy} becomes ${instead}.`)
  return instead === 'RoundRobin' ? {} : { Balance: instead }
}
