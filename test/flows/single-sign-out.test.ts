import test from 'ava'
import { eventually } from '../_eventually.js'
import { watchEvents } from '../gateway/_events.js'
import { runStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

test('one sign-in opens both frontends, and signing out at one ends the other by the back channel', async (t) => {
  const events = watchEvents(t)
  const stack = await runStack({
    configure(configuration) {
      configuration.Bff.RevokeEndedSessions = true
    },
  })
  t.teardown(() => stack.stop())
  const browser = createUserAgent()
  const at = (path: string): URL => new URL(path, stack.gateway)
  const user = async (prefix: string) =>
    (await (await browser.call(at(`${prefix}/bff/user`))).json()) as { authenticated: boolean; logoutUrl: string }

  const signIn = await browser.navigate(at('/bff/login'))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
  await browser.submit(consent, {}, { button: 'allow' })
  const second = await browser.navigate(at('/admin/bff/login'))
  t.false(second.body.includes('name="password"'), 'nobody is asked for a password twice')
  if (second.body.includes('value="allow"')) await browser.submit(second, {}, { button: 'allow' })
  t.like(await user(''), { authenticated: true })
  const admin = await user('/admin')
  t.true(admin.authenticated)

  await browser.navigate(at(admin.logoutUrl))
  t.like(await user('/admin'), { authenticated: false })
  // The logout token travels beside the browser, so it may arrive after the browser does.
  await eventually(async () => !(await user('')).authenticated)
  // RevokeEndedSessions: no browser was there at the end of this one.
  await eventually(() => events.some((event) => event.type === 'gateway.token.revoked' && event.frontend === 'app'))
  t.true((await browser.navigate(at('/bff/login'))).body.includes('name="password"'), 'and the sign-in itself is over')
})
