import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { generateTestKey, startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { run } from '../../src/server/run.js'
import { aFolder } from '../config/_workspace.js'
import { freePorts } from '../flows/_stack.js'
import { aProxy } from '../http/_http-proxy.js'

const audience = 'https://orders.example.com'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

function ask(socketPath: string, path: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, method, headers: { Host: 'localhost', ...headers } }, (response) => {
      let text = ''
      response
        .on('data', (chunk) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
      .on('error', reject)
      .end()
  })
}

/** The program's own parts on a Unix socket, with a gateway and the validator for API clients. */
async function running(t: ExecutionContext, validate: object = {}, bff: object = {}) {
  const [issuer, directory, [port = 0]] = await Promise.all([startTestIssuer({ audience }), aFolder(t), freePorts(1)])
  t.teardown(issuer.close)
  const value = {
    Server: {
      Listen: `127.0.0.1:${port}`,
      LogLevel: 'silent',
      ForwardAuth: {
        Listen: 'unix:ask.sock',
        Validate: {
          Issuer: issuer.issuer,
          Audience: audience,
          PublicUrls: ['https://orders.example.com'],
          ...validate,
        },
      },
    },
    Store: { Memory: {} },
    Bff: {
      Authority: 'https://auth.example.com',
      PublicUrl: 'https://app.example.com',
      ...bff,
      Frontends: [
        {
          Name: 'app',
          ClientId: 'app',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Routes: [{ Path: '/open', Upstreams: ['http://127.0.0.1:9'], TokenType: 'None' }],
        },
      ],
    },
  }
  const configuration = readConfiguration({ environment: {}, directory, value })
  const socket = join(directory, 'ask.sock')
  const program = await run(configuration)
  t.teardown(() => program.stop())
  const key = generateTestKey()
  const called = (url = 'https://orders.example.com/orders', method = 'GET') => {
    const token = issuer.mintToken(key.jkt)
    return { Authorization: `DPoP ${token}`, DPoP: issuer.mintProof({ method, url, key, token }) }
  }
  const told = (url = 'https://orders.example.com/orders', method = 'GET') => ({
    'X-Original-URL': url,
    'X-Original-Method': method,
    'X-Forwarded-For': '192.0.2.7',
  })
  /** What a changed file is, with another `Bff`, for this program. */
  const reloaded = (changed: object) =>
    readConfiguration({
      environment: {},
      directory,
      value: { ...value, Bff: { ...value.Bff, ...changed } },
      running: configuration,
    })
  return { socket, configuration, issuer, called, told, key, program, reloaded }
}

test('a Unix socket answers for the gateway and for API clients, and one that was left behind is replaced', async (t) => {
  const { socket, configuration, called, told } = await running(t)
  const open = await ask(socket, '/nginx', told('https://app.example.com/open/1'))
  t.is(open.status, 200, open.text)

  const accepted = await ask(socket, '/validate/nginx', { ...told(), ...called() })
  t.is(accepted.status, 200, accepted.text)
  t.like(accepted.headers, { 'x-auth-subject': 'alice', 'x-auth-client': 'client', 'x-auth-scope': 'read write' })
  t.is(accepted.headers.authorization, undefined)

  t.is((await stat(socket)).mode & 0o777, 0o660)

  // The same place is taken as long as it is answered there.
  const elsewhere = { ...configuration, server: { ...configuration.server, listen: { host: '127.0.0.1', port: 0 } } }
  await t.throwsAsync(run(elsewhere), {
    message: /\/Server\/ForwardAuth\/Listen: is .*which another program listens on/,
  })
  const path = join(dirname(socket), 'left.sock')
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  await t.throwsAsync(promisify(execFile)(process.execPath, ['-e', program]))
  t.true((await stat(path)).isSocket())
  const { forwardAuth } = configuration.server
  const listen = { host: '', port: 0, path }
  const other = await run({
    ...elsewhere,
    server: { ...elsewhere.server, forwardAuth: forwardAuth && { ...forwardAuth, listen } },
  })
  t.is((await ask(path, '/nginx', told('https://app.example.com/open/1'))).status, 200)
  await other.stop()
  await t.throwsAsync(stat(path), { code: 'ENOENT' })
})

test('API clients are refused as the validator does it, and nothing is a yes', async (t) => {
  const { socket, called, told, issuer, key } = await running(t, { Scopes: ['read'] })
  const good = called()
  t.is((await ask(socket, '/validate/nginx', { ...told(), ...good })).status, 200)
  const token = issuer.mintToken(key.jkt, { claims: { scope: 'write' } })
  const url = 'https://orders.example.com/orders'
  const cases: [string, Record<string, string>, number, RegExp][] = [
    ['no token', told(), 401, /^DPoP algs=/],
    ['the same proof again', { ...told(), ...good }, 401, /invalid_dpop_proof/],
    ['another path', { ...told('https://orders.example.com/admin'), ...called() }, 401, /invalid_dpop_proof/],
    ['another method', { ...told(undefined, 'DELETE'), ...called() }, 401, /invalid_dpop_proof/],
    [
      'another scope',
      { ...told(), Authorization: `DPoP ${token}`, DPoP: issuer.mintProof({ method: 'GET', url, key, token }) },
      403,
      /insufficient_scope/,
    ],
  ]
  for (const [what, headers, status, challenge] of cases) {
    for (const path of ['/validate/nginx', '/validate/nginx/refusal']) {
      const answer = await ask(socket, path, headers)
      t.is(answer.status, status, `${what} ${answer.text}`)
      t.regex(String(answer.headers['www-authenticate']), challenge, what)
    }
  }
  for (const [what, headers] of Object.entries({
    'another origin': { ...told('https://evil.example.com/orders'), ...called('https://evil.example.com/orders') },
    'a forged identity': { ...told(), ...called(), 'X-Auth-Subject': 'admin' },
    'one as CGI, WSGI and PHP read it': { ...told(), ...called(), X_Auth_Subject: 'admin' },
    'another method': { ...told(), ...called(), 'X-HTTP-Method-Override': 'DELETE' },
    'another address': { ...told(), ...called(), 'X-Rewrite-URL': '/admin' },
  }))
    t.is((await ask(socket, '/validate/nginx', headers)).status, 403, what)
  t.is((await ask(socket, '/validate/nginx', called())).status, 400)
  const changed = await ask(socket, '/validate/nginx/refusal', { ...told(), ...called() })
  t.is(changed.status, 503)
  t.is(changed.headers['x-auth-subject'], undefined)
  t.is(
    (await ask(socket, '/validate/nginx', { ...told('https://orders.example.com/a/%2e%2e/b'), ...called() })).status,
    400,
  )
})

test('nonces of the validator reach the client, and are asked for', async (t) => {
  const { socket, told, issuer, key } = await running(t, { RequireNonce: true })
  const token = issuer.mintToken(key.jkt)
  const url = 'https://orders.example.com/orders'
  const proven = (nonce?: string) => ({
    ...told(),
    Authorization: `DPoP ${token}`,
    DPoP: issuer.mintProof({ method: 'GET', url, key, token, ...(nonce && { nonce }) }),
  })
  const first = await ask(socket, '/validate/nginx/refusal', proven())
  t.is(first.status, 401)
  t.regex(String(first.headers['www-authenticate']), /use_dpop_nonce/)
  t.is((await ask(socket, '/validate/nginx', proven(String(first.headers['dpop-nonce'])))).status, 200)
})

test('another outgoing proxy counts for the validator from a reload on', async (t) => {
  const Issuer = 'https://issuer.example.test'
  const [one, other] = [await aProxy(t, 'nowhere.test', 9), await aProxy(t, 'nowhere.test', 9)]
  const through = ({ port }: { readonly port: number }) => ({
    HttpProxy: { Url: `http://user:pass@127.0.0.1:${port}` },
  })
  const { socket, told, issuer, key, program, reloaded } = await running(t, { Issuer }, through(one))
  const url = 'https://orders.example.com/orders'
  const asked = async () => {
    const token = issuer.mintToken(key.jkt, { claims: { iss: Issuer } })
    const proof = issuer.mintProof({ method: 'GET', url, key, token })
    return ask(socket, '/validate/nginx', { ...told(), Authorization: `DPoP ${token}`, DPoP: proof })
  }
  t.is((await asked()).status, 503)
  t.true(one.asked.length > 0)
  t.is(other.asked.length, 0)

  const next = reloaded(through(other))
  t.deepEqual(next.kept, [])
  const { length } = one.asked
  ;(await program.prepare(next)).swap()
  t.is((await asked()).status, 503)
  t.true(other.asked.length > 0)
  t.is(one.asked.length, length)
})

test('a validator that a reload makes anew still knows the proofs that were used before', async (t) => {
  const { socket, told, called, program, reloaded } = await running(t)
  const once = { ...told(), ...called() }
  t.is((await ask(socket, '/validate/nginx', once)).status, 200)

  const next = reloaded({ SealingKeys: [randomBytes(32).toString('base64url')] })
  t.deepEqual(next.kept, [])
  ;(await program.prepare(next)).swap()
  t.is((await ask(socket, '/validate/nginx', once)).status, 401)
  t.is((await ask(socket, '/validate/nginx', { ...told(), ...called() })).status, 200)
})
