import { spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { JWK } from 'jose'
import { createSender } from './_http.js'
import { compactJws } from './_jose.js'
import type { suiteConfiguration } from './_suite-configuration.js'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('the server for the OpenID Foundation’s suite says how to be tested, and takes its clients’ requests', async (t) => {
  const origin = `https://127.0.0.1:${await freePort()}`
  const script = fileURLToPath(new URL('./serve.js', import.meta.url))
  const child = spawn(process.execPath, [script, '--origin', origin, '--algorithm', 'ES256'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  let text = ''
  let configuration: ReturnType<typeof suiteConfiguration> | undefined
  for await (const chunk of child.stdout) {
    text += chunk
    if (!text.endsWith('}\n')) continue
    configuration = JSON.parse(text)
    break
  }
  if (configuration?.client === undefined) return t.fail(text)
  const { server, client, resource } = configuration
  t.is(server.discoveryUrl, `${origin}/.well-known/openid-configuration`)
  t.is(resource.resourceUrl, `${origin}/accounts`)

  const { send, close } = createSender()
  t.teardown(close)
  const metadata = (await send(server.discoveryUrl)).json()
  const [jwk] = client.jwks.keys as JWK[]
  if (jwk === undefined) return t.fail('no key')
  const now = Math.floor(Date.now() / 1000)
  const assertion = compactJws(
    { alg: 'ES256', kid: jwk.kid },
    { iss: client.client_id, sub: client.client_id, aud: origin, jti: 'one', iat: now, exp: now + 60 },
    createPrivateKey({ key: { ...jwk }, format: 'jwk' }),
    'ES256',
  )
  const pushed = await send(String(metadata.pushed_authorization_request_endpoint), {
    method: 'POST',
    headers: ['content-type', 'application/x-www-form-urlencoded'],
    body: new URLSearchParams({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      response_type: 'code',
      client_id: client.client_id,
      scope: client.scope,
      redirect_uri: 'https://localhost:8443/test/a/sallyport/callback',
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
    }).toString(),
  })
  t.is(pushed.status, 201, pushed.body)
  const page = await send(
    `${metadata.authorization_endpoint}?client_id=${client.client_id}&request_uri=${pushed.json().request_uri}`,
  )
  // What the suite's browser fills in and presses.
  for (const id of ['username', 'password', 'sign-in', 'cancel']) t.regex(page.body, new RegExp(`id="${id}"`))
})
