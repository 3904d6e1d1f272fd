import { createHash } from 'node:crypto'
import escapeHtml from 'escape-html'

/** Text that is markup already. Everything else that goes into a page is escaped. */
export interface Html {
  /** HTML, escaped. */
  readonly markup: string
}

type Content = Html | string | number | undefined | false | readonly Content[]

/**
 * The only way to make markup: every interpolated value is escaped unless it is markup itself.
 * @example
 * ```ts
 * import { html } from 'sallyport/authorization-server'
 *
 * console.assert(html`<p>${'<b>'}</p>`.markup === '<p>&lt;b&gt;</p>')
 * ```
 */
export function html(literals: TemplateStringsArray, ...values: readonly Content[]): Html {
  return { markup: literals.reduce((text, literal, index) => text + markupOf(values[index - 1]) + literal) }
}

function markupOf(content: Content): string {
  if (content === undefined || content === false) return ''
  if (typeof content === 'string' || typeof content === 'number') return escapeHtml(String(content))
  if ('markup' in content) return content.markup
  return content.map(markupOf).join('')
}

/** The one look of every page that we render. Colours are variables, so that an operator can theme them. */
const style = `
:root{color-scheme:light dark;--sp-accent:#0b5fff;--sp-accent-ink:#fff;--sp-ground:#f3f5f9;--sp-card:#fff;--sp-ink:#131a26;--sp-soft:#51607a;--sp-line:#c9d2e0;--sp-danger:#b3261e;--sp-radius:14px}
@media (prefers-color-scheme:dark){:root{--sp-accent:#8ab4ff;--sp-accent-ink:#06152f;--sp-ground:#0d1219;--sp-card:#161d28;--sp-ink:#e8edf5;--sp-soft:#a3b1c6;--sp-line:#36445a;--sp-danger:#ffb4ab}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--sp-ground);color:var(--sp-ink);overflow-wrap:anywhere;font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{width:100%;max-width:26rem;background:var(--sp-card);border:1px solid var(--sp-line);border-radius:var(--sp-radius);padding:clamp(1.25rem,5vw,2.25rem);box-shadow:0 12px 40px rgb(10 20 40/.08)}
h1{font-size:1.45rem;line-height:1.25;margin:0 0 .35rem;letter-spacing:-.01em}
p{margin:.35rem 0 1rem}.soft{color:var(--sp-soft)}small,.small{font-size:.875rem}
.brand{display:flex;align-items:center;gap:.55rem;margin:0 0 1.5rem;font-weight:600;color:var(--sp-soft)}.brand svg{flex:none;color:var(--sp-accent)}
label{display:block;font-weight:600;margin:1rem 0 .35rem}
input:not([type=checkbox]){width:100%;min-height:2.9rem;padding:.6rem .8rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--sp-soft);border-radius:10px}
button,.button{display:inline-flex;align-items:center;justify-content:center;width:100%;min-height:2.9rem;margin-top:.75rem;padding:.6rem 1rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;border:1px solid var(--sp-accent);border-radius:10px;background:var(--sp-accent);color:var(--sp-accent-ink);cursor:pointer}
button.link{display:inline;width:auto;min-height:1.75rem;margin:0;padding:0 .25rem;border:0;background:none;color:var(--sp-accent);text-decoration:underline;font-size:inherit}
.note{margin:1.25rem 0 0}
button.quiet,.button.quiet{background:transparent;color:inherit;border-color:var(--sp-soft)}
:focus-visible{outline:3px solid var(--sp-accent);outline-offset:2px}
a{color:var(--sp-accent)}ul{margin:.5rem 0 1.25rem;padding-left:1.25rem}li{margin:.25rem 0}
.alert{border:1px solid var(--sp-danger);color:var(--sp-danger);border-radius:10px;padding:.65rem .85rem;margin:1rem 0}
dl{display:grid;grid-template-columns:fit-content(6.5rem) 1fr;gap:.25rem 1rem;margin:1.25rem 0 0;padding-top:1rem;border-top:1px solid var(--sp-line);font-size:.875rem}dt{color:var(--sp-soft);overflow-wrap:normal}dd{margin:0;font-family:ui-monospace,monospace}
@media (prefers-reduced-motion:no-preference){button,.button{transition:filter .15s}}button:hover,.button:hover{filter:brightness(1.08)}
`

/** The name beside the mark where none is given. */
export const defaultBrand = 'Sallyport'

export interface Page {
  /** BCP 47, such as `en`. */
  readonly language?: string
  readonly title: string
  /** The name beside the mark. Default: `Sallyport`. */
  readonly brand?: string
  readonly content: Html
  /** More CSS, after ours: what an operator themes with. */
  readonly theme?: string
  /** More of the head. */
  readonly head?: Html
  /** Runs once the page is there; allowed by its hash. A constant: nothing of a request is ever in it. */
  readonly script?: string
}

/** A whole document: styles inline and allowed by hash, and so is a script, where there is one. */
export function renderPage({
  language = 'en',
  title,
  brand = defaultBrand,
  content,
  theme = '',
  head,
  script,
}: Page): string {
  const css = style + theme
  return `<!doctype html>\n${
    html`<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${{ markup: css }}</style>
${head}</head>
<body>
<main>
<p class="brand">${mark}<span>${brand}</span></p>
${content}
</main>
${script !== undefined && { markup: `<script>${script}</script>` }}
</body>
</html>`.markup
  }\n`
}

const mark = html`<svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true"><path d="M4 21V8l4-4 4 4 4-4 4 4v13"/><path d="M9 21v-6a3 3 0 0 1 6 0v6"/></svg>`

export interface PageHeadersOptions {
  /** Where forms on the page may lead, redirects included. Default: nowhere but here. */
  readonly formAction?: readonly string[]
  readonly theme?: string
  readonly script?: string | undefined
  /** What the page has frames of. Default: none. */
  readonly frameSources?: readonly string[]
}

/** What goes with every page of ours: nothing may frame it, script it, cache it or learn its URL. */
export function pageHeaders({
  formAction = [],
  theme = '',
  script,
  frameSources = [],
}: PageHeadersOptions = {}): Readonly<Record<string, string>> {
  const source = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${source(style + theme)}`,
      ...(script === undefined ? [] : [`script-src ${source(script)}`]),
      ...(frameSources.length === 0 ? [] : [`frame-src ${frameSources.join(' ')}`]),
      "base-uri 'none'",
      "frame-ancestors 'none'",
      `form-action ${["'self'", ...formAction].join(' ')}`,
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    // Both: a page of an application on this very origin has perhaps the first, and could reach into what it has opened.
    'Cross-Origin-Opener-Policy': 'same-origin',
    // Clients' pages in frames do not know of it.
    ...(frameSources.length === 0 && { 'Cross-Origin-Embedder-Policy': 'require-corp' }),
  }
}
