import { readFile } from 'node:fs/promises'
import test from 'ava'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { eventually } from '../_eventually.js'
import { cheapHashOf, runProgram, startProgram } from './_program.js'
import { freePorts } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

const passwordHash = await cheapHashOf('wonderland')

const threeProcesses = test.macro({
  title: (_, said, start) =>
    `the original's three documents as three ${start === startProgram ? 'processes' : 'products'}, ${said}: login, API, refresh, logout`,
  async exec(
    t,
    _said: string,
    start: typeof startProgram | typeof runProgram,
    forTheApi: (authorizationServer: SeedServer) => void,
  ) {
    const [gateway = 0, server = 0, api = 0, ...admins] = await freePorts(6)
    const key = generateSigningJwk('ES256')
    // Host names and key values, and the one thing that this test is about.
    const { OpenIddict, Bff, Authentication } = JSON.parse(
      (await readFile('test/config/_seed.json', 'utf8'))
        .replaceAll('https://auth.example.com', `http://localhost:${server}`)
        .replaceAll('https://app.example.com', `http://localhost:${gateway}`),
    )
    OpenIddict.Seeding.Applications[0].SigningKeyJwk = JSON.stringify(publicHalf(key))
    Bff.Frontends[0].ClientSigningKeyJwk = JSON.stringify(key)
    forTheApi(OpenIddict)

    // Who may sign in, where things run, and a refresh that is always due come from the environment.
    const [adminOfServer = 0, adminOfApi = 0, adminOfGateway = 0] = admins
    const programs = await Promise.all([
      start(
        t,
        { OpenIddict },
        {
          admin: adminOfServer,
          environment: {
            OpenIddict__Seeding__Users__0__Username: 'alice',
            OpenIddict__Seeding__Users__0__PasswordHash: passwordHash,
          },
        },
      ),
      start(
        t,
        { Authentication },
        {
          admin: adminOfApi,
          environment: { Authentication__OpenIddict__Listen: `127.0.0.1:${api}` },
        },
      ),
      start(
        t,
        { Bff },
        {
          admin: adminOfGateway,
          environment: {
            Server__Listen: `127.0.0.1:${gateway}`,
            Bff__Frontends__0__Routes__0__Path: '/api',
            Bff__Frontends__0__Routes__0__Upstreams__0: `http://127.0.0.1:${api}`,
            Bff__RefreshGracePeriod: '00:10:00',
          },
        },
      ),
    ])
    const output = (): string => programs.map((program) => program.output()).join('\n')

    const at = (path: string): URL => new URL(path, `http://localhost:${gateway}`)
    const browser = createUserAgent()
    const signIn = await browser.navigate(at('/bff/login'))
    const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
    await browser.submit(consent, {}, { button: 'allow' })
    const user = (await (await browser.call(at('/bff/user'))).json()) as { readonly logoutUrl: string }
    t.like(user, { authenticated: true, sub: 'alice' }, output())

    const answer = await browser.call(at('/api/orders'))
    t.is(answer.status, 200, output())
    // The call does not wait for a slow refresh while its token lives.
    await eventually(async () => {
      const metrics = await fetch(`http://127.0.0.1:${adminOfGateway}/metrics`)
      return /^sallyport_token_refreshes_total\{.*outcome="refreshed"\} 1$/m.test(await metrics.text())
    })
    t.like(await answer.json(), { seen: { scheme: 'DPoP', audience: 'my-api' } })

    const goodbye = await browser.navigate(new URL(user.logoutUrl, at('/')))
    t.true(goodbye.visited.some(({ pathname }) => pathname === '/connect/endsession'))
    t.deepEqual(await (await browser.call(at('/bff/user'))).json(), { authenticated: false })
    t.is((await browser.call(at('/api/orders'))).status, 401)
  },
})

interface SeedServer {
  Audience?: string
  readonly Seeding: { Scopes?: readonly { readonly Name: string; readonly Resources: readonly string[] }[] }
}

test(threeProcesses, '"Resources": ["my-api"] on a scope', startProgram, ({ Seeding }) => {
  Seeding.Scopes = [{ Name: 'roles', Resources: ['my-api'] }]
})
test(threeProcesses, '"Audience": "my-api" at the server', runProgram, (server) => {
  server.Audience = 'my-api'
})
