import test from 'ava'
import { admitted } from '../../src/gateway/endpoints/admission.js'
import type { Logout, OnLogin } from '../../src/gateway/hooks.js'
import type { SessionRecord } from '../../src/gateway/session/session-record.js'
import { eventually } from '../_eventually.js'
import { aClock } from './_clock.js'
import { watchEvents } from './_events.js'
import { logIn } from './_provider.js'
import { aWorld, problemOf, whoAmI } from './_world.js'

test('onLogin refuses with a reason: the person reads it, and no session begins', async (t) => {
  const onLogin: OnLogin = ({ subject }) => (subject === 'bob' ? { refuse: 'Your account is blocked.' } : undefined)
  const { url, loggedIn, aBrowser } = await aWorld(t, { gateway: { onLogin } })
  const refused = aBrowser()
  const page = await logIn(refused, `${url}/bff/login`, 'bob')
  t.is(page.status, 403)
  t.regex(page.body, /Your account is blocked\./)
  t.regex(page.body, /bff\.login\.refused/)
  t.false((await whoAmI(refused, url)).authenticated)

  const alice = await loggedIn('alice')
  t.is((await whoAmI(alice, url)).sub, 'alice')
})

test('onLogin adds claims, and a refresh keeps them', async (t) => {
  const seen: string[] = []
  const onLogin: OnLogin = async ({ frontend, subject, claims }) => {
    seen.push(`${frontend} ${subject} ${claims.sub}`)
    return { claims: { plan: 'gold' } }
  }
  const time = aClock()
  const { url, loggedIn } = await aWorld(t, { gateway: { onLogin, now: time.now } })
  const browser = await loggedIn()
  t.deepEqual(seen, ['app alice alice'])
  t.like(await whoAmI(browser, url), { sub: 'alice', plan: 'gold' })
  time.advance(301)
  const answer = await browser.call(`${url}/api/orders`)
  t.is(answer.headers.get('x-bff-session-refreshed'), 'true')
  t.like(await whoAmI(browser, url), { sub: 'alice', plan: 'gold' })
})

for (const [title, onLogin] of [
  ['throws', () => Promise.reject(new RangeError('the directory has no subject bob'))],
  ['sets a claim of the protocol', () => ({ claims: { sub: 'mallory' } })],
] as const)
  test.serial(`an onLogin that ${title} lets no user in, and what it was given stays out of the log`, async (t) => {
    const events = watchEvents(t)
    const { url, aBrowser } = await aWorld(t, { gateway: { onLogin } })
    const browser = aBrowser()
    const page = await logIn(browser, `${url}/bff/login`)
    t.is(page.status, 400)
    t.regex(page.body, /bff\.login\.failed/)
    t.false((await whoAmI(browser, url)).authenticated)
    const failed = events.find(({ type }) => type === 'gateway.hook.failed')
    t.like(failed, { hook: 'onLogin', error: title === 'throws' ? 'RangeError' : 'TypeError' })
    t.false(JSON.stringify(events).includes('no subject bob'))
  })

test.serial('onLogout is told of a logout with its user, and a failure of it is a warning', async (t) => {
  const events = watchEvents(t)
  const told: Logout[] = []
  const { url, loggedIn } = await aWorld(t, {
    gateway: {
      onLogout(logout) {
        told.push(logout)
        throw new Error('no audit')
      },
    },
  })
  const browser = await loggedIn()
  const { logoutUrl = '' } = await whoAmI(browser, url)
  const answer = await browser.call(new URL(logoutUrl, url), { method: 'POST' })
  t.true(answer.ok, JSON.stringify(answer.ok || (await problemOf(answer))))
  await eventually(() => events.some(({ type }) => type === 'gateway.hook.failed'))
  t.like(told, [{ frontend: 'app', subject: 'alice', cause: 'logout' }])
  t.is(told.length, 1)
})

const circular: Record<string, unknown> = {}
circular.self = circular

test('an onLogin that answers what is no decision lets no user in, and the tokens are revoked', async (t) => {
  const record: SessionRecord = { createdAt: 0, subject: 'alice', claims: {}, accessTokens: { '': { value: 'token' } } }
  for (const answer of [
    {},
    true,
    false,
    'no',
    [],
    { claims: null },
    { claims: ['a'] },
    { refuse: '' },
    { refuse: undefined, claims: 1 },
    { claims: { a: 10n } },
    { claims: circular },
    { claims: { toJSON: () => 1 } },
  ]) {
    const revoked: string[] = []
    const oauth = { revoke: async (token: string) => revoked.push(token) > 0 }
    const frontend = { name: 'app', onLogin: (() => answer) as OnLogin, oauth }
    await t.throwsAsync(admitted(frontend, record, '1'), { code: 'bff.login.failed' }, String(answer))
    t.deepEqual(revoked, ['token'])
  }
  const none = { name: 'app', onLogin: (() => null) as unknown as OnLogin, oauth: { revoke: async () => true } }
  t.deepEqual((await admitted(none, record, '1')).addedClaims, {})
})
