import test from 'ava'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { load, problemsOf } from './_workspace.js'

const clientKey = generateSigningJwk('ES256')

/** A gateway beside a foreign authorization server, with more settings of its frontend and its only route. */
function aFile(frontend: object, route: object = {}): object {
  return {
    Bff: {
      Authority: 'https://auth.example.com',
      PublicUrl: 'https://app.example.com',
      Frontends: [
        {
          Name: 'app',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: clientKey,
          Routes: [{ Path: '/api', Upstreams: ['http://orders:8080'], ...route }],
          ...frontend,
        },
      ],
    },
  }
}

test('fixed and free parameters and what a route asks of a sign-in arrive in the options', async (t) => {
  const { gateway } = await load(
    t,
    aFile(
      {
        AuthorizationParameters: { kc_idp_hint: 'google', claims: { id_token: { acr: { essential: true } } } },
        LoginParameters: ['login_hint', 'acr_values'],
      },
      { AcrValues: ['gold', 'silver'], MaxAuthenticationAge: '00:05:00' },
    ),
  )
  t.like(gateway?.frontends[0], {
    authorizationParameters: { kc_idp_hint: 'google', claims: '{"id_token":{"acr":{"essential":true}}}' },
    loginParameters: ['login_hint', 'acr_values'],
  })
  t.like(gateway?.frontends[0]?.routes[0], { acrValues: ['gold', 'silver'], maxAuthenticationAge: 300 })
})

test('a fixed parameter can come from the environment', async (t) => {
  const { gateway } = await load(t, aFile({ AuthorizationParameters: { organization: 'blue' } }), {
    Bff__Frontends__0__AuthorizationParameters__organization: 'green',
  })
  t.deepEqual(gateway?.frontends[0]?.authorizationParameters, { organization: 'green' })
})

const finds = test.macro({
  title: (title = '') => `found: ${title}`,
  async exec(t, [frontend, route]: readonly [object, object?], at: string, problem: RegExp, remedy: RegExp) {
    const [found, ...more] = await problemsOf(t, aFile(frontend, route))
    t.deepEqual(more, [])
    t.is(found?.pointer, `/Bff/Frontends/0/${at}`)
    t.regex(found?.problem ?? '', problem)
    t.regex(found?.remedy ?? '', remedy)
  },
})

for (const [name, remedy] of [
  ['client_id', /^Write ClientId/],
  ['redirect_uri', /PublicUrl/],
  ['state', /the gateway sets it/],
  ['nonce', /the gateway sets it/],
  ['code_challenge', /the gateway sets it/],
  ['code_challenge_method', /the gateway sets it/],
  ['scope', /^Write Scopes/],
  ['response_type', /"code"/],
  ['response_mode', /Write ResponseMode/],
  ['request', /"UseSignedRequests": true/],
  ['request_uri', /is pushed/],
  ['dpop_jkt', /the gateway sets it/],
  ['resource', /^Write Resource/],
  ['Redirect_URI', /PublicUrl/],
] as const) {
  const problem = new RegExp(`^is "${name}", a parameter of the protocol$`)
  test(
    `${name} as a fixed parameter`,
    finds,
    [{ AuthorizationParameters: { [name]: 'x' } }],
    `AuthorizationParameters/${name}`,
    problem,
    remedy,
  )
  test(
    `${name} as a parameter of links`,
    finds,
    [{ LoginParameters: ['prompt', name] }],
    'LoginParameters/1',
    problem,
    remedy,
  )
}

test(
  'a max_age in words',
  finds,
  [{ AuthorizationParameters: { max_age: 'an hour' } }],
  'AuthorizationParameters/max_age',
  /number of seconds/,
  /"3600"/,
)
test(
  'acr values with a quote',
  finds,
  [{ AuthorizationParameters: { acr_values: 'a "b"' } }],
  'AuthorizationParameters/acr_values',
  /list of acr values/,
  /single spaces/,
)
test(
  'a login that never asks',
  finds,
  [{ AuthorizationParameters: { prompt: 'none' } }],
  'AuthorizationParameters/prompt',
  /never sign in/,
  /login link/,
)
test(
  'a name with a space',
  finds,
  [{ AuthorizationParameters: { 'an audience': 'x' } }],
  'AuthorizationParameters/an audience',
  /not the name of a parameter/,
  /"audience"/,
)
test(
  'a parameter that is fixed and free',
  finds,
  [{ AuthorizationParameters: { prompt: 'login' }, LoginParameters: ['prompt'] }],
  'LoginParameters/0',
  /no link can/,
  /one of the two/,
)
test(
  'the return URL, which every link may have',
  finds,
  [{ LoginParameters: ['returnUrl'] }],
  'LoginParameters/0',
  /every login link/,
  /Leave it out/,
)
test(
  'acr values in one text',
  finds,
  [{}, { AcrValues: ['gold silver'] }],
  'Routes/0/AcrValues',
  /not a list of acr values/,
  /an entry of its own/,
)
test('no acr value at all', finds, [{}, { AcrValues: [] }], 'Routes/0/AcrValues', /not a list/, /Leave it out/)
test(
  'an age of nothing',
  finds,
  [{}, { MaxAuthenticationAge: '00:00:00' }],
  'Routes/0/MaxAuthenticationAge',
  /no time at all/,
  /"00:05:00"/,
)
for (const TokenType of ['UserOrNone', 'Client', 'None'])
  test(
    `a recent sign-in with TokenType ${TokenType}`,
    finds,
    [{}, { TokenType, MaxAuthenticationAge: '00:05:00' }],
    'Routes/0/MaxAuthenticationAge',
    new RegExp(`TokenType is "${TokenType}"`),
    /Write "User"/,
  )
test(
  'a strong sign-in without OpenID Connect',
  finds,
  [{ Scopes: ['orders'] }, { AcrValues: ['gold'] }],
  'Routes/0/AcrValues',
  /without the scope "openid"/,
  /Add "openid"/,
)
