import test from 'ava'
import { aWorld, whoAmI } from '../gateway/_world.js'

test('an answer with another, a missing or an almost equal issuer stops before the token endpoint (RFC 9207 §2.4)', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const browser = world.aBrowser()
  const page = await browser.navigate(`${url}/bff/login`)
  const { url: genuine } = await browser.submit(
    page,
    { login: 'alice', password: 'x' },
    { stopAt: ({ pathname }) => pathname === '/bff/callback' },
  )
  const issuer = provider.issuer
  const wrong = [
    'https://evil.example',
    `${issuer}/`,
    issuer.toUpperCase(),
    ` ${issuer}`,
    `${issuer}#`,
    `${issuer}%00`,
    '',
  ]
  for (const iss of [...wrong, undefined]) {
    for (const error of [undefined, 'access_denied']) {
      const link = new URL(genuine)
      if (iss === undefined) link.searchParams.delete('iss')
      else link.searchParams.set('iss', iss)
      if (error !== undefined) {
        link.searchParams.delete('code')
        link.searchParams.set('error', error)
      }
      const landing = await browser.navigate(link)
      t.is(landing.status, 400, String(iss))
      t.regex(landing.body, /bff\.login\.issuer_mismatch/)
    }
  }
  t.is(provider.posted.filter(({ path }) => path === '/token').length, 0)
  t.deepEqual(await whoAmI(browser, url), { authenticated: false })
  // The attacks have burnt nothing.
  t.is((await browser.navigate(genuine)).url.pathname, '/')
  t.like(await whoAmI(browser, url), { authenticated: true })
})
