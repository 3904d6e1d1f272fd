import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { eventually } from '../_eventually.js'
import { sallyport } from '../cli/_sallyport.js'
import { clientJwk, clientPublicJwk, startApi } from '../gateway/_gateway.js'
import { logIn, startProvider } from '../gateway/_provider.js'
import { startRedis } from '../store/_redis.js'
import { type Configuration, type Stack, startStack } from './_stack.js'
import { createUserAgent } from './_user-agent.js'

const redis = await startRedis()
test.after.always(() => redis?.stop())

const environment = {
  SEALING_KEY: randomBytes(32).toString('base64url'),
  ADMIN_TOKEN: randomBytes(32).toString('base64url'),
}

/** `sallyport …` beside a running stack, with its file. */
async function sallyportBeside(stack: Stack, ...given: readonly string[]) {
  const { exitCode, stdout, stderr } = await sallyport([...given, '--config', join(stack.folder, 'frontends.json')], {
    environment: { ...process.env, ...environment, NO_COLOR: '1', Server__AdminListen: stack.admin.host },
  })
  return { code: exitCode, text: exitCode === 0 ? stdout : stdout + stderr }
}

if (redis === undefined) test.skip('administration of two replicas: no redis-server is installed', () => {})
else
  test('sallyport sessions sees and ends the sessions of a user on two replicas, one of them with two workers', async (t) => {
    t.timeout(150_000)
    const [provider, api] = await Promise.all([startProvider(), startApi()])
    const settings = (workers: number, publicUrl?: string) => (configuration: Configuration) => {
      delete configuration.OpenIddict
      delete configuration.Authentication
      configuration.Server.Workers = workers
      configuration.Server.AdminToken = { Env: 'ADMIN_TOKEN' }
      configuration.Store = { Redis: { Url: redis.url, Timeout: '00:00:30' } }
      configuration.Bff = {
        ...configuration.Bff,
        ...(publicUrl !== undefined && { PublicUrl: publicUrl }),
        Authority: provider.issuer,
        SealingKeys: [{ Env: 'SEALING_KEY' }],
        Frontends: [
          {
            Name: 'app',
            Hosts: [],
            ClientId: 'my-bff',
            ClientSigningKeyJwk: clientJwk,
            Scopes: ['openid'],
            Routes: [{ Path: '/api', Upstreams: [api.url] }],
          },
        ],
      }
    }
    const one = await startStack({ configure: settings(2), environment })
    const two = await startStack({ configure: settings(1, one.gateway.origin), environment })
    t.teardown(() => Promise.all([one.stop(), two.stop(), provider.close(), api.close()]))
    const redirectUri = new URL('/bff/callback', one.gateway).href
    provider.register([
      { clientId: 'my-bff', publicJwk: clientPublicJwk, redirectUri, postLogoutRedirectUri: one.gateway.href },
    ])
    const browser = createUserAgent()
    await logIn(browser, new URL('/bff/login', one.gateway).href)
    const call = async (stack: Stack) => (await browser.call(new URL('/api/1', stack.gateway))).status
    t.deepEqual([await call(one), await call(two)], [200, 200], one.output() + two.output())
    const { sub } = (await (await browser.call(new URL('/bff/user', one.gateway))).json()) as { readonly sub: string }

    for (const stack of [one, two]) {
      const listed = await sallyportBeside(stack, 'sessions', 'list', '--json')
      t.is(listed.code, 0, listed.text)
      const { sessions } = JSON.parse(listed.text) as { readonly sessions: readonly { readonly subject: string }[] }
      t.deepEqual(
        sessions.map(({ subject }) => subject),
        [sub],
      )
      t.regex(
        (await sallyportBeside(stack, 'sessions', 'list')).text,
        new RegExp(`^handle +frontend +user.*\\n.* app +${sub}`),
      )
      const upstreams = await sallyportBeside(stack, 'upstreams')
      t.regex(
        upstreams.text,
        /^frontend +route +upstream .*\napp +\/api +http:\/\/127\.0\.0\.1:\d+ +well +0 +1 +[\d.]+ ms/,
      )
      const { upstreams: asJson, inFlight } = JSON.parse(
        (await sallyportBeside(stack, 'upstreams', '--json')).text,
      ) as {
        readonly inFlight: number
        readonly upstreams: readonly { readonly answers: { readonly calls: number } }[]
      }
      t.is(asJson[0]?.answers.calls, 1)
      t.is(inFlight, 0)
      const refused = await fetch(new URL('/api/1', stack.gateway), { headers: { 'X-CSRF': '1' } })
      const requestId = refused.headers.get('x-request-id') ?? ''
      const refusals = await sallyportBeside(stack, 'refusals', '--request-id', requestId)
      t.regex(
        refusals.text,
        new RegExp(`^[\\d: -]{19} UTC bff\\.\\S+ app /api\\n +gateway\\.request\\.refused ${requestId}\\n[^]*→ `),
      )
      const none = JSON.parse((await sallyportBeside(stack, 'refusals', '--request-id', 'other', '--json')).text)
      t.deepEqual(none, { refusals: [] })
      t.regex((await sallyportBeside(stack, 'refusals', '--request-id', 'other')).text, /^It is not among the last 200/)
      const metrics = await (await fetch(new URL('/metrics', stack.admin))).text()
      t.regex(metrics, /sallyport_sessions_active\{frontend="app"\} 1\n/)
      t.regex(metrics, /sallyport_upstream_up\{frontend="app",route="\/api",upstream="[^"]+"\} 1\n/)
    }
    t.deepEqual(await sallyportBeside(two, 'log-level'), { code: 0, text: 'info\n' })
    const raised = await sallyportBeside(two, 'log-level', 'warn', '--for', '00:01:00')
    t.regex(raised.text, /^warn until [\d-]{10} [\d:]{8} UTC\n$/)
    const { level, until } = JSON.parse((await sallyportBeside(two, 'log-level', '--json')).text)
    t.is(level, 'warn')
    t.true(Date.parse(until) > Date.now() - 60_000 && Date.parse(until) <= Date.now() + 61_000, until)
    const timeAlone = await sallyportBeside(two, 'log-level', '--for', '00:01:00')
    t.is(timeAlone.code, 1)
    t.regex(timeAlone.text, /Name the level/)
    const minutes = await sallyportBeside(two, 'log-level', 'warn', '--for', '10m')
    t.is(minutes.code, 1)
    t.regex(minutes.text, /Write "00:10:00"/)
    t.regex((await sallyportBeside(two, 'log-level', 'debug', '--for', '2.00:00:00')).text, /"for" is a duration/)
    t.is((await sallyportBeside(two, 'log-level', 'loud')).code, 1)
    t.is((await sallyportBeside(two, 'log-level', 'info', '--for', '00:00:30')).code, 0)
    t.is((await sallyportBeside(two, 'sessions', 'end')).code, 1, 'nothing is meant')
    t.deepEqual(await sallyportBeside(two, 'sessions', 'end', '--sub', 'nobody'), {
      code: 2,
      text: 'There was no such session.\n',
    })
    const elsewhere = ['--sub', sub, '--authority', 'https://another.example']
    t.is((await sallyportBeside(one, 'sessions', 'end', ...elsewhere)).code, 2)
    const here = ['--sub', sub, '--authority', provider.issuer]
    t.deepEqual(await sallyportBeside(one, 'sessions', 'end', ...here), {
      code: 0,
      text: '1 session has been ended.\n',
    })
    t.deepEqual([await call(one), await call(two)], [401, 401])
    // The log is written a moment later.
    await eventually(() => /"act":"sessions\.end".*"ended":1/.test(one.output()))
    t.notRegex(one.output() + two.output(), new RegExp(environment.ADMIN_TOKEN))

    const ask = (stack: Stack, path: string, init: RequestInit = {}) =>
      fetch(new URL(path, stack.admin), { ...init, headers: { Authorization: `Bearer ${environment.ADMIN_TOKEN}` } })
    const change = { method: 'PUT', body: JSON.stringify({ level: 'debug', for: '00:01:00' }) }
    t.is((await ask(one, '/admin/log-level', change)).status, 200)
    t.like(await (await ask(one, '/admin/log-level')).json(), { level: 'debug' })
    // A call of a worker is on its log now, with the id that its answer has.
    await call(one)
    const { refusals } = (await (await ask(one, '/admin/refusals')).json()) as {
      readonly refusals: readonly { readonly code: string; readonly requestId: string; readonly remedy: string }[]
    }
    t.regex(refusals[0]?.code ?? '', /^bff\.session\.(?:ended|absent)$/)
    t.regex(refusals[0]?.remedy ?? '', /^Sign in/)
    await eventually(() => one.output().includes(refusals[0]?.requestId ?? 'none'))
    t.is((await fetch(new URL('/console/sign-in', one.admin))).status, 200)
  })
