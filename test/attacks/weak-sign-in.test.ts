import test from 'ava'
import type { Authentication } from '../../src/gateway/step-up/requirements.js'
import { createStepUpLinks } from '../../src/gateway/step-up/step-up-link.js'
import { createSeal } from '../../src/store/seal.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { aStepping, challengeFor, codeOn } from '../gateway/step-up/_stepping.js'
import { aGate, everyWay, passed } from './_gate.js'

const now = (): number => Math.floor(Date.now() / 1000)
const asking = { acrValues: ['gold'], maxAuthenticationAge: 300 }

test('a session whose sign-in is not strong or recent enough reaches the API in no way', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes: [asking] }] })
  const weak: readonly (Authentication | undefined)[] = [
    undefined,
    {},
    { acr: 'gold' },
    { time: now() },
    { acr: 'bronze', time: now() },
    { acr: 'GOLD', time: now() },
    { acr: 'gold silver', time: now() },
    { acr: '', time: now() },
    { acr: 'gold', time: now() - 301 },
    { acr: 'gold', time: 0 },
  ]
  for (const authentication of weak) {
    // What the page sees as claims counts for nothing here.
    const claims = { sub: 'alice', acr: 'gold', auth_time: now() }
    const { cookie } = await gate.plant('app', { claims, ...(authentication && { authentication }) })
    for (const method of ['GET', 'POST', 'OPTIONS', 'PROPFIND'])
      await everyWay(gate, { method, cookie }, ({ way, status, code, seen }) => {
        t.deepEqual([status, code], [401, 'bff.step_up.required'], `${way} ${method} ${JSON.stringify(authentication)}`)
        t.deepEqual(seen, [])
      })
  }
  t.is(gate.connections(), 0)
  const { cookie } = await gate.plant('app', { authentication: { acr: 'gold', time: now() - 250 } })
  await everyWay(gate, { cookie }, ({ way, status }) => t.is(status, passed(way), way))
})

test('a route is asked for by another spelling of its path: it asks as ever, or there is nothing', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes: [{}, { path: '/api/gold', ...asking }] }] })
  const { cookie } = await gate.plant()
  for (const target of [
    '/api/gold',
    '/api/gold/',
    '/api//gold',
    '/api/Gold',
    '/api/%67old',
    '/api/x/../gold',
    '/api/gold%2f',
    '/api%2fgold',
  ])
    await everyWay(gate, { target, cookie }, ({ way, status, seen }) => {
      t.true([400, 401, 404].includes(status), `${way} ${target} ${status}`)
      t.deepEqual(seen, [])
    })
})

test('a link of another deployment, or one that was weakened, asks for nothing and opens nothing', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  const { browser } = world
  await world.login(browser)
  const own = new URL((await world.call(browser)).loginUrl ?? '', world.at('/'))
  const foreign = createStepUpLinks(createSeal([Buffer.alloc(32, 1)]), 'app').parametersOf({ acrValues: ['bronze'] })
  own.searchParams.set('acr_values', 'bronze')
  for (const link of [`/bff/login?${new URLSearchParams(foreign)}`, own.pathname + own.search]) {
    world.idToken = { acr: 'bronze' }
    await world.login(browser, link)
    t.false(world.pushed.has('acr_values'))
    t.like(await world.call(browser), { status: 401, code: 'bff.step_up.required' })
  }
})

test('what an API says reaches neither the login as a parameter of its own nor the answer as a header', async (t) => {
  const world = await aStepping(t)
  const { browser } = world
  await world.login(browser)
  for (const acr of ['a&scope=admin', 'a#b', '"', 'a\tb', 'a\\', `${'a'.repeat(257)}`, 'ä', 'a,b=c'])
    for (const age of ['5', '5&prompt=none', '-1', '1e3', ' ']) {
      world.challenge = challengeFor({ acr_values: acr.replace(/["\\]/g, '\\$&'), max_age: age })
      const { status, loginUrl, code } = await world.call(browser)
      t.is(status, 401)
      if (code === undefined) continue
      const query = new URL(loginUrl ?? '', world.at('/')).searchParams
      t.deepEqual([...query.keys()], ['acr_values', 'max_age', 'step_up'])
      t.is(query.get('acr_values'), acr)
      await world.go(createUserAgent(), loginUrl ?? '')
      t.is(world.pushed.get('scope'), 'openid profile email offline_access')
      t.false(world.pushed.has('prompt'))
    }
})

test('a stale tab of one user takes no step-up for the user who came after', async (t) => {
  const world = await aStepping(t, { route: { acrValues: ['gold'] } })
  const { browser } = world
  await world.login(browser)
  const { loginUrl } = await world.call(browser)
  world.idToken = { acr: 'bronze' }
  await world.go(browser, `${loginUrl}&returnUrl=/pay`)
  const ofAlice = world.pushed
  t.is(codeOn(await world.returned(browser)), 'bff.step_up.not_met')
  world.idToken = { acr: 'gold', sub: 'bob' }
  await world.login(browser)
  t.like(await world.who(browser), { sub: 'bob' })
  world.pushed = ofAlice
  t.is((await world.returned(browser)).url.pathname, '/', 'the page that waited for alice does not open for bob')
})
