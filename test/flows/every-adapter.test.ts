import test from 'ava'
import { createVerifier, type Verifier } from '../../src/dpop-validator/dpop-validator.js'
import { adapters } from '../dpop-validator/_apis.js'
import { runStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

test('the gateway calls an API behind the validator in every framework', async (t) => {
  // The issuer is known once the program runs; the APIs listen before it does.
  let verifier: Verifier | undefined
  const later: Verifier = {
    verify: (request, requirements) => (verifier ?? t.fail('too early') ?? later).verify(request, requirements),
    ready: async () => undefined,
    explain: () => [],
    metrics: () => '',
  }
  const apis = await Promise.all(
    Object.entries(adapters).map(async ([name, startApi], index) => ({
      name,
      path: `/api${index}`,
      api: await startApi(later),
    })),
  )
  let audience = ''
  const stack = await runStack({
    configure: (configuration) => {
      audience = configuration.Authentication.OpenIddict.Audience
      const [frontend] = configuration.Bff.Frontends
      frontend.Routes.push(...apis.map(({ path, api }) => ({ Path: path, Upstreams: [api.origin] })))
    },
  })
  t.teardown(() => Promise.all([stack.stop(), ...apis.map(({ api }) => api.close())]))
  verifier = createVerifier({
    issuer: stack.authorizationServer.origin,
    audience,
    publicUrl: apis.map(({ api }) => api.origin),
  })

  const browser = createUserAgent()
  const signIn = await browser.navigate(new URL('/bff/login?returnUrl=/', stack.gateway))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  for (const { name, path } of apis) {
    const answer = await browser.call(new URL(`${path}/orders?page=2`, stack.gateway))
    t.is(answer.status, 200, name)
    t.like(await answer.json(), { subject: 'alice', scheme: 'DPoP' }, name)
  }
})
