import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { advice } from '../../src/cli/advice.js'
import { readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { keysOf } from '../../src/gateway/oauth/client-authentication.js'
import type { FrontendOptions } from '../../src/gateway/options.js'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { selfSigned } from '../http/_self-signed.js'
import { aFolder } from './_workspace.js'

/* Mutual TLS (RFC 8705) of a frontend, as it stands in the file. */

const [mine, other] = await Promise.all([selfSigned(), selfSigned()])
const certificate = { CertFile: './mine.pem', KeyFile: './mine.key' }
const https = { Path: '/api', Upstreams: ['https://orders.example.com'] }
const bound = { SenderConstraint: 'Mtls', ClientCertificate: certificate, Routes: [https] }

async function read(t: ExecutionContext, frontend: object, bff: object = {}, rest: object = {}, now?: () => number) {
  const folder = await aFolder(t)
  const file = join(folder, 'frontends.json')
  for (const [name, { cert, key }] of Object.entries({ mine, other })) {
    await writeFile(join(folder, `${name}.pem`), cert)
    await writeFile(join(folder, `${name}.key`), key, { mode: 0o600 })
  }
  const byKey = 'ClientAuthenticationMethod' in frontend ? {} : { ClientSigningKeyJwk: generateSigningJwk('ES256') }
  const one = { Name: 'app', ClientId: 'app', ...byKey, ...frontend }
  const content = {
    Bff: { Authority: 'https://auth.example.com', PublicUrl: 'https://app.example.com', ...bff, Frontends: [one] },
    ...rest,
  }
  await writeFile(file, JSON.stringify(content))
  return readConfiguration({ file, environment: {}, state: 'look', ...(now !== undefined && { now }) })
}

async function problemsOf(t: ExecutionContext, ...given: [frontend: object, bff?: object, rest?: object]) {
  try {
    await read(t, ...given)
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.problems.map(({ pointer, problem }) => `${pointer.replace('/Bff/Frontends/0/', '')} ${problem}`)
  }
}

test('all four combinations are within FAPI 2.0, and options of what is off are not there', async (t) => {
  for (const ClientAuthenticationMethod of ['PrivateKeyJwt', 'TlsClientAuth', 'SelfSignedTlsClientAuth']) {
    const byKey = ClientAuthenticationMethod === 'PrivateKeyJwt' ? {} : { ClientAuthenticationMethod }
    for (const SenderConstraint of ['DPoP', 'Mtls']) {
      const { gateway } = await read(t, { ...bound, ...byKey, SenderConstraint })
      const [frontend] = gateway?.frontends ?? []
      t.is(frontend?.dpop, SenderConstraint === 'DPoP')
      t.is(frontend?.certificateBoundAccessTokens, SenderConstraint === 'Mtls' ? true : undefined)
      t.deepEqual(frontend?.clientCertificate, mine)
    }
  }
  const [plain = {}] = (await read(t, { Routes: [https] })).gateway?.frontends ?? []
  t.false('clientCertificate' in plain || 'certificateBoundAccessTokens' in plain)
})

const cases: readonly (readonly [title: string, frontend: object, problem: RegExp, bff?: object, rest?: object])[] = [
  [
    'a client without its certificate',
    { ClientAuthenticationMethod: 'TlsClientAuth' },
    /^ClientCertificate is missing for tls_client_auth$/,
  ],
  ['tokens bound to nothing', { SenderConstraint: 'Mtls' }, /^ClientCertificate is missing, so that tokens/],
  [
    'a key of another certificate',
    { ...bound, ClientCertificate: { ...certificate, KeyFile: './other.key' } },
    /^ClientCertificate is not a certificate with its private key$/,
  ],
  [
    'a file that is not there',
    { ...bound, ClientCertificate: { ...certificate, CertFile: './none.pem' } },
    /^ClientCertificate\/CertFile names \.\/none\.pem, which is not there/,
  ],
  [
    'an API on another machine that is shown no certificate',
    { ...bound, Routes: [{ Path: '/api', Upstreams: ['http://orders:8080'] }] },
    /^Routes\/0\/Upstreams\/0 is plain http, where no certificate is shown/,
  ],
  [
    'an API that is shown another one',
    { ...bound, Routes: [{ ...https, Tls: { CertFile: './other.pem', KeyFile: './other.key' } }] },
    /^Routes\/0\/Tls\/CertFile is another certificate than the one that the tokens are bound to/,
  ],
  [
    'a secret that is not used',
    { ClientAuthenticationMethod: 'TlsClientAuth', ClientCertificate: certificate, ClientSecret: 's' },
    /^ClientSecret is not used with "TlsClientAuth"$/,
  ],
  [
    'a signed request without a key to sign it with',
    { ClientAuthenticationMethod: 'TlsClientAuth', ClientCertificate: certificate, UseSignedRequests: true },
    /^UseSignedRequests is true, .* the client has no key to sign requests with$/,
  ],
  [
    'the embedded server that asks for no certificate',
    { SenderConstraint: 'Mtls', ClientCertificate: certificate },
    /^SenderConstraint is "Mtls", and no certificate gets to the embedded authorization server$/,
    {},
    embedded(undefined),
  ],
  [
    'the embedded server that knows nobody by a certificate',
    { ClientAuthenticationMethod: 'TlsClientAuth', ClientCertificate: certificate },
    /^ClientAuthenticationMethod is "TlsClientAuth", and no certificate gets to/,
    {},
    embedded(undefined),
  ],
  ...whatTheServerCannotBe(),
]

function embedded(MutualTls: object | undefined, Applications: readonly object[] = [], Server: object = {}) {
  const OpenIddict = { Issuer: 'https://auth.example.com', ...(MutualTls && { MutualTls }), Seeding: { Applications } }
  return { OpenIddict, Server: { Tls: certificate, ...Server } }
}

/** With a frontend that is in order by itself. */
function whatTheServerCannotBe(): typeof cases {
  const mutualTls = { Listen: '127.0.0.1:3443', CaFile: './mine.pem' }
  const api = { ClientId: 'api', RedirectUris: [], Permissions: ['ept:introspection'] }
  const rows: readonly (readonly [title: string, problem: RegExp, ...Parameters<typeof embedded>])[] = [
    [
      'nowhere to connect to, and no proxy',
      /^\/OpenIddict\/MutualTls\/Listen is missing, and no proxy is trusted to hand certificates on/,
      { CaFile: './mine.pem' },
    ],
    [
      'a listener without TLS',
      /^\/OpenIddict\/MutualTls\/Tls is missing, and a certificate is shown over TLS only$/,
      mutualTls,
      [],
      { Tls: undefined },
    ],
    [
      'a plain origin',
      /^\/OpenIddict\/MutualTls\/Origin is not an https origin$/,
      { ...mutualTls, Origin: 'http://mtls.example.com' },
    ],
    [
      'an origin with a path',
      /^\/OpenIddict\/MutualTls\/Origin is not an https origin$/,
      { ...mutualTls, Origin: 'https://mtls.example.com/auth' },
    ],
    [
      'authorities that are not there',
      /^\/OpenIddict\/MutualTls\/CaFile names \.\/none\.pem, which is not there/,
      { ...mutualTls, CaFile: './none.pem' },
    ],
    [
      'no authority for a client that is known by one',
      /^\/OpenIddict\/MutualTls\/CaFile is missing, so that no certificate of api is trusted$/,
      { Listen: '127.0.0.1:3443' },
      [{ ...api, TlsClientAuth: { SanDns: 'api.example.com' } }],
    ],
    [
      'the address of another listener',
      /^\/OpenIddict\/MutualTls\/Listen is taken by another listener of this file$/,
      { ...mutualTls, Listen: '127.0.0.1:3000' },
    ],
    [
      'two names',
      /^\/OpenIddict\/Seeding\/Applications\/0\/TlsClientAuth does not have exactly one name/,
      mutualTls,
      [{ ...api, TlsClientAuth: { SanDns: 'api.example.com', SanIp: '10.0.0.1' } }],
    ],
    [
      'no name',
      /^\/OpenIddict\/Seeding\/Applications\/0\/TlsClientAuth does not have exactly one name/,
      mutualTls,
      [{ ...api, TlsClientAuth: {} }],
    ],
    [
      'two ways to be known',
      /^\/OpenIddict\/Seeding\/Applications\/0\/SelfSignedTlsClientAuth is there beside TlsClientAuth/,
      mutualTls,
      [
        {
          ...api,
          TlsClientAuth: { SanDns: 'a.example' },
          SelfSignedTlsClientAuth: { Jwks: [publicHalf(generateSigningJwk('ES256'))] },
        },
      ],
    ],
    [
      'a name that is none',
      /^\/OpenIddict\/Seeding\/Applications\/0\/TlsClientAuth\/SubjectDn is not a distinguished name as RFC 4514 writes it$/,
      mutualTls,
      [{ ...api, TlsClientAuth: { SubjectDn: 'api' } }],
    ],
    [
      'a wildcard',
      /^\/OpenIddict\/Seeding\/Applications\/0\/TlsClientAuth\/SanDns is not a host name; a wildcard would be any client$/,
      mutualTls,
      [{ ...api, TlsClientAuth: { SanDns: '*.example.com' } }],
    ],
    [
      'a private key',
      /^\/OpenIddict\/Seeding\/Applications\/0\/SelfSignedTlsClientAuth\/Jwks\/0 holds the private member "d"$/,
      mutualTls,
      [{ ...api, SelfSignedTlsClientAuth: { Jwks: [generateSigningJwk('ES256')] } }],
    ],
    [
      'no key',
      /^\/OpenIddict\/Seeding\/Applications\/0\/SelfSignedTlsClientAuth\/Jwks is missing, and no frontend/,
      mutualTls,
      [{ ...api, SelfSignedTlsClientAuth: {} }],
    ],
    [
      'a certificate of an application where none gets here',
      /^\/OpenIddict\/Seeding\/Applications\/0\/CertificateBoundAccessTokens is true, and no certificate gets to/,
      undefined,
      [{ ...api, SigningKeyJwk: publicHalf(generateSigningJwk('ES256')), CertificateBoundAccessTokens: true }],
    ],
    [
      'a frontend that does otherwise',
      /^ClientAuthenticationMethod is "PrivateKeyJwt", and \/OpenIddict\/Seeding\/Applications\/0 is known by tls_client_auth$/,
      mutualTls,
      [{ ClientId: 'app', TlsClientAuth: { SanDns: 'localhost' } }],
    ],
    [
      'a frontend whose tokens are to be bound otherwise',
      /^SenderConstraint is "DPoP", and tokens of app are bound by certificate$/,
      mutualTls,
      [{ ClientId: 'app', CertificateBoundAccessTokens: true }],
    ],
  ]
  return rows.map(([title, problem, ...server]) => [
    `at the embedded server, ${title}`,
    {},
    problem,
    {},
    embedded(...server),
  ])
}

test('refused: a frontend with another certificate than is registered', async (t) => {
  const frontend = { ...bound, ClientAuthenticationMethod: 'TlsClientAuth' }
  const mutualTls = { Listen: '127.0.0.1:3443', CaFile: './mine.pem' }
  const registered = [{ ClientId: 'app', TlsClientAuth: { SanDns: 'other.example.com' } }]
  t.deepEqual(await problemsOf(t, frontend, {}, embedded(mutualTls, registered)), [
    'ClientCertificate is not the one that /OpenIddict/Seeding/Applications/0 is known by: the client certificate has another subject',
  ])
})

test('with an embedded server in the file, its clients are known by the certificates of the frontends', async (t) => {
  const mutualTls = { Listen: '127.0.0.1:3443', CaFile: './mine.pem' }
  const clientOf = async (frontend: object, MutualTls: object = mutualTls, Server: object = {}) => {
    const { authorizationServer } = await read(t, { ...bound, ...frontend }, {}, embedded(MutualTls, [], Server))
    const { clients = [], mutualTls: options } = authorizationServer?.options ?? {}
    return { client: clients[0], options, listener: authorizationServer?.mutualTls }
  }
  const byName = await clientOf({ ClientAuthenticationMethod: 'TlsClientAuth' })
  t.like(byName.client, {
    keys: [],
    certificateBoundAccessTokens: true,
    certificateAuthentication: {
      method: 'tls_client_auth',
      subject: { name: 'tls_client_auth_subject_dn', value: 'CN=localhost' },
    },
  })
  t.deepEqual(byName.options, { certificatesFrom: 'handshake', origin: new URL('https://auth.example.com:3443') })
  t.is(String(byName.listener?.clientAuthorities), mine.cert)
  t.is(String(byName.listener?.tls[0]?.cert), mine.cert, 'that of the gateway, where it has none of its own')
  const byKey = await clientOf({ ClientAuthenticationMethod: 'SelfSignedTlsClientAuth', SenderConstraint: 'DPoP' })
  t.like(byKey.client, { certificateAuthentication: { method: 'self_signed_tls_client_auth' } })
  t.false('certificateBoundAccessTokens' in (byKey.client ?? {}))
  const proxied = await clientOf(
    {},
    { Origin: 'https://mtls.example.com', CaFile: './mine.pem' },
    { TrustedProxies: ['10.0.0.0/8'] },
  )
  t.deepEqual(proxied.options, {
    certificatesFrom: 'client-cert',
    authorities: mine.cert,
    origin: new URL('https://mtls.example.com'),
  })
  t.is(proxied.listener, undefined)
  t.false('certificateAuthentication' in (proxied.client ?? {}), 'it has a key')
})

test('requests are signed with the key of the frontend, whatever the client authenticates by', async (t) => {
  for (const ClientAuthenticationMethod of ['TlsClientAuth', 'SelfSignedTlsClientAuth']) {
    const ClientSigningKeyJwk = generateSigningJwk('ES256')
    const { gateway } = await read(t, {
      ...bound,
      ClientAuthenticationMethod,
      ClientSigningKeyJwk,
      UseSignedRequests: true,
    })
    const [frontend] = gateway?.frontends ?? []
    t.is(frontend?.signedRequests, true)
    t.deepEqual(kidsOf(frontend), [ClientSigningKeyJwk.kid])
  }
})

test('a key that signs the requests of several servers is missing where one of them has none', async (t) => {
  const byKey = { Name: 'one', ClientSigningKeyJwk: generateSigningJwk('ES256') }
  const byName = { Name: 'two', ClientId: 'two', ClientAuthenticationMethod: 'TlsClientAuth' }
  const frontend = { ...bound, ClientSigningKeyJwk: undefined, UseSignedRequests: true }
  t.deepEqual(await problemsOf(t, { ...frontend, Authorities: [byKey, byName] }), [
    'UseSignedRequests is true, and the client has no key to sign requests with',
  ])
  const ofItsOwn = { ...byName, ClientSigningKeyJwk: generateSigningJwk('ES256') }
  t.deepEqual(await problemsOf(t, { ...frontend, Authorities: [byKey, ofItsOwn] }), [])
})

function kidsOf(frontend: FrontendOptions | undefined): readonly (string | undefined)[] {
  return frontend === undefined ? [] : keysOf(frontend.clientAuthentication).map(({ kid }) => kid)
}

for (const [title, frontend, problem, bff, rest] of cases)
  test(`refused: ${title}`, async (t) => {
    const problems = await problemsOf(t, frontend, bff, rest)
    t.is(problems.length, 1, problems.join('\n'))
    t.regex(problems[0] ?? '', problem)
  })

test('a sidecar on this machine may be plain, and a route without a token anything', async (t) => {
  const Routes = [
    { Path: '/api', Upstreams: ['http://127.0.0.1:8080'] },
    { Path: '/news', Upstreams: ['http://news:8080'], TokenType: 'None' },
  ]
  t.deepEqual(await problemsOf(t, { ...bound, Routes }), [])
})

test('check says that a certificate has expired', async (t) => {
  const inAWeek = () => Date.now() / 1000 + 7 * 86_400
  const said = advice(await read(t, bound, {}, {}, inAWeek))
  const [found] = said.filter(({ subject }) => subject === '/Bff/Frontends/0/ClientCertificate/CertFile')
  t.regex(found?.result ?? '', /^has expired on /)
})
