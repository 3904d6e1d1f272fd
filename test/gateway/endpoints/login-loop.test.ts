import test from 'ava'
import { call } from '../_client.js'
import { aClock } from '../_clock.js'
import { codeOf, navigation } from '../_planted.js'
import { logIn } from '../_provider.js'
import { aWorld } from '../_world.js'

test('three logins within a minute are enough: the fourth stops and says why', async (t) => {
  const time = aClock()
  const { url, ...world } = await aWorld(t, { gateway: { now: time.now } })
  const browser = world.aBrowser()
  for (let i = 0; i < 3; i++) t.is((await logIn(browser, `${url}/bff/login`)).url.pathname, '/')
  const loop = browser.cookies(url).get('sallyport-bff-app~n')
  const again = (cookies: string, host?: string) =>
    call(new URL(url), '/bff/login', { headers: { ...navigation, Cookie: cookies, ...(host && { Host: host }) } })

  const unreturned = await again(`sallyport-bff-app~n=${loop}`)
  t.is(unreturned.status, 400)
  t.is(codeOf(unreturned), 'bff.login.loop')
  t.regex(unreturned.text, /does not send the session cookie back/)
  const all = [...browser.cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ')
  t.regex((await again(all)).text, /clock/)
  t.regex((await again(all, 'other.example')).text, /cookies do not cross hosts/)

  time.advance(61)
  t.is((await again(all)).status, 303)
})

test('logging out begins the count anew', async (t) => {
  const { url, ...world } = await aWorld(t)
  const browser = world.aBrowser()
  for (let i = 0; i < 5; i++) {
    t.is((await logIn(browser, `${url}/bff/login`)).url.pathname, '/')
    await browser.call(`${url}/bff/logout`, { method: 'POST' })
  }
})

test('logins whose session was used in between are no loop, by the user endpoint or by an API', async (t) => {
  const { url, ...world } = await aWorld(t)
  for (const use of ['/bff/user', '/api/orders']) {
    const browser = world.aBrowser()
    for (let i = 0; i < 5; i++) {
      t.is((await logIn(browser, `${url}/bff/login`)).url.pathname, '/', `login ${i}, ${use}`)
      t.is((await browser.call(url + use)).status, 200)
      t.false(browser.cookies(url).has('sallyport-bff-app~n'))
    }
  }
})

test('a session that is opened but whose first refresh fails is of no use: that is a loop', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  provider.accessTokenLifetime = 30 // less than the grace period: the first call refreshes
  const browser = world.aBrowser()
  for (let i = 0; i < 3; i++) {
    provider.tokenOutage = 'none'
    t.is((await logIn(browser, `${url}/bff/login`)).url.pathname, '/')
    await browser.call(`${url}/bff/user`)
    provider.tokenOutage = { status: 400, body: '{"error":"invalid_grant"}' }
    t.is((await browser.call(`${url}/api/orders`)).status, 401)
  }
  t.regex((await browser.navigate(`${url}/bff/login`)).body, /bff\.login\.loop/)
})
