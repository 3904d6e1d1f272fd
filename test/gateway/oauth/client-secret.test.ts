import test from 'ava'
import { aWorld, whoAmI } from '../_world.js'

/** With what `application/x-www-form-urlencoded` has to encode, and `Authorization: Basic` splits at. */
const secret = 'a+secret:50%&more/than=32~characters!'

for (const method of ['client_secret_basic', 'client_secret_post'] as const)
  test(`a client logs in and out at node-oidc-provider by ${method}, under Baseline`, async (t) => {
    const world = await aWorld(t, {
      provider: {
        configuration: { clientAuthMethods: [method], features: { fapi: { enabled: false } } },
        clientMetadata: {
          token_endpoint_auth_method: method,
          token_endpoint_auth_signing_alg: undefined,
          client_secret: secret,
        },
      },
      frontend: { profile: 'Baseline', clientAuthentication: { method, secret } },
    })
    const browser = await world.loggedIn()
    const { logoutUrl = '' } = await whoAmI(browser, world.url)
    await browser.navigate(new URL(logoutUrl, world.url).href)
    const sent = world.provider.posted.filter(({ path }) => ['/request', '/token', '/token/revocation'].includes(path))
    t.deepEqual([...new Set(sent.map(({ path }) => path))], ['/request', '/token', '/token/revocation'])
    for (const { headers, body, path } of sent) {
      const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1]
      t.is(basic !== undefined, method === 'client_secret_basic', path)
      t.is(body.has('client_secret'), method === 'client_secret_post', path)
    }
  })
