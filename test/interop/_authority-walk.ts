import { eventually } from '../_eventually.js'
import { createUserAgent, type Landing, type UserAgent } from '../flows/_user-agent.js'
import type { Stage } from './_stage.js'
import { assert, type Trials } from './_walk.js'

/** A foreign authorization server behind the gateway, whose access tokens live 70 seconds: the gateway refreshes in the last 60. */
export interface Authority {
  /** Signs `alice` in on its own page. */
  signIn(browser: UserAgent, page: Landing): Promise<Landing>
  /** Makes a new signing key, and signs with it from now on. */
  rotateKeys(): Promise<void>
  /** Says yes on its page that asks about a logout. Absent: it does not ask. */
  confirmLogout?(browser: UserAgent, page: Landing): Promise<void>
  /** Ends the user's session there, without the gateway. Absent: it has no back-channel logout. */
  endSession?(subject: string, browser: UserAgent): Promise<void>
}

/** What a signed-in user sees of the gateway. */
export interface Walker {
  signedIn(): Promise<UserAgent>
  user(browser: UserAgent): Promise<User>
  /** Of the API, through the gateway. */
  call(browser: UserAgent): Promise<Called>
}

export interface User {
  readonly authenticated: boolean
  readonly sub: string
  readonly logoutUrl: string
}

export interface Called {
  readonly status: number
  /** Of the access token's signature. */
  readonly kid?: string
}

const refreshable = 11_000

export function aWalker(
  { gateway, fetch }: Stage,
  { signIn }: Authority,
): Walker & { begin: typeof begin; end: typeof end } {
  const begin = (browser: UserAgent): Promise<Landing> => browser.navigate(`${gateway}/bff/login`)
  const end = async (browser: UserAgent, page: Landing): Promise<void> => {
    const home = await signIn(browser, page)
    assert(
      home.url.href === `${gateway}/`,
      `the login ends at the page, not at ${home.url}: ${home.body.slice(0, 800)}`,
    )
  }
  return {
    begin,
    end,
    async signedIn() {
      const browser = createUserAgent({ fetch })
      await end(browser, await begin(browser))
      return browser
    },
    user: async (browser) => (await (await browser.call(`${gateway}/bff/user`)).json()) as User,
    async call(browser) {
      const answer = await browser.call(`${gateway}/api/orders`)
      const body = answer.ok ? ((await answer.json()) as { readonly kid?: string }) : {}
      return { ...body, status: answer.status }
    },
  }
}

/** Login, refresh, key rotation, revocation, logout, back-channel logout, and an API with our validator. */
export function authorityTrials(stage: Stage, authority: Authority): Trials {
  const { begin, end, signedIn, user, call } = aWalker(stage, authority)
  const { confirmLogout, endSession, rotateKeys } = authority
  return {
    async 'login, claims, a proven call of an API'() {
      const browser = await signedIn()
      assert((await user(browser)).authenticated, 'the user is signed in')
      assert((await call(browser)).status === 200, 'the API answers 200')
    },

    async 'keys rotated between the sign-in page and the callback'() {
      const browser = createUserAgent({ fetch: stage.fetch })
      const page = await begin(browser)
      await rotateKeys()
      await end(browser, page)
      assert((await call(browser)).status === 200, 'the API takes a token signed with the new key')
    },

    async 'keys rotated in a session, then eight calls at once: one refresh, and the API takes the new key'() {
      const browser = await signedIn()
      const [start, { kid }] = [Date.now(), await call(browser)]
      const before = stage.logged('gateway.session.refreshed')
      await rotateKeys()
      await eventually(() => Date.now() > start + refreshable, { within: 30 })
      const answers = await Promise.all(Array.from({ length: 8 }, () => call(browser)))
      assert(
        answers.every(({ status }) => status === 200),
        `all calls are answered: ${JSON.stringify(answers)}`,
      )
      // The calls go on with the old token meanwhile.
      await eventually(async () => (await call(browser)).kid !== kid, { within: 30 })
      assert((await call(browser)).status === 200, 'the API takes the new key')
      await eventually(() => stage.logged('gateway.session.refreshed') > before, { within: 30 })
      const refreshes = stage.logged('gateway.session.refreshed') - before
      assert(refreshes === 1, `one refresh, not ${refreshes}`)
    },

    async 'logout: a token is revoked, and the next login asks for the password again'() {
      const browser = await signedIn()
      const before = stage.logged('gateway.token.revoked')
      const page = await browser.navigate(new URL((await user(browser)).logoutUrl, stage.gateway))
      await confirmLogout?.(browser, page)
      assert(!(await user(browser)).authenticated, 'the user is signed out')
      assert((await call(browser)).status === 401, 'the API is not called any more')
      await eventually(() => stage.logged('gateway.token.revoked') > before, { within: 30 })
      const { url } = await begin(browser)
      assert(url.origin !== stage.gateway, `the authority asks, instead of letting the user in: ${url}`)
    },

    ...(endSession && {
      async 'back-channel logout: a session ended at the authority is over'() {
        const browser = await signedIn()
        await endSession((await user(browser)).sub, browser)
        await eventually(async () => !(await user(browser)).authenticated, { within: 30 })
        assert((await call(browser)).status === 401, 'the API is not called any more')
      },
    }),
  }
}
