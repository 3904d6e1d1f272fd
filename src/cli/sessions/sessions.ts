import type { Environment } from '../../config/environment.js'
import { type Output, printed, styleFor } from '../report.js'
import { type AdminClient, createAdminClient, type SessionFilter } from './admin-client.js'

export interface SessionsOptions {
  readonly file: string
  readonly filter: SessionFilter
  readonly format: 'text' | 'json'
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Default: standard output. */
  readonly output?: Output
}

interface ListedSession {
  readonly handle: string
  readonly frontend: string
  readonly subject?: string
  readonly begunAt?: string
  readonly lastUsedAt?: string
  readonly address?: string
  readonly userAgent?: string
}

/** `sallyport sessions list`. How many there are. */
export async function listSessions({
  file,
  filter,
  format,
  environment = process.env,
  output = process.stdout,
}: SessionsOptions): Promise<number> {
  const sessions: ListedSession[] = []
  for await (const session of allSessions(createAdminClient(file, environment), filter)) sessions.push(session)
  output.write(format === 'json' ? `${JSON.stringify({ sessions }, null, 2)}\n` : textOf(sessions, output))
  return sessions.length
}

async function* allSessions(client: AdminClient, filter: SessionFilter): AsyncGenerator<ListedSession> {
  let after: string | undefined
  do {
    const { body } = await client.call('GET', '/admin/sessions', { ...filter, after, limit: '200' })
    const page = body as { readonly sessions: readonly ListedSession[]; readonly next?: string }
    yield* page.sessions
    after = page.next
  } while (after !== undefined)
}

/** `sallyport sessions end`. How many have been ended. */
export async function endSessions({
  file,
  filter,
  format,
  handle,
  all,
  environment = process.env,
  output = process.stdout,
}: SessionsOptions & { readonly handle: string | undefined; readonly all: boolean }): Promise<number> {
  if (handle === undefined && !all && Object.keys(filter).length === 0)
    throw new Error('Say which sessions: a handle, --sub, --sid, --frontend or --older-than; or --all.')
  const client = createAdminClient(file, environment)
  const ended = handle === undefined ? await endAll(client, filter) : await endOne(client, handle, filter)
  output.write(format === 'json' ? `${JSON.stringify({ ended })}\n` : `${sentence(ended)}\n`)
  return ended
}

async function endAll(client: AdminClient, filter: SessionFilter): Promise<number> {
  const isForAll = Object.keys(filter).length === 0
  const { body } = await client.call('DELETE', '/admin/sessions', { ...filter, ...(isForAll && { all: 'true' }) })
  return (body as { readonly ended: number }).ended
}

async function endOne(client: AdminClient, handle: string, { frontend, ...others }: SessionFilter): Promise<number> {
  if (Object.keys(others).length > 0)
    throw new Error('A handle names one session: leave --sub, --sid and --older-than out.')
  const { status } = await client.call('DELETE', `/admin/sessions/${encodeURIComponent(handle)}`, { frontend })
  return status === 404 ? 0 : 1
}

function sentence(ended: number): string {
  if (ended === 0) return 'There was no such session.'
  return ended === 1 ? '1 session has been ended.' : `${ended} sessions have been ended.`
}

const columns = ['handle', 'frontend', 'subject', 'begunAt', 'lastUsedAt', 'address', 'userAgent'] as const
const titles = ['handle', 'frontend', 'user', 'begun', 'last use', 'address', 'browser']

function textOf(sessions: readonly ListedSession[], output: Output): string {
  if (sessions.length === 0) return 'There is no such session.\n'
  const { soft } = styleFor(output)
  const rows = sessions.map((session) => columns.map((column) => printed(shown(session[column]))))
  const widths = titles.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[soft(line(titles)), ...rows.map(line)].join('\n')}\n`
}

function shown(value = '–'): string {
  return /^\d{4}-\d\d-\d\dT/.test(value) ? value.slice(0, 16).replace('T', ' ') : value.slice(0, 60)
}
