import test from 'ava'
import { logIn } from '../gateway/_provider.js'
import { aWorld, whoAmI } from '../gateway/_world.js'

test('a victim’s authorization URL completed in another browser logs nobody in (browser swap)', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const [attacker, victim] = [world.aBrowser(), world.aBrowser()]
  const start = await attacker.navigate(`${url}/bff/login`, { stopAt: ({ pathname }) => pathname === '/auth' })
  const page = await logIn(victim, start.url.href, 'victim')
  t.is(page.status, 400)
  t.regex(page.body, /bff\.login\.transaction_absent/)
  t.is(provider.posted.filter(({ path }) => path === '/token').length, 0)
  t.deepEqual(await whoAmI(victim, url), { authenticated: false })
  t.deepEqual(await whoAmI(attacker, url), { authenticated: false })
})
