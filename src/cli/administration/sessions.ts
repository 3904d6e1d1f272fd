import { readableTime } from '../../server/administration/views.js'
import type { AdminClient, SessionFilter } from './admin-client.js'
import { type AdminCommandOptions, adminCommand } from './admin-command.js'
import { type Column, tableOf } from './table.js'

export interface SessionsOptions extends AdminCommandOptions {
  readonly filter: SessionFilter
}

interface ListedSession {
  readonly handle: string
  readonly frontend: string
  readonly authority?: string
  readonly subject?: string
  readonly begunAt?: string
  readonly lastUsedAt?: string
  readonly address?: string
  readonly userAgent?: string
}

/** `sallyport sessions list`. How many there are. */
export async function listSessions({ filter, ...options }: SessionsOptions): Promise<number> {
  const { call, show } = adminCommand(options)
  const sessions: ListedSession[] = []
  for await (const session of allSessions({ call }, filter)) sessions.push(session)
  const none = Object.keys(filter).length === 0 ? 'No user is signed in.\n' : 'There is no such session.\n'
  show({ sessions }, (_, output) => (sessions.length === 0 ? none : tableOf(columnsFor(sessions), sessions, output)))
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
  filter,
  handle,
  all,
  ...options
}: SessionsOptions & { readonly handle: string | undefined; readonly all: boolean }): Promise<number> {
  if (handle === undefined && !all && Object.keys(filter).length === 0)
    throw new Error('Say which sessions: a handle, --sub, --sid, --frontend, --authority or --older-than; or --all.')
  if (handle !== undefined && all)
    throw new Error('A handle names one session, --all every one: leave one of them out.')
  const { call, show } = adminCommand(options)
  const ended = handle === undefined ? await endAll({ call }, filter) : await endOne({ call }, handle, filter)
  show({ ended }, () => `${sentence(ended)}\n`)
  return ended
}

async function endAll(client: AdminClient, filter: SessionFilter): Promise<number> {
  const isForAll = Object.keys(filter).length === 0
  const { body } = await client.call('DELETE', '/admin/sessions', { ...filter, ...(isForAll && { all: 'true' }) })
  return (body as { readonly ended: number }).ended
}

async function endOne(client: AdminClient, handle: string, { frontend, ...others }: SessionFilter): Promise<number> {
  if (Object.keys(others).length > 0)
    throw new Error('A handle names one session: leave --sub, --sid, --authority and --older-than out.')
  const { status } = await client.call('DELETE', `/admin/sessions/${encodeURIComponent(handle)}`, { frontend })
  return status === 404 ? 0 : 1
}

function sentence(ended: number): string {
  if (ended === 0) return 'There was no such session.'
  return ended === 1 ? '1 session has been ended.' : `${ended} sessions have been ended.`
}

/** Where frontends have one authorization server each, no session says which. */
function columnsFor(sessions: readonly ListedSession[]): readonly Column<ListedSession>[] {
  const areOfSeveral = sessions.some(({ authority }) => authority !== undefined)
  const server: Column<ListedSession> = { title: 'server', cell: ({ authority = '–' }) => authority }
  return [
    { title: 'handle', cell: ({ handle }) => handle },
    { title: 'frontend', cell: ({ frontend }) => frontend },
    ...(areOfSeveral ? [server] : []),
    { title: 'user', cell: ({ subject = '–' }) => subject.slice(0, 60) },
    { title: 'begun', cell: ({ begunAt }) => readableTime(begunAt) },
    { title: 'last use', cell: ({ lastUsedAt }) => readableTime(lastUsedAt) },
    { title: 'address', cell: ({ address = '–' }) => address },
    { title: 'browser', cell: ({ userAgent = '–' }) => userAgent.slice(0, 60) },
  ]
}
