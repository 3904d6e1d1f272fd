import { spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('the plan’s configuration goes to a file, with the same keys at every start, and a taken port is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-suite-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const port = await freePort()
  const [keys, out] = [join(folder, 'keys.json'), join(folder, 'plan.json')]
  const script = fileURLToPath(new URL('./serve.js', import.meta.url))
  const start = () => {
    const child = spawn(
      process.execPath,
      [script, '--origin', `https://127.0.0.1:${port}`, '--algorithm', 'ES256', '--keys', keys, '--out', out],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    t.teardown(() => child.kill())
    return child
  }
  const written = async (): Promise<string> => {
    for (let text = ''; ; await new Promise((resume) => setTimeout(resume, 20))) {
      text = await readFile(out, 'utf8').catch(() => '')
      if (text.endsWith('}\n')) return text
    }
  }
  const first = start()
  const plan = await written()
  const second = start()
  let said = ''
  second.stderr.on('data', (chunk) => (said += chunk))
  t.deepEqual(await once(second, 'exit'), [1, null])
  t.regex(said, new RegExp(`^127\\.0\\.0\\.1:${port} is taken by another program\\.`))
  const ended = once(first, 'exit')
  first.kill()
  await ended
  await rm(out)
  start()
  t.is(await written(), plan)
})
