import { createHash } from 'node:crypto'
import test from 'ava'
import { html, pageHeaders, renderPage } from '../../src/http/page.js'

const hostile = `"><script>alert('1')</script>&`

test('escapes every value in text and in attributes', (t) => {
  const { markup } = html`<a href="${hostile}">${hostile}</a>`
  t.is(markup.match(/<script/), null)
  t.true(markup.includes('&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;'))
})

test('nests markup, lists and absences', (t) => {
  t.is(
    html`<ul>${['a', '<b>'].map((item) => html`<li>${item}</li>`)}${false}${undefined}</ul>`.markup,
    '<ul><li>a</li><li>&lt;b&gt;</li></ul>',
  )
})

test('renders a document in which only its own style may be applied', (t) => {
  const theme = ':root{--sp-accent:#070}'
  const page = renderPage({ title: hostile, brand: hostile, content: html`<h1>${hostile}</h1>`, theme })
  t.is(page.match(/<script/), null)
  const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? ''
  const policy = pageHeaders({ theme })['Content-Security-Policy'] ?? ''
  t.true(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`))
  t.true(policy.startsWith("default-src 'none'"))
  t.false(policy.includes('unsafe'))
})
