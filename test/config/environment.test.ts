import test from 'ava'
import { override } from '../../src/config/environment.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { load, problemsOf } from './_workspace.js'

const file = { Bff: { Frontends: [{ Name: 'app', UseDPoP: true }] } }

test('a variable goes over what the file says, whatever the case of its segments', (t) => {
  const { value, problems } = override(file, { bff__FRONTENDS__0__clientid: 'other', Bff__Frontends__0__Name: 'main' })
  t.deepEqual(problems, [])
  t.deepEqual(value, { Bff: { Frontends: [{ Name: 'main', UseDPoP: true, ClientId: 'other' }] } })
})

test('the schema tells what a value is', (t) => {
  const { value } = override(
    {},
    {
      Bff__RequireIssuerValidation: 'False',
      Bff__Frontends__0__Scopes: '["openid", "profile"]',
      Bff__Frontends__0__Name: '0123',
      Server__TrustedProxies__0: '10.0.0.0/8',
    },
  )
  t.deepEqual(value, {
    Bff: { RequireIssuerValidation: false, Frontends: [{ Scopes: ['openid', 'profile'], Name: '0123' }] },
    Server: { TrustedProxies: ['10.0.0.0/8'] },
  })
})

test('a claim is text unless it can only be meant as something else', (t) => {
  const claims = 'OpenIddict__Seeding__Users__0__Claims__'
  const { value } = override(
    {},
    { [`${claims}sub`]: '0042', [`${claims}email_verified`]: 'true', [`${claims}groups`]: '["a"]' },
  )
  t.deepEqual(value, {
    OpenIddict: { Seeding: { Users: [{ Claims: { sub: '0042', email_verified: true, groups: ['a'] } }] } },
  })
})

test('entry 10 of a list comes after entry 2', (t) => {
  const variables = Object.fromEntries(
    Array.from({ length: 11 }, (_, index) => [`Server__TrustedProxies__${index}`, `10.0.${index}.0/24`]),
  )
  const { value, problems } = override({}, variables)
  t.deepEqual(problems, [])
  t.is((value as { Server: { TrustedProxies: string[] } }).Server.TrustedProxies[10], '10.0.10.0/24')
})

test('a list has no gaps', (t) => {
  const { problems } = override(file, { Bff__Frontends__2__Name: 'third' })
  t.deepEqual(problems, [
    {
      pointer: '/Bff/Frontends/2/Name',
      problem: 'would be entry 2 of a list that has 1',
      remedy: 'Number the next one 1: lists are counted from 0 and have no gaps.',
      where: 'Bff__Frontends__2__Name',
    },
  ])
})

test('a misspelt variable is refused by its name', (t) => {
  // `__proto__` cannot be written: two underscores separate. `constructor` can.
  const { problems } = override(file, { Bff__Frontends__0__ClientIdd: 'x', Bff__constructor__prototype: 'x' })
  t.deepEqual(
    problems.map(({ where, remedy }) => [where, remedy.slice(0, 21)]),
    [
      ['Bff__constructor__prototype', 'Known here: Authority'],
      ['Bff__Frontends__0__ClientIdd', 'Did you mean ClientId'],
    ],
  )
})

test('variables of other programs are left alone', (t) => {
  const { value, problems } = override(file, { BFF: 'x', Logging__Level: 'x', npm_config__thing: 'x', PATH: '/bin' })
  t.deepEqual(problems, [])
  t.deepEqual(value, file)
})

test('a secret of the file gives way to a variable with its file', (t) => {
  const { value } = override(
    { Bff: { Frontends: [{ ClientSigningKeyJwk: '{}' }] } },
    { Bff__Frontends__0__ClientSigningKeyJwk__File: '/run/secrets/key' },
  )
  t.deepEqual(value, { Bff: { Frontends: [{ ClientSigningKeyJwk: { File: '/run/secrets/key' } }] } })
})

test('what is wrong with a variable is said with its name, and without its value', async (t) => {
  const problems = await problemsOf(
    t,
    { OpenIddict: { Issuer: 'http://localhost:1' }, Bff: { Frontends: [{ Name: 'app' }] } },
    { Bff__SessionDuration: 'a while', Bff__Frontends__0__ClientSigningKeyJwk: '{"kty":"oct","k":"TOPSECRET"}' },
  )
  t.deepEqual(
    problems.map(({ where, pointer }) => [where, pointer]),
    [
      ['Bff__SessionDuration', '/Bff/SessionDuration'],
      ['Bff__Frontends__0__ClientSigningKeyJwk', '/Bff/Frontends/0/ClientSigningKeyJwk'],
    ],
  )
  t.notRegex(JSON.stringify(problems), /TOPSECRET|a while/)
})

test('a whole configuration can come from the environment', async (t) => {
  const { gateway } = await load(t, '{}', {
    Bff__Authority: 'https://auth.example.com',
    Bff__PublicUrl: 'https://app.example.com',
    Bff__Frontends__0__Name: 'app',
    Bff__Frontends__0__ClientId: 'my-bff',
    Bff__Frontends__0__ClientSigningKeyJwk__Env: 'KEY',
    KEY: JSON.stringify(generateSigningJwk('PS256')),
  })
  t.is(gateway?.frontends[0]?.clientId, 'my-bff')
})
