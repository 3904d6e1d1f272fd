import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { call } from '../gateway/_client.js'
import { codeOf, navigation } from '../gateway/_planted.js'
import { aWorld, whoAmI } from '../gateway/_world.js'

const callback = ({ pathname }: URL) => pathname === '/bff/callback'

test('an attacker’s callback link logs nobody in: it is bound to the browser that began (RFC 9700 §4.7)', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const attacker = world.aBrowser()
  const page = await attacker.navigate(`${url}/bff/login`)
  const link = (await attacker.submit(page, { login: 'attacker', password: 'x' }, { stopAt: callback })).url
  const exchanges = () => provider.posted.filter(({ body }) => body.get('grant_type') === 'authorization_code').length

  // A victim without any cookie, one in the middle of a login of its own, and one that is logged in.
  const fresh = world.aBrowser()
  const busy = world.aBrowser()
  await busy.navigate(`${url}/bff/login`, { stopAt: ({ pathname }) => pathname === '/auth' })
  const member = await world.loggedIn('victim')
  const before = exchanges()
  for (const victim of [fresh, busy]) {
    const landing = await victim.navigate(link)
    t.is(landing.status, 400)
    t.regex(landing.body, /bff\.login\.transaction_absent/)
    t.deepEqual(await whoAmI(victim, url), { authenticated: false })
  }
  await member.navigate(link)
  t.like(await whoAmI(member, url), { sub: 'victim' })
  t.is(exchanges(), before, 'the code never went to the token endpoint')

  // The victim's attempts have burnt nothing: the attacker's own browser can still go on.
  await attacker.navigate(link)
  t.like(await whoAmI(attacker, url), { sub: 'attacker' })
})

test('a link on another site does not begin a login without a question (FAPI 2.0 §5.3.3.1-12)', async (t) => {
  const { url, provider } = await aWorld(t)
  const path = '/bff/login?returnUrl=%2Forders%3Fa%3D%22%3E%3Cscript%3E'
  const asked = await call(new URL(url), path, { headers: { ...navigation, 'Sec-Fetch-Site': 'cross-site' } })
  t.is(asked.status, 403)
  t.is(codeOf(asked), 'bff.login.confirm')
  t.true(asked.text.includes(`href="${path}"`), 'the button goes on as the link meant it')
  t.is(provider.posted.length, 0, 'nothing was pushed')
  t.is(asked.headers['set-cookie'], undefined)
  const confirmed = await call(new URL(url), path, { headers: { ...navigation, 'Sec-Fetch-Site': 'same-origin' } })
  t.is(confirmed.status, 303)
})

test('a callback works once, also when it comes a hundred times at the same moment', async (t) => {
  const store = createMemoryStore()
  let arrived = 0
  let open = (): void => {}
  const allAreHere = new Promise<void>((resolve) => {
    open = resolve
  })
  const gated = {
    ...store,
    async addIfAbsent(...parameters: Parameters<typeof store.addIfAbsent>) {
      // All hundred have opened the transaction before one may use it: only the atomic step can tell them apart.
      arrived += 1
      if (arrived === 100) open()
      await allAreHere
      return store.addIfAbsent(...parameters)
    },
  }
  const { url, provider, ...world } = await aWorld(t, { gateway: { store: gated } })
  const browser = world.aBrowser()
  const page = await browser.navigate(`${url}/bff/login?returnUrl=/mine`)
  const { url: link } = await browser.submit(page, { login: 'alice', password: 'x' }, { stopAt: callback })
  const Cookie = [...browser.cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ')
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => call(new URL(url), link.pathname + link.search, { headers: { Cookie } })),
  )
  const sessions = answers.filter(({ headers }) =>
    headers['set-cookie']?.some((one) => /^sallyport-bff-app=[^;]/.test(one)),
  )
  t.is(sessions.length, 1)
  const codes = provider.posted.filter(({ path }) => path === '/token').map(({ body }) => body.get('code'))
  t.true(codes.length <= 2, 'one exchange, and perhaps its retry for a nonce')
})
