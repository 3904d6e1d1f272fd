import { createHmac, randomBytes } from 'node:crypto'
import { form, formContentType } from '../../_http.js'
import type { AssertionKnobs } from '../_credentials.js'
import type { Module } from '../_module.js'

const unauthenticated = { invalid_client: [400, 401], invalid_request: [400] } as const

/** Requirements of the FAPI 2.0 Security Profile for authorization servers that no module of the suite looks at. */
export const requirements: readonly Module[] = [
  {
    name: '§5.2.3-1 browser endpoints ask for HTTPS in future, and cannot be framed',
    async run({ conversation, one }) {
      const { t, send } = conversation
      const attempt = conversation.begin(one)
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      const page = await send(url)
      t.is(page.status, 200)
      // For this machine's own name it would hold for every other program on it: there it must not be.
      const pinned = /max-age=[1-9]/.test(page.header('strict-transport-security').join())
      t.is(pinned, !/^(?:localhost|127\.)/.test(new URL(url).hostname))
      t.regex(page.header('content-security-policy').join(), /frame-ancestors 'none'/)
      t.regex(page.header('cache-control').join(), /no-store/)
    },
  },
  {
    name: '§5.2.3-3 no CORS at the authorization endpoint',
    async run({ conversation, one }) {
      const { t, send, metadata } = conversation
      const attempt = conversation.begin(one)
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      const origin = ['origin', 'https://evil.example', 'access-control-request-method', 'GET']
      for (const method of ['GET', 'OPTIONS'])
        t.deepEqual((await send(url, { method, headers: origin })).header('access-control-allow-origin'), [])
      const posted = { method: 'POST', headers: [...formContentType, ...origin], body: 'client_id=client-1' }
      t.deepEqual((await send(metadata.authorization_endpoint, posted)).header('access-control-allow-origin'), [])
    },
  },
  {
    name: '§5.3.2.1-2 no password grant, nor any other than those published',
    async run({ conversation, one }) {
      const { t, metadata } = conversation
      for (const grant_type of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code', 'toString']) {
        const answer = await conversation.tokenRaw(one, { grant_type, username: 'alice', password: 'wonderland' })
        conversation.refused(answer, { unsupported_grant_type: [400], unauthorized_client: [400] })
      }
      const grants: unknown = metadata.grant_types_supported
      t.false(Array.isArray(grants) && (grants.includes('password') || grants.includes('implicit')))
    },
  },
  {
    name: '§5.3.2.1-3, -6 and §5.3.2.2-4 confidential clients with private_key_jwt alone',
    async run({ conversation, one }) {
      const { server } = conversation
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt)
      const basic = ['authorization', `Basic ${Buffer.from(`${one.id}:secret`).toString('base64')}`]
      const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: one.key.kid })).toString('base64url')
      const claims = { iss: one.id, sub: one.id, aud: server.issuer, jti: 'x', exp: server.now() + 60 }
      const body = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
      const mac = createHmac('sha256', JSON.stringify(one.key.publicJwk)).update(body).digest('base64url')
      const secretJwt = {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${body}.${mac}`,
      }
      for (const [knobs, more] of [
        [{ assertion: 'none' }, { client_id: one.id }],
        [{ assertion: 'none', headers: basic }, {}],
        [{ assertion: 'none' }, { client_id: one.id, client_secret: 'secret' }],
        [{ assertion: 'none' }, secretJwt],
      ] as const) {
        const pushed = { ...attempt, parameters: { ...attempt.parameters, ...more } }
        conversation.refused(await conversation.pushRaw(pushed, knobs), unauthenticated)
        conversation.refused(await conversation.redeemRaw(attempt, code, knobs, more), unauthenticated)
      }
      await conversation.redeem(attempt, code)
    },
  },
  {
    name: '§5.3.2.1-7 no open redirectors',
    async run({ conversation, one }) {
      const { t, metadata } = conversation
      const evil = 'https://evil.example/callback'
      const attempt = conversation.begin(one)
      const requestUri = await conversation.push(attempt)
      const urls = [
        conversation.authorizationUrl(attempt, 'urn:ietf:params:oauth:request_uri:unknown', { redirect_uri: evil }),
        conversation.authorizationUrl(attempt, requestUri, { client_id: 'nobody', redirect_uri: evil }),
        conversation.authorizationUrl(attempt, undefined, { redirect_uri: evil }),
        conversation.authorizationUrl(attempt, evil, { redirect_uri: evil }),
      ]
      if (typeof metadata.end_session_endpoint === 'string')
        for (const client_id of [one.id, undefined])
          urls.push(
            new URL(
              `?${form({ client_id, post_logout_redirect_uri: evil, state: 'x' })}`,
              metadata.end_session_endpoint,
            ),
          )
      for (const url of urls) {
        const arrival = await conversation.userAgent().open(url)
        t.not(arrival.url.origin, 'https://evil.example', url.href)
      }
    },
  },
  {
    name: '§5.3.2.1-9 no rotation of refresh tokens',
    async run({ conversation, one }) {
      const { t } = conversation
      const { refresh_token = '' } = await conversation.obtain(conversation.begin(one))
      for (let times = 0; times < 3; times++) {
        const answer = await conversation.tokenRaw(one, { grant_type: 'refresh_token', refresh_token })
        t.is(answer.status, 200, answer.body)
        t.is(answer.json().refresh_token ?? refresh_token, refresh_token)
      }
    },
  },
  {
    name: '§5.3.2.1-11 a code lives for a minute at most',
    movesClock: true,
    async run({ conversation, one }) {
      const soon = conversation.begin(one)
      const code = await conversation.authorize(soon)
      conversation.server.advance(55)
      await conversation.redeem(soon, code)
      const late = conversation.begin(one)
      const another = await conversation.authorize(late)
      conversation.server.advance(61)
      conversation.refused(await conversation.redeemRaw(late, another), { invalid_grant: [400] })
    },
  },
  {
    name: '§5.3.2.1-12 dpop_jkt and a proof of the same key go together',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { dpop_jkt: one.proofKey.thumbprint })
      await conversation.obtain(attempt, { proof: {} })
    },
  },
  {
    name: '§5.3.2.1-13 ten seconds ahead are accepted, more than sixty are not',
    async run({ conversation, one }) {
      const { t, server } = conversation
      const now = server.now()
      const ahead = (seconds: number) => ({ claims: { iat: now + seconds, nbf: now + seconds } })
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt, { assertion: ahead(10), proof: ahead(10) })
      for (const knobs of [{ assertion: ahead(61) }, { proof: ahead(61) }]) {
        const refusals = { ...unauthenticated, invalid_dpop_proof: [400] }
        conversation.refused(await conversation.redeemRaw(attempt, code, knobs), refusals)
        conversation.refused(await conversation.pushRaw(conversation.begin(one), knobs), refusals)
      }
      const { access_token } = await conversation.redeem(attempt, code, { assertion: ahead(10), proof: ahead(10) })
      await conversation.useResource(one, access_token, { proof: ahead(10) })
      t.is((await conversation.callResource(one, access_token, { proof: ahead(61) })).status, 401)
    },
  },
  {
    name: '§5.3.2.2-7 errors carry iss and state as well',
    async run({ conversation, one }) {
      const attempt = conversation.begin(one, { prompt: 'none' })
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      const response = conversation.response(attempt, await conversation.userAgent().open(url))
      conversation.t.is(response.get('error'), 'login_required')
    },
  },
  {
    name: '§5.3.2.2-8 redirect URIs are compared exactly, and http is none',
    async run({ conversation, one }) {
      const { redirectUri } = one
      for (const redirect_uri of [
        redirectUri.replace('https:', 'http:'),
        `${redirectUri}/`,
        `${redirectUri}?a=b`,
        `${redirectUri}#fragment`,
        redirectUri.replace('suite.example', 'suite.example.evil.example'),
        redirectUri.replace('https://', 'https://evil.example@'),
        redirectUri.toUpperCase(),
      ]) {
        const answer = await conversation.pushRaw(conversation.begin(one, { redirect_uri }))
        conversation.refused(answer, { invalid_request: [400] })
      }
    },
  },
  {
    name: '§5.3.2.2-9 of parallel redemptions of one code one succeeds',
    async run({ conversation, one }) {
      const { t } = conversation
      const attempt = conversation.begin(one)
      const code = await conversation.authorize(attempt, { proof: {} })
      const answers = await Promise.all(Array.from({ length: 20 }, () => conversation.redeemRaw(attempt, code)))
      t.is(answers.filter(({ status }) => status === 200).length, 1)
      for (const answer of answers.filter(({ status }) => status !== 200))
        conversation.refused(answer, { invalid_grant: [400] })
    },
  },
  {
    name: '§5.3.2.2-13 the user is told who asks, and for what',
    async run({ conversation, one }) {
      const { t } = conversation
      const attempt = conversation.begin(one, { prompt: 'consent' })
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      const userAgent = conversation.userAgent()
      const page = await userAgent.open(url)
      t.true(page.kind === 'page' && page.markup.includes(one.id), 'the sign-in page names the client')
      const consent = await conversation.submitSignIn(userAgent, page)
      t.is(consent.kind, 'page')
      for (const said of [one.id, 'accounts', conversation.user.name])
        t.true(consent.kind === 'page' && consent.markup.toLowerCase().includes(said), `the consent page says ${said}`)
    },
  },
  {
    name: '§5.4.1-1 assertions are signed by the registered key with its algorithm',
    async run({ conversation, one, two, stranger }) {
      const cases: readonly AssertionKnobs[] = [
        { algorithm: 'none' },
        { key: stranger },
        { key: two.key },
        { claims: { iss: two.id } },
        { claims: { sub: two.id } },
        { claims: { jti: undefined } },
        { claims: { exp: undefined } },
        { claims: { exp: String(conversation.server.now() + 60) } },
        { claims: { aud: `${conversation.server.issuer}/` } },
        { claims: { aud: undefined } },
      ]
      for (const assertion of cases)
        conversation.refused(await conversation.pushRaw(conversation.begin(one), { assertion }), unauthenticated)
      await conversation.push(conversation.begin(one))
    },
  },
  {
    name: 'RFC 7523 §3 an assertion is good once',
    async run({ conversation, one }) {
      const assertion = { claims: { jti: randomBytes(16).toString('hex') } }
      await conversation.push(conversation.begin(one), { assertion })
      const again = await conversation.pushRaw(conversation.begin(one), { assertion })
      conversation.refused(again, { invalid_client: [400, 401] })
    },
  },
  {
    name: 'RFC 6749 §3.1 and §3.2 repeated parameters are refused',
    async run({ conversation, one }) {
      const { t, metadata, send } = conversation
      for (const url of [metadata.pushed_authorization_request_endpoint, metadata.token_endpoint]) {
        const body = `client_id=${one.id}&client_id=${one.id}&scope=openid&scope=openid`
        const answer = await send(url, { method: 'POST', headers: [...formContentType], body })
        conversation.refused(answer, { invalid_request: [400] })
        const wrongType = await send(url, { method: 'POST', headers: ['content-type', 'application/json'], body: '{}' })
        t.true(wrongType.status >= 400 && wrongType.status < 500)
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const other = await send(url, { method })
          t.is(other.status, 405, `${method} ${url}`)
          t.regex(other.header('allow').join(), /POST/)
        }
      }
      const attempt = conversation.begin(one)
      const authorization = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      authorization.searchParams.append('client_id', 'client-2')
      t.is((await send(authorization)).status, 400)
    },
  },
  {
    name: '§5.3.4-1 and -2 userinfo takes the token from the header alone',
    openidOnly: true,
    async run({ conversation, one }) {
      const { t, metadata, send } = conversation
      const url = String(metadata.userinfo_endpoint)
      const { access_token } = await conversation.obtain(conversation.begin(one))
      await conversation.useResource(one, access_token, { url })
      await conversation.useResource(one, access_token, { url, method: 'POST' })
      const proofFor = (method: string): string =>
        conversation.prove(one, { method, url, nonce: conversation.nonceOf('resource'), accessToken: access_token }, {})
      const inQuery = await send(`${url}?${form({ access_token })}`, { headers: ['dpop', proofFor('GET')] })
      t.true([400, 401].includes(inQuery.status), String(inQuery.status))
      const inBody = await send(url, {
        method: 'POST',
        headers: [...formContentType, 'dpop', proofFor('POST')],
        body: form({ access_token }),
      })
      t.true([400, 401].includes(inBody.status), String(inBody.status))
    },
  },
  {
    name: 'a sign-in page is good in the browser that it was shown to, and in no other',
    async run({ conversation, one }) {
      const { t } = conversation
      const attempt = conversation.begin(one)
      const url = conversation.authorizationUrl(attempt, await conversation.push(attempt))
      const browser = conversation.userAgent()
      const page = await browser.open(url)
      const elsewhere = await conversation.submitSignIn(conversation.userAgent(), page)
      t.is(elsewhere.kind, 'page', 'a form from another browser has signed a user in')
      // Asked to sign in again, or told that the browser keeps no cookie: but never what to allow.
      const isSignedIn = elsewhere.kind === 'page' && /value="?allow/i.test(elsewhere.markup)
      t.false(isSignedIn, 'a form from another browser has signed a user in')
      const arrival = await conversation.decide(browser, page, 'allow')
      await conversation.redeem(attempt, conversation.code(attempt, arrival))
    },
  },
]
