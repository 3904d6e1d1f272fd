import { readFile } from 'node:fs/promises'
import test from 'ava'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { eventually } from '../_eventually.js'
import { cheapHashOf, startProgram } from './_program.js'
import { freePorts } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

test("the original's own configuration boots all three products: login, API, refresh, logout", async (t) => {
  const [gateway = 0, server = 0, api = 0, admin = 0] = await freePorts(4)

  // Host names and key values, and nothing else.
  const key = generateSigningJwk('ES256')
  const seed = JSON.parse(
    (await readFile('test/config/_seed.json', 'utf8'))
      .replaceAll('https://auth.example.com', `http://localhost:${server}`)
      .replaceAll('https://app.example.com', `http://localhost:${gateway}`),
  )
  seed.OpenIddict.Seeding.Applications[0].SigningKeyJwk = JSON.stringify(publicHalf(key))
  seed.Bff.Frontends[0].ClientSigningKeyJwk = JSON.stringify(key)

  // Where things run, who may sign in, and a refresh that is always due come from the environment.
  const program = await startProgram(t, seed, {
    admin,
    environment: {
      Server__Listen: `127.0.0.1:${gateway}`,
      OpenIddict__Listen: `127.0.0.1:${server}`,
      OpenIddict__Seeding__Users__0__Username: 'alice',
      OpenIddict__Seeding__Users__0__PasswordHash: await cheapHashOf('wonderland'),
      OpenIddict__Seeding__Users__0__Claims__sub: 'a1',
      OpenIddict__Seeding__Users__0__Claims__name: 'Alice Adams',
      Authentication__OpenIddict__Listen: `127.0.0.1:${api}`,
      Bff__Frontends__0__Routes__0__Path: '/api',
      Bff__Frontends__0__Routes__0__Upstreams__0: `http://127.0.0.1:${api}`,
      Bff__RefreshGracePeriod: '00:10:00',
    },
  })

  const at = (path: string): URL => new URL(path, `http://localhost:${gateway}`)
  const browser = createUserAgent()
  const signIn = await browser.navigate(at('/bff/login'))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  const user = (await (await browser.call(at('/bff/user'))).json()) as { sub: string; logoutUrl: string }
  t.like(user, { authenticated: true, sub: 'a1', name: 'Alice Adams' }, program.output())

  const first = await browser.call(at('/api/orders'))
  t.is(first.status, 200, program.output())
  // The call does not wait for a slow refresh while its token lives.
  await eventually(async () => {
    const metrics = await fetch(`http://127.0.0.1:${admin}/metrics`)
    return /^sallyport_token_refreshes_total\{.*outcome="refreshed"\} 1$/m.test(await metrics.text())
  })
  const { seen } = (await first.json()) as { seen: { scheme: string; audience: string | string[] } }
  t.is(seen.scheme, 'DPoP')
  t.true([seen.audience].flat().includes('my-api'))

  const goodbye = await browser.navigate(new URL(user.logoutUrl, at('/')))
  t.true(goodbye.visited.some(({ pathname }) => pathname === '/connect/endsession'))
  t.deepEqual(await (await browser.call(at('/bff/user'))).json(), { authenticated: false })
  t.is((await browser.call(at('/api/orders'))).status, 401)
})
