import { isDuration, seconds } from '../../config/duration.js'
import type { SessionQuery } from '../../gateway/gateway.js'
import { ApiRefusal } from './api-refusal.js'
import { levels, type SchemaName } from './api-schemas.js'
import type { AdministrationSource } from './source.js'
import {
  configurationView,
  frontendsView,
  iso,
  keysView,
  refusalsView,
  sessionView,
  unknownFrontend,
  upstreamsView,
} from './views.js'

/** A call of the admin API that may be made. */
export interface ApiCall {
  readonly source: AdministrationSource
  readonly query: URLSearchParams
  /** Of the path. */
  readonly handle: string
  /** Of a body; undefined without one. */
  readonly body: unknown
}

export interface ApiParameter {
  readonly name: string
  readonly description: string
}

/** One operation: the routes and the OpenAPI document are both made of these. */
export interface ApiOperation {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly query: readonly ApiParameter[]
  readonly body?: SchemaName
  /** 204 without. */
  readonly answer?: SchemaName
  run(call: ApiCall): Promise<object | undefined>
}

const which: readonly ApiParameter[] = [
  { name: 'sub', description: '`sub` of the user, as in the ID token.' },
  { name: 'sid', description: "The authorization server's name for its own session." },
  { name: 'frontend', description: 'Name of the frontend.' },
  {
    name: 'authority',
    description: 'Issuer identifier of the authorization server or, where a frontend has several, its `Name` there.',
  },
  { name: 'olderThan', description: 'Begun at least so long ago: `08:00:00`, or `7.00:00:00` for days.' },
]

export const operations: readonly ApiOperation[] = [
  {
    method: 'GET',
    path: '/admin/sessions',
    summary: 'Who is signed in. In no particular order; a page may be short and still have a `next`.',
    query: [
      ...which,
      { name: 'after', description: '`next` of the page before.' },
      { name: 'limit', description: 'Sessions on a page, 1 to 200. Default: 50.' },
    ],
    answer: 'Sessions',
    async run({ source, query }) {
      const after = query.get('after')
      const paging = { limit: limitOf(query.get('limit')), ...(after !== null && { after }) }
      await assertFrontend(source, query)
      const { sessions, next } = await source.listSessions({ query: queryOf(query), paging })
      return { sessions: sessions.map(sessionView), ...(next !== undefined && { next }) }
    },
  },
  {
    method: 'DELETE',
    path: '/admin/sessions',
    summary: 'Ends all sessions that are meant, on all replicas. Without a filter it takes `all=true`.',
    query: [...which, { name: 'all', description: '`true`: every session, where nothing else is said.' }],
    answer: 'Ended',
    async run({ source, query }) {
      const meant = queryOf(query)
      if (Object.keys(meant).length === 0 && query.get('all') !== 'true')
        throw malformed('say which sessions (sub, sid, frontend, authority, olderThan), or all=true')
      await assertFrontend(source, query)
      return { ended: await source.endSessions(meant) }
    },
  },
  {
    method: 'DELETE',
    path: '/admin/sessions/{handle}',
    summary: 'Ends one session.',
    query: [{ name: 'frontend', description: 'Its frontend: it is found sooner.' }],
    async run({ source, query, handle }) {
      await assertFrontend(source, query)
      const frontend = query.get('frontend')
      if (!(await source.endSession({ handle, ...(frontend !== null && { frontend }) })))
        throw new ApiRefusal('admin.session.unknown', 'it has ended, or never was')
      return undefined
    },
  },
  {
    method: 'GET',
    path: '/admin/frontends',
    summary: 'Frontends and their routes: what each lets through, and which servers it can reach.',
    query: [],
    answer: 'Frontends',
    run: async ({ source }) => frontendsView(await source.report()),
  },
  {
    method: 'GET',
    path: '/admin/upstreams',
    summary: 'How each upstream of each route fares: those that are down first, then the slowest.',
    query: [],
    answer: 'Upstreams',
    run: async ({ source }) => upstreamsView(await source.report()),
  },
  {
    method: 'GET',
    path: '/admin/keys',
    summary: 'Keys by name, status and age. Never a private half.',
    query: [],
    answer: 'Keys',
    run: async ({ source }) => keysView(await source.report(), Date.now() / 1000),
  },
  {
    method: 'GET',
    path: '/admin/configuration',
    summary: 'Which configuration is served, since when, and the last one that was refused.',
    query: [],
    answer: 'Configuration',
    run: async ({ source }) => configurationView(await source.report()),
  },
  {
    method: 'GET',
    path: '/admin/refusals',
    summary: 'What was refused or failed lately, the newest first: with reason, remedy and request id.',
    query: [],
    answer: 'Refusals',
    run: async ({ source }) => refusalsView(await source.report()),
  },
  {
    method: 'GET',
    path: '/admin/log-level',
    summary: 'The least important thing that is logged.',
    query: [],
    answer: 'LogLevel',
    run: async ({ source }) => levelView((await source.report()).logLevel),
  },
  {
    method: 'PUT',
    path: '/admin/log-level',
    summary: 'Another level for a while, ten minutes if nothing is said and a day at most. A restart ends it.',
    query: [],
    body: 'LogLevelChange',
    answer: 'LogLevel',
    async run({ source, body }) {
      const { level, for: time = '00:10:00' } = (body ?? {}) as { readonly level?: unknown; readonly for?: unknown }
      const known = levels.find((name) => name === level)
      if (known === undefined) throw malformed(`"level" is one of ${levels.join(', ')}`)
      if (typeof time !== 'string' || !isDuration(time) || seconds(time) < 1 || seconds(time) > 86_400)
        throw malformed('"for" is a duration from "00:00:01" to "1.00:00:00"')
      return levelView(await source.setLogLevel({ level: known, seconds: seconds(time) }))
    },
  },
]

function levelView({ level, until }: { readonly level: string; readonly until?: number }) {
  return { level, ...(until !== undefined && { until: iso(until) }) }
}

/** @throws ApiRefusal for a filter that would mean more than was meant */
export function queryOf(query: URLSearchParams): SessionQuery {
  const [subject, sid, frontend, authority, olderThan] = which.map(({ name }) => query.get(name))
  for (const { name } of which) if (query.get(name) === '') throw malformed(`"${name}" is empty`)
  if (olderThan != null && !isDuration(olderThan)) throw malformed('"olderThan" is a duration, such as "08:00:00"')
  return {
    ...(subject != null && { subject }),
    ...(sid != null && { sid }),
    ...(frontend != null && { frontend }),
    ...(authority != null && { authority }),
    ...(olderThan != null && { olderThan: seconds(olderThan) }),
  }
}

/** A name that is misspelt would look like a frontend whose users have all left. @throws ApiRefusal */
async function assertFrontend(source: AdministrationSource, query: URLSearchParams): Promise<void> {
  const name = query.get('frontend')
  if (name === null) return
  const misspelt = unknownFrontend(await source.report(), name)
  if (misspelt !== undefined) throw malformed(misspelt)
}

function limitOf(text: string | null): number {
  const limit = Number(text ?? 50)
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) throw malformed('"limit" is a number from 1 to 200')
  return limit
}

function malformed(detail: string): ApiRefusal {
  return new ApiRefusal('admin.request.malformed', detail)
}
