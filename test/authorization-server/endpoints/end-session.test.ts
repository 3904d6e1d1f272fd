import test from 'ava'
import { aBrowser, type Browser } from '../_browser.js'
import { aProtocolClient, claimsOf } from '../_client.js'
import { aClient, loggedOutUri, startServer } from '../_running.js'

const server = await startServer()
test.after.always(() => server.stop())

const url = (parameters: Record<string, string>): string =>
  `${server.url}/connect/endsession?${new URLSearchParams(parameters)}`
const isSignedIn = (browser: Browser): boolean => [...browser.cookies.keys()].some((name) => name.includes('session'))

async function signedIn() {
  const browser = aBrowser()
  const { id_token = '' } = await aProtocolClient(server).tokens({}, { browser })
  return { browser, idToken: id_token, sid: String(claimsOf(id_token).sid) }
}

test('a client that names the session ends it without a question, by sid or by ID token', async (t) => {
  for (const by of ['sid', 'id_token']) {
    const { browser, sid, idToken } = await signedIn()
    const named = by === 'sid' ? { client_id: 'client-1', logout_hint: sid } : { id_token_hint: idToken }
    const answer = await browser.get(url({ ...named, post_logout_redirect_uri: loggedOutUri, state: 's&1' }))
    t.is(answer.status, 303)
    t.is(answer.location, `${loggedOutUri}?state=s%261`)
    t.false(isSignedIn(browser))
  }
})

test('the session is over, not only its cookie', async (t) => {
  const { browser, sid } = await signedIn()
  const copy = aBrowser()
  for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
  await browser.get(url({ client_id: 'client-1', logout_hint: sid }))
  const client = aProtocolClient(server)
  t.regex((await copy.get(client.authorizationUrl(await client.push()))).text, /id="sign-in"/)
})

test('anybody else is not believed: the user is asked', async (t) => {
  const { browser, sid } = await signedIn()
  for (const parameters of [
    {},
    { client_id: 'client-1' },
    { client_id: 'client-1', logout_hint: 'guess' },
    { logout_hint: sid },
    { client_id: 'client-2', logout_hint: sid },
  ] as Record<string, string>[]) {
    const page = await browser.get(url(parameters))
    t.is(page.status, 200)
    t.regex(page.text, /Sign out\?/)
    t.true(isSignedIn(browser))
  }
})

test('the user can agree or stay', async (t) => {
  const { browser } = await signedIn()
  const page = await browser.get(url({ client_id: 'client-1', post_logout_redirect_uri: loggedOutUri, state: 'x' }))
  t.regex((await browser.submit(page, 'stay')).text, /still signed in/)
  t.true(isSignedIn(browser))
  const out = await browser.submit(page, 'sign-out')
  t.is(out.location, `${loggedOutUri}?state=x`)
  t.false(isSignedIn(browser))
})

test('a forged confirmation asks again', async (t) => {
  const { browser } = await signedIn()
  const page = await browser.get(url({}))
  t.regex((await browser.submit(page, 'sign-out', { form_token: 'x' })).text, /Sign out\?/)
  t.true(isSignedIn(browser))
})

test('without a session there is nothing to ask', async (t) => {
  t.regex((await aBrowser().get(url({}))).text, /You are signed out/)
  const gone = await aBrowser().get(url({ client_id: 'client-1', post_logout_redirect_uri: loggedOutUri }))
  t.is(gone.location, loggedOutUri)
})

test('a posted request is taken up by GET', async (t) => {
  const response = await fetch(`${server.url}/connect/endsession`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'client-1', unknown: 'x' }),
    redirect: 'manual',
  })
  t.is(response.status, 303)
  t.is(response.headers.get('location'), url({ client_id: 'client-1' }))
})

const refuses = test.macro({
  title: (title = '') => `shows an error page for ${title}`,
  async exec(t, parameters: Record<string, string>) {
    const { browser } = await signedIn()
    const page = await browser.get(url(parameters))
    t.is(page.status, 400)
    t.regex(page.text, /invalid_request/)
    t.is(page.location, undefined)
    t.true(isSignedIn(browser))
  },
})
test('an unregistered address', refuses, { client_id: 'client-1', post_logout_redirect_uri: 'https://evil.example/' })
test('an address with a suffix', refuses, { client_id: 'client-1', post_logout_redirect_uri: `${loggedOutUri}.evil` })
test('an address without a client', refuses, { post_logout_redirect_uri: loggedOutUri })
test('an unknown client', refuses, { client_id: 'nobody' })
test('a forged ID token', refuses, { id_token_hint: 'eyJ.eyJ.x' })

test('an access token is no hint, even one that is for the client itself', async (t) => {
  const own = await startServer({ audience: 'client-1' })
  t.teardown(() => own.stop())
  const browser = aBrowser()
  const { access_token } = await aProtocolClient(own).tokens({}, { browser })
  t.is(claimsOf(access_token).aud, 'client-1')
  const page = await browser.get(
    `${own.url}/connect/endsession?${new URLSearchParams({ id_token_hint: access_token })}`,
  )
  t.is(page.status, 400)
})

test('the ID token of another client is no hint', async (t) => {
  const browser = aBrowser()
  const tokens = await aProtocolClient(server).tokens({}, { browser })
  t.is((await browser.get(url({ id_token_hint: tokens.id_token ?? '', client_id: 'client-2' }))).status, 400)
})

test('a client without ept:logout cannot ask for it', async (t) => {
  const own = await startServer({ client: aClient('plain', { permissions: ['ept:token', 'gt:client_credentials'] }) })
  t.teardown(() => own.stop())
  const page = await aBrowser().get(`${own.url}/connect/endsession?client_id=plain`)
  t.is(page.status, 400)
  t.regex(page.text, /unauthorized_client/)
})
