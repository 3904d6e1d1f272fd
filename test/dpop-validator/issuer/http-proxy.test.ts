import { once } from 'node:events'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import {
  createVerifier,
  type IntrospectionOptions,
  type VerifierOptions,
} from '../../../src/dpop-validator/dpop-validator.js'
import { generateTestKey } from '../../../src/dpop-validator/testing/test-issuer.js'
import { ConfigurationError } from '../../../src/errors.js'
import { aProxy } from '../../http/_http-proxy.js'
import { selfSigned } from '../../http/_self-signed.js'

/* An API in a network whose only way out is an HTTP proxy: the issuer has a name that no DNS knows. */

const name = 'issuer.example.test'
const api = 'https://api.example.test'
const certificate = await selfSigned([name])

type Given = Partial<VerifierOptions> & { readonly user?: string; readonly introspection?: IntrospectionOptions }

async function aWorld(t: ExecutionContext, { user = 'user:pass', introspection, ...options }: Given = {}) {
  const key = generateTestKey()
  const asked: string[] = []
  let issuer = ''
  const server = createServer(certificate, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const answers: Record<string, object> = {
      '/.well-known/openid-configuration': {
        issuer,
        jwks_uri: `${issuer}/jwks`,
        introspection_endpoint: `${issuer}/introspect`,
      },
      '/jwks': { keys: [key.publicJwk] },
      '/introspect': { active: false },
    }
    response.end(JSON.stringify(answers[request.url ?? ''] ?? {}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  issuer = `https://${name}:${port}`
  const proxy = await aProxy(t, name, port)
  const failed: string[] = []
  const verifier = createVerifier({
    issuer: introspection === undefined ? issuer : { issuer, introspection },
    audience: api,
    publicUrl: api,
    ca: certificate.cert,
    httpProxy: { url: `http://${user}@127.0.0.1:${proxy.port}` },
    onEvent: (event) => 'error' in event && failed.push(String(event.error)),
    ...options,
  })
  return { port, proxy, verifier, asked, failed }
}

test('keys come by way of the proxy, with TLS from end to end and its password', async (t) => {
  const { proxy, port, verifier, asked } = await aWorld(t)
  await verifier.ready()
  t.deepEqual(asked, ['GET /.well-known/openid-configuration', 'GET /jwks'])
  t.deepEqual(new Set(proxy.asked), new Set([`${name}:${port} Basic ${Buffer.from('user:pass').toString('base64')}`]))
})

test('TLS is with the issuer: a certificate that is not trusted ends it', async (t) => {
  const { verifier, asked, proxy } = await aWorld(t, { ca: (await selfSigned([name])).cert })
  await t.throwsAsync(verifier.ready(), {
    code: 'unreachable',
    message: /issuer\.example\.test:\d+.* cannot be reached$/,
  })
  t.true(proxy.asked.length > 0)
  t.deepEqual(asked, [])
})

test('introspection goes the same way', async (t) => {
  const introspection = { clientId: 'api', clientSecret: 'secret' }
  const { verifier, asked, proxy } = await aWorld(t, { mode: 'mixed', introspection })
  const headers = ['Host', 'api.example.test', 'Authorization', 'Bearer opaque']
  const verdict = await verifier.verify({ method: 'GET', target: '/', rawHeaders: headers, peer: undefined })
  t.is(verdict.kind, 'refused')
  t.is(asked.at(-1), 'POST /introspect')
  t.is(proxy.asked.length, asked.length)
})

test('what the proxy refuses is in the message, and no password', async (t) => {
  const { verifier, asked, failed } = await aWorld(t, { user: 'user:wrong-password' })
  const error = await t.throwsAsync(verifier.ready(), { code: 'unreachable', message: /the HTTP proxy answered 407$/ })
  t.false(`${error?.message} ${String(error?.cause)} ${failed.join()}`.includes('wrong-password'))
  t.true(failed.length > 0)
  t.deepEqual(asked, [])
})

test('a proxy that is not there, or says nothing, costs no more than the time that a fetch may take', async (t) => {
  const silent = createTcpServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => void silent.close())
  const { port } = silent.address() as AddressInfo
  for (const url of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`]) {
    const { verifier } = await aWorld(t, { httpProxy: { url }, jwks: { timeout: 0.2 } })
    await t.throwsAsync(verifier.ready(), { code: 'unreachable', message: /the HTTP proxy cannot be reached$/ })
  }
})

test('what noProxy names is called directly', async (t) => {
  const { verifier, proxy } = await aWorld(t, { httpProxy: { url: 'http://127.0.0.1:1', noProxy: ['example.test'] } })
  const error = await t.throwsAsync(verifier.ready(), { code: 'unreachable' })
  t.notRegex(error?.message ?? '', /proxy/)
  t.deepEqual(proxy.asked, [])
})

test('a proxy that is no origin is refused at the start, without its password, and so is an unknown member', (t) => {
  const httpProxy = { url: 'http://user:pass@proxy/path', noProxy: ['10.0.0.0/8'], NoProxy: [] }
  const error = t.throws(() => createVerifier({ issuer: 'https://a.test', audience: api, publicUrl: api, httpProxy }), {
    instanceOf: ConfigurationError,
  })
  t.deepEqual(
    error?.problems.map(({ pointer }) => pointer),
    ['/httpProxy/NoProxy', '/httpProxy/url', '/httpProxy/noProxy/0'],
  )
  t.false(error?.message.includes('pass@'))
})
