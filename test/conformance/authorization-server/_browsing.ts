import type { ExecutionContext } from 'ava'
import type { JWK } from 'jose'
import type { Send } from '../_http.js'
import type { MessageSigning } from '../_message-signing.js'
import { type Decision, signIn, submitSignIn, type User } from '../_sign-in.js'
import { type Arrival, createUserAgent, type UserAgent } from '../_user-agent.js'
import { checkUnguessable } from './_answers.js'
import type { Attempt } from './_attempt.js'
import type { ServerUnderTest } from './_server-under-test.js'
import { signedResponse } from './_signed-response.js'

export interface BrowsingOptions {
  readonly t: ExecutionContext
  readonly server: ServerUnderTest
  readonly send: Send
  readonly user: User
  readonly signing: MessageSigning
  readonly jwks: readonly JWK[]
}

/** What goes through the browser: the authorization endpoint, its pages, and the response at the redirect URI. */
export function createBrowsing({ t, server, send, user, signing, jwks }: BrowsingOptions) {
  const { issuer } = server
  const home = new URL(issuer).origin
  const userAgent = (): UserAgent => createUserAgent({ send, leaves: (url) => url.origin !== home })

  async function decide(browser: UserAgent, arrival: Arrival, decision: Decision): Promise<Arrival> {
    const here = await signIn(browser, arrival, decision, user)
    // FAPI 2.0 §5.3.2.2-10 and -11: never 307, and 303 after what may have carried credentials.
    for (const { method, status, url } of browser.trail) {
      t.not(status, 307, url)
      t.not(status, 308, url)
      if (method === 'POST' && status >= 300 && status < 400) t.is(status, 303, url)
    }
    return here
  }

  function response(attempt: Attempt, arrival: Arrival): URLSearchParams {
    if (arrival.kind === 'page') throw t.fail(`stayed at ${arrival.url.pathname}: ${pageText(arrival)}`)
    const { url } = arrival
    const expected = new URL(attempt.parameters.redirect_uri ?? attempt.client.redirectUri)
    t.is(url.origin + url.pathname, expected.origin + expected.pathname)
    for (const [name, value] of expected.searchParams) t.deepEqual(url.searchParams.getAll(name), [value])
    t.is(url.hash, '', 'nothing may be in the fragment')
    const known = url.searchParams.has('error')
      ? ['error', 'error_description', 'error_uri', 'state', 'session_state', 'iss']
      : ['code', 'state', 'session_state', 'iss']
    const unexpected = [...url.searchParams.keys()].filter(
      (name) =>
        !(signing.responses === 'jarm' ? ['response'] : known).includes(name) && !expected.searchParams.has(name),
    )
    t.deepEqual(unexpected, [], 'unexpected parameters')
    const answer = parametersOf(attempt, url)
    t.deepEqual(answer.getAll('iss'), [issuer], 'iss')
    t.deepEqual(answer.getAll('state'), attempt.state === undefined ? [] : [attempt.state], 'state')
    return answer
  }

  /** Of a response, however it is sent. */
  function parametersOf({ client }: Attempt, url: URL, plain?: 'plain too'): URLSearchParams {
    if (signing.responses === 'plain_response') return url.searchParams
    const jwt = url.searchParams.get('response')
    if (jwt === null && plain !== undefined) return url.searchParams
    if (jwt === null) throw t.fail(`an answer that is not signed: ${url}`)
    return signedResponse(t, jwt, server, jwks, client.id)
  }

  return {
    user,
    /** A user agent of its own: no cookie is shared with another. */
    userAgent,
    /** Signs in and decides, and looks at how the browser was led there. */
    decide,
    /** The response at the redirect URI, with what has to hold for every one of them. */
    response,

    /** Fills in a sign-in page and sends it, whichever browser it was shown to. */
    submitSignIn: (browser: UserAgent, page: Arrival): Promise<Arrival> => submitSignIn(browser, page, user),

    /** From the authorization URL to wherever the browser ends. */
    async visit(url: URL, decision: Decision = 'allow', browser: UserAgent = userAgent()): Promise<Arrival> {
      return decide(browser, await browser.open(url), decision)
    },

    /** Whether a code came out. */
    succeeded: (attempt: Attempt, arrival: Arrival): boolean =>
      arrival.kind === 'left' && parametersOf(attempt, arrival.url).has('code'),

    code(attempt: Attempt, arrival: Arrival): string {
      const answer = response(attempt, arrival)
      t.is(answer.get('error'), null, `${answer.get('error')}: ${answer.get('error_description')}`)
      const code = answer.get('code') ?? ''
      checkUnguessable(t, code, 'code')
      return code
    },

    /** An error that the authorization endpoint shows: a redirect with one of these codes, or an error page. */
    refusedAtAuthorization(attempt: Attempt, arrival: Arrival, codes: readonly string[], plain?: 'plain too'): void {
      if (arrival.kind === 'page') {
        t.true(arrival.status >= 400 && arrival.status < 500, pageText(arrival))
        return
      }
      const searchParams = parametersOf(attempt, arrival.url, plain)
      t.is(searchParams.get('code'), null, 'a code came out')
      t.true(codes.includes(searchParams.get('error') ?? ''), arrival.url.href)
      t.is(searchParams.get('iss'), issuer)
      // Who does not know the request any more does not know its state.
      const unknown = searchParams.get('error') === 'invalid_request_uri' && !searchParams.has('state')
      t.is(unknown ? attempt.state : (searchParams.get('state') ?? undefined), attempt.state)
    },
  }
}

/** What a page says, for the message of a failure. */
function pageText({ status, markup }: { readonly status: number; readonly markup: string }): string {
  const text = markup.replace(/<(style|head|details)[\s\S]*?<\/\1>/gi, '').replace(/<[^>]*>/g, ' ')
  return `${status} ${text.replace(/\s+/g, ' ').trim().slice(0, 300)}`
}
