import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import {
  authenticatedUserDefaults,
  authorizationServerDefaults,
  futureSkew,
  lifetimeDefaults,
  signInLimitDefaults,
  signingKeyDefaults,
} from '../src/authorization-server/defaults.js'
import { durationOf } from '../src/config/duration.js'
import { type JsonSchema, jsonSchema } from '../src/config/schema/schema.js'
import { proofLimits } from '../src/dpop/checks.js'
import {
  challengeDefaults,
  introspectionDefaults,
  jwksDefaults,
  nonceDefaults,
  proofDefaults,
  tokenCacheDefaults,
  tokenDefaults,
  verifierDefaults,
} from '../src/dpop-validator/defaults.js'
import {
  circuitBreakerDefaults,
  frontendDefaults,
  gatewayDefaults,
  healthCheckDefaults,
  identityAssertionDefaults,
  loginLimitDefaults,
  rateLimitDefaults,
  routeDefaults,
  sessionsPerUserDefaults,
  streamLimitDefaults,
  timeoutDefaults,
  webSocketDefaults,
} from '../src/gateway/defaults.js'
import { listenerLimitDefaults } from '../src/http/listener-limits.js'
import { defaultBrand } from '../src/http/page.js'
import { fileStoreDefaults } from '../src/store/file-options.js'
import { lockDefaults } from '../src/store/lock.js'
import { redisStoreDefaults } from '../src/store/redis-options.js'

/* A default is written once, as data. What documentation says of it is compared with the data, or with the code's own. */

type Defaults = Readonly<Record<string, unknown>>

const { idTokenHint, ...ofFrontends } = frontendDefaults
/** The defaults of each type of options. */
const data: Readonly<Record<string, Readonly<Record<string, Defaults>>>> = {
  'gateway/options.ts': {
    GatewayOptions: gatewayDefaults,
    Branding: { name: defaultBrand },
    FrontendOptions: ofFrontends,
  },
  'gateway/authorities/authority-options.ts': { ServerClientOptions: { idTokenHint } },
  'gateway/route-options.ts': {
    RouteOptions: routeDefaults,
    TimeoutOptions: timeoutDefaults,
    HealthCheckOptions: healthCheckDefaults,
    CircuitBreakerOptions: circuitBreakerDefaults,
    IdentityAssertionOptions: identityAssertionDefaults,
    WebSocketOptions: webSocketDefaults,
  },
  'gateway/limits/limit-options.ts': {
    StreamLimits: streamLimitDefaults,
    LoginLimits: loginLimitDefaults,
    SessionsPerUserOptions: sessionsPerUserDefaults,
    RateLimitOptions: rateLimitDefaults,
  },
  'authorization-server/options.ts': {
    AuthorizationServerOptions: authorizationServerDefaults,
    AuthenticatedUser: authenticatedUserDefaults,
    SigningKeyOptions: signingKeyDefaults,
    Lifetimes: lifetimeDefaults,
    SignInLimits: signInLimitDefaults,
    Branding: { name: defaultBrand },
  },
  'dpop-validator/options.ts': {
    VerifierOptions: verifierDefaults,
    ProofOptions: proofDefaults,
    NonceOptions: nonceDefaults,
    TokenOptions: tokenDefaults,
    TokenCacheOptions: tokenCacheDefaults,
    JwksOptions: jwksDefaults,
    IntrospectionOptions: introspectionDefaults,
    ChallengeOptions: challengeDefaults,
  },
  'dpop-validator/proof/replay-cluster.ts': {
    ClusterReplayServerOptions: { capacity: verifierDefaults.replayCapacity },
  },
  'dpop/verifier.ts': { ProofVerifierOptions: { maxAge: proofLimits.maxAge, futureSkew: proofLimits.futureSkew } },
  'dpop/explanation.ts': { ExplainedProof: proofLimits },
  'http/page.ts': { Page: { brand: defaultBrand } },
  'store/file-options.ts': { FileStoreOptions: fileStoreDefaults },
  'store/lock.ts': { LockOptions: lockDefaults },
  'store/redis-options.ts': { RedisStoreOptions: redisStoreDefaults },
}

interface Documented {
  readonly file: string
  readonly type: string
  readonly member: string
  /** What stands behind "Default:", up to the end of the sentence. */
  readonly said: string
}

const source = 'src'
const files = (await readdir(source, { recursive: true })).filter((file) => file.endsWith('.ts')).sort()
const texts = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(join(source, file), 'utf8')] as const)),
)

const documented: readonly Documented[] = [...texts].flatMap(([file, text]) =>
  [...text.matchAll(/^(?:export )?interface (\w+)[^{]*\{\n([\s\S]*?)\n\}$/gm)].flatMap(([, type = '', body = '']) =>
    [...body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:readonly )?(\w+)\??[:(]/g)].flatMap(
      ([, comment = '', member = '']) => {
        const [, said] = /\bDefault: ((?:`[^`]*`|\d[\d,.]*\d|[^.])*)/.exec(comment.replace(/\s*\n\s*\*? */g, ' ')) ?? []
        return said === undefined ? [] : [{ file, type, member, said: said.trim() }]
      },
    ),
  ),
)

/** The ways in which documentation may write a value. */
function spellings(value: unknown): readonly string[] {
  if (typeof value === 'number') return [String(value), value.toLocaleString('en-US')]
  if (typeof value === 'string') return [`\`${value}\``]
  if (Array.isArray(value))
    return value.length === 0
      ? ['none']
      : [value.join(' and '), value.join(', '), 'all of them', `\`${JSON.stringify(value)}\``]
  return [String(value)]
}

/** A value, and not a description of one: `600`, `true`, `` `Spa` ``. */
const isLiteral = (said: string): boolean => /^(?:(?:-?\d[\d,.]*|true|false)(?:$|[ ,;])|`[^`]+`(?:$|[,;]))/.test(said)

const startsWithOne = (said: string, value: unknown): boolean =>
  spellings(value).some(
    (spelling) => said === spelling || said.startsWith(`${spelling} `) || said.startsWith(`${spelling},`),
  )

for (const [file, types] of Object.entries(data))
  test(`the comments of ${file} state the defaults that hold`, (t) => {
    for (const [type, defaults] of Object.entries(types))
      for (const [member, value] of Object.entries(defaults)) {
        const { said } = documented.find((one) => one.file === file && one.type === type && one.member === member) ?? {}
        t.true(said !== undefined && startsWithOne(said, value), `${type}.${member} is ${value}; said: ${said}`)
      }
  })

test('a default that a comment states is one that the code has', (t) => {
  t.true(documented.length > 80, `${documented.length} found`)
  const wrong = documented.flatMap(({ file, type, member, said }) => {
    const known = data[file]?.[type]
    if (!isLiteral(said) || (known !== undefined && member in known)) return []
    const given = parameterDefault(texts.get(file) ?? '', type, member)
    return given !== undefined && startsWithOne(said, given) ? [] : [`${file}: ${type}.${member}: ${said}; is ${given}`]
  })
  t.deepEqual(wrong, [])
})

const inSignatureOf = (member: string): RegExp => new RegExp(`\\b${member}(?:: \\w+)? = (\\[[^\\]]*\\]|[^,\\n}]+)`)

/** The default that the same file has in a signature, `{ step = 60 }: NonceOptions`, or where it reads the option. */
function parameterDefault(text: string, type: string, member: string): unknown {
  const signatures = [...text.matchAll(new RegExp(`\\}: ${type}\\b`, 'g'))].map(({ index }) =>
    text.slice(text.lastIndexOf('{', index - 1), index),
  )
  const [, inSignature] =
    signatures.map((one) => inSignatureOf(member).exec(one) ?? []).find(([found]) => found !== undefined) ?? []
  const [, whereRead] = new RegExp(`\\.${member} \\?\\? ('[^']*'|[\\w.]+)`).exec(text) ?? []
  const value = (inSignature ?? whereRead)?.trim()
  if (value === undefined) return undefined
  if (/^[\d_.]+$/.test(value)) return Number(value.replaceAll('_', ''))
  return /^(?:\[|true$|false$)/.test(value) ? JSON.parse(value) : value.replaceAll("'", '')
}

/* The pages that repeat defaults in tables of their own, in rows "| `setting`, `setting` | default | …". */

const { Bff, Server } = jsonSchema.properties as Readonly<Record<'Bff' | 'Server', JsonSchema>>
const route = Bff.properties?.Frontends?.items?.properties?.Routes?.items

function settingAt(schema: JsonSchema | undefined, path: string): JsonSchema | undefined {
  return path.split('.').reduce<JsonSchema | undefined>((holder, name) => holder?.properties?.[name], schema)
}

const tables = test.macro({
  title: (_, page: string) => `the defaults in the tables of ${page} are those of the settings`,
  async exec(t, page: string, schema: JsonSchema | undefined, names: readonly string[]) {
    const rows = (await readFile(page, 'utf8')).split('\n').filter((line) => line.startsWith('| `'))
    for (const name of names) {
      const [, first = '', stated = ''] =
        rows.find((line) => line.split('|')[1]?.includes(`\`${name}\``))?.split('|') ?? []
      const at = [...first.matchAll(/`([\w.]+)`/g)].findIndex(([, one]) => one === name)
      const found = [...stated.matchAll(/`([^`]+)`|(\d[\d,]*)(?: s\b)?/g)].map(
        ([, quoted, number = '']) => quoted ?? number.replaceAll(',', ''),
      )
      const fallback = settingAt(schema, name)?.default
      const isDuration = typeof fallback === 'string' && /^(?:\d+\.)?\d\d:\d\d:\d\d$/.test(fallback)
      t.is(isDuration ? durationOf(Number(found[at])) : found[at], String(fallback), `${name} in ${page}`)
    }
  },
})

test(tables, 'docs/routes.md', route, [
  'Timeouts.Connect',
  'Timeouts.ResponseHeaders',
  'Timeouts.Idle',
  'Balance',
  'ReuseConnections',
])
test(tables, 'docs/deploy.md', Server.properties?.Limits, Object.keys({ ...Server.properties?.Limits?.properties }))

test('the values that docs/routes.md says in its text are the defaults', async (t) => {
  const text = await readFile('docs/routes.md', 'utf8')
  const { failures, openFor } = circuitBreakerDefaults
  t.true(text.includes(`| \`CircuitBreaker\` | ${failures} connections or callers, ${openFor} s,`))
  t.true(text.includes(`\`Retries\`, default ${routeDefaults.retries})`))
  t.true(text.includes(`\`WebSocket.PingInterval\`, ${webSocketDefaults.pingInterval} s)`))
})

test('the times that docs/authorization-server.md says in its text are the defaults', async (t) => {
  const text = await readFile('docs/authorization-server.md', 'utf8')
  const { code, requestUri, interaction, accessToken, idToken, refreshToken } = lifetimeDefaults
  t.is(accessToken, idToken)
  for (const said of [
    `must be opened within ${requestUri} seconds`,
    `\`iat\` at most ${proofLimits.maxAge} seconds old and ${futureSkew} ahead`,
    `Code: ${code} seconds and one use. \`request_uri\`: ${requestUri} seconds to open it, then ${interaction / 60} minutes`,
    `Access and ID tokens: ${accessToken / 60} minutes`,
    `Refresh tokens: ${refreshToken / 86_400} days`,
  ])
    t.true(text.includes(said), said)
})

test('no description of a setting states a value that its default should say', (t) => {
  for (const [pointer, description = ''] of descriptions(jsonSchema))
    t.notRegex(description, /Default: `?(?:\d[\d,]*`?\.?(?:$| (?!with))|\d\d:\d\d|true|false)/, pointer)
})

function* descriptions(schema: JsonSchema, pointer = ''): Generator<readonly [string, string | undefined]> {
  yield [pointer, schema.description]
  for (const [name, member] of Object.entries(schema.properties ?? {}))
    yield* descriptions(member, `${pointer}/${name}`)
  if (schema.items !== undefined) yield* descriptions(schema.items, `${pointer}/0`)
}

test('limits of a listener have a setting each', (t) => {
  const names = Object.keys(listenerLimitDefaults).map((name) => name.charAt(0).toUpperCase() + name.slice(1))
  t.deepEqual(
    names.filter((name) => settingAt(Server.properties?.Limits, name) === undefined),
    [],
  )
})
