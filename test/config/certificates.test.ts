import { createPrivateKey, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { advice } from '../../src/cli/advice.js'
import { readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { anAuthority, selfSigned } from '../http/_self-signed.js'
import { aFolder } from './_workspace.js'

const configuration = JSON.stringify({
  Server: { Tls: { CertFile: 'cert.pem', KeyFile: 'key.pem' } },
  Authentication: { OpenIddict: { Issuer: 'https://auth.example.com', Audience: 'api' } },
})

async function problemsWith(folder: string, cert: string | Buffer, key: string | Buffer): Promise<readonly string[]> {
  const file = join(folder, 'frontends.json')
  await writeFile(file, configuration)
  await writeFile(join(folder, 'cert.pem'), cert)
  await writeFile(join(folder, 'key.pem'), key)
  try {
    readConfiguration({ file, environment: {}, state: 'look' })
    return []
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.problems.map(({ pointer, problem }) => `${pointer} ${problem}`)
    throw error
  }
}

test('a certificate is found to go with its key before anything starts', async (t) => {
  const folder = await aFolder(t)
  const [mine, other] = await Promise.all([selfSigned(), selfSigned()])
  t.deepEqual(await problemsWith(folder, mine.cert, mine.key), [])
  t.deepEqual(await problemsWith(folder, mine.cert, other.key), [
    '/Server/Tls is not a certificate with its private key',
  ])
})

test('a certificate or key that is empty, DER or no PEM is named by its own member', async (t) => {
  const folder = await aFolder(t)
  const { cert, key } = await selfSigned()
  const certDer = new X509Certificate(cert).raw
  const keyDer = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
  t.deepEqual(await problemsWith(folder, 'not PEM', key), ['/Server/Tls/CertFile names a file that is not PEM'])
  t.deepEqual(await problemsWith(folder, cert, 'not PEM'), ['/Server/Tls/KeyFile names a file that is not PEM'])
  t.deepEqual(await problemsWith(folder, '', key), ['/Server/Tls/CertFile names an empty file'])
  t.deepEqual(await problemsWith(folder, cert, '\n'), ['/Server/Tls/KeyFile names an empty file'])
  t.deepEqual(await problemsWith(folder, certDer, key), ['/Server/Tls/CertFile names a file in DER, and PEM goes here'])
  t.deepEqual(await problemsWith(folder, cert, keyDer), ['/Server/Tls/KeyFile names a file in DER, and PEM goes here'])
})

test('a file of authorities that holds only what they have issued is named, since no connection would trust it', async (t) => {
  const folder = await aFolder(t)
  const authority = await anAuthority()
  const [leaf, below, own] = await Promise.all([authority.issue(), authority.intermediate('/CN=Below'), selfSigned()])
  const file = join(folder, 'frontends.json')
  const key = generateSigningJwk('ES256')
  await writeFile(
    file,
    JSON.stringify({
      Bff: {
        Authority: 'https://auth.example.com',
        AuthorityCaFile: 'ca.pem',
        PublicUrl: 'http://localhost:3000',
        Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: key }],
      },
    }),
  )
  const problems = async (pem: string): Promise<readonly string[]> => {
    await writeFile(join(folder, 'ca.pem'), pem)
    try {
      readConfiguration({ file, environment: {}, state: 'look' })
      return []
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      return error.problems.map(({ pointer, problem }) => `${pointer} ${problem}`)
    }
  }
  const only =
    '/Bff/AuthorityCaFile has no certificate of an authority, only what another one has issued: no connection would trust it'
  t.deepEqual(await problems(leaf.cert), [only])
  t.deepEqual(await problems(leaf.cert + leaf.cert), [only])
  for (const pem of [authority.cert, leaf.cert + authority.cert, below.cert, own.cert])
    t.deepEqual(await problems(pem), [])
})

interface Told {
  readonly tls: object
  readonly hosts: readonly string[]
  readonly now?: () => number
}

/** What `check` says of the certificates of frontends under these hosts. */
async function told(folder: string, { tls, hosts, now }: Told): Promise<readonly string[]> {
  const file = join(folder, 'frontends.json')
  const frontends = hosts.map((host, index) => ({
    Name: `f${index}`,
    PublicUrl: `https://${host}`,
    ClientId: 'x',
    ClientSigningKeyJwk: generateSigningJwk('ES256'),
  }))
  await writeFile(
    file,
    JSON.stringify({ Server: { Tls: tls }, Bff: { Authority: 'https://auth.example.com', Frontends: frontends } }),
  )
  const configuration = readConfiguration({ file, environment: {}, state: 'look', ...(now && { now }) })
  return advice(configuration)
    .filter(({ subject }) => subject.includes('/Tls'))
    .map(({ subject, outcome, result }) => `${outcome} ${subject} ${result}`)
}

async function withFiles(t: ExecutionContext, certificates: Readonly<Record<string, readonly string[]>>) {
  const folder = await aFolder(t)
  for (const [name, hosts] of Object.entries(certificates)) {
    const { cert, key } = await selfSigned(hosts)
    await writeFile(join(folder, `${name}.pem`), cert)
    await writeFile(join(folder, `${name}.key`), key)
  }
  return folder
}

const files = (name: string) => ({ CertFile: `${name}.pem`, KeyFile: `${name}.key` })

test('check says when a certificate has expired; that does not keep the rest from starting', async (t) => {
  const folder = await withFiles(t, { a: ['a.example.com'], b: ['b.example.com'] })
  const now = () => Date.now() / 1000 + 31_536_000
  const [first, second] = await told(folder, { tls: [files('a'), files('b')], hosts: ['a.example.com'], now })
  t.regex(first ?? '', /^failed \/Server\/Tls\/0\/CertFile has expired on /)
  t.regex(second ?? '', /^failed \/Server\/Tls\/1\/CertFile has expired on /)
})

test('check says when the host of a frontend has no certificate that fits', async (t) => {
  const folder = await withFiles(t, { a: ['a.example.com'], wild: ['*.shops.example.com'] })
  const tls = [files('a'), files('wild')]
  t.deepEqual(await told(folder, { tls, hosts: ['a.example.com', 'b.shops.example.com'] }), [])
  t.deepEqual(await told(folder, { tls, hosts: ['a.example.com', 'c.b.shops.example.com', 'd.example.com:8443'] }), [
    'failed /Server/Tls has no certificate for c.b.shops.example.com, the host of the frontend "f1"',
    'failed /Server/Tls has no certificate for d.example.com, the host of the frontend "f2"',
  ])
})

test('one of several that does not go with its key is named by its place', async (t) => {
  const folder = await withFiles(t, { a: ['a.example.com'], b: ['b.example.com'] })
  const tls = [files('a'), { CertFile: 'b.pem', KeyFile: 'a.key' }]
  const error = await t.throwsAsync<ConfigurationError>(told(folder, { tls, hosts: ['a.example.com'] }))
  t.deepEqual(
    error.problems.map(({ pointer }) => pointer),
    ['/Server/Tls/1'],
  )
  const missing = await t.throwsAsync<ConfigurationError>(
    told(folder, { tls: [files('a'), { CertFile: 'c.pem' }], hosts: ['a.example.com'] }),
  )
  t.deepEqual(
    missing.problems.map(({ pointer, problem }) => `${pointer} ${problem}`),
    ['/Server/Tls/1/KeyFile is missing'],
  )
})

test('a certificate that is there twice is never chosen the second time', async (t) => {
  const folder = await withFiles(t, { a: ['a.example.com'] })
  const error = await t.throwsAsync<ConfigurationError>(
    told(folder, { tls: [files('a'), files('a')], hosts: ['a.example.com'] }),
  )
  t.deepEqual(
    error.problems.map(({ pointer }) => pointer),
    ['/Server/Tls/1/CertFile'],
  )
})
