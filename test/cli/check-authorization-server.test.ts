import type { IncomingMessage, ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { aProxy } from '../http/_http-proxy.js'
import { aFrontend, aServer, checked, failures, key, listening } from './_checked.js'

/** An authorization server that says of itself what it is told to, and takes every push. */
async function aForeignServer(
  t: ExecutionContext,
  metadata: object = {},
  answers: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {},
): Promise<string> {
  const url: string = await listening(t, (request, response) => {
    response.setHeader('Content-Type', 'application/json')
    const answer = answers[request.url ?? '']
    if (answer !== undefined) answer(request, response)
    else if (request.url === '/jwks') response.end(JSON.stringify({ keys: [publicHalf(key)] }))
    else if (request.url === '/par')
      response
        .writeHead(201)
        .end(JSON.stringify({ request_uri: 'urn:ietf:params:oauth:request_uri:x', expires_in: 60 }))
    else
      response.end(
        JSON.stringify({
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          pushed_authorization_request_endpoint: `${url}/par`,
          jwks_uri: `${url}/jwks`,
          authorization_response_iss_parameter_supported: true,
          code_challenge_methods_supported: ['S256'],
          dpop_signing_alg_values_supported: ['ES256'],
          id_token_signing_alg_values_supported: ['ES256'],
          token_endpoint_auth_methods_supported: ['private_key_jwt'],
          token_endpoint_auth_signing_alg_values_supported: ['ES256', 'PS256'],
          ...metadata,
        }),
      )
  })
  return url
}

test.serial('a foreign server that offers all of it is right', async (t) => {
  const report = await checked(t, aFrontend(await aForeignServer(t)))
  t.true(report.ok, JSON.stringify(report.trials))
  t.true(report.trials.every(({ outcome }) => outcome === 'passed'))
})

for (const [what, metadata, result, remedy] of [
  [
    'that announces no iss',
    { authorization_response_iss_parameter_supported: undefined },
    /callbacks carry `iss`/,
    /RequireIssuerValidation/,
  ],
  [
    'that announces no DPoP',
    { dpop_signing_alg_values_supported: undefined },
    /does not announce DPoP/,
    /Switch DPoP on/,
  ],
  [
    'without our proof algorithm',
    { dpop_signing_alg_values_supported: ['PS256'] },
    /proofs with PS256, and ours are made with ES256/,
    /Allow ES256/,
  ],
  [
    'that signs ID tokens with RS256 only',
    { id_token_signing_alg_values_supported: ['RS256'] },
    /ID tokens with RS256, and FAPI 2\.0 takes ES256, EdDSA, Ed25519, PS256/,
    /Give it a key for ES256/,
  ],
  [
    'without private_key_jwt',
    { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
    /clients by client_secret_basic, and client my-bff does so by private_key_jwt/,
    /Switch private_key_jwt on/,
  ],
  [
    'without our assertion algorithm',
    { token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256'] },
    /assertions with RS256, PS256, and the key of client my-bff is for ES256/,
    /keygen --alg PS256/,
  ],
  [
    'without PAR',
    { pushed_authorization_request_endpoint: undefined },
    /no pushed_authorization_request_endpoint/,
    /PAR/,
  ],
  ['without PKCE S256', { code_challenge_methods_supported: ['plain'] }, /PKCE with S256/, /Switch it on/],
  [
    'that wants signed requests',
    { require_signed_request_object: true },
    /signed request objects/,
    /"UseSignedRequests": true/,
  ],
  ['without keys', { jwks_uri: undefined }, /no jwks_uri/, /verified/],
] as const)
  test.serial(`finds a server ${what}`, async (t) => {
    const report = await checked(t, aFrontend(await aForeignServer(t, metadata)))
    t.false(report.ok)
    const [failure, ...more] = failures(report)
    t.deepEqual(more, [])
    t.regex(failure?.result ?? '', result)
    t.regex(failure?.remedy ?? '', remedy)
  })

test.serial('of several servers it is said which one lacks what all of them have to have', async (t) => {
  const [whole, without] = [
    await aForeignServer(t),
    await aForeignServer(t, {
      pushed_authorization_request_endpoint: undefined,
      dpop_signing_alg_values_supported: undefined,
    }),
  ]
  const Authorities = [
    { Name: 'whole', Authority: whole },
    { Name: 'less', Authority: without },
  ]
  const found = failures(await checked(t, aFrontend(whole, { Authorities })))
  t.true(found.length >= 2)
  for (const { subject, result } of found)
    t.true(subject.includes(without) || subject.includes('at less'), `${subject}: ${result}`)
  t.regex(found.map(({ result }) => result).join(), /no pushed_authorization_request_endpoint.*does not announce DPoP/s)
})

test.serial(
  'asks what it cannot know: which of its algorithms a server signs with, and a scope it does not list',
  async (t) => {
    const authority = await aForeignServer(t, {
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      scopes_supported: ['profile'],
    })
    const report = await checked(t, aFrontend(authority))
    t.true(report.ok)
    const notes = report.trials.filter(({ outcome }) => outcome === 'noted')
    t.regex(notes[0]?.remedy ?? '', /id_token_signed_response_alg/)
    t.regex(notes[1]?.result ?? '', /does not list these scopes: openid/)
    t.is(notes.length, 2)
  },
)

test.serial(
  'notes that a Keycloak keeps sessions for offline_access, and nothing where it is not asked for',
  async (t) => {
    const authority = await aForeignServer(t, {
      token_endpoint: 'http://127.0.0.1:9/realms/x/protocol/openid-connect/token',
    })
    for (const [more, expected] of [
      [{ Scopes: ['openid', 'offline_access'] }, 1],
      [{ Scopes: ['openid'] }, 0],
      [{ Scopes: undefined }, 0],
    ] as const) {
      const report = await checked(t, aFrontend(authority, more))
      t.is(report.trials.filter(({ remedy = '' }) => remedy.includes('Leave offline_access out')).length, expected)
    }
  },
)

test.serial(
  'notes that RevokeEndedSessions needs an endpoint, and nothing where there is one or it is not asked for',
  async (t) => {
    for (const [metadata, revoke, expected] of [
      [{}, true, 1],
      [{ revocation_endpoint: 'http://127.0.0.1:9/revoke' }, true, 0],
      [{}, false, 0],
    ] as const) {
      const { Bff, ...rest } = aFrontend(await aForeignServer(t, metadata))
      const report = await checked(t, { ...rest, Bff: { ...Bff, RevokeEndedSessions: revoke } })
      t.true(report.ok)
      const notes = report.trials.filter(({ outcome }) => outcome === 'noted')
      t.is(notes.length, expected)
      for (const { result } of notes) t.regex(result, /no revocation_endpoint \(RFC 7009\)/)
    }
  },
)

test.serial('notes that a server does not name token exchange where a route needs it', async (t) => {
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const route = { Path: '/ledger', Upstreams: ['http://127.0.0.1:1'], TokenExchange: { Audience: 'ledger' } }
  for (const [grants, Routes, expected] of [
    [['authorization_code', 'refresh_token'], [route], 1],
    [['authorization_code', grant], [route], 0],
    [undefined, [route], 0],
    [['authorization_code', 'refresh_token'], [], 0],
  ] as const) {
    const authority = await aForeignServer(t, { grant_types_supported: grants })
    const { trials } = await checked(t, aFrontend(authority, { Routes }))
    const notes = trials.filter(({ result }) => result.includes('does not name token exchange'))
    t.is(notes.length, expected)
    for (const { outcome, result, remedy = '' } of notes) {
      t.is(outcome, 'noted')
      t.regex(result, /\/ledger would get no token/)
      t.regex(remedy, /allow it to client my-bff/)
    }
  }
})

test.serial('what an outgoing HTTP proxy refuses has its own remedy, and its password is not printed', async (t) => {
  const proxy = await aProxy(t, 'elsewhere.test', 9)
  for (const [user, result, remedy] of [
    ['user:not-its-password', /407/, /wants a user and a password.*Bff\.HttpProxy\.Url/],
    ['user:pass', /502/, /does not lead there/],
  ] as const) {
    const { Bff } = aFrontend('https://issuer.example.test')
    const report = await checked(t, {
      Bff: { ...Bff, HttpProxy: { Url: `http://${user}@127.0.0.1:${proxy.port}` } },
    })
    const [failure] = failures(report)
    t.regex(failure?.result ?? '', result)
    t.regex(failure?.remedy ?? '', remedy)
    t.false(JSON.stringify(report).includes('not-its-password'))
  }
})

test.serial('each refusal of a push has its own remedy, beside the words of the server', async (t) => {
  const otherKey = publicHalf(generateSigningJwk('ES256'))
  for (const [application, frontend, result, remedy] of [
    [
      { SigningKeyJwk: otherKey },
      {},
      /^invalid_client: the signature/,
      /^Register the public key of ClientSigningKeyJwk for client my-bff/,
    ],
    [
      {},
      { ClientId: 'other' },
      /^invalid_client: .*not of a known client/,
      /^Is there a client other at this server\?/,
    ],
    [
      { RedirectUris: ['http://localhost:3000/callback'] },
      {},
      /^invalid_request: redirect_uri/,
      /exactly this redirect URI.*http:\/\/localhost:3000\/bff\/callback$/,
    ],
    [{}, { Scopes: ['openid', 'accounts'] }, /^invalid_scope/, /these scopes there, or ask for fewer: openid accounts/],
  ] as const) {
    const issuer = await aServer(t, application)
    const failure = failures(await checked(t, aFrontend(issuer, frontend)))[0]
    t.regex(failure?.result ?? '', result)
    t.regex(failure?.remedy ?? '', remedy)
  }
})

const ownRoute = { Path: '/jobs', Upstreams: ['http://127.0.0.1:9'], TokenType: 'Client', Scopes: ['jobs'] }
const tokenTrial = "app: the gateway's own token for /jobs"

test.serial('asks for a real token of a route with "TokenType": "Client", and gives it back', async (t) => {
  const permissions = [
    'ept:authorization',
    'ept:pushed_authorization',
    'ept:token',
    'gt:authorization_code',
    'scp:openid',
    'scp:jobs',
  ]
  const without = await checked(t, aFrontend(await aServer(t, { Permissions: permissions }), { Routes: [ownRoute] }))
  const refused = without.trials.find(({ subject }) => subject === tokenTrial)
  t.regex(refused?.result ?? '', /^unauthorized_client/)
  t.regex(refused?.remedy ?? '', /client credentials grant there \(gt:client_credentials/)
  const issuer = await aServer(t, { Permissions: [...permissions, 'gt:client_credentials', 'ept:revocation'] })
  const granted = await checked(t, aFrontend(issuer, { Routes: [ownRoute] }))
  t.is(granted.trials.find(({ subject }) => subject === tokenTrial)?.outcome, 'passed')
})

test.serial('tells a token without its scopes, and one that is bound to no key', async (t) => {
  const token = (claims: object) =>
    `${['{}', JSON.stringify(claims)].map((part) => Buffer.from(part).toString('base64url')).join('.')}.x`
  const issue = (type: string) => (_request: IncomingMessage, response: ServerResponse) =>
    response.end(
      JSON.stringify({ access_token: token({ aud: 'x', scope: 'other' }), token_type: type, expires_in: 60 }),
    )
  for (const [type, result, remedy] of [
    ['DPoP', /lacks the scopes jobs/, /Allow client my-bff these scopes/],
    ['Bearer', /another token type/, /use DPoP there/],
  ] as const) {
    const authority = await aForeignServer(t, {}, { '/token': issue(type) })
    const report = await checked(t, aFrontend(authority, { Routes: [ownRoute] }))
    const failure = failures(report).find(({ subject }) => subject === tokenTrial)
    t.regex(failure?.result ?? '', result)
    t.regex(failure?.remedy ?? '', remedy)
  }
})

test.serial('finds the metadata of a server without OpenID Connect (RFC 8414 §3)', async (t) => {
  const notFound = (_request: IncomingMessage, response: ServerResponse) => response.writeHead(404).end()
  const authority = await aForeignServer(t, {}, { '/.well-known/openid-configuration': notFound })
  const report = await checked(t, aFrontend(authority, { Scopes: ['orders'] }))
  t.deepEqual(failures(report), [])
})

const jar = { request_parameter_supported: true, request_object_signing_alg_values_supported: ['ES256'] }
const jarm = { response_modes_supported: ['query', 'jwt'], authorization_signing_alg_values_supported: ['ES256'] }
const signing = { UseSignedRequests: true, ResponseMode: 'jwt' }

test.serial(
  'a server that offers JAR and JARM is right for a frontend that uses both, without iss in callbacks',
  async (t) => {
    const metadata = { ...jar, ...jarm, require_signed_request_object: true }
    const url = await aForeignServer(t, { ...metadata, authorization_response_iss_parameter_supported: undefined })
    const report = await checked(t, aFrontend(url, signing))
    t.true(report.ok, JSON.stringify(report.trials))
  },
)

for (const [what, metadata, result, remedy] of [
  ['that takes no request objects', { request_parameter_supported: false }, /takes no request objects/, /JAR/],
  [
    'that takes request objects by other algorithms',
    { request_object_signing_alg_values_supported: ['PS256'] },
    /request objects with PS256, and the key of client my-bff is for ES256/,
    /request_object_signing_alg/,
  ],
  [
    'that does not sign its answers',
    { response_modes_supported: ['query'] },
    /does not announce signed answers/,
    /JARM/,
  ],
  [
    'that signs its answers with RS256 only',
    { authorization_signing_alg_values_supported: ['RS256'] },
    /signs answers with RS256/,
    /ES256 or PS256/,
  ],
] as const)
  test.serial(`for a frontend that signs, finds a server ${what}`, async (t) => {
    const url = await aForeignServer(t, { ...jar, ...jarm, ...metadata })
    const [failure, ...more] = failures(await checked(t, aFrontend(url, signing)))
    t.deepEqual(more, [])
    t.regex(failure?.result ?? '', result)
    t.regex(failure?.remedy ?? '', remedy)
  })
test.serial('another program on the port of the embedded server is told to be one', async (t) => {
  const url = await listening(t, (_request, response) => void response.end('I am something else'))
  const issuer = url.replace('127.0.0.1', 'localhost')
  const report = await checked(t, {
    Server: { Listen: '127.0.0.1:0' },
    Bff: { PublicUrl: 'http://localhost:3000', Frontends: [{ Name: 'app' }] },
    OpenIddict: { Issuer: issuer },
  })
  const found = failures(report)
  t.is(found.length, 1, JSON.stringify(found))
  t.regex(found[0]?.result ?? '', /^\/OpenIddict\/Listen is 127\.0\.0\.1:\d+, which another program listens on$/)
  t.regex(found[0]?.remedy ?? '', /^Stop that program, or write another port/)
})
