import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, get, type RequestListener } from 'node:http'
import { get as getTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { describeError, styleFor } from '../../src/cli/report.js'
import { readConfiguration } from '../../src/config/load.js'
import { ConfigurationError, UpstreamError } from '../../src/errors.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { type Running, run } from '../../src/server/run.js'
import { aFile } from '../config/_workspace.js'
import { freePorts } from '../flows/_stack.js'
import { selfSigned } from '../http/_self-signed.js'

interface Started {
  readonly running: Running
  readonly url: string
  readonly admin: string
}

async function anUpstream(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A gateway with one route that needs nobody to log in. */
async function aGateway(
  t: ExecutionContext,
  upstream: string,
  server: object = {},
  more: object = {},
): Promise<Started> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const file = await aFile(t, {
    Server: { Listen: `127.0.0.1:${port}`, AdminListen: `127.0.0.1:${adminPort}`, ...server },
    Bff: {
      Authority: 'https://auth.example.com',
      Frontends: [
        {
          Name: 'app',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Hosts: [],
          Routes: [{ Path: '/api', Upstreams: [upstream], TokenType: 'None', RequireCsrfHeader: true }],
        },
      ],
    },
    ...more,
  })
  const running = await run(readConfiguration({ file, environment: {} }))
  t.teardown(() => running.stop().catch(() => undefined))
  return { running, url: `http://127.0.0.1:${port}`, admin: `http://127.0.0.1:${adminPort}` }
}

const headers = { 'X-CSRF': '1' }

test('what is under way finishes before the process goes; readiness turns red first', async (t) => {
  let arrived = (): void => undefined
  let finish = (): void => undefined
  const isThere = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const upstream = await anUpstream(t, (_request, response) => {
    response.write('first ')
    arrived()
    finish = () => response.end('last')
  })
  const { running, url, admin } = await aGateway(t, upstream)
  t.is((await fetch(`${admin}/readyz`)).status, 200)
  const slow = fetch(`${url}/api/slow`, { headers })
  await isThere
  let isStopped = false
  const stopped = running.stop().then(() => {
    isStopped = true
  })
  t.is((await fetch(`${admin}/readyz`)).status, 503)
  t.is((await fetch(`${admin}/healthz`)).status, 200)
  await t.throwsAsync(fetch(`${url}/api/late`, { headers }), undefined, 'takes no new connections')
  t.false(isStopped, 'waits for what is under way')
  finish()
  t.is(await (await slow).text(), 'first last')
  await stopped
  await t.throwsAsync(fetch(`${admin}/healthz`))
})

test('what does not finish in time is broken off', async (t) => {
  let arrived = (): void => undefined
  const isThere = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const upstream = await anUpstream(t, (_request, response) => {
    response.write('never ending')
    arrived()
  })
  const { running, url } = await aGateway(t, upstream, { DrainTimeout: '00:00:01' })
  const endless = fetch(`${url}/api/endless`, { headers }).then((response) => response.text())
  await isThere
  const broken = t.throwsAsync(endless)
  await running.stop()
  await broken
})

test('a port that is taken is said to be, with the setting; nothing stays open', async (t) => {
  const upstream = await anUpstream(t, (_request, response) => void response.end())
  const taken = new URL(upstream).port
  const error = await t.throwsAsync(aGateway(t, 'http://127.0.0.1:1', { Listen: `127.0.0.1:${taken}` }), {
    instanceOf: ConfigurationError,
  })
  t.like(error?.problems[0], {
    pointer: '/Server/Listen',
    problem: `is 127.0.0.1:${taken}, which another program listens on`,
  })
})

test('an address of another machine is said to be', async (t) => {
  const error = await t.throwsAsync(aGateway(t, 'http://127.0.0.1:1', { AdminListen: '192.0.2.1:9464' }), {
    instanceOf: ConfigurationError,
  })
  t.is(error?.problems[0]?.pointer, '/Server/AdminListen')
})

test('a Redis that is not there is a mistake to be told, not to be waited for', async (t) => {
  const [dead = 0] = await freePorts(1)
  const key = generateSigningJwk('ES256')
  const file = await aFile(t, {
    Store: { Redis: { Url: `redis://:hush@127.0.0.1:${dead}` } },
    Bff: {
      Authority: 'https://auth.example.com',
      SealingKeys: [Buffer.alloc(32, 1).toString('base64url')],
      Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: key }],
    },
  })
  const error = await t.throwsAsync(run(readConfiguration({ file, environment: {} })), { instanceOf: UpstreamError })
  const text = describeError(error, styleFor({}))
  t.regex(
    text,
    /^error the Redis store did not answer \((?:connect ECONNREFUSED 127\.0\.0\.1:\d+|Connection timeout)\)\n$/,
  )
})

// Alone: the metrics are those of the process, and the other tests of this file forward as well.
test.serial('metrics tell what was forwarded, and nothing that a caller chooses', async (t) => {
  const upstream = await anUpstream(t, (_request, response) => void response.end('{}'))
  const { url, admin } = await aGateway(t, upstream)
  await (await fetch(`${url}/api/a-path-of-the-caller`, { headers })).text()
  await (await fetch(`${url}/api/x`)).text()
  const page = await fetch(`${admin}/metrics`)
  const text = await page.text()
  t.regex(page.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  t.regex(text, /sallyport_forwarded_seconds_count\{frontend="app",route="\/api",method="GET",status="2xx"\} 1/)
  t.regex(text, /sallyport_refusals_total\{product="gateway",code="bff\.csrf\.header_missing",route="\/api"\} [1-9]/)
  t.regex(text, /sallyport_store_up 1/)
  t.notRegex(text, /a-path-of-the-caller/)
  t.is((await fetch(`${admin}/metrics`, { method: 'POST' })).status, 405)
  t.is((await fetch(`${admin}/bff/user`)).status, 404)
  t.is((await fetch(`${url}/metrics`)).status, 404, 'not where browsers are')
})

test('TLS ends here when the file says so', async (t) => {
  const { cert, key } = await selfSigned()
  const upstream = await anUpstream(t, (_request, response) => void response.end('{}'))
  const [port = 0] = await freePorts(1)
  const file = await aFile(t, '{}')
  await mkdir(join(dirname(file), 'tls'))
  await writeFile(join(dirname(file), 'tls/cert.pem'), cert)
  await writeFile(join(dirname(file), 'tls/key.pem'), key)
  const content = {
    Server: { Listen: `127.0.0.1:${port}`, Tls: { CertFile: 'tls/cert.pem', KeyFile: 'tls/key.pem' } },
    Bff: {
      Authority: 'https://auth.example.com',
      Frontends: [
        {
          Name: 'app',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Routes: [{ Path: '/api', Upstreams: [upstream], TokenType: 'None' }],
        },
      ],
    },
  }
  await writeFile(file, JSON.stringify(content))
  const running = await run(readConfiguration({ file, environment: {} }))
  t.teardown(() => running.stop())
  const status = (maxVersion: 'TLSv1.1' | 'TLSv1.3') =>
    new Promise<number | string>((resolve) => {
      const options = { ca: cert, headers, maxVersion, minVersion: 'TLSv1' as const, agent: false }
      getTls(`https://localhost:${port}/api/x`, options, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      }).on('error', (error) => resolve(error.message))
    })
  t.is(await status('TLSv1.3'), 200)
  t.not(await status('TLSv1.1'), 200)
})

test('a certificate that does not go with its key is said to be', async (t) => {
  const file = await aFile(t, '{}')
  const folder = dirname(file)
  const [mine, other] = await Promise.all([selfSigned(), selfSigned()])
  await writeFile(join(folder, 'cert.pem'), mine.cert)
  await writeFile(join(folder, 'key.pem'), other.key)
  const error = await t.throwsAsync(
    aGateway(t, 'http://127.0.0.1:1', {
      Tls: { CertFile: join(folder, 'cert.pem'), KeyFile: join(folder, 'key.pem') },
    }),
    { instanceOf: ConfigurationError },
  )
  t.is(error?.problems[0]?.pointer, '/Server/Tls')
})

test('signing keys are kept also when all other keys are given', async (t) => {
  const [port = 0] = await freePorts(1)
  const file = await aFile(t, { OpenIddict: { Issuer: `http://localhost:${port}` } })
  const environment = { Bff__SealingKeys__0: Buffer.alloc(32, 1).toString('base64url') }
  const keyIds = async () => {
    const running = await run(readConfiguration({ file, environment }))
    const { keys } = (await (await fetch(`http://localhost:${port}/connect/jwks`)).json()) as {
      keys: { kid: string }[]
    }
    await running.stop()
    return keys.map(({ kid }) => kid)
  }
  const before = await keyIds()
  t.true(before.length > 0)
  t.deepEqual(await keyIds(), before)
})

test('the authorization server shares a listener, told apart by host and path', async (t) => {
  const [port = 0] = await freePorts(1)
  const origin = `http://localhost:${port}`
  const file = await aFile(t, {
    Bff: { PublicUrl: origin, Frontends: [{ Name: 'app' }] },
    OpenIddict: { Issuer: `${origin}/auth` },
  })
  const running = await run(readConfiguration({ file, environment: {} }))
  t.teardown(() => running.stop())
  const discovered = async (path: string, host = `localhost:${port}`) =>
    new Promise<string | undefined>((resolve, reject) => {
      get(`http://127.0.0.1:${port}${path}`, { headers: { host }, agent: false }, (response) => {
        let body = ''
        response.on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => resolve(/"issuer":"([^"]+)"/.exec(body)?.[1]))
      }).on('error', reject)
    })
  t.is(await discovered('/auth/.well-known/openid-configuration'), `${origin}/auth`)
  t.is(await discovered('/.well-known/oauth-authorization-server/auth'), `${origin}/auth`)
  t.is(await discovered('/auth/.well-known/openid-configuration', 'evil.example'), undefined)
  t.is(await discovered('/authority/.well-known/openid-configuration'), undefined)
  t.deepEqual(await (await fetch(`${origin}/bff/user`)).json(), { authenticated: false })
  const login = await fetch(`${origin}/bff/login`, { redirect: 'manual' })
  t.regex(login.headers.get('location') ?? '', new RegExp(`^${origin}/auth/connect/authorize\\?`))
})
