import test from 'ava'
import { call } from './_client.js'
import { aClock } from './_clock.js'
import { codeOf, navigation } from './_planted.js'
import { logIn } from './_provider.js'
import { aWorld } from './_world.js'

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
