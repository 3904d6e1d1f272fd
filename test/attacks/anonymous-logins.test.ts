import test from 'ava'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { altered } from '../_altered.js'
import { call } from '../gateway/_client.js'
import { aClock } from '../gateway/_clock.js'
import { navigation } from '../gateway/_planted.js'
import { aWorld } from '../gateway/_world.js'

test('a hundred logins that are begun and left leave nothing at the server', async (t) => {
  const written: string[] = []
  const { url, provider } = await aWorld(t, { gateway: { store: aWatchedStore(written) } })
  for (let i = 0; i < 100; i++) t.is((await call(new URL(url), '/bff/login', { headers: navigation })).status, 303)
  t.true(provider.requests.length >= 100)
  t.deepEqual(written, [])
})

test('a callback burns its state and no more, and only for the browser that began', async (t) => {
  const written: string[] = []
  const { url, ...world } = await aWorld(t, { gateway: { store: aWatchedStore(written) } })
  const [browser, stranger] = [world.aBrowser(), world.aBrowser()]
  const page = await browser.navigate(`${url}/bff/login?returnUrl=/mine`)
  const stopAt = ({ pathname }: URL) => pathname === '/bff/callback'
  const { url: link } = await browser.submit(page, { login: 'alice', password: 'x' }, { stopAt })
  await stranger.navigate(link)
  t.deepEqual(written, [])
  t.is((await browser.navigate(link)).url.pathname, '/mine')
  t.is(written.filter((key) => key.startsWith('login')).length, 1)
  t.false(written.join().includes(link.searchParams.get('state') ?? '-'))
})

test('a cookie of an attempt opens with its own state only, unchanged, and for ten minutes', async (t) => {
  const time = aClock()
  const { url, ...world } = await aWorld(t, { gateway: { now: time.now } })
  const agent = world.aBrowser()
  const page = await agent.navigate(`${url}/bff/login`)
  const stopAt = ({ pathname }: URL) => pathname === '/bff/callback'
  const { url: link } = await agent.submit(page, { login: 'alice', password: 'x' }, { stopAt })
  const [[name = '', value = ''] = []] = [...agent.cookies(url)].filter(([key]) => key.startsWith('sallyport-bff-app.'))
  const [begun = '', returnUrl = '', ...sealed] = value.split('.')
  const at = (seconds: number) => (Number.parseInt(begun, 36) + seconds).toString(36)
  const withCookie = (cookie: string, search = link.search) =>
    call(new URL(url), link.pathname + search, { headers: { ...navigation, Cookie: cookie } })

  const otherPage = Buffer.from('/other').toString('base64url')
  const tampered = [
    [at(1), returnUrl, ...sealed],
    [at(-1), returnUrl, ...sealed],
    [begun, otherPage, ...sealed],
    [begun, returnUrl, ...sealed.slice(0, -1), altered(sealed.at(-1) ?? '')],
    [begun, returnUrl, ...sealed, 'x'],
    [begun, returnUrl, 'x'],
    ['zzzzzzzzz', returnUrl, ...sealed],
    ['', '', ''],
  ]
  for (const parts of tampered) {
    const answer = await withCookie(`${name}=${parts.join('.')}`)
    t.is(answer.status, 400, parts.join('.'))
    t.regex(answer.text, /bff\.login\.transaction_absent/)
  }
  t.regex(
    (await withCookie(`${name}=${value}`, link.search.replace(/state=[^&]*/, 'state=x'))).text,
    /transaction_absent/,
  )
  time.advance(601)
  t.regex((await withCookie(`${name}=${value}`)).text, /transaction_absent/)
  time.advance(-601)
  t.is((await withCookie(`${name}=${value}`)).headers.location, '/')
})

test('a return URL that a cookie names without a seal is still one of ours only', async (t) => {
  const { url, ...world } = await aWorld(t)
  const agent = world.aBrowser()
  const page = await agent.navigate(`${url}/bff/login`)
  const stopAt = ({ pathname }: URL) => pathname === '/bff/callback'
  const { url: link } = await agent.submit(page, { login: 'alice', password: 'x' }, { stopAt })
  const [[name = '', value = ''] = []] = [...agent.cookies(url)].filter(([key]) => key.startsWith('sallyport-bff-app.'))
  for (const [elsewhere, expected] of [
    ['https://evil.example/', '/'],
    ['//evil.example', '/'],
    ['/orders?a=1', '/orders?a=1'],
  ] as const) {
    const cookie = `${name}=${value.split('.')[0]}.${Buffer.from(elsewhere).toString('base64url')}`
    const answer = await call(new URL(url), link.pathname + link.search, { headers: { ...navigation, Cookie: cookie } })
    t.is(answer.headers.location, `/bff/login?${new URLSearchParams({ returnUrl: expected })}`)
  }
})

test('a thousand cookies that look like attempts change thirty at most', async (t) => {
  const { url } = await aWorld(t)
  const Cookie = Array.from({ length: 250 }, (_, i) => `sallyport-bff-app.${String(i).padStart(8, '0')}=1.YQ`).join(
    '; ',
  )
  const answer = await call(new URL(url), '/bff/login', { headers: { ...navigation, Cookie } })
  t.is(answer.status, 303)
  t.true((answer.headers['set-cookie']?.length ?? 99) <= 31)
})

/** A store that notes the keys that are written. */
function aWatchedStore(written: string[]) {
  const store = createMemoryStore()
  return {
    ...store,
    async set(...parameters: Parameters<typeof store.set>) {
      written.push(parameters[0])
      return store.set(...parameters)
    },
    async addIfAbsent(...parameters: Parameters<typeof store.addIfAbsent>) {
      written.push(parameters[0])
      return store.addIfAbsent(...parameters)
    },
    async replace(...parameters: Parameters<typeof store.replace>) {
      written.push(parameters[0])
      return store.replace(...parameters)
    },
  }
}
