import test, { type ExecutionContext } from 'ava'
import { watchEvents } from '../_events.js'
import { aWorld, type WorldOptions } from '../_world.js'

/** What a login link makes the gateway push, and which of its parameters it says that it has ignored. */
async function pushed(t: ExecutionContext, link: string, frontend: WorldOptions['frontend'] = {}) {
  const { url, provider, ...world } = await aWorld(t, { frontend })
  const events = watchEvents(t)
  await world.aBrowser().navigate(`${url}/bff/login?${link}`, { stopAt: ({ pathname }) => pathname === '/auth' })
  const body = provider.posted.filter(({ path }) => path === '/request').at(-1)?.body ?? new URLSearchParams()
  const ignored = events.flatMap((event) =>
    event.type === 'gateway.login.parameter-ignored' ? [`${event.parameter}: ${event.reason}`] : [],
  )
  return { body, ignored }
}

test.serial('AuthorizationParameters are in every request, and no link changes them', async (t) => {
  const authorizationParameters = { audience: 'https://orders.example.com', prompt: 'login', ui_locales: 'fr' }
  const { body, ignored } = await pushed(t, 'prompt=none&audience=evil&ui_locales=de&login_hint=bob', {
    authorizationParameters,
  })
  t.is(body.get('audience'), 'https://orders.example.com')
  t.is(body.get('prompt'), 'login')
  t.is(body.get('ui_locales'), 'fr')
  t.is(body.get('login_hint'), 'bob')
  t.deepEqual(ignored, ['prompt: AuthorizationParameters sets it', 'ui_locales: AuthorizationParameters sets it'])
})

test.serial(
  'LoginParameters may name any parameter that is not of the protocol, and a link may then set it',
  async (t) => {
    const loginParameters = ['acr_values', 'max_age', 'organization']
    const { body, ignored } = await pushed(t, 'acr_values=a+b&max_age=60&organization=blue&login_hint=bob&other=1', {
      loginParameters,
    })
    t.is(body.get('acr_values'), 'a b')
    t.is(body.get('max_age'), '60')
    t.is(body.get('organization'), 'blue')
    t.false(body.has('login_hint'))
    t.false(body.has('other'))
    t.deepEqual(ignored, ['login_hint: LoginParameters does not have it'])
  },
)

test.serial('acr_values and max_age of a link have the form that the standards give them', async (t) => {
  const link = `acr_values=${encodeURIComponent('a  "b"')}&max_age=-1&organization=${'o'.repeat(257)}`
  const { body, ignored } = await pushed(t, link, { loginParameters: ['acr_values', 'max_age', 'organization'] })
  for (const name of ['acr_values', 'max_age', 'organization']) t.false(body.has(name))
  t.deepEqual(ignored, [
    'acr_values: it is not a list of acr values',
    'max_age: it is not a number of seconds',
    'organization: it is longer than 256 characters',
  ])
})
