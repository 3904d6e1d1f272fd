import test from 'ava'
import { watchEvents } from '../_events.js'
import { aPlantedGateway, codeOf, ownPage } from '../_planted.js'

const issuer = 'https://auth.example'
const sid = 'a-sid-of-128-random-bits'
const frontends = [
  { name: 'app', authority: issuer, frontchannelLogout: true },
  { name: 'off', authority: issuer, pathPrefix: '/off' },
]
/** What a browser says of a frame of another site. */
const frame = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }
const at = (parameters: Record<string, string>) => `/bff/frontchannel-logout?${new URLSearchParams(parameters)}`

test('a frame of the sign-out page ends the session that iss and sid name, without its cookie', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  const events = watchEvents(t)
  const [meant, other] = [await world.plant('app', { sid }), await world.plant('app', { sid: `${sid}-2` })]
  const isSignedIn = async (cookie: string) =>
    JSON.parse((await world.call('/bff/user', { headers: { ...ownPage, Cookie: cookie } })).text)
      .authenticated as boolean

  const answer = await world.call(at({ iss: issuer, sid }), { headers: frame })
  t.is(answer.status, 200)
  t.is(answer.text, '')
  t.like(answer.headers, {
    'content-security-policy': `default-src 'none'; frame-ancestors ${issuer}`,
    'cross-origin-resource-policy': 'cross-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cache-control': 'no-store',
  })
  t.is(answer.headers['x-frame-options'], undefined)
  t.false(await isSignedIn(meant.cookie))
  t.true(await isSignedIn(other.cookie), 'and no other')
  t.true(events.some((event) => event.type === 'gateway.session.ended' && event.cause === 'frontchannel-logout'))

  const again = await world.call(at({ iss: issuer, sid }), { headers: frame })
  t.deepEqual([again.status, again.text], [200, ''], 'the same where there is no session any more')
})

test('a sid that could be guessed ends only the session whose cookie comes along', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  const short = await world.plant('app', { sid: '17' })
  const isSignedIn = async () =>
    JSON.parse((await world.call('/bff/user', { headers: { ...ownPage, Cookie: short.cookie } })).text)
      .authenticated as boolean
  t.is((await world.call(at({ iss: issuer, sid: '17' }), { headers: frame })).status, 200)
  t.true(await isSignedIn())
  const other = { headers: { ...frame, Cookie: short.cookie } }
  await world.call(at({ iss: issuer, sid: '18' }), other)
  t.true(await isSignedIn(), 'a session that is not meant stays')
  const ended = await world.call(at({ iss: issuer, sid: '17' }), other)
  t.regex(ended.headers['set-cookie']?.join() ?? '', /sallyport-bff-app=;/)
  t.false(await isSignedIn())
})

test('a flood of guesses does not stop the sign-out of others behind its address', async (t) => {
  const world = await aPlantedGateway(t, { frontends, gateway: { loginLimits: { perAddress: 3, window: 60 } } })
  const { cookie } = await world.plant('app', { sid })
  for (let guess = 0; guess < 10; guess++)
    t.is((await world.call(at({ iss: issuer, sid: `${sid}-${guess}` }), { headers: frame })).status, 200)
  t.is((await world.call(at({ iss: issuer, sid }), { headers: frame })).status, 200)
  t.true((await world.call('/bff/user', { headers: { ...ownPage, Cookie: cookie } })).text.includes('false'))
})

test('another issuer, or none, ends nothing; without the setting there is no such endpoint', async (t) => {
  const world = await aPlantedGateway(t, { frontends })
  const { cookie } = await world.plant('app', { sid })
  for (const parameters of [{ sid }, { iss: issuer }, { iss: 'https://other.example', sid }] as Record<
    string,
    string
  >[]) {
    const answer = await world.call(at(parameters), { headers: { Cookie: cookie } })
    t.deepEqual([answer.status, codeOf(answer)], [400, 'bff.logout.token_refused'])
  }
  t.is((await world.call('/bff/user', { headers: { ...ownPage, Cookie: cookie } })).text.includes('true'), true)
  t.is((await world.call(`/off${at({ iss: issuer, sid })}`)).status, 404)
})
