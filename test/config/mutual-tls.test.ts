import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { advice } from '../../src/cli/advice.js'
import { readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
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
    /^UseSignedRequests is true, .* the client has no key to sign them with$/,
  ],
  [
    'the embedded server',
    { SenderConstraint: 'Mtls', ClientCertificate: certificate },
    /^SenderConstraint is "Mtls", and the embedded authorization server binds tokens by DPoP$/,
    {},
    { OpenIddict: { Issuer: 'https://auth.example.com' } },
  ],
]

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
