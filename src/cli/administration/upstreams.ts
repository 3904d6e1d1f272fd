import type { Environment } from '../../config/environment.js'
import { printableJson } from '../../http/printable-json.js'
import { inShort } from '../../server/administration/views.js'
import type { Output } from '../report.js'
import { createAdminClient } from './admin-client.js'
import { type Column, tableOf } from './table.js'

export interface UpstreamsOptions {
  readonly file: string
  readonly format: 'text' | 'json'
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Default: standard output. */
  readonly output?: Output
}

interface ListedUpstream {
  readonly frontend: string
  readonly route: string
  readonly url: string
  readonly state: string
  readonly inFlight: number
  readonly answers?: { readonly calls: number; readonly mean: number; readonly p95: number }
}

/** `sallyport upstreams`: those that are down, then the slowest. */
export async function listUpstreams({
  file,
  format,
  environment = process.env,
  output = process.stdout,
}: UpstreamsOptions): Promise<void> {
  const { body } = await createAdminClient(file, environment).call('GET', '/admin/upstreams', {})
  const { upstreams } = body as { readonly upstreams: readonly ListedUpstream[] }
  if (format === 'json') output.write(`${printableJson({ upstreams }, 2)}\n`)
  else output.write(upstreams.length === 0 ? 'No route has an upstream.\n' : tableOf(columns, upstreams, output))
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
