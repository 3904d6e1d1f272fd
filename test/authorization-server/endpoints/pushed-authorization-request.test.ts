import test from 'ava'
import { request } from 'undici'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import { aProtocolClient } from '../_client.js'
import { aClient, type RunningServer, startServer } from '../_running.js'

let server: RunningServer
test.before(async () => {
  server = await startServer({
    other: aClient('reader', { permissions: ['ept:token', 'gt:client_credentials', 'scp:orders'] }),
    scopes: [{ name: 'orders', resources: ['https://orders.example/', 'orders-api'] }],
  })
})
test.after.always(() => server.stop())

test('answers 201 with a request_uri of 256 bits that lives less than 600 seconds (RFC 9126 §2.2)', async (t) => {
  const { status, body, headers } = await aProtocolClient(server).push()
  t.is(status, 201)
  t.regex(String(body.request_uri), /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/)
  t.is(body.expires_in, 60)
  t.is(headers.get('cache-control'), 'no-store')
})

const refuses = test.macro({
  title: (_, parameters: Record<string, string | undefined>, code) =>
    `refuses ${Object.entries(parameters).map(([name, value]) => `${name} ${value?.slice(0, 50)}`)} as ${code}`,
  async exec(t, parameters: Record<string, string | undefined>, code: string) {
    const { status, body } = await aProtocolClient(server).push(parameters)
    t.is(status, 400)
    t.is(body.error, code)
    t.regex(String(body.error_description), /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
  },
})

test(refuses, { response_type: undefined }, 'invalid_request')
test(refuses, { response_type: 'token' }, 'unsupported_response_type')
test(refuses, { response_type: 'code id_token' }, 'unsupported_response_type')
test(refuses, { response_mode: 'form_post' }, 'invalid_request')
test(refuses, { redirect_uri: undefined }, 'invalid_request')
test(refuses, { redirect_uri: 'https://client.example/callback/other' }, 'invalid_request')
test(refuses, { code_challenge: undefined }, 'invalid_request')
test(refuses, { code_challenge: 'too-short' }, 'invalid_request')
test(refuses, { code_challenge_method: undefined }, 'invalid_request')
test(refuses, { code_challenge_method: 'plain' }, 'invalid_request')
test(refuses, { request_uri: 'urn:example:1' }, 'invalid_request')
test(refuses, { request: 'eyJ.eyJ.x' }, 'invalid_request_object')
test(refuses, { scope: undefined }, 'invalid_scope')
test(refuses, { scope: 'openid payments' }, 'invalid_scope')
test(refuses, { resource: 'https://unknown.example/' }, 'invalid_target')
test(refuses, { resource: 'https://orders.example/' }, 'invalid_target')
test(refuses, { resource: 'https://orders.example/#all', scope: 'orders' }, 'invalid_target')
test(refuses, { resource: 'orders-api', scope: 'orders' }, 'invalid_target')
test(refuses, { resource: '/orders', scope: 'orders' }, 'invalid_target')
test(refuses, { prompt: 'none login' }, 'invalid_request')
test(refuses, { prompt: 'create' }, 'invalid_request')
test(refuses, { max_age: '-1' }, 'invalid_request')
test(refuses, { id_token_hint: 'eyJ.eyJ.x' }, 'invalid_request')
test(refuses, { dpop_jkt: 'short' }, 'invalid_request')
test(refuses, { dpop_jkt: 'A'.repeat(43) }, 'invalid_dpop_proof')
test(refuses, { nonce: 'n'.repeat(1025) }, 'invalid_request')

test('takes dpop_jkt without a proof, and with the proof of that key (RFC 9449 §10.1)', async (t) => {
  const client = aProtocolClient(server)
  t.is((await client.push({ dpop_jkt: client.jkt }, { proof: false })).status, 201)
  t.is((await client.push({ dpop_jkt: client.jkt })).status, 201)
})

test('takes a long state, a nonce of 64 characters, an empty parameter and one it does not know', async (t) => {
  const client = aProtocolClient(server)
  t.is((await client.push({ state: 's'.repeat(1000), nonce: 'n'.repeat(64), login_hint: '', hello: 'x' })).status, 201)
})

test('refuses a client that has no permission for it', async (t) => {
  const { status, body } = await aProtocolClient(server, server.other).push({ scope: 'orders' })
  t.is(status, 400)
  t.is(body.error, 'unauthorized_client')
})

test('challenges a proof without our nonce, and takes the same assertion with a fresh proof (RFC 9449 §8)', async (t) => {
  const client = aProtocolClient(server)
  const assertion = client.assertion()
  const challenged = await client.push({}, { assertion, retry: false })
  t.is(challenged.status, 400)
  t.is(challenged.body.error, 'use_dpop_nonce')
  t.truthy(challenged.headers.get('dpop-nonce'))
  t.is((await client.push({}, { assertion })).status, 201)
  const replayed = await client.push({}, { assertion })
  t.is(replayed.status, 401)
  t.is(replayed.body.error, 'invalid_client')
})

test('a nonce can be used again within its window', async (t) => {
  const client = aProtocolClient(server)
  await client.push()
  t.is((await client.push({}, { retry: false })).status, 201)
})

test('refuses a proof that was used before', async (t) => {
  const client = aProtocolClient(server)
  await client.push()
  const proof = client.proof('POST', `${server.url}/connect/par`)
  t.is((await client.push({}, { proof })).status, 201)
  const again = await client.push({}, { proof })
  t.is(again.status, 400)
  t.is(again.body.error, 'invalid_dpop_proof')
})

test('refuses two DPoP headers, in one line or in two', async (t) => {
  const client = aProtocolClient(server)
  await client.push()
  const url = `${server.url}/connect/par`
  const proofs = [client.proof('POST', url), client.proof('POST', url)]
  t.is((await client.push({}, { proof: proofs.join(', ') })).body.error, 'invalid_dpop_proof')

  const body = new URLSearchParams({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: client.assertion(),
  }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', dpop: proofs }
  const { statusCode, body: answer } = await request(url, { method: 'POST', headers, body })
  t.is(statusCode, 400)
  t.like(await answer.json(), { error: 'invalid_dpop_proof' })
})

test('refuses a parameter that comes twice (RFC 6749 §3.1)', async (t) => {
  const client = aProtocolClient(server)
  const body = new URLSearchParams({ client_assertion: client.assertion() })
  body.append('scope', 'openid')
  body.append('scope', 'orders')
  const response = await fetch(`${server.url}/connect/par`, { method: 'POST', body })
  t.is(response.status, 400)
  t.like(await response.json(), { error: 'invalid_request' })
})

test('refuses another method with 405 and the ones that it takes', async (t) => {
  const response = await fetch(`${server.url}/connect/par`, { method: 'PUT', body: 'x' })
  t.is(response.status, 405)
  t.is(response.headers.get('allow'), 'POST')
})

test('takes proofs of PS256 and Ed25519 keys', async (t) => {
  for (const algorithm of ['PS256', 'Ed25519'] as const) {
    const client = aProtocolClient(server)
    const key = signingKey(generateSigningJwk(algorithm))
    t.is((await client.push({}, { proof: { key } })).status, 201)
  }
})
