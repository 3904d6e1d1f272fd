import test from 'ava'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { aBrowser } from '../_browser.js'
import { aProtocolClient, claimsOf } from '../_client.js'
import { aClient, callbackUri, startServer } from '../_running.js'

const server = await startServer()
test.after.always(() => server.stop())

test('takes only client_id and request_uri from the URL, and never echoes its state', async (t) => {
  const client = aProtocolClient(server)
  const pushed = await client.push({ state: undefined, nonce: 'pushed', prompt: 'consent' })
  const browser = aBrowser()
  const beside = '&state=outside&nonce=outside&scope=orders&scope=x&redirect_uri=https://evil.example/&prompt=none'
  const signIn = await browser.get(client.authorizationUrl(pushed) + beside)
  t.is(signIn.status, 200)
  const consent = await browser.follow(
    await browser.submit(signIn, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  const done = new URL((await browser.submit(consent, 'allow')).location ?? '')
  t.is(done.origin + done.pathname, callbackUri)
  t.false(done.searchParams.has('state'))
  const { body } = await client.redeem(done.searchParams.get('code') ?? '')
  t.is(claimsOf(String(body.id_token)).nonce, 'pushed')
})

test('a request object beside request_uri is refused, and uses nothing up (RFC 9101 §5)', async (t) => {
  const client = aProtocolClient(server)
  const url = client.authorizationUrl(await client.push())
  for (const [beside, reason] of [
    ['&request=eyJhbGciOiJub25lIn0.e30.', /invalid_request.*request and request_uri are both there/s],
    ['&request=a&request=b', /invalid_request.*a parameter is repeated/s],
  ] as const) {
    const [place = '', query] = (url + beside).split('?')
    const page = await aBrowser().get(url + beside)
    const posted = await fetch(place, { method: 'POST', body: new URLSearchParams(query), redirect: 'manual' })
    t.deepEqual([page.status, posted.status], [400, 400], beside)
    for (const text of [page.text, await posted.text()]) t.regex(text, reason)
  }
  t.is((await aBrowser().get(`${url}&request=`)).status, 200, 'without a value it is as if it were not there')
  const told = await aBrowser().get(`${url}&request=a&redirect_uri=${encodeURIComponent(callbackUri)}&state=outside`)
  const { searchParams } = new URL(told.location ?? '')
  t.is(searchParams.get('error'), 'invalid_request')
  t.false(searchParams.has('state'))
  t.is((await aBrowser().get(url)).status, 200)
})

test('answers the forms with 303, no CORS, no framing, and no caching', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser({ origin: 'https://evil.example' })
  const page = await browser.get(client.authorizationUrl(await client.push()))
  t.is(page.headers.get('access-control-allow-origin'), null)
  t.regex(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
  t.is(page.headers.get('cache-control'), 'no-store')
  t.is(page.headers.get('referrer-policy'), 'no-referrer')
  const after = await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' })
  t.is(after.status, 303)
  for (const cookie of after.headers.getSetCookie())
    t.regex(cookie, /^sallyport-as-\w+-\w{8}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
})

const showsError = test.macro({
  title: (title = '') => `shows an error page for ${title}`,
  async exec(t, query: string) {
    const page = await aBrowser().get(`${server.url}/connect/authorize${query}`)
    t.is(page.status, 400)
    t.regex(page.text, /invalid_request/)
    t.is(page.location, undefined)
  },
})
test(
  'a request that was not pushed, back to a stranger',
  showsError,
  '?client_id=client-1&redirect_uri=https://evil.example/',
)
test('nothing', showsError, '')
test('an unknown request_uri', showsError, '?client_id=client-1&request_uri=urn:ietf:params:oauth:request_uri:x')
test('an unknown client', showsError, '?client_id=nobody&request_uri=urn:ietf:params:oauth:request_uri:x')
test('two request_uris', showsError, '?client_id=client-1&request_uri=a&request_uri=b')

test('a request_uri is of its client only', async (t) => {
  const client = aProtocolClient(server)
  const url = client.authorizationUrl(await client.push())
  const page = await aBrowser().get(url.replace('client-1', 'client-2'))
  t.is(page.status, 400)
  t.regex(page.text, /invalid_request_uri/)
  t.is((await aBrowser().get(url)).status, 200)
})

test('a page can be loaded again until the request is complete, and not after it', async (t) => {
  const client = aProtocolClient(server)
  const url = client.authorizationUrl(await client.push({ prompt: 'consent' }))
  const browser = aBrowser()
  await aBrowser().get(url)
  await browser.get(url)
  const signIn = await browser.get(url)
  const consent = await browser.follow(
    await browser.submit(signIn, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  await browser.get(url)
  t.regex((await browser.submit(consent, 'allow')).location ?? '', /[?&]code=/)
  const again = await browser.get(url)
  t.is(again.status, 400)
  t.regex(again.text, /invalid_request_uri/)
})

test('a request_uri must be opened in time, and then there is time to sign in', async (t) => {
  let now = 1_800_000_000
  const timed = await startServer({ now: () => now })
  t.teardown(() => timed.stop())
  const client = aProtocolClient(timed)
  const [opened, unopened] = [await client.push(), await client.push()]
  const browser = aBrowser()
  const signIn = await browser.get(client.authorizationUrl(opened))
  now += 61
  t.is((await browser.get(client.authorizationUrl(unopened))).status, 400)
  t.is((await aBrowser().get(client.authorizationUrl(opened))).status, 400, 'another browser comes too late')
  const consent = await browser.follow(
    await browser.submit(signIn, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  now += 800
  t.regex((await browser.submit(consent, 'allow')).location ?? '', /[?&]code=/)
})

test('cancel at sign-in and at consent is access_denied, with state and iss', async (t) => {
  for (const at of ['sign-in', 'consent']) {
    const client = aProtocolClient(server)
    const browser = aBrowser()
    let page = await browser.get(client.authorizationUrl(await client.push({ prompt: 'consent' })))
    if (at === 'consent')
      page = await browser.follow(await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' }))
    const answer = await browser.submit(page, 'cancel')
    t.is(answer.status, 303)
    const { searchParams } = new URL(answer.location ?? '')
    t.is(searchParams.get('error'), 'access_denied')
    t.is(searchParams.get('state'), 'the state')
    t.is(searchParams.get('iss'), server.url)
    t.false(searchParams.has('code'))
  }
})

test('a redirect URI keeps its own query', async (t) => {
  const redirectUri = `${callbackUri}?dummy1=lorem&dummy2=ipsum`
  const own = await startServer({ client: aClient('queried', { redirectUris: [redirectUri] }) })
  t.teardown(() => own.stop())
  const callback = await aProtocolClient(own).authorize({ redirect_uri: redirectUri })
  t.true(callback.href.startsWith(`${redirectUri}&code=`))
})

test('one sign-in is enough for several requests, and consent is remembered', async (t) => {
  const [client, other] = [aProtocolClient(server), aProtocolClient(server, server.other)]
  const browser = aBrowser()
  await client.authorize({}, { browser })
  const second = await browser.get(client.authorizationUrl(await client.push()))
  t.regex(second.location ?? '', /[?&]code=/)
  const elsewhere = await browser.get(other.authorizationUrl(await other.push()))
  t.regex(elsewhere.text, /Allow The client-2\?/)
  const more = await browser.get(client.authorizationUrl(await client.push({ scope: 'openid orders' })))
  t.regex(more.text, /orders/)
})

const silent = test.macro({
  title: (_, error) => `prompt=none without a page: ${error}`,
  async exec(t, error: string, prepare: 'nothing' | 'sign-in' | 'consent') {
    const client = aProtocolClient(server, aClientOf(error))
    const browser = aBrowser()
    if (prepare !== 'nothing') {
      const page = await browser.get(client.authorizationUrl(await client.push()))
      const consent = await browser.follow(
        await browser.submit(page, 'sign-in', { username: 'bob', password: 'builder' }),
      )
      if (prepare === 'consent') await browser.submit(consent, 'allow')
    }
    const { location } = await browser.get(client.authorizationUrl(await client.push({ prompt: 'none' })))
    const { searchParams } = new URL(location ?? '')
    t.is(searchParams.get('error') ?? 'a code', error)
    t.is(searchParams.get('state'), 'the state')
    t.is(searchParams.get('iss'), server.url)
  },
})
const aClientOf = (error: string) => (error === 'consent_required' ? server.other : server.client)
test(silent, 'login_required', 'nothing')
test(silent, 'consent_required', 'sign-in')
test(silent, 'a code', 'consent')

test('prompt=login, prompt=select_account and max_age=0 ask again, once', async (t) => {
  for (const asked of [{ prompt: 'login' }, { prompt: 'select_account' }, { max_age: '0' }] as const) {
    let now = 1_800_000_000
    const own = await startServer({ now: () => now })
    const client = aProtocolClient(own)
    const browser = aBrowser()
    await client.authorize({}, { browser })
    now += 5
    const page = await browser.get(client.authorizationUrl(await client.push(asked)))
    t.regex(page.text, /id="sign-in"/)
    const after = await browser.follow(
      await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' }),
    )
    const code = new URL(after.location ?? '').searchParams.get('code') ?? ''
    t.is(claimsOf(String((await client.redeem(code)).body.id_token)).auth_time, now)
    await own.stop()
  }
})

test('max_age lets a recent sign-in pass', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  await client.authorize({}, { browser })
  t.regex((await browser.get(client.authorizationUrl(await client.push({ max_age: '300' })))).location ?? '', /code=/)
})

test('prompt=consent asks again although it is remembered', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  await client.authorize({}, { browser })
  const page = await browser.get(client.authorizationUrl(await client.push({ prompt: 'consent' })))
  t.regex(page.text, /id="allow"/)
  t.regex((await browser.submit(page, 'allow')).location ?? '', /code=/)
})

test('login_hint fills in the username', async (t) => {
  const client = aProtocolClient(server)
  const page = await aBrowser().get(client.authorizationUrl(await client.push({ login_hint: 'al"ice<' })))
  t.regex(page.text, /name="username"[^>]* value="al&quot;ice&lt;"/)
})

test('id_token_hint of another user: ask, then refuse if the other one signs in', async (t) => {
  const client = aProtocolClient(server)
  const { id_token } = await client.tokens()
  const browser = aBrowser()
  await client.authorize({}, { browser, username: 'bob', password: 'builder' })
  const silently = await browser.get(
    client.authorizationUrl(await client.push({ prompt: 'none', id_token_hint: id_token })),
  )
  t.regex(silently.location ?? '', /error=login_required/)
  const page = await browser.get(client.authorizationUrl(await client.push({ id_token_hint: id_token })))
  const asBob = await browser.follow(await browser.submit(page, 'sign-in', { username: 'bob', password: 'builder' }))
  t.regex(asBob.location ?? '', /error=login_required/)
  const next = await browser.get(client.authorizationUrl(await client.push({ id_token_hint: id_token })))
  const asAlice = await browser.follow(
    await browser.submit(next, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  t.regex(asAlice.location ?? '', /code=/)
})

test('"not you?" asks for another user, whose consent is another', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const first = await browser.get(client.authorizationUrl(await client.push()))
  const consent = await browser.follow(
    await browser.submit(first, 'sign-in', { username: 'alice', password: 'wonderland' }),
  )
  if (consent.location === undefined) t.regex(consent.text, /alice/)
  const again = await browser.get(client.authorizationUrl(await client.push({ prompt: 'consent' })))
  const switched = await browser.follow(await browser.submit(again, 'switch-user'))
  t.regex(switched.text, /id="sign-in"/)
  const asBob = await browser.follow(
    await browser.submit(switched, 'sign-in', { username: 'bob', password: 'builder' }),
  )
  t.regex(asBob.text, /Signed in as <strong>bob/)
})

test('a wrong password and an unknown user look the same', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push()))
  const answers = [
    await browser.submit(page, 'sign-in', { username: 'alice', password: 'wrong' }),
    await browser.submit(page, 'sign-in', { username: 'nobody', password: 'wrong' }),
    await browser.submit(page, 'sign-in', { username: 'alice', password: '' }),
  ]
  for (const { status, text } of answers) {
    t.is(status, 200)
    t.regex(text, /role="alert"/)
    t.regex(text, /is not right/)
  }
})

test('a form from another browser, without its token or for another user does nothing', async (t) => {
  const client = aProtocolClient(server)
  const [victim, attacker] = [aBrowser(), aBrowser()]
  const url = client.authorizationUrl(await client.push({ prompt: 'consent' }))
  const [theirs, ours] = [await attacker.get(url), await victim.get(url)]
  const values = { username: 'alice', password: 'wonderland' }
  for (const answer of [
    await victim.submit(theirs, 'sign-in', values),
    await victim.submit(ours, 'sign-in', { ...values, form_token: '' }),
    await victim.submit(ours, 'cancel', { form_token: 'x' }),
  ]) {
    t.is(answer.status, 303)
    t.is(answer.location, url)
  }
  t.is([...victim.cookies.keys()].filter((name) => name.includes('session')).length, 0)

  const consent = await victim.follow(await victim.submit(ours, 'sign-in', values))
  const elsewhere = await victim.get(client.authorizationUrl(await client.push({ prompt: 'login' })))
  await victim.submit(elsewhere, 'sign-in', { username: 'bob', password: 'builder' })
  const stale = await victim.submit(consent, 'allow')
  t.is(stale.location, url, 'shown again for the user who is signed in now')
})

test('a form whose cookie does not come says so, and why, also after a minute', async (t) => {
  let now = Date.now() / 1000
  const own = await startServer({ now: () => now })
  t.teardown(() => own.stop())
  const client = aProtocolClient(own)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push()))
  browser.cookies.clear()
  now += 120
  const refused = await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' })
  t.is(refused.status, 400)
  t.regex(refused.text, /did not keep the cookie.*Allow cookies for this site/)
  t.notRegex(refused.text, /<form/)
})

test('a form that another site posts is shown again by GET, when our cookies come along', async (t) => {
  const client = aProtocolClient(server)
  const url = client.authorizationUrl(await client.push())
  for (const headers of [
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' },
    { origin: 'https://evil.example' },
  ]) {
    const browser = aBrowser(headers)
    const page = await aBrowser().get(url)
    t.is((await browser.submit(page, 'sign-in', { username: 'alice', password: 'wonderland' })).location, url)
  }
})

test('a posted authorization request is taken up by GET (OpenID Connect Core §3.1.2.1)', async (t) => {
  const client = aProtocolClient(server)
  const url = client.authorizationUrl(await client.push())
  const response = await fetch(`${server.url}/connect/authorize`, {
    method: 'POST',
    body: new URL(url).searchParams,
    redirect: 'manual',
  })
  t.is(response.status, 303)
  t.is(response.headers.get('location'), url)
})

test('speaks the language that ui_locales asks for, else the one that the browser prefers', async (t) => {
  const client = aProtocolClient(server)
  const german = aBrowser({ 'accept-language': 'it, de-AT;q=0.8, en;q=0.5' })
  t.regex((await german.get(client.authorizationUrl(await client.push()))).text, /<html lang="de">.*Anmelden/s)
  const french = await german.get(client.authorizationUrl(await client.push({ ui_locales: 'fr-CA en' })))
  t.regex(french.text, /<html lang="fr">.*Se connecter/s)
})

test('a user who signs in as somebody else ends the session of the first', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const alice = await client.tokens({}, { browser })
  const page = await browser.get(client.authorizationUrl(await client.push({ prompt: 'login' })))
  await browser.submit(page, 'sign-in', { username: 'bob', password: 'builder' })
  const sid = String(claimsOf(alice.id_token ?? '').sid)
  const end = await browser.get(`${server.url}/connect/endsession?client_id=client-1&logout_hint=${sid}`)
  t.regex(end.text, /Sign out\?/, 'the session that alice had is not the one that is there')
})

test('a look with HEAD does not end the request, even where nothing is to be asked', async (t) => {
  const client = aProtocolClient(server)
  const browser = aBrowser()
  await client.authorize({}, { browser })
  const url = client.authorizationUrl(await client.push())
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const look = await fetch(url, { method: 'HEAD', headers: { cookie }, redirect: 'manual' })
  t.is(look.status, 200)
  t.regex((await browser.get(url)).location ?? '', /[?&]code=/)
})

test('signing in again leaves nothing of the old cookie, and a session ends with its time, whatever the store does', async (t) => {
  let now = 1_800_000_000
  // A store with another clock than the server: it keeps records longer than they count.
  const own = await startServer({ now: () => now, store: createMemoryStore() })
  t.teardown(() => own.stop())
  const client = aProtocolClient(own)
  const browser = aBrowser()
  await client.authorize({}, { browser })
  const thief = aBrowser()
  for (const [name, value] of browser.cookies) thief.cookies.set(name, value)
  const visit = async (by: typeof browser) => by.get(client.authorizationUrl(await client.push()))
  t.truthy((await visit(thief)).location)
  await client.authorize({ prompt: 'login' }, { browser })
  t.regex((await visit(thief)).text, /id="sign-in"/)
  now += 28_799
  t.truthy((await visit(browser)).location)
  now += 1
  t.regex((await visit(browser)).text, /id="sign-in"/)
})
