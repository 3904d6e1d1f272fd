import type { AdministeredSession, FrontendChanges, SessionPage } from '../../../gateway/gateway.js'
import { type Html, html } from '../../../http/page.js'
import type { ProcessReport } from '../source.js'
import { inShort, keysView, upstreamsView } from '../views.js'
import { formValue, tableOf, timeOf } from './console-page.js'
import type { ConsoleSession } from './console-session.js'

export interface SessionSearch {
  readonly sub: string
  readonly frontend: string
  readonly authority: string
}

export interface SessionsVisit {
  readonly session: ConsoleSession
  /** How many sessions have just been ended. */
  readonly ended: string | undefined
  /** What is wrong with the search. */
  readonly misspelt: string | undefined
}

export function sessionsView(
  { sessions, next }: SessionPage,
  search: SessionSearch,
  { session: own, ended, misspelt }: SessionsVisit,
): Html {
  const { sub, frontend, authority } = search
  const asked = Object.fromEntries(Object.entries(search).filter(([, text]) => text !== ''))
  const isOfSeveral = sessions.some((session) => session.authority !== undefined)
  const endForm = (label: string, fields: Readonly<Record<string, string>>, name: string): Html =>
    html`<form class="inline" method="post" action="/console/sessions/end">${formValue(own)}${Object.entries(
      fields,
    ).map(
      ([field, value]) => html`<input type="hidden" name="${field}" value="${value}">`,
    )}<button class="quiet" aria-label="${name}">${label}</button></form>`
  const endOne = ({ handle, frontend: of, subject }: AdministeredSession): Html =>
    endForm('End', { handle, frontend: of }, `End session ${handle} of ${subject ?? 'a user who is not known'}`)
  return html`${ended !== undefined && html`<p class="done" role="status">${endedText(ended)}</p>`}
<form class="search" method="get" action="/console/sessions"><div><label for="sub">User (<code>sub</code>)</label><input id="sub" name="sub" value="${sub}" autocomplete="off"></div><div><label for="frontend">Frontend</label><input id="frontend" name="frontend" value="${frontend}" autocomplete="off"></div><div><label for="authority">Authorization server</label><input id="authority" name="authority" value="${authority}" autocomplete="off"></div><button>Search</button></form>
${tableOf(
  'Who is signed in',
  [
    { title: 'User', cell: ({ subject = 'not known' }) => subject },
    { title: 'Frontend', cell: ({ frontend: name }) => name },
    ...(isOfSeveral ? [{ title: 'Server', cell: (session: AdministeredSession) => session.authority ?? '–' }] : []),
    { title: 'Begun', cell: ({ begunAt }) => timeOf(begunAt) },
    { title: 'Last use', cell: ({ lastUsedAt }) => timeOf(lastUsedAt) },
    { title: 'Address', cell: ({ address = '–' }) => address },
    { title: 'Browser', cell: ({ userAgent = '–' }) => userAgent },
    { title: 'Handle', cell: ({ handle }) => html`<code class="whole">${handle}</code>` },
    { title: 'End', cell: endOne },
  ],
  sessions,
  next === undefined
    ? `There is no such session${misspelt === undefined ? '' : `: ${misspelt}`}.`
    : 'None on this page; there may be more.',
)}
${next !== undefined && html`<p><a href="/console/sessions?${new URLSearchParams({ ...asked, after: next }).toString()}">Next page</a></p>`}
${sub !== '' && sessions.length > 0 && endForm('End all sessions of this user', asked, `End all sessions of ${sub}`)}`
}

function endedText(ended: string): string {
  return ended === '1'
    ? '1 session has been ended, on all replicas.'
    : `${ended} sessions have been ended, on all replicas.`
}

export function refusalsPage({ refusals }: ProcessReport): Html {
  return html`<p class="soft">Of this replica, 200 at most. Older ones are in the log: look for the request id.</p>
${tableOf(
  'Refused or failed lately, the newest first',
  [
    { title: 'Time', cell: ({ at }) => timeOf(at) },
    {
      title: 'Code',
      cell: ({ code, event }) => html`<code class="whole">${code}</code><br><span class="soft whole">${event}</span>`,
    },
    { title: 'Frontend', cell: ({ frontend = '–', route = '' }) => `${frontend} ${route}`.trim() },
    { title: 'Reason', cell: ({ reason, serverSaid }) => [reason, serverSaid].filter(Boolean).join('; ') || '–' },
    { title: 'What to do', cell: ({ remedy = '–' }) => remedy },
    { title: 'Request id', cell: ({ requestId = '–' }) => html`<code>${requestId}</code>` },
  ],
  refusals,
  'Nothing has been refused since the process began.',
)}`
}

export function upstreamsPage(report: ProcessReport): Html {
  const { upstreams, inFlight } = upstreamsView(report)
  return html`<p>${inFlight} under way.</p>
${tableOf(
  'Those that are down first, then the slowest of the last five minutes',
  [
    { title: 'Frontend', cell: ({ frontend }) => frontend },
    { title: 'Route', cell: ({ route }) => html`<code>${route}</code>` },
    { title: 'Upstream', cell: ({ url }) => url },
    {
      title: 'State',
      cell: ({ state }) => html`<span class="${state === 'well' ? 'well' : 'bad'}">${stateText[state]}</span>`,
    },
    { title: 'Under way', cell: ({ inFlight: count }) => String(count) },
    { title: 'Calls', cell: ({ answers }) => String(answers?.calls ?? 0) },
    { title: 'Mean', cell: ({ answers }) => inShort(answers?.mean) },
    { title: '95 % within', cell: ({ answers }) => inShort(answers?.p95) },
  ],
  upstreams,
  'No route has an upstream.',
)}`
}

const stateText = {
  well: 'well',
  unhealthy: 'down: two health checks in a row have failed',
  open: 'down: it cannot be reached, or answers that it is down',
  'half-open': 'being tried again',
} as const

export function keysPage(report: ProcessReport, now: number): Html {
  const { signingKeys, sealingKeys, clientKeys, assertionKeys } = keysView(report, now)
  return html`${tableOf(
    'Signing keys of the embedded authorization server',
    [
      { title: 'Key', cell: ({ kid }) => html`<code>${kid}</code>` },
      { title: 'Algorithm', cell: ({ algorithm }) => algorithm },
      { title: 'Status', cell: ({ status }) => status },
      {
        title: 'Age',
        cell: ({ ageSeconds }) => (ageSeconds < 0 ? 'signs later' : `${Math.floor(ageSeconds / 86_400)} days`),
      },
    ],
    signingKeys,
    'No authorization server runs here.',
  )}
${tableOf(
  'Client keys; the first one signs',
  [
    { title: 'Frontend', cell: ({ frontend }) => frontend },
    { title: 'Client', cell: ({ clientId }) => clientId },
    { title: 'Keys', cell: ({ kids }) => kids.join(', ') || 'a secret' },
  ],
  clientKeys,
  'There is no frontend.',
)}
${tableOf(
  'Keys of identity assertions; the first one signs',
  [
    { title: 'Frontend', cell: ({ frontend }) => frontend },
    { title: 'Keys', cell: ({ kids }) => kids.join(', ') },
  ],
  assertionKeys,
  'No frontend has keys for identity assertions.',
)}
<p>${sealingKeys} sealing ${sealingKeys === 1 ? 'key' : 'keys'}.</p>`
}

export function configurationPage({ configuration, logLevel }: ProcessReport): Html {
  const { generation, takenOverAt, changes, needsRestart, refused } = configuration
  return html`<dl><dt>Generation</dt><dd>${generation}</dd><dt>Served since</dt><dd>${timeOf(takenOverAt)}</dd><dt>Log level</dt><dd>${logLevel.level}${logLevel.until !== undefined && html` until ${timeOf(logLevel.until)}`}</dd>${changes && changesOf(changes)}</dl>
${
  refused === undefined
    ? html`<p class="soft">${changes === undefined ? 'It is the one that the process began with.' : 'The last change was taken over.'}</p>`
    : html`<h2>The last change was refused</h2><p>${timeOf(refused.at)}</p><ul>${refused.problems.map((problem) => html`<li>${problem}</li>`)}</ul>`
}
${needsRestart.length > 0 && html`<h2>Needs a restart</h2><ul>${needsRestart.map((line) => html`<li>${line}</li>`)}</ul>`}`
}

/** What the last change was about. */
function changesOf({ added, changed, removed }: FrontendChanges): readonly (Html | false)[] {
  const row = (what: string, names: readonly string[]) =>
    names.length > 0 && html`<dt>${what}</dt><dd>${names.join(', ')}</dd>`
  return [row('Frontends added', added), row('Frontends changed', changed), row('Frontends removed', removed)]
}
