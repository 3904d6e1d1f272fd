import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { freePorts } from '../flows/_stack.js'
import { createSender } from './_http.js'
import { generateKey, keyPairOf } from './_jose.js'
import { nothingSigned } from './_message-signing.js'
import type { suiteConfiguration } from './_suite-configuration.js'
import { createConversation } from './authorization-server/_conversation.js'
import { fetchMetadata, testPlan } from './authorization-server/_plan.js'
import type { ServerUnderTest, SuiteClient } from './authorization-server/_server-under-test.js'
import { checkTls } from './authorization-server/_tls.js'

const script = fileURLToPath(new URL('./serve.js', import.meta.url))

const places = (port: number, apiPort: number): readonly string[] => [
  '--origin',
  `https://127.0.0.1:${port}`,
  '--api',
  `https://127.0.0.1:${apiPort}`,
]

test('what the OpenID Foundation’s suite tests is the shipped program: a client of the plan signs in and calls the API', async (t) => {
  const [port = 0, apiPort = 0] = await freePorts(2)
  const [origin, api] = [`https://127.0.0.1:${port}`, `https://127.0.0.1:${apiPort}`]
  const child = spawn(process.execPath, [script, ...places(port, apiPort), '--algorithm', 'ES256'])
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill()
    await ended
  })
  let [text, log] = ['', '']
  child.stderr.on('data', (chunk) => (log += chunk))
  let configuration: ReturnType<typeof suiteConfiguration> | undefined
  for await (const chunk of child.stdout) {
    text += chunk
    if (!text.endsWith('}\n')) continue
    configuration = JSON.parse(text)
    break
  }
  if (configuration === undefined) return t.fail(log)
  const { server, resource } = configuration
  t.is(server.discoveryUrl, `${origin}/.well-known/openid-configuration`)
  t.is(resource.resourceUrl, `${api}/api/whoami`)
  await checkTls(t, origin)

  const { send, close } = createSender()
  t.teardown(close)
  const clients = await Promise.all(
    [configuration.client, configuration.client2].map(async (client, index): Promise<SuiteClient> => {
      const [jwk] = client?.jwks.keys ?? []
      if (client === undefined || jwk === undefined) throw new TypeError('a client without a key')
      const callback = 'https://localhost:8443/test/a/sallyport/callback'
      return {
        id: client.client_id,
        key: await keyPairOf(jwk, 'ES256'),
        proofKey: await generateKey('ES256'),
        redirectUri: index === 0 ? callback : `${callback}?dummy1=lorem&dummy2=ipsum`,
        scope: client.scope,
        which: index === 0 ? 1 : 2,
      }
    }),
  )
  const [one, two] = clients
  const happyFlow = testPlan.find(({ name }) => name === 'happy-flow')
  if (one === undefined || two === undefined || happyFlow === undefined) return t.fail('no clients or no module')
  const underTest: ServerUnderTest = {
    issuer: origin,
    resourceUrl: resource.resourceUrl,
    now: () => Math.floor(Date.now() / 1000),
    advance: () => t.fail('the clock of another process cannot be moved'),
    close: async () => {},
  }
  const user = { name: 'alice', password: 'wonderland' }
  const found = await fetchMetadata(send, origin)
  const conversation = createConversation({
    t,
    server: underTest,
    send,
    openid: true,
    signing: nothingSigned,
    user,
    ...found,
  })
  // What the suite's browser fills in and presses.
  const attempt = conversation.begin(one)
  const page = await send(conversation.authorizationUrl(attempt, await conversation.push(attempt)))
  for (const id of ['username', 'password', 'sign-in', 'cancel']) t.regex(page.body, new RegExp(`id="${id}"`))
  await happyFlow.run({ conversation, one, two, stranger: await generateKey('ES256'), skip: t.log })

  child.kill()
  t.deepEqual(await ended, [0, null])
  // Only the program says so, of the listener where it ends TLS itself. It does not outlive the script.
  const started = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === 'server.started')
  t.is(started[0].url, origin)
  t.regex(log, /server\.stopped/)
  await t.throwsAsync(send(origin))
})

test('a taken port is named, of the authorization server and of the API, and nothing is left running', async (t) => {
  const [port = 0, apiPort = 0] = await freePorts(2)
  for (const [taken, option] of [
    [port, '--origin'],
    [apiPort, '--api'],
  ] as const) {
    const other = createServer().listen(taken, '127.0.0.1')
    await once(other, 'listening')
    const child = spawn(process.execPath, [script, ...places(port, apiPort), '--algorithm', 'ES256'])
    let said = ''
    child.stderr.on('data', (chunk) => (said += chunk))
    t.deepEqual(await once(child, 'close'), [1, null], said)
    const sentence = `127.0.0.1:${taken} is taken by another program. Stop it, or give another port with ${option}.`
    t.true(said.includes(sentence), said)
    await once(other.close(), 'close')
  }
})

test('the plan’s configuration goes to a file, with the same keys at every start', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-suite-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const [port = 0, apiPort = 0] = await freePorts(2)
  const [keys, out] = [join(folder, 'keys.json'), join(folder, 'plan.json')]
  const planOfAStart = async (): Promise<string> => {
    const args = [...places(port, apiPort), '--algorithm', 'ES256', '--keys', keys, '--out', out]
    const changes = watch(folder)
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    const ended = once(child, 'exit')
    try {
      return await new Promise<string>((resolve, reject) => {
        const look = async (): Promise<void> => {
          const text = await readFile(out, 'utf8').catch(() => '')
          if (text.endsWith('}\n')) resolve(text)
        }
        changes.on('change', look)
        ended.then(([code]) => reject(new Error(`it has ended with ${code}`)), reject)
      })
    } finally {
      changes.close()
      child.kill()
      await ended
      await rm(out, { force: true })
    }
  }
  t.is(await planOfAStart(), await planOfAStart())
})
