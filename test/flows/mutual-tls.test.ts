import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { run } from '../../src/server/run.js'
import { anAuthority, type Certificate, selfSigned } from '../http/_self-signed.js'
import { cheapHashOf } from './_program.js'
import { freePorts } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

/* Gateway and embedded authorization server of one file over mutual TLS, and an API with our validator. */

const audience = 'https://orders.example.com'
const [authority, next, serverCertificate, passwordHash] = await Promise.all([
  anAuthority(),
  anAuthority('/CN=The next authority'),
  selfSigned(),
  cheapHashOf('wonderland'),
])
const [first, renewed, ofNext] = await Promise.all([
  authority.issue({ subject: '/C=DE/O=Example Bank/CN=app' }),
  authority.issue({ subject: '/C=DE/O=Example Bank/CN=app' }),
  next.issue({ subject: '/C=DE/O=Example Bank/CN=app' }),
])

interface World {
  readonly frontend: Readonly<Record<string, string | boolean>>
  readonly mutualTls?: object
  readonly server?: object
}

async function aWorld(t: ExecutionContext, { frontend, mutualTls = {}, server = {} }: World) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-mtls-'))
  const [gateway, issuer, asking] = await freePorts(3)
  const show = async ({ cert, key }: Certificate): Promise<void> => {
    await writeFile(join(folder, 'app.pem'), cert)
    await writeFile(join(folder, 'app.key'), key, { mode: 0o600 })
  }
  const trust = (pem: string) => writeFile(join(folder, 'clients.pem'), pem)
  await Promise.all([
    show(first),
    trust(authority.cert),
    writeFile(join(folder, 'server.pem'), serverCertificate.cert),
    writeFile(join(folder, 'server.key'), serverCertificate.key, { mode: 0o600 }),
  ])

  const calls: string[] = []
  const api = createServer({ ...serverCertificate, requestCert: true, rejectUnauthorized: false }).listen(
    0,
    '127.0.0.1',
  )
  await once(api, 'listening')
  const apiUrl = `https://localhost:${(api.address() as AddressInfo).port}`
  const guard = protect(
    createVerifier({ issuer: `http://localhost:${issuer}`, audience, publicUrl: apiUrl, mode: 'any-bound' }),
  )
  api.on('request', async (req, res) => {
    calls.push(String(req.headers.authorization))
    const auth = await guard(req, res)
    if (auth !== undefined) res.end(JSON.stringify(auth.claims.cnf))
  })

  const file = join(folder, 'frontends.json')
  await writeFile(
    file,
    JSON.stringify({
      Server: { Listen: `127.0.0.1:${gateway}`, DrainDelay: '00:00:00' },
      Store: { Memory: {} },
      Bff: {
        AuthorityCaFile: './server.pem',
        Frontends: [
          {
            Name: 'app',
            ClientCertificate: { CertFile: './app.pem', KeyFile: './app.key' },
            Routes: [{ Path: '/api', Upstreams: [apiUrl], Resource: audience, Tls: { CaFile: './server.pem' } }],
            ...frontend,
          },
        ],
      },
      OpenIddict: {
        Issuer: `http://localhost:${issuer}`,
        MutualTls: {
          Listen: `127.0.0.1:${asking}`,
          Tls: { CertFile: './server.pem', KeyFile: './server.key' },
          CaFile: './clients.pem',
          ...mutualTls,
        },
        Seeding: { Users: [{ Username: 'alice', PasswordHash: passwordHash }] },
        ...server,
      },
    }),
  )
  const read = () => readConfiguration({ file, environment: {} })
  let configuration = read()
  const running = await run(configuration)
  t.teardown(async () => {
    await running.stop()
    api.closeAllConnections()
    api.close()
    await rm(folder, { recursive: true, force: true })
  })
  const url = `http://localhost:${gateway}`
  return {
    url,
    apiUrl,
    asking: `https://localhost:${asking}`,
    calls,
    show,
    trust,
    /** As SIGHUP does. */
    async reload() {
      configuration = readConfiguration({ file, environment: {}, running: configuration })
      const prepared = await running.prepare(configuration)
      prepared.swap()
    },
    async loggedIn() {
      const browser = createUserAgent()
      const signIn = await browser.navigate(`${url}/bff/login`)
      const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' }, { button: 'sign-in' })
      if (consent.body.includes('value="allow"')) await browser.submit(consent, {}, { button: 'allow' })
      return browser
    },
  }
}

const thumbprintOf = ({ cert }: Certificate): string =>
  createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url')

for (const ClientAuthenticationMethod of ['PrivateKeyJwt', 'TlsClientAuth', 'SelfSignedTlsClientAuth'])
  for (const SenderConstraint of ['DPoP', 'Mtls'])
    test.serial(
      `a login and a call by ${ClientAuthenticationMethod}, tokens bound by ${SenderConstraint}`,
      async (t) => {
        const world = await aWorld(t, { frontend: { ClientAuthenticationMethod, SenderConstraint } })
        const browser = await world.loggedIn()
        const answer = await browser.call(`${world.url}/api/orders`)
        t.is(answer.status, 200, await answer.clone().text())
        const cnf = (await answer.json()) as Record<string, string>
        if (SenderConstraint === 'Mtls') t.deepEqual(cnf, { 'x5t#S256': thumbprintOf(first) })
        else t.deepEqual(Object.keys(cnf), ['jkt'])
        t.is((await browser.call(`${world.url}/bff/logout`, { method: 'POST' })).status < 400, true)
      },
    )

for (const [ClientAuthenticationMethod, published] of [
  ['TlsClientAuth', 1],
  ['SelfSignedTlsClientAuth', 2],
] as const)
  test.serial(`a login by ${ClientAuthenticationMethod}, whose request is signed with a key of its own`, async (t) => {
    const world = await aWorld(t, {
      frontend: { ClientAuthenticationMethod, SenderConstraint: 'Mtls', UseSignedRequests: true },
      server: { RequireSignedRequests: true },
    })
    const browser = await world.loggedIn()
    t.is((await browser.call(`${world.url}/api/orders`)).status, 200)
    const { keys } = (await (await browser.call(`${world.url}/bff/jwks`)).json()) as { readonly keys: object[] }
    t.is(keys.length, published, 'that of the certificate too, where the server knows the client by it')
    t.true(keys.every((key) => !('d' in key)))
  })

test.serial(
  'a renewed certificate is taken over by a reload: sessions stay, and tokens are bound to the new one',
  async (t) => {
    const world = await aWorld(t, {
      frontend: { ClientAuthenticationMethod: 'TlsClientAuth', SenderConstraint: 'Mtls' },
    })
    const browser = await world.loggedIn()
    const bond = async () => (await (await browser.call(`${world.url}/api/orders`)).json()) as Record<string, string>
    t.deepEqual(await bond(), { 'x5t#S256': thumbprintOf(first) })
    await world.show(renewed)
    await world.reload()
    t.deepEqual(await bond(), { 'x5t#S256': thumbprintOf(renewed) })

    // The authority is replaced, and with it the certificate: what the old one has issued counts for nothing any more.
    await Promise.all([world.trust(next.cert), world.show(ofNext)])
    await world.reload()
    t.deepEqual(await bond(), { 'x5t#S256': thumbprintOf(ofNext) })
    await world.show(renewed)
    await world.reload()
    t.is((await browser.call(`${world.url}/api/orders`)).status, 502, 'it is no fault of the user, who stays signed in')
  },
)

test.serial('an authority that is no longer trusted is not trusted on connections that stand, either', async (t) => {
  const world = await aWorld(t, { frontend: { ClientAuthenticationMethod: 'TlsClientAuth', SenderConstraint: 'Mtls' } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: serverCertificate.cert, ...first })
  t.teardown(() => agent.destroy())
  const ask = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      request(`${world.asking}/connect/revoke`, { method: 'POST', agent, headers }, (answer) =>
        answer.resume().on('end', () => resolve(answer.statusCode)),
      )
        .on('error', reject)
        .end('client_id=app-bff')
    })
  t.is(await ask(), 400, 'the client is known, and has sent no token')
  await Promise.all([world.trust(next.cert), world.show(ofNext)])
  await world.reload()
  // Its end may be seen only when the next request is sent.
  t.is(await ask().catch(ask), 401)
})

test.serial('a token of one certificate is worth nothing with another, nor with none', async (t) => {
  const world = await aWorld(t, { frontend: { ClientAuthenticationMethod: 'TlsClientAuth', SenderConstraint: 'Mtls' } })
  const browser = await world.loggedIn()
  await browser.call(`${world.url}/api/orders`)
  const [authorization = ''] = world.calls
  const ask = (certificate?: Certificate) =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { headers: { authorization }, ca: serverCertificate.cert, agent: false, ...certificate } as const
      request(world.apiUrl, options, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end()
    })
  t.is(await ask(first), 200)
  for (const certificate of [renewed, ofNext, undefined]) t.is(await ask(certificate), 401)
})
