import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import test from 'ava'
import { createIssuerConfiguration } from '../../src/gateway/oauth/issuer-configuration.js'
import { createIssuerFetch } from '../../src/gateway/oauth/issuer-fetch.js'
import { aFrontend } from '../gateway/_gateway.js'
import { anIssuer } from '../gateway/_issuer.js'
import { aPlantedGateway, navigation } from '../gateway/_planted.js'

/** What an https issuer would say, without a server that speaks TLS. */
function metadataOf(overrides: Record<string, unknown>) {
  const issuer = 'https://as.example'
  const said = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    jwks_uri: `${issuer}/jwks`,
    ...overrides,
  }
  const asked: string[] = []
  const fetch = Object.assign(
    async (url: string) => {
      asked.push(url)
      return new Response(JSON.stringify(said), { headers: { 'Content-Type': 'application/json' } })
    },
    { nonceOf: () => undefined, close: async () => undefined },
  )
  const options = aFrontend({ publicUrl: new URL('https://app.example'), authority: issuer })
  return {
    configuration: createIssuerConfiguration({ frontend: { options }, fetch, timeout: 5, now: Date.now }),
    asked,
  }
}

const endpoints = [
  'authorization_endpoint',
  'pushed_authorization_request_endpoint',
  'token_endpoint',
  'userinfo_endpoint',
  'revocation_endpoint',
  'end_session_endpoint',
  'jwks_uri',
]

for (const name of endpoints)
  test(`an https issuer that names its ${name} without TLS is not believed, this machine included`, async (t) => {
    for (const value of [
      'http://127.0.0.1:6379/',
      'http://localhost/keys',
      'http://[::1]/',
      'http://as.example/keys',
      'file:///etc/passwd',
      'ftp://as.example/',
      'javascript:alert(1)',
      'https://user:secret@as.example/',
      'https://as.example/#x',
      '/relative',
      '',
      null,
      7,
      ['https://as.example/'],
    ]) {
      const { configuration } = metadataOf({ [name]: value })
      const error = await t.throwsAsync(configuration(), undefined, String(value))
      t.regex(String(error?.message), new RegExp(`${name}|acceptable`), String(value))
    }
    const { configuration } = metadataOf({ [name]: 'https://elsewhere.example/x' })
    await t.notThrowsAsync(configuration(), 'a host of its own is fine')
  })

test('an issuer on this machine names no endpoint elsewhere', async (t) => {
  const trap = createServer().listen(0, '127.0.0.1')
  await once(trap, 'listening')
  t.teardown(() => trap.close())
  const issuer = await anIssuer(t)
  const world = await aPlantedGateway(t, { authority: issuer.issuer })
  issuer.metadata = { jwks_uri: 'http://192.0.2.1/keys' }
  t.is((await world.call('/bff/login', { headers: navigation })).status, 400)
  issuer.metadata = { jwks_uri: `http://127.0.0.1:${(trap.address() as AddressInfo).port}/keys` }
  issuer.answers.set('/par', (_request, response) =>
    response.writeHead(201).end('{"request_uri":"urn:x","expires_in":9}'),
  )
  t.is((await world.call('/bff/login', { headers: navigation })).status, 303)
})

test('a nonce that is none, or is too long for a header, is not remembered: later logins go on', async (t) => {
  const issuer = await anIssuer(t)
  const fetch = createIssuerFetch(5)
  t.teardown(() => fetch.close())
  let nonce = 'good'
  issuer.answers.set('/par', (_request, response) => response.writeHead(200, { 'DPoP-Nonce': nonce }).end())
  for (const next of ['n'.repeat(15_000), 'n'.repeat(1025), 'two words', 'a"b', 'a\\b', 'a, b']) {
    nonce = next
    await fetch(`${issuer.issuer}/par`, {})
    t.is(fetch.nonceOf(issuer.issuer), undefined, next.slice(0, 20))
  }
  nonce = 'n'.repeat(1024)
  await fetch(`${issuer.issuer}/par`, {})
  t.is(fetch.nonceOf(issuer.issuer), nonce)
})

test('a redirect of an issuer is not followed, and an answer without end is broken off', async (t) => {
  const issuer = await anIssuer(t)
  const fetch = createIssuerFetch(5)
  t.teardown(() => fetch.close())
  issuer.answers.set('/moved', (_request, response) =>
    response.writeHead(302, { Location: `${issuer.issuer}/jwks` }).end(),
  )
  t.is((await fetch(`${issuer.issuer}/moved`, {})).status, 302)
  t.false(issuer.requests.includes('/jwks'))
  issuer.answers.set('/huge', (_request, response) => response.end('x'.repeat(3_000_000)))
  await t.throwsAsync(async () => (await fetch(`${issuer.issuer}/huge`, {})).text())
})
