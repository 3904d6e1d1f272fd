import test from 'ava'
import { load, problemsOf } from './_workspace.js'

/* RFC 9396 in the file: what frontends ask for, and what the embedded server knows. */

const schema = {
  type: 'object',
  required: ['amount'],
  additionalProperties: false,
  properties: { type: {}, amount: {} },
}
const payment = { Type: 'payment', Schema: schema }

function aFile(
  frontend: object,
  seeding: object = { AuthorizationDetailTypes: [payment] },
  application?: object,
): string {
  return JSON.stringify({
    Bff: { PublicUrl: 'http://localhost:3000', Frontends: [{ Name: 'app', ClientId: 'my-bff', ...frontend }] },
    OpenIddict: {
      Issuer: 'http://localhost:3001',
      Seeding: { ...seeding, ...(application && { Applications: [{ ClientId: 'my-bff', ...application }] }) },
    },
  })
}

const byLink = { LoginParameters: ['authorization_details'], LoginDetailTypes: [payment] }
const aRoute = (more: object) => ({
  Path: '/payments',
  Upstreams: ['https://payments.example.com'],
  AuthorizationDetails: [{ type: 'payment' }],
  ...more,
})
const accounts = { type: 'accounts', actions: ['list'] }

test('what frontends ask for arrives in the options, and their client may have it', async (t) => {
  const types = [payment, { Type: 'accounts', Schema: {}, Consent: 'See your accounts' }]
  const { gateway, authorizationServer } = await load(
    t,
    aFile({ AuthorizationDetails: [accounts], ...byLink }, { AuthorizationDetailTypes: types }),
  )
  t.like(gateway?.frontends[0], {
    authorizationDetails: [accounts],
    loginDetailTypes: [{ type: 'payment', schema }],
    loginParameters: ['authorization_details'],
  })
  t.deepEqual(authorizationServer?.options.authorizationDetailTypes, [
    { type: 'payment', schema },
    { type: 'accounts', schema: {}, consent: 'See your accounts' },
  ])
  t.deepEqual(authorizationServer?.options.clients[0]?.authorizationDetailTypes, ['accounts', 'payment'])
})

for (const [what, content, pointer, problem] of [
  [
    'a type that the embedded server does not know',
    aFile({ AuthorizationDetails: [accounts] }),
    '/Bff/Frontends/0/AuthorizationDetails/0/type',
    /no type of the embedded authorization server/,
  ],
  [
    'a type that its application may not have',
    aFile({ AuthorizationDetails: [{ type: 'payment' }] }, undefined, { AuthorizationDetailTypes: [] }),
    '/Bff/Frontends/0/AuthorizationDetails/0/type',
    /AuthorizationDetailTypes does not have/,
  ],
  [
    'a type of an application that is none',
    aFile({}, undefined, { AuthorizationDetailTypes: ['x'] }),
    '/OpenIddict/Seeding/Applications/0/AuthorizationDetailTypes/0',
    /no type of this server/,
  ],
  [
    'a schema that is none',
    aFile({}, { AuthorizationDetailTypes: [{ Type: 'payment', Schema: { type: 'thing' } }] }),
    '/OpenIddict/Seeding/AuthorizationDetailTypes/0/Schema',
    /is no JSON Schema/,
  ],
  [
    'a schema with a keyword that is none',
    aFile({}, { AuthorizationDetailTypes: [{ Type: 'payment', Schema: { requred: ['amount'] } }] }),
    '/OpenIddict/Seeding/AuthorizationDetailTypes/0/Schema',
    /is no JSON Schema.*requred/,
  ],
  [
    'a schema whose answer would be a promise',
    aFile({}, { AuthorizationDetailTypes: [{ Type: 'payment', Schema: { $async: true } }] }),
    '/OpenIddict/Seeding/AuthorizationDetailTypes/0/Schema',
    /is no JSON Schema.*\$async/,
  ],
  [
    'a type that comes twice',
    aFile({}, { AuthorizationDetailTypes: [payment, payment] }),
    '/OpenIddict/Seeding/AuthorizationDetailTypes/1/Type',
    /twice/,
  ],
  [
    'a link that may ask for anything',
    aFile({ LoginParameters: ['authorization_details'] }),
    '/Bff/Frontends/0/LoginParameters/0',
    /nothing says which/,
  ],
  [
    'types of links that no link may have',
    aFile({ LoginDetailTypes: [payment] }),
    '/Bff/Frontends/0/LoginDetailTypes',
    /./,
  ],
  [
    'details of a route that goes without a user',
    aFile({ Routes: [aRoute({ TokenType: 'None' })] }),
    '/Bff/Frontends/0/Routes/0/AuthorizationDetails',
    /TokenType is "None"/,
  ],
  [
    'details of a route beside those of links',
    aFile({ Routes: [aRoute({})], ...byLink }),
    '/Bff/Frontends/0/Routes/0/AuthorizationDetails',
    /links can add to it/,
  ],
  [
    'details of a route that the embedded server does not know',
    aFile({ Routes: [aRoute({ AuthorizationDetails: [accounts] })] }),
    '/Bff/Frontends/0/Routes/0/AuthorizationDetails/0/type',
    /no type of the embedded authorization server/,
  ],
  [
    'details among the parameters',
    aFile({ AuthorizationParameters: { authorization_details: '[]' } }),
    '/Bff/Frontends/0/AuthorizationParameters/authorization_details',
    /a setting of its own/,
  ],
] as const)
  test(`found: ${what}`, async (t) => {
    const [found, ...more] = await problemsOf(t, content)
    t.deepEqual(more, [])
    t.is(found?.pointer, pointer)
    t.regex(found?.problem ?? '', problem)
  })
