import { inShort } from '../../server/administration/views.js'
import { type AdminCommandOptions, adminCommand } from './admin-command.js'
import { type Column, tableOf } from './table.js'

interface ListedUpstream {
  readonly frontend: string
  readonly route: string
  readonly url: string
  readonly state: string
  readonly inFlight: number
  readonly answers?: { readonly calls: number; readonly mean: number; readonly p95: number }
}

/** `sallyport upstreams`: those that are down, then the slowest. */
export async function listUpstreams(options: AdminCommandOptions): Promise<void> {
  const { call, show } = adminCommand(options)
  const { body } = await call('GET', '/admin/upstreams', {})
  show(body as { readonly upstreams: readonly ListedUpstream[] }, ({ upstreams }, output) =>
    upstreams.length === 0 ? 'No route has an upstream.\n' : tableOf(columns, upstreams, output),
  )
}

const columns: readonly Column<ListedUpstream>[] = [
  { title: 'frontend', cell: ({ frontend }) => frontend },
  { title: 'route', cell: ({ route }) => route },
  { title: 'upstream', cell: ({ url }) => url },
  { title: 'state', cell: ({ state }) => state },
  { title: 'under way', cell: ({ inFlight }) => String(inFlight) },
  { title: 'calls (5 min)', cell: ({ answers }) => String(answers?.calls ?? 0) },
  { title: 'mean', cell: ({ answers }) => inShort(answers?.mean) },
  { title: '95 % within', cell: ({ answers }) => inShort(answers?.p95) },
]
