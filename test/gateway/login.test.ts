import test from 'ava'
import { createUserAgent } from '../flows/_user-agent.js'
import { aFrontend, aRoute, clientPublicJwk, gatewayOptions, listen, serveGateway, startApi } from './_gateway.js'
import { logIn, startProvider } from './_provider.js'

test('a person logs in at node-oidc-provider, calls an API with DPoP and logs out', async (t) => {
  const provider = await startProvider()
  const api = await startApi()
  const on = await listen()
  provider.register([
    {
      clientId: 'my-bff',
      publicJwk: clientPublicJwk,
      redirectUri: `${on.url}/bff/callback`,
      postLogoutRedirectUri: `${on.url}/`,
    },
  ])
  const frontend = aFrontend({
    publicUrl: new URL(on.url),
    authority: provider.issuer,
    routes: [aRoute({ upstreams: [new URL(api.url)] })],
  })
  await serveGateway(on, gatewayOptions([frontend]))
  const agent = createUserAgent()

  t.deepEqual(await (await agent.call(`${on.url}/bff/user`)).json(), { authenticated: false })
  const landing = await logIn(agent, `${on.url}/bff/login?returnUrl=/welcome`)
  t.is(landing.url.href, `${on.url}/welcome`, landing.body + provider.errors)
  const user = (await (await agent.call(`${on.url}/bff/user`)).json()) as { readonly logoutUrl: string }
  t.like(user, { authenticated: true, sub: 'alice', name: 'Name of alice' })
  const answer = await agent.call(`${on.url}/api/orders`)
  t.is(answer.status, 200)
  t.regex(api.calls[0]?.headers.authorization ?? '', /^DPoP /)
  const end = await agent.navigate(on.url + user.logoutUrl)
  t.log(end.url.href, end.status)
  t.deepEqual(await (await agent.call(`${on.url}/bff/user`)).json(), { authenticated: false })
  await Promise.all([on.close(), api.close(), provider.close()])
})
