import { subscribe } from 'node:diagnostics_channel'
import { request } from 'node:http'
import { Ajv2020 } from 'ajv/dist/2020.js'
import test from 'ava'
import { UpstreamError } from '../../../src/errors.js'
import type { UpstreamState } from '../../../src/gateway/gateway.js'
import { operations } from '../../../src/server/administration/api-operations.js'
import { apiRefusals } from '../../../src/server/administration/api-refusal.js'
import { answerPrimary, type ProcessLink, workersSource } from '../../../src/server/administration/workers-source.js'
import { channelName, publish, type SallyportEvent } from '../../../src/telemetry/events.js'
import { eventually } from '../../_eventually.js'
import { anAdministeredGateway, assertionKey, serveAdmin, token } from './_administered.js'

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, ResponseObject>> }>>>
  >
  readonly components: { readonly schemas: object }
}
interface ResponseObject {
  readonly content?: Readonly<Record<string, { readonly schema: { readonly $ref: string } }>>
}

/** What has really been called, with real answers. */
const calls: readonly [method: string, path: string, pattern: string, body?: object][] = [
  ['GET', '/admin/sessions?sub=alice&limit=10', '/admin/sessions'],
  ['GET', '/admin/sessions', '/admin/sessions'],
  ['DELETE', '/admin/sessions?sub=nobody', '/admin/sessions'],
  ['DELETE', '/admin/sessions/no-such-handle', '/admin/sessions/{handle}'],
  ['GET', '/admin/frontends', '/admin/frontends'],
  ['GET', '/admin/upstreams', '/admin/upstreams'],
  ['GET', '/admin/keys', '/admin/keys'],
  ['GET', '/admin/configuration', '/admin/configuration'],
  ['GET', '/admin/refusals', '/admin/refusals'],
  ['GET', '/admin/log-level', '/admin/log-level'],
  ['PUT', '/admin/log-level', '/admin/log-level', { level: 'debug', for: '00:00:30' }],
]

test('the OpenAPI document names every path, and every answer is as it says', async (t) => {
  const { ask, plant, logger } = await anAdministeredGateway(t)
  await plant('app', { subject: 'alice' })
  publish({
    type: 'gateway.request.refused',
    requestId: 'r-1',
    code: 'bff.session.absent',
    status: 401,
    frontend: 'app',
  })
  const document = (await (await ask('GET', '/admin/openapi.json')).json()) as OpenApi
  const named = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  t.deepEqual(named.sort(), [...new Set(calls.map(([method, , pattern]) => `${method} ${pattern}`))].sort())
  t.is(named.length, operations.length)

  const { assertionKeys } = (await (await ask('GET', '/admin/keys')).json()) as { readonly assertionKeys: unknown }
  t.deepEqual(assertionKeys, [{ frontend: 'app', kids: [assertionKey.kid] }])

  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'api', ...document })
  for (const [method, path, pattern, body] of calls) {
    const answer = await ask(method, path, body && { body })
    const text = await answer.text()
    const responses = document.paths[pattern]?.[method.toLowerCase()]?.responses
    const described = responses?.[answer.status] ?? responses?.default
    const [[type, { schema }] = ['', { schema: { $ref: '' } }]] = Object.entries(described?.content ?? {})
    t.is(answer.headers.get('content-type') ?? '', type, `${method} ${path}`)
    const isAsSaid = ajv.getSchema(`api${schema.$ref}`)
    t.true(isAsSaid?.(JSON.parse(text)), `${method} ${path}: ${text} ${JSON.stringify(isAsSaid?.errors)}`)
    t.notRegex(text, /session app:|"d":"|token-/)
  }
  t.is(logger.level, 'debug')
})

test('upstreams that are down come first, then the slowest, in the API as in the console', async (t) => {
  const { source } = await anAdministeredGateway(t)
  const report = await source.report()
  const well = { healthy: true, breaker: 'closed', inFlight: 0 } as const
  const upstreams: readonly UpstreamState[] = [
    { ...well, url: 'http://idle' },
    { ...well, url: 'http://quick', answers: { calls: 5, mean: 0.002, p95: 0.0031 } },
    { ...well, url: 'http://slow', answers: { calls: 5, mean: 1.2, p95: 4 } },
    { ...well, url: 'http://down', breaker: 'open', answers: { calls: 1, mean: 0.001, p95: 0.001 } },
  ]
  const frontends = (report.gateway?.frontends ?? []).map((frontend) => ({
    ...frontend,
    routes: frontend.routes.map((route) => ({ ...route, upstreams })),
  }))
  const { url, ask } = await serveAdmin(t, {
    ...source,
    report: async () => ({ ...report, gateway: { inFlight: 0, frontends } }),
  })
  const { upstreams: listed } = (await (await ask('GET', '/admin/upstreams')).json()) as {
    readonly upstreams: readonly UpstreamState[]
  }
  const inOrder = ['http://down', 'http://slow', 'http://quick', 'http://idle']
  t.deepEqual(
    listed.map((upstream) => upstream.url),
    inOrder,
  )
  t.deepEqual(listed[1]?.answers, { calls: 5, mean: 1.2, p95: 4 })
  const signedIn = await fetch(`${url}/console/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ token }),
  })
  const page = await fetch(`${url}/console/upstreams`, {
    headers: { Cookie: (signedIn.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '' },
  })
  const rows = [...(await page.text()).matchAll(/<tr role="row"><td.*<\/tr>/g)].map(([row]) => row)
  t.deepEqual(
    rows.map((row) => /http:\/\/\w+/.exec(row)?.[0]),
    inOrder,
  )
  t.regex(rows[1] ?? '', />5<.*>1\.2 s<.*>4 s</)
  t.regex(rows[2] ?? '', />2 ms<.*>3\.1 ms</)
})

test('without the right token there is nothing, whatever is asked', async (t) => {
  const { url, ask } = await anAdministeredGateway(t)
  for (const path of ['/admin/sessions', '/admin/openapi.json', '/admin/nothing'])
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${token}`, 'Bearer ']) {
      const answer = await fetch(`${url}${path}`, { headers: authorization ? { Authorization: authorization } : {} })
      t.is(answer.status, 401)
      t.is(((await answer.json()) as { code: string }).code, 'admin.token.refused')
      t.regex(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
    }
  t.is((await ask('GET', '/admin/nothing')).status, 404)
})

test('who guesses tokens is told to wait, and keeps no administrator out', async (t) => {
  const { ask } = await anAdministeredGateway(t)
  const statuses: number[] = []
  for (let guess = 0; guess < 12; guess++)
    statuses.push((await ask('GET', '/admin/keys', { bearer: `guess-${guess}` })).status)
  t.deepEqual(statuses.slice(-2), [429, 429])
  t.is((await ask('GET', '/admin/keys')).status, 200)
})

test('the admin API refuses a filter by a frontend that the configuration has not', async (t) => {
  const { ask, plant } = await anAdministeredGateway(t)
  await plant('app', { subject: 'alice' })
  for (const [method, path] of [
    ['GET', '/admin/sessions?frontend=ap'],
    ['DELETE', '/admin/sessions?frontend=ap'],
    ['DELETE', '/admin/sessions/a-handle?frontend=ap'],
  ] as const) {
    const answer = await ask(method, path)
    t.is(answer.status, 400, `${method} ${path}`)
    const { code, detail } = (await answer.json()) as Record<'code' | 'detail', string>
    t.is(code, 'admin.request.malformed')
    t.regex(detail, /^there is no frontend of that name; known: app\b/)
  }
  const { sessions } = (await (await ask('GET', '/admin/sessions?frontend=app')).json()) as { sessions: object[] }
  t.is(sessions.length, 1)
})

test('sessions are ended as asked, and never more than was meant', async (t) => {
  const { ask, plant, sessionsOf } = await anAdministeredGateway(t)
  const events: SallyportEvent[] = []
  subscribe(channelName, (event) => events.push(event as SallyportEvent))
  const alice = await plant('app', { subject: 'alice' })
  const bob = await plant('app', { subject: 'bob' })
  for (const query of [
    '',
    '?sub=',
    '?subject=alice',
    '?sub=alice&sub=bob',
    '?olderThan=1h',
    '?all=yes',
    '?sub=alice&authority=',
  ]) {
    const answer = await ask('DELETE', `/admin/sessions${query}`)
    t.is(answer.status, 400, query)
  }
  const elsewhere = '/admin/sessions?sub=alice&authority=https://another.example'
  t.deepEqual(await (await ask('DELETE', elsewhere)).json(), { ended: 0 })
  const here = '/admin/sessions?sub=alice&authority=http://127.0.0.1:9'
  t.deepEqual(await (await ask('DELETE', here)).json(), { ended: 1 })
  t.is(await sessionsOf('app').open(alice.id), undefined)
  const { sessions } = (await (await ask('GET', '/admin/sessions')).json()) as { sessions: { handle: string }[] }
  t.is(sessions.length, 1)
  t.is((await ask('DELETE', `/admin/sessions/${sessions[0]?.handle}?frontend=app`)).status, 204)
  t.is(await sessionsOf('app').open(bob.id), undefined)
  t.deepEqual(await (await ask('DELETE', '/admin/sessions?all=true')).json(), { ended: 0 })
  const acts = events.flatMap((event) =>
    event.type === 'server.administration.acted' && event.ended === 1 ? [event] : [],
  )
  t.like(acts[0], {
    act: 'sessions.end',
    via: 'api',
    address: '127.0.0.1',
    subject: 'alice',
    authority: 'http://127.0.0.1:9',
    ended: 1,
  })
  t.like(acts[1], { act: 'session.end', session: sessions[0]?.handle ?? '', ended: 1 })
})

test('a log level holds for a while, and what is no level is refused', async (t) => {
  const { ask, logger } = await anAdministeredGateway(t)
  for (const body of [{ level: 'loud' }, { level: 'debug', for: '10m' }, { level: 'debug', for: '2.00:00:00' }, {}])
    t.is((await ask('PUT', '/admin/log-level', { body })).status, 400)
  t.is((await ask('PUT', '/admin/log-level', { body: { level: 'debug', for: '00:00:01' } })).status, 200)
  t.is(logger.level, 'debug')
  await eventually(() => logger.level !== 'debug')
  t.is(logger.level, 'info')
  t.deepEqual(await (await ask('GET', '/admin/log-level')).json(), { level: 'info' })
})

test('a page of another name cannot use the API, not with the token either', async (t) => {
  const { url } = await anAdministeredGateway(t)
  const status = await new Promise((resolve, reject) => {
    const headers = { Host: 'evil.example', Authorization: `Bearer ${token}` }
    request(`${url}/admin/keys`, { headers }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end()
  })
  t.is(status, 421)
})

test('every refusal has a status, and a store that is away is one of them', async (t) => {
  const { source } = await anAdministeredGateway(t)
  const away = () => Promise.reject(new UpstreamError('store_unavailable', 'the store did not answer'))
  const { ask } = await serveAdmin(t, { ...source, listSessions: away })
  const answer = await ask('GET', '/admin/sessions')
  t.is(answer.status, apiRefusals['admin.store.unavailable'].status)
  t.is(answer.headers.get('retry-after'), '5')
  const broken = await serveAdmin(t, { ...source, report: () => Promise.reject(new Error('secret inside')) })
  const fault = await broken.ask('GET', '/admin/keys')
  t.is(fault.status, 500)
  t.notRegex(await fault.text(), /secret inside/)
})

test('of several workers one answers for all of them: counts are added up, and the worst is told', async (t) => {
  const { source, plant } = await anAdministeredGateway(t)
  await plant('app', { subject: 'alice' })
  const report = await source.report()
  const upstream = { url: 'http://127.0.0.1:4000/v1', healthy: true, breaker: 'open', inFlight: 2 } as const
  const busy = (answers: NonNullable<UpstreamState['answers']>) => ({
    ...source,
    report: async () => ({
      ...report,
      gateway: {
        inFlight: 3,
        frontends: (report.gateway?.frontends ?? []).map((frontend) => ({
          ...frontend,
          routes: frontend.routes.map((route) => ({ ...route, upstreams: [{ ...upstream, answers }] })),
        })),
      },
    }),
  })
  const [one, other] = [busy({ calls: 3, mean: 0.01, p95: 0.02 }), busy({ calls: 1, mean: 0.05, p95: 0.05 })]
  const workers = workersSource(() => [linkTo(source), linkTo(one), linkTo(other), silentLink()], 2)
  const together = await workers.report()
  t.is(together.gateway?.inFlight, 6)
  t.deepEqual(together.gateway?.frontends[0]?.routes[0]?.upstreams, [
    { ...upstream, inFlight: 4, answers: { calls: 4, mean: 0.02, p95: 0.05 } },
  ])
  t.is((await workers.listSessions({ query: {} })).sessions[0]?.subject, 'alice')
  await t.throwsAsync(workers.listSessions({ query: {}, paging: { after: 'made up' } }), { instanceOf: RangeError })
  t.is(await workers.endSessions({ subject: 'alice' }), 1)
  await t.throwsAsync(workersSource(() => []).report(), { instanceOf: UpstreamError })
})

type Listener = Parameters<ProcessLink['on']>[1]

/** Both ends of a worker's channel, with what JSON leaves of a message. */
function linkTo(source: Parameters<typeof answerPrimary>[0]): ProcessLink {
  const [ours, theirs] = [new Set<Listener>(), new Set<Listener>()]
  const end = (own: Set<Listener>, other: Set<Listener>): ProcessLink => ({
    send: (message) => {
      const copy: unknown = JSON.parse(JSON.stringify(message))
      for (const listener of other) setImmediate(listener, copy)
    },
    on: (_, listener) => own.add(listener),
    off: (_, listener) => own.delete(listener),
  })
  answerPrimary(source, end(theirs, ours))
  return end(ours, theirs)
}

/** Of a worker that hangs. */
function silentLink(): ProcessLink {
  return { send: () => true, on: () => undefined, off: () => undefined }
}
