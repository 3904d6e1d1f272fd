import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { check } from '../../../src/cli/check.js'
import {
  type AssessedRule,
  type Conformance,
  conformanceOf,
  standards,
} from '../../../src/cli/conformance/conformance.js'
import type { Requirement } from '../../../src/cli/conformance/requirement.js'
import { readConfiguration } from '../../../src/config/load.js'
import { aFile, aFolder } from '../../config/_workspace.js'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { aFrontend, aServer, key } from '../_checked.js'

const requirements: readonly Requirement[] = standards.flatMap(({ groups }) =>
  groups.flatMap((group): readonly Requirement[] => group.requirements),
)

test('every requirement names tests that exist, or is about what no test can show', (t) => {
  for (const { section, requirement, tests, duty, assess } of requirements) {
    for (const name of tests) t.true(existsSync(`test/${name}.test.ts`), `${section}: test/${name}.test.ts`)
    if (tests.length === 0) t.true(duty !== undefined || String(assess).includes('absent'), requirement)
  }
})

/** The numbers that the profile gives its requirements, clause by clause. */
const profile: Readonly<Record<string, number>> = {
  '5.2.1': 3,
  '5.2.3': 3,
  '5.3.2.1': 14,
  '5.3.2.2': 14,
  '5.3.3.1': 13,
  '5.3.3.2': 7,
  '5.3.4': 5,
  '5.4.1': 4,
}

test('every number of the FAPI 2.0 Security Profile is there, once', (t) => {
  const numbers = standards[0].groups.flatMap((group) =>
    group.requirements.flatMap(({ section }: Requirement) => {
      const [clause = '', list] = section.split(/-(.*)/)
      return list === undefined ? [section] : list.split(', ').map((number) => `${clause}-${number}`)
    }),
  )
  const expected = Object.entries(profile).flatMap(([clause, count]) =>
    Array.from({ length: count }, (_, index) => `${clause}-${index + 1}`),
  )
  t.deepEqual([...numbers].sort(), [...expected, '5.2.2', '5.3.2.3', '5.4.2', '5.4.3'].sort())
})

async function assessed(t: ExecutionContext, content: unknown): Promise<Conformance> {
  return conformanceOf(readConfiguration({ file: await aFile(t, content), environment: {}, state: 'look' }), [])
}

const rulesOf = ({ standards: all }: Conformance): readonly AssessedRule[] =>
  all.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))

const deviating = (conformance: Conformance) =>
  rulesOf(conformance)
    .filter(({ status }) => status === 'deviates')
    .map(({ section }) => section)

const app = (frontend: object = {}, bff: object = {}, client: object = { ClientSigningKeyJwk: key }) => ({
  Server: { Listen: '127.0.0.1:3000', TrustedProxies: ['127.0.0.1/32'] },
  Bff: {
    Authority: 'https://auth.example.com',
    PublicUrl: 'https://app.example.com',
    Frontends: [
      {
        Name: 'app',
        ClientId: 'my-bff',
        ...client,
        Routes: [{ Path: '/api', Upstreams: ['https://api.example.com'], Methods: ['GET'], Scopes: ['orders'] }],
        RateLimits: [{ Requests: 10, Per: '00:00:01' }],
        ...frontend,
      },
    ],
    ...bff,
  },
})

test('a configuration as it should be deviates from nothing; what is another server’s is said so', async (t) => {
  const conformance = await assessed(t, app())
  t.deepEqual(deviating(conformance), [])
  const rules = rulesOf(conformance)
  t.is(rules.find(({ section }) => section === '5.3.2.1-1')?.status, 'elsewhere')
  t.is(rules.find(({ section }) => section === '5.2.1-2')?.status, 'operator', 'TLS ends in front')
  t.true(conformance.summary.met > 25)
  t.is(
    Object.values(conformance.summary).reduce((sum, count) => sum + count),
    requirements.length,
  )
})

for (const [what, content, sections] of [
  ['no DPoP', app({ UseDPoP: false }, { Profile: 'Baseline' }), ['5.3.3.1-1', '5.4.1-1', '6.1.3.7']],
  [
    'no PAR',
    app({ UsePushedAuthorizationRequests: false }, { Profile: 'Baseline' }),
    ['5.3.3.2-2', '5.3.3.2-6', '5.4.1-1'],
  ],
  [
    'a client secret',
    app({}, { Profile: 'Baseline' }, { ClientAuthenticationMethod: 'ClientSecretPost', ClientSecret: 'x' }),
    ['5.3.3.1-2', '5.4.1-1', '6.1.3.7'],
  ],
  ['no iss', app({}, { Profile: 'Baseline', RequireIssuerValidation: false }), ['5.3.3.2-5', '5.4.1-1', '6.1.3.1']],
  ['plain http on this machine', app({}, { PublicUrl: 'http://localhost:3000' }), ['5.2.1-1', '6.1.3.2', '6.1.3.2']],
  ['a token in clear', app({ Routes: [{ Path: '/api', Upstreams: ['http://orders:8080'] }] }), ['5.2.1-1']],
  ['pages in frames of other sites', app({ Embedding: { Origins: ['https://portal.example'] } }), ['6.1.3.2']],
] as const)
  test(`a configuration with ${what} deviates just there, and the setting is named`, async (t) => {
    const conformance = await assessed(t, content)
    t.deepEqual(deviating(conformance).sort(), [...sections].sort())
    for (const { status, pointers = [] } of rulesOf(conformance)) if (status === 'deviates') t.true(pointers.length > 0)
  })

test('what the operator has to see to follows the configuration', async (t) => {
  const statusOf = async (content: unknown, section: string, words: RegExp) =>
    rulesOf(await assessed(t, content)).find((rule) => rule.section === section && words.test(rule.requirement))?.status
  t.is(await statusOf(app(), '6.1.3.5', /./), 'met')
  t.is(await statusOf(app({ RateLimits: undefined }), '6.1.3.5', /./), 'operator')
  t.is(await statusOf(app(), '6.1.3.6', /Methods/), 'met')
  t.is(
    await statusOf(app({ Routes: [{ Path: '/api', Upstreams: ['https://a.example'] }] }), '6.1.3.6', /Methods/),
    'operator',
  )
  t.is(await statusOf(app({ Cors: { Origins: ['https://www.example.com'] } }), '6.1.3.3.2', /CORS permits/), 'operator')
  t.is(await statusOf(app({ SecurityHeaders: 'None' }), '5.2.3-1', /./), 'operator')
})

async function reported(t: ExecutionContext, content: unknown, name = 'report.html', network: 'try' | 'none' = 'none') {
  const report = join(await aFolder(t), name)
  let printed = ''
  const ok = await check({
    file: await aFile(t, content),
    network,
    format: name.endsWith('.json') ? 'json' : 'text',
    report,
    environment: {},
    output: { write: (text) => (printed += text) },
  })
  return { ok, report, printed }
}

test('check --report writes what it tried as evidence, and --json has the same rules', async (t) => {
  const { report, printed, ok } = await reported(t, aFrontend(await aServer(t)), 'report.json', 'try')
  t.true(ok, printed)
  const document = JSON.parse(await readFile(report, 'utf8')) as Conformance & { readonly network: string }
  t.is(document.network, 'try')
  const pushed = rulesOf(document).find(({ section }) => section === '5.3.3.2-2')
  t.like(pushed?.evidence[0], { subject: 'app: pushed authorization request', outcome: 'passed' })
  const { conformance } = JSON.parse(printed) as { readonly conformance: Conformance }
  t.deepEqual(conformance.summary, document.summary)
})

test('a report has no script, loads nothing, and shows no markup of a configuration', async (t) => {
  const { report, printed } = await reported(
    t,
    app({ RateLimits: undefined }, { Authority: "https://auth.example.com/'<b>" }),
  )
  const page = await readFile(report, 'utf8')
  t.notRegex(page, /<script|<link|<img|src=|javascript:/)
  t.false(page.includes("<b>'"))
  t.regex(page, /auth\.example\.com\/&#39;&lt;b&gt;/)
  t.false(page.includes(String((key as { d?: string }).d)))
  t.regex(printed, /made \S+report\.html: \d+ rules met, 0 deviate, \d+ yours, \d+ another server's/)
})

test('a wrong configuration gets no report', async (t) => {
  const { report, ok } = await reported(t, { Bff: { Frontends: [{ Nmae: 'app' }] } })
  t.false(ok)
  t.false(existsSync(report))
})

const browserTest = chromiumIsInstalled ? test.serial : test.serial.skip

browserTest('in a browser it stands in its frame at 320 pixels, light and dark, and keeps to its policy', async (t) => {
  const { report } = await reported(t, app({ UseDPoP: false }, { Profile: 'Baseline' }))
  await withChromium(async (context) => {
    const page = await context.newPage()
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width: 320, height: 800 })
      await page.goto(pathToFileURL(resolve(report)).href)
      t.is(await page.evaluate('document.documentElement.scrollWidth'), 320)
      t.is(await page.locator('.rule .mark.deviates').count(), 6, 'each deviation stands above and in its place')
      const { accent, ground } = (await page.evaluate(
        `({ accent: getComputedStyle(document.querySelector('.deviates')).backgroundColor, ground: getComputedStyle(document.body).backgroundColor })`,
      )) as { accent: string; ground: string }
      t.not(accent, ground, 'the style is allowed')
    }
    t.deepEqual(said, [])
  })
})
