import { createHash } from 'node:crypto'
import { createClient } from '@redis/client'
import test from 'ava'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { aJwt } from '../_jwt.js'
import { startRedis } from '../store/_redis.js'
import { startStack } from './_stack.js'
import { createTap, requestsOn } from './_tap.js'
import { createUserAgent } from './_user-agent.js'

const redis = await startRedis()
test.after.always(() => redis?.stop())

const base64url = (text: string): string => createHash('sha256').update(text).digest('base64url')

if (redis === undefined) {
  test.skip('what is on the wires: no redis-server is installed', () => {})
} else {
  test('a login and a call leave on each wire what belongs there, and nothing else', async (t) => {
    const [browserWire, serverWire, apiWire] = [await createTap(), await createTap(), await createTap()]
    const stack = await startStack({
      publicPorts: { gateway: browserWire.port, authorizationServer: serverWire.port, api: apiWire.port },
      configure: (configuration) => {
        configuration.Store = { Redis: { Url: redis.url } }
        configuration.Bff.SealingKeys = [{ Env: 'SEALING_KEY' }]
        configuration.Authentication.OpenIddict.PublicUrl = `http://127.0.0.1:${apiWire.port}`
      },
      environment: { SEALING_KEY: Buffer.alloc(32, 7).toString('base64url') },
    })
    browserWire.leadTo(stack.ports.gateway)
    serverWire.leadTo(stack.ports.authorizationServer)
    apiWire.leadTo(stack.ports.api)
    t.teardown(async () => {
      for (const tap of [browserWire, serverWire, apiWire]) tap.close()
      await stack.stop()
    })

    const browser = createUserAgent()
    const signIn = await browser.navigate(new URL('/bff/login?returnUrl=/', stack.gateway))
    const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' })
    const home = await browser.submit(consent, {}, { button: 'allow' })
    t.is(home.url.href, stack.gateway.href, home.body)

    // The pushed request carries everything; the browser's URL only names it (FAPI 2.0 §5.3.3.2-6).
    const toServer = serverWire.requests().flatMap(requestsOn)
    const pushed = new URLSearchParams(toServer.find(({ target }) => target === '/connect/par')?.body)
    for (const name of [
      'response_type',
      'redirect_uri',
      'scope',
      'state',
      'nonce',
      'code_challenge',
      'client_assertion',
    ])
      t.true(pushed.has(name), `the pushed request has ${name}`)
    t.is(pushed.get('code_challenge_method'), 'S256')
    t.is(decodeJwt(pushed.get('client_assertion') ?? '').aud, stack.authorizationServer.origin)
    const authorize = signIn.visited.find(({ pathname }) => pathname === '/connect/authorize')
    t.deepEqual([...(authorize?.searchParams.keys() ?? [])].sort(), ['client_id', 'request_uri'])

    // The token is bound to the key that the proof shows (RFC 9449 §6.1).
    const tokenRequest = toServer.find(({ target }) => target === '/connect/token')
    const verifier = new URLSearchParams(tokenRequest?.body).get('code_verifier') ?? ''
    t.is(base64url(verifier), pushed.get('code_challenge') ?? '')

    const answer = await browser.call(new URL('/api/orders', stack.gateway))
    t.is(answer.status, 200)
    const call = apiWire
      .requests()
      .flatMap(requestsOn)
      .find(({ target }) => target === '/api/orders')
    const [authorization = ''] = call?.headers.get('authorization') ?? []
    const [scheme, accessToken = ''] = authorization.split(' ')
    t.is(scheme, 'DPoP')
    const claims = decodeJwt<{ cnf?: { jkt?: string } }>(accessToken)
    t.is(decodeProtectedHeader(accessToken).typ, 'at+jwt')
    t.is(typeof claims.cnf?.jkt, 'string')

    const proofs = call?.headers.get('dpop') ?? []
    t.is(proofs.length, 1, 'exactly one proof')
    const [proof = ''] = proofs
    const { htm, htu, ath } = decodeJwt<{ htm: string; htu: string; ath: string }>(proof)
    t.deepEqual({ htm, htu, ath }, { htm: 'GET', htu: `${stack.api.origin}/api/orders`, ath: base64url(accessToken) })
    t.false(call?.headers.has('cookie'), 'our cookie stays with us')
    t.false(call?.headers.has('x-csrf'))

    // What the browser never sees; and what it would be worth to somebody who had it.
    const secrets = [
      accessToken,
      verifier,
      new URLSearchParams(tokenRequest?.body).get('client_assertion') ?? '',
      proof,
    ]
    const toBrowser = [...browserWire.responses(), home.body, signIn.body, consent.body].join('\n')
    for (const secret of secrets) t.false(toBrowser.includes(secret))
    t.notRegex(toBrowser, aJwt)
    t.notRegex(toBrowser, /"(?:d|access_token|refresh_token|code_verifier)"/)

    const asBearer = await fetch(new URL('/api/orders', stack.api), {
      headers: { Authorization: `Bearer ${accessToken}` },
    })
    t.is(asBearer.status, 401)
    t.regex(asBearer.headers.get('www-authenticate') ?? '', /invalid_token/)
    const replayed = await fetch(new URL('/api/orders', stack.api), {
      headers: { Authorization: authorization, DPoP: proof },
    })
    t.is(replayed.status, 401)
    t.regex(replayed.headers.get('www-authenticate') ?? '', /DPoP .*error="invalid_dpop_proof"/)

    // A stolen store is noise.
    const thief = await createClient({ url: redis.url })
      .on('error', () => undefined)
      .connect()
    const keys = await thief.keys('*')
    t.true(keys.length > 0)
    for (const key of keys) {
      const text = (await thief.type(key)) === 'string' ? ((await thief.get(key)) ?? '') : ''
      const bytes = Buffer.concat([Buffer.from(text), ...text.split('.').map((part) => Buffer.from(part, 'base64url'))])
      t.false(
        aJwt.test(bytes.toString('latin1')) || bytes.includes('"d":') || bytes.includes('alice'),
        `${key} is readable`,
      )
    }
    thief.destroy()

    t.notRegex(stack.output(), aJwt, 'the log holds no token')
    for (const [name, value] of browser.cookies(stack.gateway)) {
      t.false(stack.output().includes(value), `the log holds the cookie ${name}`)
    }
  })
}
