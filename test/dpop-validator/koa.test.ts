import { once } from 'node:events'
import { createServer } from 'node:http'
import test from 'ava'
import Koa from 'koa'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { protect } from '../../src/dpop-validator/koa.js'
import { startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'

const audience = 'https://api.example'
const issuer = await startTestIssuer({ audience })
const verifier = createVerifier({ issuer: issuer.issuer, audience, publicUrl: audience })
const app = new Koa()
app.use(protect(verifier))
app.use((ctx) => {
  ctx.body = { sub: ctx.state.auth.subject, cached: ctx.state.auth.cached }
})
const server = createServer(app.callback()).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const base = `http://127.0.0.1:${typeof address === 'object' && address?.port}`
test.after.always(async () => {
  server.close()
  server.closeAllConnections()
  await issuer.close()
})

test('a bound token with its proof opens the API, once', async (t) => {
  const key = issuer.generateKey()
  const token = issuer.mintToken(key.jkt)
  const headers = (proof: string) => ({ Authorization: `DPoP ${token}`, DPoP: proof })
  const proof = issuer.mintProof({ method: 'GET', url: `${audience}/orders`, key, token })
  const first = await fetch(`${base}/orders?x=1`, { headers: headers(proof) })
  t.is(first.status, 200)
  t.deepEqual(await first.json(), { sub: 'alice', cached: false })
  const again = await fetch(`${base}/orders`, { headers: headers(proof) })
  t.is(again.status, 401)
  t.is(
    again.headers.get('WWW-Authenticate'),
    'DPoP error="invalid_dpop_proof", error_description="the proof was used before", algs="ES256 EdDSA PS256"',
  )
  const second = await fetch(`${base}/orders`, {
    headers: headers(issuer.mintProof({ method: 'GET', url: `${audience}/orders`, key, token })),
  })
  t.deepEqual(await second.json(), { sub: 'alice', cached: true })
})

test('no token gets a challenge without an error', async (t) => {
  const response = await fetch(`${base}/orders`)
  t.is(response.status, 401)
  t.is(response.headers.get('WWW-Authenticate'), 'DPoP algs="ES256 EdDSA PS256"')
  t.is(response.headers.get('Cache-Control'), 'no-store')
})

test('a bound token with the Bearer scheme is refused', async (t) => {
  const key = issuer.generateKey()
  const response = await fetch(`${base}/orders`, { headers: { Authorization: `Bearer ${issuer.mintToken(key.jkt)}` } })
  t.is(response.status, 401)
  t.regex(response.headers.get('WWW-Authenticate') ?? '', /^Bearer error="invalid_token".*DPoP algs=/)
})
