import test from 'ava'
import { SignJWT, UnsecuredJWT } from 'jose'
import { generateSigningJwk } from '../../../src/jose/jwk.js'
import { aClock } from '../_clock.js'
import { watchEvents } from '../_events.js'
import { aScriptedLogin, type ScriptedLogin } from '../_scripted-login.js'
import { aWorld, whoAmI } from '../_world.js'

/** What the endpoint answers: a type and a body. */
type Answer = (login: ScriptedLogin) => Promise<readonly [type: string, body: string]> | readonly [string, string]

const claimsOf = ({ issuer }: ScriptedLogin, more: Record<string, unknown> = {}) => ({
  iss: issuer.issuer,
  aud: 'my-bff',
  sub: 'alice',
  name: 'Alice Liddell',
  ...more,
})

/** A JWT of the issuer, in any spelling of the media type. */
const signed =
  (more: Record<string, unknown> = {}, header = {}, type = 'application/jwt'): Answer =>
  async (login) => [type, await login.issuer.sign(claimsOf(login, more), { typ: undefined, ...header })]

async function logInWith(t: import('ava').ExecutionContext, answer: Answer) {
  const events = watchEvents(t)
  const login = await aScriptedLogin(t)
  const [type, body] = await answer(login)
  login.issuer.answers.set('/userinfo', (_request, response) =>
    response.writeHead(200, { 'Content-Type': type }).end(body),
  )
  const { code, user } = await login.run()
  const reasons = events.flatMap((event) => (event.type === 'gateway.userinfo.unusable' ? [event.reason] : []))
  return { code, user, reasons, events }
}

for (const [what, answer] of [
  ['signed by the server', signed()],
  ['signed, with our name among others', signed({ aud: ['other', 'my-bff'] })],
  ['signed, of a type in other letters and with a parameter', signed({}, {}, 'Application/JWT; charset=utf-8')],
  ['signed, without a key id', signed({}, { kid: undefined })],
  ['plain JSON', (login: ScriptedLogin) => ['application/json', JSON.stringify(claimsOf(login))] as const],
] as const)
  test.serial(`userinfo that is ${what} is used (OpenID Connect Core §5.3.2)`, async (t) => {
    const { code, user, reasons } = await logInWith(t, answer)
    t.is(code, undefined)
    t.like(user, { authenticated: true, sub: 'alice', name: 'Alice Liddell' })
    t.deepEqual(reasons, [])
  })

const [header, payload] = ['header', 'payload'].map(() => Buffer.from('{}').toString('base64url'))

for (const [what, answer, reason] of [
  [
    'unsigned',
    (login: ScriptedLogin) => ['application/jwt', new UnsecuredJWT(claimsOf(login)).encode()] as const,
    /ERR_JOSE_ALG_NOT_ALLOWED|ERR_JWS_INVALID/,
  ],
  [
    'signed with another’s key under the server’s name',
    async (login: ScriptedLogin) => {
      const key = { ...generateSigningJwk('ES256'), kid: 'current' }
      return ['application/jwt', await login.issuer.sign(claimsOf(login), {}, key)] as const
    },
    /ERR_JWS_SIGNATURE_VERIFICATION_FAILED/,
  ],
  [
    'signed with a key that the server does not publish',
    async (login: ScriptedLogin) => [
      'application/jwt',
      await login.issuer.sign(claimsOf(login), {}, { ...generateSigningJwk('ES256'), kid: 'unknown' }),
    ],
    /ERR_JWKS_NO_MATCHING_KEY/,
  ],
  [
    'signed with a shared secret',
    async (login: ScriptedLogin) => [
      'application/jwt',
      await new SignJWT(claimsOf(login)).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32)),
    ],
    /ERR_JOSE_ALG_NOT_ALLOWED/,
  ],
  ['for another client', signed({ aud: 'other' }), /ERR_JWT_CLAIM_VALIDATION_FAILED at "aud"/],
  ['for no client', signed({ aud: undefined }), /ERR_JWT_CLAIM_VALIDATION_FAILED at "aud"/],
  ['of another server', signed({ iss: 'https://evil.example' }), /ERR_JWT_CLAIM_VALIDATION_FAILED at "iss"/],
  ['of a server whose name has one more slash', signed({ iss: 'http://127.0.0.1/' }), /at "iss"/],
  ['of no server', signed({ iss: undefined }), /at "iss"/],
  ['expired', signed({ exp: 1_000_000 }), /ERR_JWT_EXPIRED/],
  ['encrypted', () => ['application/jwt', `${header}.a.b.c.${payload}`] as const, /not valid/],
  [
    'a JWT that says it is JSON',
    async (login: ScriptedLogin) => ['application/json', (await signed()(login))[1]],
    /not a JSON object/,
  ],
  ['empty', () => ['application/json', ''] as const, /not a JSON object/],
  ['a list', () => ['application/json', '[]'] as const, /not a JSON object/],
  ['HTML', () => ['text/html', '<html>'] as const, /text\/html/],
] as const)
  test.serial(`userinfo that is ${what} is not used: the login is, and an event says why`, async (t) => {
    const { code, user, reasons } = await logInWith(t, answer as Answer)
    t.is(code, undefined)
    t.like(user, { authenticated: true, sub: 'alice', name: undefined })
    t.is(reasons.length, 1)
    t.regex(reasons[0] ?? '', reason)
  })

for (const [what, answer] of [
  ['signed', signed({ sub: 'mallory' })],
  ['signed, without a subject', signed({ sub: undefined })],
  ['JSON', () => ['application/json', '{"sub":"mallory","name":"Mallory"}'] as const],
  ['JSON, without a subject', () => ['application/json', '{"name":"Mallory"}'] as const],
  ['JSON, with two subjects in a list', () => ['application/json', '{"sub":["alice","mallory"]}'] as const],
] as const)
  test.serial(`userinfo about another user than the ID token (${what}) ends the login (§5.3.2)`, async (t) => {
    const { code, user, events } = await logInWith(t, answer)
    t.is(code, 'bff.login.failed')
    t.false(user.authenticated)
    t.true(events.some((event) => event.type === 'gateway.request.refused' && event.code === 'bff.login.failed'))
  })

for (const status of [302, 400, 401, 403, 500, 503])
  test.serial(`an endpoint that answers ${status} costs the claims, not the login, and is an event`, async (t) => {
    const events = watchEvents(t)
    const login = await aScriptedLogin(t)
    login.issuer.answers.set('/userinfo', (_request, response) => response.writeHead(status).end('{}'))
    const { code, user } = await login.run()
    t.is(code, undefined)
    t.true(user.authenticated)
    t.is(events.filter(({ type }) => type === 'gateway.userinfo.unusable').length, 1)
  })

test.serial('userinfo that node-oidc-provider signs is used at the login and at each refresh', async (t) => {
  const [events, time] = [watchEvents(t), aClock()]
  let name = 'Alice'
  const { url, loggedIn, provider } = await aWorld(t, {
    gateway: { now: time.now },
    provider: {
      clientMetadata: { userinfo_signed_response_alg: 'PS256' },
      configuration: {
        features: { jwtUserinfo: { enabled: true } },
        enabledJWA: {
          idTokenSigningAlgValues: ['PS256', 'ES256'],
          userinfoSigningAlgValues: ['PS256'],
          clientAuthSigningAlgValues: ['ES256', 'PS256'],
        },
        findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, name }) }),
      },
    },
  })
  const browser = await loggedIn()
  t.like(await whoAmI(browser, url), { name: 'Alice' })
  name = 'Alice Liddell'
  time.advance(301)
  t.is((await browser.call(`${url}/api/x`)).status, 200)
  t.like(await whoAmI(browser, url), { name: 'Alice Liddell' })
  t.is(provider.requests.filter((line) => line.endsWith(' /me')).length >= 2, true)
  t.deepEqual(
    events.filter(({ type }) => type === 'gateway.userinfo.unusable'),
    [],
  )
})
