import test from 'ava'
import fc from 'fast-check'
import { override } from '../../src/config/environment.js'
import { createFiles } from '../../src/config/files.js'
import { createKnownKeys } from '../../src/config/resolve/known-keys.js'
import { planOf } from '../../src/config/resolve/resolved.js'
import { readOnlyStateDirectory } from '../../src/config/resolve/state-directory.js'
import { rules } from '../../src/config/rules/rules.js'
import { checkStructure } from '../../src/config/schema/shape.js'
import { parseSource } from '../../src/config/source.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { atOnce } from '../../src/slices.js'

/*
 * Whatever somebody writes: an answer in words, never a crash, an endless loop or a secret in a message.
 */

const canary = 'c4nary-c4nary-c4nary'
const key = { ...generateSigningJwk('ES256'), d: canary }

const right = {
  Server: { Listen: '127.0.0.1:3000', TrustedProxies: ['10.0.0.0/8'], Tls: { CertFile: 'x', KeyFile: 'y' } },
  Store: { Redis: { Url: `redis://:${canary}@127.0.0.1` } },
  Bff: {
    PublicUrl: 'http://localhost:3000',
    SealingKeys: [canary],
    Frontends: [
      {
        Name: 'app',
        ClientId: 'my-bff',
        ClientSecret: canary,
        ClientSigningKeyJwk: key,
        Scopes: ['openid'],
        Routes: [{ Path: '/api', Upstreams: ['http://orders'], Timeouts: { Idle: '00:01:00' } }],
      },
      { Name: 'admin', PathPrefix: '/admin', ClientSigningKeyJwk: JSON.stringify(key) },
    ],
  },
  OpenIddict: {
    Issuer: 'http://localhost:3001',
    Seeding: {
      Applications: [{ ClientId: 'my-bff', SigningKeyJwk: key, RedirectUris: ['http://localhost:3000/bff/callback'] }],
      Users: [{ Username: 'alice', PasswordHash: canary, Claims: { sub: 'alice' } }],
    },
  },
  Authentication: { OpenIddict: { Audience: 'api' } },
}

type Json = { [member: string]: Json } | Json[] | string | number | boolean | null

function placesIn(value: Json, path: readonly string[] = []): (readonly string[])[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [path, ...inner.flatMap(([name, member]) => placesIn(member, [...path, name]))]
}

const places = placesIn(right)
const anything = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<Json>,
  fc.constantFrom<Json>(
    null,
    '',
    [],
    {},
    -1,
    1e99,
    'http://',
    'https://[',
    '//x',
    { File: '/' },
    { Env: '' },
    [[]],
    '__proto__',
  ),
  fc.webUrl(),
)

function withAt(value: Json, path: readonly string[], replacement: Json): Json {
  const [first, ...rest] = path
  if (first === undefined) return replacement
  if (typeof value !== 'object' || value === null) return replacement
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === first ? withAt(item, rest, replacement) : item))
  return { ...value, [first]: withAt(value[first] ?? {}, rest, replacement) }
}

function problemsOf(value: unknown): string {
  const { settings, problems } = atOnce(checkStructure(value))
  const plan = atOnce(
    planOf(settings, {
      file: '/nowhere/frontends.json',
      directory: '/nowhere',
      environment: {},
      files: createFiles(),
      keys: createKnownKeys(),
      frontendFiles: [],
      state: readOnlyStateDirectory('/nowhere/state'),
    }),
  )
  const found = [...problems, ...plan.problems, ...rules.flatMap((rule) => [...rule(plan)])]
  return found.map(({ pointer, problem, remedy }) => `${pointer} ${problem} ${remedy}`).join('\n')
}

test('any change of a configuration gets an answer in words, without a secret', (t) => {
  const changes = fc.array(fc.tuple(fc.constantFrom(...places), anything), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(changes, (all) => {
      const changed = all.reduce<Json>((value, [path, replacement]) => withAt(value, path, replacement), right as Json)
      const text = problemsOf(changed)
      t.notRegex(text, /c4nary/)
      t.notRegex(text, /undefined|\[object/)
    }),
    { numRuns: 600 },
  )
})

test('any value is a configuration with problems', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => t.truthy(problemsOf(value))),
    { numRuns: 200 },
  )
})

test('any text is JSON, or is said not to be', (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('{', '{"a"', '[1,,]', '{"a":1,"a":2}', '// only a comment', '\u0000'),
  )
  fc.assert(
    fc.property(text, (written) => {
      const { value, problems } = parseSource(written, 'frontends.json')
      t.true(value !== undefined || problems.length > 0)
      for (const { where } of problems) t.regex(where ?? '', /^frontends\.json:\d+:\d+$/)
    }),
    { numRuns: 300 },
  )
})

test('any variable is taken, refused or left alone', (t) => {
  const segment = fc.constantFrom('Bff', 'Frontends', '0', '1', 'Name', 'Claims', '__proto__', 'constructor', 'x', '')
  const name = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('__'))
  fc.assert(
    fc.property(fc.dictionary(name, fc.string(), { maxKeys: 5 }), (environment) => {
      override(right, environment)
      t.is(({} as Record<string, unknown>).Name, undefined)
    }),
    { numRuns: 300 },
  )
})
