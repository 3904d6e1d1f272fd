import test from 'ava'
import { call } from '../gateway/_client.js'
import { aPlantedGateway, codeOf, navigation, ownPage } from '../gateway/_planted.js'
import { aWorld } from '../gateway/_world.js'

const fromElsewhere = ['cross-site', 'same-site'] as const
/** What is not a person: what a page embeds or fetches, and what the browser does ahead. */
const unmeant: readonly Readonly<Record<string, string>>[] = [
  { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image', 'Sec-Fetch-Site': 'same-site' },
  { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script', 'Sec-Fetch-Site': 'same-origin' },
  { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Site': 'same-origin' },
  { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Site': 'same-site' },
  { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'object', 'Sec-Fetch-Site': 'cross-site' },
  { 'Sec-Purpose': 'prefetch' },
  { 'Sec-Purpose': 'prefetch;prerender' },
  { 'Sec-Purpose': 'prefetch;anonymous-client-ip' },
  { Purpose: 'prefetch' },
  { 'X-Moz': 'prefetch' },
  { 'X-Purpose': 'preview' },
]
const withoutFetchMetadata = { Accept: 'text/html,application/xhtml+xml' }

test('a login, a callback and a logout by link are for a person: nothing else touches session, cookies or server', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie, id } = await world.plant()
  const session = await world.sessionsOf('app').open(id)
  for (const headers of unmeant)
    for (const path of ['/bff/login', '/bff/callback?code=c&state=s', `/bff/logout?sid=${session?.handle}`]) {
      const answer = await world.call(path, { headers: { ...navigation, Cookie: cookie, ...headers } })
      t.is(answer.status, 403, path + JSON.stringify(headers))
      t.is(codeOf(answer), 'bff.navigation.required')
      t.is(answer.headers['set-cookie'], undefined)
    }
  const picture = { Accept: 'image/avif,image/webp,image/*,*/*;q=0.8' }
  t.is(codeOf(await world.call('/bff/login', { headers: picture })), 'bff.navigation.required')
  t.truthy(await world.sessionsOf('app').open(id))
})

test('a link, a form, a refresh or a pop-up of another host asks the person before it logs anybody out', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie, id } = await world.plant()
  const session = await world.sessionsOf('app').open(id)
  const path = `/bff/logout?sid=${session?.handle}`
  // A Strict cookie stays away across sites, and comes along from a neighbour.
  for (const site of fromElsewhere)
    for (const Cookie of ['', cookie, 'sallyport-bff-app.AAAAAAAA=x; sallyport-bff-app~n=1'])
      for (const target of [path, '/bff/logout']) {
        const answer = await world.call(target, { headers: { ...navigation, 'Sec-Fetch-Site': site, Cookie } })
        t.is(answer.status, 403)
        t.is(codeOf(answer), 'bff.logout.confirm')
        t.is(answer.headers['set-cookie'], undefined)
        t.true(answer.text.includes(`href="${target}"`), 'the button goes on as the link meant it')
      }
  t.truthy(await world.sessionsOf('app').open(id))
  const pressed = await world.call(path, {
    headers: { ...navigation, 'Sec-Fetch-Site': 'same-origin', Cookie: cookie },
  })
  t.is(pressed.status, 303)
  t.is(await world.sessionsOf('app').open(id), undefined)
})

test('without a session a logout touches no cookie: not those of a login under way, and not one that did not come along', async (t) => {
  const world = await aPlantedGateway(t)
  const Cookie = 'sallyport-bff-app.AAAAAAAA=x; sallyport-bff-app~n=1'
  for (const headers of [{ ...navigation, Cookie }, { ...withoutFetchMetadata, Cookie }, { ...navigation }]) {
    const answer = await world.call('/bff/logout?sid=x', { headers })
    t.is(answer.status, 303)
    t.is(answer.headers.location, '/')
    t.is(answer.headers['set-cookie'], undefined)
  }
  const byCall = await world.call('/bff/logout', { method: 'POST', headers: { ...ownPage, Cookie } })
  t.is(byCall.status, 200)
  t.is(byCall.headers['set-cookie'], undefined)
})

test('a browser without Fetch Metadata is judged by its Referer, and by what it accepts', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie, id } = await world.plant()
  const session = await world.sessionsOf('app').open(id)
  const path = `/bff/logout?sid=${session?.handle}`
  const from = (Referer: string) => ({ ...withoutFetchMetadata, Cookie: cookie, Referer })
  for (const referer of ['https://evil.example/', `${world.on.url}.evil.example/`, 'about:blank'])
    t.is(codeOf(await world.call(path, { headers: from(referer) })), 'bff.logout.confirm', referer)
  t.truthy(await world.sessionsOf('app').open(id))
  t.is((await world.call(path, { headers: from(`${world.on.url}/orders`) })).status, 303)
})

test('a page of ours on another host needs no question, and any other host of the site does', async (t) => {
  const { url, provider } = await aWorld(t, { frontend: { cors: { origins: ['https://spa.example'] } } })
  const login = (headers: Readonly<Record<string, string>>) =>
    call(new URL(url), '/bff/login', { headers: { ...navigation, 'Sec-Fetch-Site': 'same-site', ...headers } })
  t.is((await login({ Referer: 'https://spa.example/' })).status, 303)
  const pushed = provider.posted.length
  for (const headers of [{}, { Referer: 'https://other.example/' }, { Referer: 'https://spa.example.evil.example/' }])
    t.is(codeOf(await login(headers)), 'bff.login.confirm')
  t.is(provider.posted.length, pushed)
})

test('a picture on a neighbour’s page does not keep a session alive', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie } = await world.plant()
  const ask = (site: string) =>
    world.call('/bff/user', { headers: { Cookie: cookie, 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'no-cors' } })
  t.is((await ask('same-site')).headers['set-cookie'], undefined)
  t.truthy((await ask('same-origin')).headers['set-cookie'])
})
