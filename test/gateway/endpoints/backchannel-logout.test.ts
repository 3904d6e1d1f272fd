import test from 'ava'
import { logIn } from '../_provider.js'
import { aWorld, whoAmI } from '../_world.js'

test('node-oidc-provider ends the sessions of one login, here and on every other replica (back-channel logout)', async (t) => {
  const world = await aWorld(t)
  const { url, provider } = world
  const [here, there] = [await world.loggedIn('alice'), await world.loggedIn('alice')]
  t.like(await whoAmI(here, url), { authenticated: true })

  // The provider's own logout page, as if the user had logged out at another application.
  const page = await here.navigate(`${provider.issuer}/session/end`)
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
  await here.fetch(`${provider.issuer}/session/end/confirm`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
  })
  t.deepEqual(await whoAmI(here, url), { authenticated: false }, provider.errors.join())
  t.is((await here.call(`${url}/api/x`)).status, 401)
  t.like(await whoAmI(there, url), { authenticated: true }, 'the token names one login, and only that ends')

  await logIn(here, `${url}/bff/login`)
  t.like(await whoAmI(here, url), { authenticated: true })
})
