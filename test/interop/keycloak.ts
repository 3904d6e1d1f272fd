/**
 * Sallyport's gateway and validator with a real Keycloak under its FAPI 2.0 policy with DPoP: `npm run test:interop`.
 * Needs Java, Maven and OpenSSL; not part of `npm test`. Everything listens on loopback.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { freePorts } from '../flows/_stack.js'
import { createUserAgent, type UserAgent } from '../flows/_user-agent.js'
import { selfSigned } from '../http/_self-signed.js'
import { type Keycloak, keycloakVersion, startKeycloak } from './_keycloak.js'
import { addApi, realmFor } from './_realm.js'

const folder = join(tmpdir(), 'sallyport-interop')
const certFile = join(folder, 'cert.pem')
const keyFile = join(folder, 'key.pem')

/** Node reads what it trusts at start only: the certificate is made first, then this program runs itself again. */
if (process.env.NODE_EXTRA_CA_CERTS !== certFile) {
  const { cert, key } = await selfSigned()
  await mkdir(folder, { recursive: true })
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)])
  const again = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile },
    stdio: 'inherit',
  })
  process.exitCode = Number((await once(again, 'exit'))[0] ?? 1)
} else {
  await walk()
}

async function walk(): Promise<void> {
  const [port = 0, gatewayPort = 0, adminPort = 0] = await freePorts(3)
  const gateway = `https://localhost:${gatewayPort}`
  let verify: ReturnType<typeof protect> | undefined
  const api = createServer(async (request, response) => {
    const auth = await verify?.(request, response)
    if (auth !== undefined) response.end(JSON.stringify({ subject: auth.subject, scheme: auth.scheme }))
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  const { port: apiPort } = api.address() as { readonly port: number }
  const audience = `http://127.0.0.1:${apiPort}`

  console.log(`Keycloak ${keycloakVersion} starts; a minute or two …`)
  const keycloak = await startKeycloak({
    folder,
    port,
    certFile,
    keyFile,
    representation: realmFor(gateway),
  })
  await addApi(keycloak, audience)
  verify = protect(createVerifier({ issuer: keycloak.issuer, audience, publicUrl: audience, profile: 'keycloak' }))
  const program = await startGateway({ keycloak, gatewayPort, adminPort, apiPort })
  try {
    const trials = trialsOf(keycloak, gateway, (event) => program.output().split(`"${event}"`).length - 1)
    for (const [name, trial] of Object.entries(trials)) {
      const problem = await trial().then(
        () => undefined,
        (error: unknown) => error,
      )
      console.log(`${problem === undefined ? 'passed' : 'FAILED'}  ${name}`)
      if (problem === undefined) continue
      console.log(problem)
      process.exitCode = 1
    }
    if (process.exitCode === 1) console.log(program.output())
  } finally {
    await program.stop()
    await keycloak.stop()
    api.close()
    api.closeAllConnections()
  }
}

function trialsOf(
  keycloak: Keycloak,
  gateway: string,
  logged: (event: string) => number,
): Record<string, () => Promise<void>> {
  const begin = async (browser: UserAgent) => browser.navigate(`${gateway}/bff/login`)
  const answer = async (browser: UserAgent, form: Awaited<ReturnType<typeof begin>>): Promise<void> => {
    const home = await browser.submit(form, { username: 'alice', password: 'wonderland' })
    assert(
      home.url.href === `${gateway}/`,
      `the login ends at ${home.url.href.split('?')[0]}: ${home.body.slice(0, 800)}`,
    )
  }
  const signedIn = async (): Promise<UserAgent> => {
    const browser = createUserAgent()
    await answer(browser, await begin(browser))
    return browser
  }
  const user = async (browser: UserAgent) =>
    (await (await browser.call(`${gateway}/bff/user`)).json()) as {
      readonly authenticated: boolean
      readonly logoutUrl: string
      readonly sub: string
    }
  const call = async (browser: UserAgent) => (await browser.call(`${gateway}/api/orders`)).status
  const sessionsAt = async (sub: string) =>
    (await keycloak.admin('GET', `/users/${sub}/sessions`)) as readonly { readonly id: string }[]
  const rotateKeys = async (): Promise<void> => {
    const { id } = (await keycloak.admin('GET', '')) as { readonly id: string }
    const priority = String(Math.floor(Date.now() / 1000))
    await keycloak.admin('POST', '/components', {
      name: `es256-${priority}`,
      providerId: 'ecdsa-generated',
      providerType: 'org.keycloak.keys.KeyProvider',
      parentId: id,
      config: { priority: [priority], enabled: ['true'], active: ['true'], ecdsaEllipticCurveKey: ['P-256'] },
    })
  }

  return {
    async 'login, claims, a proven call, logout that leaves no session and no refresh token'() {
      const browser = await signedIn()
      const { authenticated, logoutUrl, sub } = await user(browser)
      assert(authenticated, 'the user is signed in')
      assert((await call(browser)) === 200, 'the API answers 200')
      assert((await sessionsAt(sub)).length === 1, 'Keycloak has one session')
      await browser.navigate(new URL(logoutUrl, gateway))
      assert(!(await user(browser)).authenticated, 'the user is signed out')
      assert((await sessionsAt(sub)).length === 0, 'Keycloak has no session')
      const events = (await keycloak.admin('GET', '/events?max=20')) as readonly { readonly type: string }[]
      const types = events.map(({ type }) => type)
      assert(types.includes('REVOKE_GRANT'), `Keycloak has revoked the refresh token: ${types}`)
      // It binds no refresh token of a confidential client to the key, and its policy then takes no proof for one: that one
      // ended with the session above.
      const refused = types.filter((type) => type === 'REVOKE_GRANT_ERROR').length
      assert(refused <= 1, 'Keycloak has refused the refresh token at most')
      assert(logged('gateway.token.not-revoked') === refused, 'what it refused is in the log')
    },

    async 'keys rotated between the sign-in page and the callback'() {
      const browser = createUserAgent()
      const form = await begin(browser)
      await rotateKeys()
      await answer(browser, form)
      assert((await call(browser)) === 200, 'the API takes a token signed with the new key')
    },

    async 'keys rotated in a session: an administrator signs the user out, and the session is over'() {
      const browser = await signedIn()
      const { sub } = await user(browser)
      await rotateKeys()
      await keycloak.admin('POST', `/users/${sub}/logout`)
      await until(async () => !(await user(browser)).authenticated, 10)
      assert((await call(browser)) === 401, 'the API is not called any more')
    },

    async 'a refresh token that idles in 60 s does not end the session of an active user'() {
      await keycloak.admin('PUT', '', { ssoSessionIdleTimeout: 60 })
      const browser = await signedIn()
      const end = Date.now() + 100_000
      while (Date.now() < end) {
        assert((await call(browser)) === 200, 'the user is still signed in')
        await new Promise((resume) => setTimeout(resume, 5000))
      }
      await keycloak.admin('PUT', '', { ssoSessionIdleTimeout: 1800 })
    },
  }
}

function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`)
}

async function until(isSo: () => Promise<boolean>, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s`)
    await new Promise((resume) => setTimeout(resume, 200))
  }
}

interface GatewayPlace {
  readonly keycloak: Keycloak
  readonly gatewayPort: number
  readonly adminPort: number
  readonly apiPort: number
}

/** The shipped program, with the settings that `docs/` gives for Keycloak. */
async function startGateway({ keycloak, gatewayPort, adminPort, apiPort }: GatewayPlace) {
  const own = await mkdtemp(join(folder, 'gateway-'))
  const file = join(own, 'frontends.json')
  const configuration = {
    Server: {
      Listen: `127.0.0.1:${gatewayPort}`,
      AdminListen: `127.0.0.1:${adminPort}`,
      Tls: { CertFile: certFile, KeyFile: keyFile },
    },
    Bff: {
      Authority: keycloak.issuer,
      AuthorityCaFile: certFile,
      PublicUrl: `https://localhost:${gatewayPort}`,
      Frontends: [
        {
          Name: 'shop',
          ClientId: 'shop',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Scopes: ['openid', 'profile', 'email', 'orders'],
          Routes: [{ Path: '/api', Upstreams: [`http://127.0.0.1:${apiPort}`] }],
        },
      ],
    },
  }
  await writeFile(file, JSON.stringify(configuration))
  const child = spawn(process.execPath, [resolve('dist/main.js'), 'start', '--config', file], {
    cwd: own,
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await rm(own, { recursive: true })
  }
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the gateway has ended:\n${output}`)
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined))?.ok === true
  }, 30).catch(async (error: unknown) => {
    await keycloak.stop()
    throw error
  })
  return { output: () => output, stop }
}
