import { createHash } from 'node:crypto'
import { type Html, html } from '../../http/page.js'
import type { Trial } from '../probe/probe.js'
import type { AssessedRule, Conformance } from './conformance.js'
import { reportStyle } from './report-style.js'
import type { Assessment } from './requirement.js'

/** What a report is about. */
export interface ReportFacts {
  readonly file: string
  readonly version: string
  readonly madeAt: Date
  readonly profile: string
  readonly frontends: readonly string[]
  readonly servers: readonly string[]
  /** What `check` tried. */
  readonly network: 'try' | 'none'
  readonly trials: readonly Trial[]
}

const words: Readonly<Record<Assessment['status'], { readonly mark: string; readonly sum: string }>> = {
  met: { mark: 'met', sum: 'met by the program, as it is configured' },
  deviates: { mark: 'deviates', sum: 'deviate: the configuration says otherwise' },
  operator: { mark: 'yours', sum: 'are yours to see to' },
  elsewhere: { mark: 'elsewhere', sum: 'are another server’s' },
  absent: { mark: 'not here', sum: 'are about what is not here' },
}

/** One file with no script, that loads nothing: it can be mailed, kept and printed. */
export function reportPage(conformance: Conformance, facts: ReportFacts): string {
  const style = createHash('sha256').update(reportStyle).digest('base64')
  const { markup } = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Conformance of ${facts.file}</title>
<style>${{ markup: reportStyle }}</style>
</head>
<body>
<div class="page">
<header>
<p class="brand">${mark}<span>Sallyport</span></p>
<h1>What this configuration does about FAPI 2.0</h1>
<p class="soft">Rule by rule: the FAPI 2.0 Security Profile, and the best current practice for browser-based applications. What is said of the
configuration is computed from it; what was tried, was tried when this was made.</p>
${factList(facts)}
<ul class="sum" aria-label="Summary">${statuses.map((status) => html`<li class="${status}"><b>${conformance.summary[status]}</b>${words[status].sum}</li>`)}</ul>
</header>
<main>
${deviations(conformance)}
${conformance.standards.map(
  ({ name, url, groups }) => html`<section>
<h2>${name}</h2>
<p class="soft"><a href="${url}">${url}</a></p>
${groups.map((group) => html`<h3>${group.name}</h3><div class="card">${group.rules.map((rule) => ruleRow(rule))}</div>`)}
</section>`,
)}
${tried(facts)}
</main>
<footer>
<p>Requirements are in our words; the standards’ own words hold. Test files are those of Sallyport ${facts.version}; they run with
<code>npm test</code>. This is no certification: nothing here says that the OpenID Foundation has looked at it.</p>
</footer>
</div>
</body>
</html>`
  return `<!doctype html>\n${markup}\n`
}

const statuses = ['met', 'deviates', 'operator', 'elsewhere', 'absent'] as const

function factList({ file, version, madeAt, profile, frontends, servers, network, trials }: ReportFacts): Html {
  const failed = trials.filter(({ outcome }) => outcome === 'failed').length
  const outcome = failed === 0 ? 'none failed' : failed === 1 ? '1 failed' : `${failed} failed`
  const rows: readonly (readonly [string, string])[] = [
    ['Configuration', file],
    ['Made', `${madeAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, by Sallyport ${version}`],
    ['Profile', profile],
    ['Frontends', frontends.join(', ') || 'none'],
    ['Authorization server', servers.join(', ') || 'none'],
    [
      'Tried',
      network === 'none'
        ? 'nothing: only the configuration was looked at (--offline)'
        : `${trials.length} things, ${outcome}`,
    ],
  ]
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`
}

/** What an auditor asks first. */
function deviations({ standards }: Conformance): Html {
  const rows = standards.flatMap(({ short, groups }) =>
    groups.flatMap(({ rules }) =>
      rules.filter(({ status }) => status === 'deviates').map((rule) => ruleRow(rule, html`<span>${short}</span>`)),
    ),
  )
  if (rows.length === 0) return html`<section><h2>Deviations</h2><p>None.</p></section>`
  return html`<section><h2>Deviations</h2><div class="card">${rows}</div></section>`
}

/** @param standard Named where the rule stands apart from its own section. */
function ruleRow(rule: AssessedRule, standard?: Html): Html {
  const { section, level, requirement, status, how, pointers = [], evidence, duty, tests } = rule
  return html`<article class="rule">
<div class="section">${section}${standard}<span>${level}</span></div>
<div class="what"><p><strong>${requirement}</strong></p>
<p>${how}</p>
${pointers.length > 0 && html`<p class="small">Set by ${codes([...new Set(pointers)])}</p>`}
${evidence.map((trial) => html`<p class="small">Tried: ${trial.subject}: ${trial.result}</p>`)}
${duty !== undefined && html`<p class="small">Yours: ${duty}</p>`}
${tests.length > 0 && html`<p class="small">${status === 'met' ? 'Proved by' : 'Its tests:'} ${codes(tests)}</p>`}</div>
<div class="mark ${status}">${words[status].mark}</div>
</article>`
}

function codes(names: readonly string[]): readonly Html[] {
  return names.map((name, index) => html`${index > 0 && ', '}<code>${name}</code>`)
}

function tried({ trials }: ReportFacts): Html | undefined {
  if (trials.length === 0) return undefined
  return html`<section><h2>What was tried</h2><div class="card"><ul class="plain">${trials.map(
    ({ subject, outcome, result, remedy }) =>
      html`<li><strong>${outcome === 'passed' ? 'Passed' : outcome === 'failed' ? 'Failed' : 'Noted'}</strong> ${subject}: ${result}${remedy !== undefined && html`<br><span class="soft">${remedy}</span>`}</li>`,
  )}</ul></div></section>`
}

const mark = html`<svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true"><path d="M4 21V8l4-4 4 4 4-4 4 4v13"/><path d="M9 21v-6a3 3 0 0 1 6 0v6"/></svg>`
