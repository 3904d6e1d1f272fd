import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { hashPassword } from '../../src/authorization-server/sign-in/password.js'
import { check } from '../../src/cli/check.js'
import { explain } from '../../src/cli/explain.js'
import { routes } from '../../src/cli/routes/routes.js'
import { readConfiguration } from '../../src/config/load.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { auditOf } from '../../src/server/audit-of.js'
import { createGenerations } from '../../src/server/generations.js'
import { run } from '../../src/server/run.js'
import { createLog, logEvents, logRecords } from '../../src/telemetry/log.js'
import { createLogLevel } from '../../src/telemetry/log-level.js'
import { eventually } from '../_eventually.js'
import { aFile, aFolder } from '../config/_workspace.js'
import { freePorts } from '../flows/_stack.js'
import { createTap, requestsOn } from '../flows/_tap.js'
import { createUserAgent, type Landing } from '../flows/_user-agent.js'
import { call } from '../gateway/_client.js'
import { startApi } from '../gateway/_gateway.js'
import { collectSpans, textOf } from '../telemetry/_spans.js'

/*
 * Secrets are planted wherever the configuration takes one, and taken from the wires wherever one passes. Whatever an operator,
 * an auditor or the sender of a wrong request gets to read has none of them, at success and at failure of each step.
 */

const secret = (): string => randomBytes(32).toString('base64url')
const planted = {
  password: `canary-${secret()}`,
  adminToken: secret(),
  sealingKey: secret(),
  clientSecret: `canary-${secret()}`,
  redisPassword: `canary${secret().replaceAll(/\W/g, '')}`,
  auditToken: `canary-${secret()}`,
  hashKey: secret(),
}
const clientKey = generateSigningJwk('ES256')

/** Each route of a span's name, and each part of a call. */
const spanNames = [
  ...['GET /bff/login', 'GET /bff/callback', 'POST /bff/logout', 'GET /api', 'POST /api', 'GET /gone'],
  ...['POST /connect/par', 'GET /connect/authorize', 'POST /connect/authorize', 'POST /connect/token'],
  ...['session', 'access token', 'proof', 'upstream', 'issuer'],
]

interface Read {
  readonly where: string
  readonly text: string
}

/** Everything that is written to the log, at its most talkative, and to the terminal. */
function listenTo(t: ExecutionContext, read: Read[]) {
  const log = createLog({
    level: 'debug',
    destination: { write: (text) => void read.push({ where: 'log', text }) },
  })
  logEvents(log, { accessLog: true })
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    stream.write = (chunk: string | Uint8Array) => {
      read.push({ where: 'terminal', text: String(chunk) })
      return write(chunk)
    }
    t.teardown(() => {
      stream.write = write
    })
  }
  return log
}

test('no secret of a configuration or of a login can be read anywhere', async (t) => {
  const read: Read[] = []
  const { logger } = listenTo(t, read)
  const spans = collectSpans(t)
  const [serverWire, apiWire, api] = await Promise.all([createTap(), createTap(), startApi()])
  const [front = 0, own = 0, admin = 0] = await freePorts(3)
  serverWire.leadTo(own)
  apiWire.leadTo(api.port)
  const settings = {
    Server: {
      Listen: `127.0.0.1:${front}`,
      AdminListen: `127.0.0.1:${admin}`,
      AdminToken: planted.adminToken,
      LogLevel: 'debug',
      Audit: { Log: true, Subject: 'Hashed', HashKey: planted.hashKey },
    },
    Store: { Memory: {} },
    Bff: {
      PublicUrl: `http://localhost:${front}`,
      SealingKeys: [planted.sealingKey],
      Frontends: [
        {
          Name: 'app',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: clientKey,
          Routes: [
            { Path: '/api', Upstreams: [`http://127.0.0.1:${apiWire.port}`] },
            { Path: '/gone', Upstreams: ['http://127.0.0.1:9'] },
          ],
        },
      ],
    },
    OpenIddict: {
      Issuer: `http://localhost:${serverWire.port}`,
      Listen: `127.0.0.1:${own}`,
      Seeding: { Users: [{ Username: 'alice', PasswordHash: await hashPassword(planted.password) }] },
    },
  }
  const file = await aFile(t, settings)
  const configuration = readConfiguration({ file, environment: {} })
  const audit = await auditOf(configuration, logRecords(logger))
  const generations = createGenerations(configuration)
  const running = await run(configuration, { generations, logLevel: createLogLevel(logger) })
  t.teardown(async () => {
    await running.stop()
    await audit?.close()
    for (const tap of [serverWire, apiWire]) tap.close()
    await api.close()
  })
  const url = `http://localhost:${front}`
  const note = (where: string, { body }: Landing): void => void read.push({ where, text: body })
  const answer = async (where: string, response: Response): Promise<void> => {
    read.push({
      where,
      text: `${await response.text()} ${JSON.stringify([...response.headers].filter(([name]) => name !== 'set-cookie'))}`,
    })
  }

  // A login that fails in the ways that it can, and then does not.
  const browser = createUserAgent()
  const page = await browser.navigate(`${url}/bff/login`)
  const wrong = await browser.submit(
    page,
    { username: 'alice', password: `${planted.password}x` },
    { button: 'sign-in' },
  )
  const consent = await browser.submit(wrong, { username: 'alice', password: planted.password }, { button: 'sign-in' })
  const home = await browser.submit(consent, {}, { button: 'allow' })
  const callback = home.visited.find(({ pathname }) => pathname === '/bff/callback')
  t.truthy(callback)
  const authorize = page.visited.find(({ pathname }) => pathname === '/connect/authorize')
  const cookies = [...browser.cookies(url).values(), ...browser.cookies(settings.OpenIddict.Issuer).values()]
  t.is((await browser.call(`${url}/api/x`)).status, 200)
  await answer('an upstream that is gone', await browser.call(`${url}/gone`))
  await answer('a call without its header', await browser.fetch(`${url}/api/x`, { method: 'POST' }))
  note('a callback that comes twice', await createUserAgent().navigate(callback ?? url))
  note('a reference that was used', await createUserAgent().navigate(authorize ?? url))
  note('a code of another', await createUserAgent().navigate(`${url}/bff/callback?code=${secret()}&state=${secret()}`))
  const given = createUserAgent()
  const declined = await given.submit(await given.navigate(`${url}/bff/login`), {}, { button: 'cancel' })
  note('a login that was given up', declined)
  const token = await fetch(`${settings.OpenIddict.Issuer}/connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      client_assertion: `e30.${secret()}.x`,
      code: callback?.searchParams.get('code') ?? '',
    }),
  })
  await answer('a token request of a stranger', token)

  // Where a secret has no business: in a path, in a target with a user and a password, in a code that cannot be read.
  const misplaced = { password: secret(), field: secret() }
  await call(new URL(url), `http://alice:${misplaced.password}@localhost:${front}/api/x`)
  await call(new URL(url), '/api/x', {
    headers: { 'X-Request-Id': `a ${misplaced.field}`, Baggage: `a=${misplaced.field}` },
  })
  await call(new URL(url), `/api/socket?token=${misplaced.field}`, {
    headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Protocol': misplaced.field },
  })

  // What administrators see.
  const bearer = { Authorization: `Bearer ${planted.adminToken}` }
  for (const path of ['sessions', 'frontends', 'upstreams', 'keys', 'configuration', 'refusals', 'log-level'])
    await answer(`/admin/${path}`, await fetch(`http://127.0.0.1:${admin}/admin/${path}`, { headers: bearer }))
  await answer(
    '/admin, wrong',
    await fetch(`http://127.0.0.1:${admin}/admin/keys`, { headers: { Authorization: 'Bearer x' } }),
  )
  const signedIn = await fetch(`http://127.0.0.1:${admin}/console/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ token: planted.adminToken }),
    redirect: 'manual',
  })
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  t.is(signedIn.status, 303)
  for (const path of ['sessions', 'refusals', 'upstreams', 'keys', 'configuration']) {
    const shown = await fetch(`http://127.0.0.1:${admin}/console/${path}`, { headers: { Cookie: cookie } })
    t.is(shown.status, 200, path)
    await answer(`/console/${path}`, shown)
  }
  for (const path of ['metrics', 'readyz', 'healthz'])
    await answer(`/${path}`, await fetch(`http://127.0.0.1:${admin}/${path}`))
  await browser.call(`${url}/bff/logout`, { method: 'POST' })

  // What the commands print, for a file that is right and for one where every server is out of reach.
  const unreachable = await aFile(t, {
    Server: {
      AdminListen: '127.0.0.1:9',
      AdminToken: planted.adminToken,
      Audit: { Endpoint: { Url: 'http://127.0.0.1:9', Token: planted.auditToken } },
    },
    Store: { Redis: { Url: `redis://me:${planted.redisPassword}@127.0.0.1:9` } },
    Bff: {
      Authority: 'https://127.0.0.1:9',
      PublicUrl: 'https://app.example.com',
      Profile: 'Baseline',
      SealingKeys: [planted.sealingKey],
      Frontends: [
        {
          Name: 'app',
          ClientId: 'x',
          ClientAuthenticationMethod: 'ClientSecretPost',
          ClientSecret: planted.clientSecret,
        },
      ],
    },
  })
  const folder = await aFolder(t)
  for (const [index, each] of [file, unreachable].entries()) {
    const output = (where: string) => ({
      write: (text: string) => void read.push({ where: `${where} ${index}`, text }),
    })
    for (const format of ['text', 'json'] as const) {
      const report = join(folder, `report-${index}.${format === 'json' ? 'json' : 'html'}`)
      await check({ file: each, network: 'try', format, report, environment: {}, output: output('check') })
      read.push({ where: 'report', text: await readFile(report, 'utf8').catch(() => '') })
      await routes({ file: each, format, look: 'audit', environment: {}, output: output('routes') })
      const asked = { method: 'GET', url: index === 0 ? `${url}/api/x` : 'https://app.example.com/api/x' }
      await explain({ ...asked, file: each, format, environment: {}, output: output('explain') })
    }
  }

  await eventually(() => spans().some(({ name }) => name === 'POST /bff/logout'))
  for (const span of spans()) read.push({ where: `span ${span.name}`, text: textOf(span) })
  for (const name of spanNames)
    t.true(
      read.some(({ where }) => where === `span ${name}`),
      name,
    )

  const secrets = new Map<string, string>([
    ...Object.entries(planted),
    ...Object.entries(misplaced),
    ['private key', String(clientKey.d)],
    ...cookies.map((value, index): [string, string] => [`cookie ${index}`, value]),
    ['console cookie', cookie.split('=')[1] ?? ''],
    ['code', callback?.searchParams.get('code') ?? ''],
    ['request_uri', authorize?.searchParams.get('request_uri') ?? ''],
  ])
  for (const { headers, body } of serverWire.requests().flatMap(requestsOn)) {
    const form = new URLSearchParams(body)
    for (const name of [
      'client_assertion',
      'code',
      'code_verifier',
      'refresh_token',
      'token',
      'request_uri',
      'form_token',
    ])
      for (const value of form.getAll(name)) secrets.set(`${name} ${secrets.size}`, value)
    for (const value of headers.get('dpop') ?? []) secrets.set(`proof ${secrets.size}`, value)
  }
  for (const text of serverWire.responses())
    for (const [, name = '', value = ''] of text.matchAll(
      /"(access_token|refresh_token|id_token|request_uri)":"([^"]+)"/g,
    ))
      secrets.set(`${name} ${secrets.size}`, value)
  t.true(secrets.size > 25, `${secrets.size} secrets`)
  t.true(read.length > 60, `${read.length} texts`)
  for (const name of ['access_token', 'refresh_token', 'id_token', 'code_verifier', 'proof', 'request_uri'])
    t.true(
      [...secrets.keys()].some((key) => key.startsWith(name)),
      name,
    )
  for (const [name, value] of secrets) {
    if (value === '' || (name.startsWith('token') === false && value.length < 8)) continue
    for (const { where, text } of read) {
      const at = text.indexOf(value)
      t.is(at, -1, `${name} in ${where}: ${text.slice(Math.max(0, at - 200), at + 20)}`)
    }
  }
})
