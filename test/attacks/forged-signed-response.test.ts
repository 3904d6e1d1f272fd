import { createHmac } from 'node:crypto'
import test from 'ava'
import { decodeJwt, SignJWT } from 'jose'
import { generateSigningJwk, type Jwk, signingKey } from '../../src/jose/jwk.js'
import { altered } from '../_altered.js'
import { serverKeys } from '../gateway/_provider.js'
import { callbackOnly, withSigning } from '../gateway/_signing.js'
import { aWorld, whoAmI } from '../gateway/_world.js'

/* Answers to a login that were not signed by its server, not for this client, or not now (JARM §2.4, §4). */

const [, serverKey = {}] = serverKeys

function sign(claims: Readonly<Record<string, unknown>>, key: Jwk = serverKey, header: object = {}): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: String(key.kid), ...header })
    .sign(signingKey(key).privateKey)
}

function made(header: object, claims: object, signature: (data: string) => string): string {
  const data = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${data}.${signature(data)}`
}

test('no forged, foreign, stale or unsigned answer logs anybody in, nor spends the genuine one', async (t) => {
  const { url, provider, ...world } = await aWorld(t, withSigning({ responses: 'ES256' }))
  const browser = world.aBrowser()
  const page = await browser.navigate(`${url}/bff/login`)
  const { url: genuine } = await browser.submit(page, { login: 'alice', password: 'x' }, callbackOnly)
  const response = genuine.searchParams.get('response') ?? ''
  const claims = decodeJwt(response)
  const { code, state, iss } = claims
  const now = Math.floor(Date.now() / 1000)
  const foreign = { ...generateSigningJwk('ES256'), kid: serverKey.kid } as Jwk
  const { kid } = serverKey
  const secret = JSON.stringify(serverKey)
  const spoiled = altered(response)

  const forged: Readonly<Record<string, string>> = {
    'of another issuer': await sign({ ...claims, iss: 'https://evil.example' }),
    'of an issuer that begins alike': await sign({ ...claims, iss: `${iss}/` }),
    'without iss': await sign({ ...claims, iss: undefined }),
    'for another client': await sign({ ...claims, aud: 'other' }),
    'for several others': await sign({ ...claims, aud: ['other', 'another'] }),
    'without aud': await sign({ ...claims, aud: undefined }),
    'that has expired': await sign({ ...claims, exp: now - 60 }),
    'without exp': await sign({ ...claims, exp: undefined }),
    'from the future': await sign({ ...claims, nbf: now + 600 }),
    'with another signature': spoiled,
    'of a key of somebody else under the same name': await sign(claims, foreign),
    'of a key that nobody publishes': await sign(claims, generateSigningJwk('ES256')),
    'of a key that its header brings along': await sign(claims, foreign, { jwk: signingKey(foreign).publicJwk }),
    'signed with none': made({ alg: 'none', kid }, claims, () => ''),
    'by HS256 with a published key': made({ alg: 'HS256', kid }, claims, (data) =>
      createHmac('sha256', secret).update(data).digest('base64url'),
    ),
    'that is no JWT': 'x',
    'that is empty': '',
  }
  for (const [what, jwt] of Object.entries(forged)) {
    const landing = await browser.navigate(`${url}/bff/callback?${new URLSearchParams({ response: jwt })}`)
    t.true([400, 503].includes(landing.status), `${what}: ${landing.status} ${landing.body}`)
    t.regex(landing.body, /bff\.(?:login\.failed|issuer\.unavailable)/, what)
    t.notRegex(landing.body, /eyJ/, what)
  }

  // What it would be without a signature, errors too; and with the genuine one beside it.
  const plain = { code: String(code), state: String(state), iss: String(iss) }
  for (const parameters of [plain, { ...plain, code: '', error: 'access_denied' }, { error: 'access_denied' }, {}]) {
    const landing = await browser.navigate(`${url}/bff/callback?${new URLSearchParams(parameters)}`)
    t.is(landing.status, 400)
    t.regex(landing.body, /bff\.login\.failed/)
    t.regex(landing.body, /not signed/)
  }
  const twice = await browser.navigate(`${genuine}&response=${response}`)
  t.regex(twice.body, /bff\.request\.malformed/)

  // Signed by the server, for this client, and no answer to a login of this browser.
  const otherState = await sign({ ...claims, state: 'x'.repeat(43) })
  const noState = await sign({ ...claims, state: undefined })
  t.regex((await browser.navigate(`${url}/bff/callback?response=${otherState}`)).body, /bff\.login\.transaction_absent/)
  t.regex((await browser.navigate(`${url}/bff/callback?response=${noState}`)).body, /bff\.request\.malformed/)
  const victim = world.aBrowser()
  t.regex((await victim.navigate(genuine)).body, /bff\.login\.transaction_absent/)

  t.is(provider.posted.filter(({ path }) => path === '/token').length, 0)
  t.deepEqual(await whoAmI(browser, url), { authenticated: false })
  // What stands beside the signed answer is not signed, and changes nothing.
  genuine.searchParams.set('error', 'access_denied')
  genuine.searchParams.set('state', 'another')
  t.is((await browser.navigate(genuine)).url.pathname, '/')
  t.like(await whoAmI(browser, url), { authenticated: true })

  // A second time, in the browser of the first and in another one.
  await browser.navigate(genuine)
  t.regex((await victim.navigate(genuine)).body, /bff\.login\.transaction_absent/)
  t.is(provider.posted.filter(({ body }) => body.get('code') === code).length, 1)
})

test('a signed answer that was not asked for is refused before anything of it is read', async (t) => {
  const { url, provider, ...world } = await aWorld(t)
  const browser = world.aBrowser()
  const page = await browser.navigate(`${url}/bff/login`)
  const { url: genuine } = await browser.submit(page, { login: 'alice', password: 'x' }, callbackOnly)
  const response = await sign({
    ...Object.fromEntries(genuine.searchParams),
    aud: 'my-bff',
    exp: Date.now() / 1000 + 60,
  })
  for (const link of [`${url}/bff/callback?response=${response}`, `${genuine}&response=${response}`]) {
    const landing = await browser.navigate(link)
    t.is(landing.status, 400)
    t.regex(landing.body, /not asked for/)
  }
  t.is((await browser.navigate(genuine)).url.pathname, '/')
})

test('who sends one forged answer after the other is asked to wait, and nobody else is', async (t) => {
  const { url, ...world } = await aWorld(t, {
    ...withSigning({ responses: 'ES256' }),
    gateway: { loginLimits: { perAddress: 5, window: 60 }, trustedProxies: ['127.0.0.0/8'] },
  })
  const forged = `${url}/bff/callback?response=${await sign({}, generateSigningJwk('ES256'))}`
  const from = (address: string) =>
    fetch(forged, {
      headers: { 'X-Forwarded-For': address, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
    })
  const statuses = []
  for (let times = 0; times < 7; times++) statuses.push((await from('192.0.2.1')).status)
  t.deepEqual(statuses.slice(-2), [429, 429], statuses.join())
  t.not((await from('198.51.100.1')).status, 429)
  t.true((await world.loggedIn()) !== undefined)
})
