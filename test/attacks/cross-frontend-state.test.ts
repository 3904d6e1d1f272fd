import test from 'ava'
import { createUserAgent } from '../flows/_user-agent.js'
import { call } from '../gateway/_client.js'
import { aFrontend, gatewayOptions, serveGateway } from '../gateway/_gateway.js'
import { aPlantedGateway, ownPage } from '../gateway/_planted.js'
import { aWorld } from '../gateway/_world.js'

test('a login that one frontend began cannot be completed at another, whatever the cookie is called', async (t) => {
  const world = await aWorld(t)
  const { url, provider, frontend } = world
  // The same client and server behind two prefixes: only the frontend's name differs in what is sealed.
  const frontends = [frontend, aFrontend({ ...frontend, name: 'other', pathPrefix: '/other' })]
  await serveGateway(world.on, gatewayOptions(frontends, { store: world.store, seal: world.options.seal }))
  const browser = createUserAgent()
  const page = await browser.navigate(`${url}/bff/login`)
  const { url: callback } = await browser.submit(
    page,
    { login: 'alice', password: 'x' },
    { stopAt: ({ pathname }) => pathname === '/bff/callback' },
  )
  const own = [...browser.cookies(url)].filter(([name]) => name.startsWith('sallyport-bff-app.'))
  const Cookie = own
    .flatMap(([name, value]) => [`${name}=${value}`, `${name.replace('-app.', '-other.')}=${value}`])
    .join('; ')
  const answer = await call(new URL(url), `/other${callback.pathname}${callback.search}`, { headers: { Cookie } })
  t.is(answer.status, 400)
  t.regex(answer.text, /bff\.login\.transaction_absent/)
  t.is(provider.posted.filter(({ path }) => path === '/token').length, 0)
  const rightPlace = await call(new URL(url), callback.pathname + callback.search, { headers: { Cookie } })
  t.is(rightPlace.status, 303)
})

test('one frontend’s session is nothing at another, whatever the cookie is called', async (t) => {
  const world = await aPlantedGateway(t, { frontends: [{ name: 'app' }, { name: 'admin', pathPrefix: '/admin' }] })
  const { id } = await world.plant('app')
  for (const name of ['app', 'admin']) {
    const answer = await world.call('/admin/api/x', {
      headers: { ...ownPage, Cookie: `sallyport-bff-${name}=${id}` },
    })
    t.is(answer.status, 401)
  }
  t.is(world.api.calls.length, 0)
})
