import { readFile } from 'node:fs/promises'
import { basename, dirname, join, normalize } from 'node:path'
import test from 'ava'
import { program } from '../src/cli/program.js'
import { endpointMethods } from '../src/gateway/endpoints/endpoints.js'
import { refusals } from '../src/gateway/refusal.js'
import { listenerRefusals } from '../src/server/listener-refusal.js'
import { pages } from './_pages.js'

/* What there is has a place in the documents, and what the documents point at is there. Settings: test/config/schema; events, metrics: test/telemetry. */

const more = ['SECURITY.md', 'CHANGELOG.md', 'docs/decisions/README.md']
const texts = new Map(
  await Promise.all([...pages, ...more].map(async (page) => [page, await readFile(page, 'utf8')] as const)),
)
const ofUsers = [...texts].filter(([page]) => page.startsWith('docs/')).map(([, text]) => text)
const textOf = (page: string): string => texts.get(page) ?? ''

test('every command and each of its options is documented', (t) => {
  for (const command of program().commands) {
    const name = command.name()
    t.true(
      ofUsers.some((text) => new RegExp(`\\bsallyport ${name}\\b`).test(text)),
      name,
    )
    for (const { long } of command.options)
      t.true(
        ofUsers.some((text) => text.includes(long ?? '')),
        `${name} ${long}`,
      )
  }
})

test('every page is in the contents of the README, and its title is a question or says what one finds', (t) => {
  const listed = textOf('README.md')
  for (const page of pages.filter((name) => name.startsWith('docs/'))) {
    t.true(listed.includes(`](${page})`), page)
    const [title = ''] = textOf(page).split('\n')
    t.regex(title, page === 'docs/faq.md' ? /^# Questions/ : /^# .*\?$/, page)
  }
})

test('every link to a heading finds it', async (t) => {
  for (const [page, text] of texts)
    for (const [, target = '', anchor = ''] of outsideBlocks(text).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)) {
      const file = target === '' ? page : normalize(join(dirname(page), target))
      const there = texts.get(file) ?? (await readFile(file, 'utf8'))
      t.true(anchorsOf(there).has(anchor), `${page} links to ${basename(file)}#${anchor}`)
    }
})

const codes = [...Object.keys(refusals), ...Object.keys(listenerRefusals)]

test('whatever a page calls by a code is one that there is', (t) => {
  for (const [page, text] of texts)
    for (const [, code = ''] of text.matchAll(/`(bff\.[a-z_]+\.[a-z_]+)`/g))
      t.true(codes.includes(code), `${code} in ${page}`)
})

test('troubleshooting goes by symptom to every code that a wrong setting or an outage can cause', (t) => {
  const page = textOf('docs/troubleshooting.md')
  const ofUse =
    /^bff\.(?:login\.(?:denied|refused|too_many_sessions)|logout\.|step_up\.|endpoint\.|asset\.unknown|session\.ended|request\.malformed|route\.method)/
  for (const code of Object.keys(refusals).filter((name) => !ofUse.test(name)))
    t.true(page.includes(`\`${code}\``), code)
})

test('the HTTP reference has every endpoint with its methods, and every refusal', (t) => {
  const page = textOf('docs/http-reference.md')
  const documented = [...page.matchAll(/`(GET|POST|DELETE) P(\/[a-z/{}-]+)`/g)].map(
    ([, method, path]) => [method ?? '', path ?? ''] as const,
  )
  t.true(documented.length > 12)
  const frontend = {
    base: '/bff',
    options: { embedding: { origins: [] }, frontchannelLogout: true, assertionKeys: [] },
  } as unknown as Parameters<typeof endpointMethods>[0]
  const paths = [...new Set(documented.map(([, path]) => path))]
  for (const path of paths)
    t.deepEqual(
      [...new Set(documented.filter(([, other]) => other === path).map(([method]) => method))].sort(),
      [...endpointMethods(frontend, `/bff${path.replace('{handle}', 'x')}`)].sort(),
      path,
    )
  for (const code of Object.keys(refusals)) t.true(page.includes(`\`${code}\``), code)
})

function outsideBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}

/** As GitHub makes them of headings, and those that are written. */
function anchorsOf(text: string): Set<string> {
  const headings = [...outsideBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/\]\([^)]*\)/g, ']')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
  return new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)])
}
