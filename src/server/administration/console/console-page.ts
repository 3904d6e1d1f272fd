import type { ServerResponse } from 'node:http'
import { type Html, html, pageHeaders, renderPage } from '../../../http/page.js'
import { iso, readableTime } from '../views.js'
import type { ConsoleSession } from './console-session.js'

/** Tables need room; on a narrow screen each row is a block of its own. */
const theme = `
body{place-items:start center;padding:1rem}
main{max-width:76rem;padding:clamp(1rem,3vw,2rem)}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:center;margin:0 0 1.5rem;padding-bottom:.75rem;border-bottom:1px solid var(--sp-line)}
nav a{display:inline-flex;align-items:center;min-height:2.25rem;color:inherit;text-decoration:none;font-weight:600}nav a[aria-current]{color:var(--sp-accent);text-decoration:underline;text-underline-offset:.4rem}
nav form{margin-left:auto}
.search{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:end;margin:0 0 1rem}.search div{flex:1 1 12rem}.search label{margin-top:0}
.search button,td button,.inline button{width:auto;margin-top:0}td button{min-height:2.25rem;padding:.25rem .75rem;white-space:nowrap}
table{width:100%;border-collapse:collapse;font-size:.875rem;margin:0 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.55rem .75rem .55rem 0;border-bottom:1px solid var(--sp-line)}th{color:var(--sp-soft);font-weight:600;overflow-wrap:normal}
caption{text-align:left;font-weight:600;padding:.5rem 0}code{font-family:ui-monospace,monospace}
.well{color:var(--sp-soft)}.bad{color:var(--sp-danger);font-weight:600}.done{border:1px solid var(--sp-line);border-radius:10px;padding:.65rem .85rem}
h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
@media (min-width:66rem){td time,td .whole{white-space:nowrap}}
@media (max-width:44rem){table,caption,tbody,tr,td{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}tr{border-bottom:1px solid var(--sp-line);padding:.5rem 0}td{border:0;padding:.15rem 0}td[data-label]::before{content:attr(data-label) ": ";color:var(--sp-soft)}td[data-label]:has(form)::before{content:none}nav form{margin-left:0}}
`

const places = [
  ['/console/sessions', 'Sessions'],
  ['/console/refusals', 'Refusals'],
  ['/console/upstreams', 'Upstreams'],
  ['/console/keys', 'Keys'],
  ['/console/configuration', 'Configuration'],
] as const

export type Place = (typeof places)[number][0]

export interface ConsolePage {
  readonly title: string
  readonly content: Html
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** @param place Where we are. @param session Undefined before the sign-in. */
export function sendPage(
  response: ServerResponse,
  { title, content, status = 200, headers }: ConsolePage,
  place?: Place,
  session?: ConsoleSession,
): void {
  const body = renderPage({
    title: `${title} · Sallyport`,
    brand: 'Sallyport console',
    theme,
    content: html`${session && navigation(place, session)}<h1>${title}</h1>\n${content}`,
  })
  response
    .writeHead(status, { ...pageHeaders({ theme }), ...headers })
    .end(response.req.method === 'HEAD' ? undefined : body)
}

function navigation(place: Place | undefined, session: ConsoleSession): Html {
  return html`<nav aria-label="Console">${places.map(
    ([path, name]) => html`<a href="${path}"${path === place && { markup: ' aria-current="page"' }}>${name}</a>`,
  )}<form method="post" action="/console/sign-out">${formValue(session)}<button class="link">Sign out</button></form></nav>\n`
}

export function formValue(session: ConsoleSession): Html {
  return html`<input type="hidden" name="form" value="${session.formValue}">`
}

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => Html | string
}

/** With roles that stay when a narrow screen shows rows as blocks. */
export function tableOf<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
): Html {
  if (rows.length === 0) return html`<p class="soft">${empty}</p>`
  return html`<table role="table"><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title }) => html`<th role="columnheader" scope="col">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (row) =>
      html`<tr role="row">${columns.map(({ title, cell }) => html`<td role="cell" data-label="${title}">${cell(row)}</td>`)}</tr>\n`,
  )}</tbody></table>`
}

export function timeOf(seconds: number | undefined): Html | string {
  if (seconds === undefined) return readableTime(undefined)
  const written = iso(seconds)
  return html`<time datetime="${written}">${readableTime(written)}</time>`
}
