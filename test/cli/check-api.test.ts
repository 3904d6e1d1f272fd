import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { aFolder } from '../config/_workspace.js'
import { freePorts } from '../flows/_stack.js'
import { selfSigned } from '../http/_self-signed.js'
import { aFrontend, aServer, checked, failures, listening, type Report } from './_checked.js'

/** An API with our validator. */
async function anApi(
  t: ExecutionContext,
  issuer: string,
  audience: string,
  scopes?: readonly string[],
): Promise<string> {
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const verifier = createVerifier({ issuer, audience, publicUrl: url, ...(scopes && { scopes }) })
  const guard = protect(verifier)
  const server = createServer(async (request, response) => {
    if ((await guard(request, response)) !== undefined) response.end('{}')
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return url
}

const about = ({ trials }: Report, subject: string) => trials.filter((trial) => trial.subject === subject)

/** An embedded server and one frontend, in one file. */
async function withEmbedded(route: object, server: object = {}, application: object = {}) {
  const [port = 0] = await freePorts(1)
  return {
    issuer: `http://localhost:${port}`,
    configuration: {
      Bff: {
        PublicUrl: 'http://localhost:3000',
        Frontends: [{ Name: 'app', Routes: [{ Path: '/api', ...route }], ...application }],
      },
      OpenIddict: { Issuer: `http://localhost:${port}`, ...server },
    },
  }
}

test.serial(
  'an API of another audience is found before the first call is 401, also before there is a token',
  async (t) => {
    const { issuer, configuration } = await withEmbedded({})
    const api = await anApi(t, issuer, 'https://orders.example.com')
    Object.assign(configuration.Bff.Frontends[0]?.Routes[0] ?? {}, { Upstreams: [api] })
    const report = await checked(t, configuration)
    t.false(report.ok)
    const [failure] = about(report, `upstream ${api}/: audience`)
    t.regex(
      failure?.result ?? '',
      /takes tokens for https:\/\/orders\.example\.com only, and those of the route \/api are for http:\/\/localhost:\d+: every call would be 401/,
    )
    t.regex(failure?.remedy ?? '', /^Write "Resource": "https:\/\/orders\.example\.com" into the route \/api/)
  },
)

test.serial(
  "the same API is right once the tokens are for it: by the server's audience, a scope, a resource",
  async (t) => {
    for (const [audience, route, server] of [
      ['my-api', {}, { Audience: 'my-api' }],
      ['my-api', {}, { Seeding: { Scopes: [{ Name: 'openid', Resources: ['my-api'] }] } }],
      [
        'https://orders.example.com',
        { Resource: 'https://orders.example.com' },
        { Seeding: { Scopes: [{ Name: 'openid', Resources: ['https://orders.example.com'] }] } },
      ],
    ] as const) {
      const { issuer, configuration } = await withEmbedded(route, server)
      const api = await anApi(t, issuer, audience)
      Object.assign(configuration.Bff.Frontends[0]?.Routes[0] ?? {}, { Upstreams: [api] })
      const report = await checked(t, configuration)
      t.true(report.ok, JSON.stringify(failures(report)))
      t.is(about(report, `upstream ${api}/: metadata`)[0]?.outcome, 'passed')
    }
  },
)

test.serial(
  'with a foreign server the audience is a question, or an error where the route names another one',
  async (t) => {
    const issuer = await aServer(t)
    const api = await anApi(t, issuer, 'my-api')
    const found = async (route: object) =>
      about(
        await checked(t, aFrontend(issuer, { Routes: [{ Path: '/api', Upstreams: [api], ...route }] })),
        `upstream ${api}/: audience`,
      )[0]
    const open = await found({})
    t.is(open?.outcome, 'noted')
    t.regex(open?.result ?? '', /takes tokens for my-api only, and the route does not say/)
    t.regex(open?.remedy ?? '', /put my-api into aud of the tokens of client my-bff/)
    t.is((await found({ Resource: 'https://other.example' }))?.outcome, 'failed')
  },
)

test.serial('a real token of a "Client" route is compared with what the API takes', async (t) => {
  const permissions = [
    'ept:authorization',
    'ept:pushed_authorization',
    'ept:token',
    'ept:revocation',
    'gt:authorization_code',
    'gt:client_credentials',
    'scp:openid',
    'scp:jobs',
  ]
  const issuer = await aServer(t, { Permissions: permissions })
  const api = await anApi(t, issuer, 'my-api')
  const route = { Path: '/api', Upstreams: [api], TokenType: 'Client', Scopes: ['jobs'] }
  const report = await checked(t, aFrontend(issuer, { Routes: [route] }))
  t.regex(
    about(report, `upstream ${api}/: audience`)[0]?.result ?? '',
    /those of the route \/api are for http:\/\/localhost/,
  )
})

test.serial('scopes that an API knows and its tokens will not have are a question', async (t) => {
  const issuer = await aServer(t)
  const api = await anApi(t, issuer, issuer, ['orders.read'])
  const report = await checked(t, aFrontend(issuer, { Routes: [{ Path: '/api', Upstreams: [api], Resource: issuer }] }))
  const notes = about(report, `upstream ${api}/: metadata`)
  t.regex(notes[0]?.result ?? '', /knows the scopes orders\.read, and the tokens have openid/)
  t.regex(notes[0]?.remedy ?? '', /"Scopes": \["orders\.read"\]/)
})

test.serial('an API that answers 200 to everything is told, and one with a login of its own', async (t) => {
  const issuer = await aServer(t)
  const open = await listening(t, (_request, response) => response.end('{}'))
  const own = await listening(t, (_request, response) => response.writeHead(302, { Location: '/login' }).end())
  const guarded = await listening(t, ({ headers }, response) =>
    response.writeHead(headers.authorization === undefined ? 200 : 401).end(),
  )
  const found = async (api: string, route: object = {}) =>
    about(
      await checked(t, aFrontend(issuer, { Routes: [{ Path: '/api', Upstreams: [api], ...route }] })),
      `upstream ${api}/: tokens`,
    )
  t.regex((await found(open))[0]?.result ?? '', /answers 200 without a token, and 200 to one that is none/)
  t.regex((await found(open))[0]?.remedy ?? '', /Protect it/)
  t.regex((await found(own))[0]?.result ?? '', /answers 302 to \/login without a token/)
  t.deepEqual(await found(guarded), [])
  t.deepEqual(await found(open, { TokenType: 'None' }), [])
})

test.serial('the API is asked where the gateway will call it', async (t) => {
  const issuer = await aServer(t)
  const asked: string[] = []
  const api = await listening(t, (request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(401).end()
  })
  await checked(t, aFrontend(issuer, { Routes: [{ Path: '/api', Upstreams: [`${api}/v1`] }] }))
  t.is(asked[0], '/v1/api')
  asked.length = 0
  await checked(t, aFrontend(issuer, { Routes: [{ Path: '/api', Upstreams: [`${api}/v1`], StripPath: true }] }))
  t.is(asked[0], '/v1')
})

test.serial('a connection that does not come about names the setting that mends it', async (t) => {
  const issuer = await aServer(t)
  const { cert, key } = await selfSigned()
  const secure = createTlsServer({ cert, key }, (_request, response) => response.end()).listen(0, '127.0.0.1')
  await once(secure, 'listening')
  const silent = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => void secure.close())
  t.teardown(() => void silent.close())
  const plain = await listening(t, (_request, response) => response.end())
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port
  for (const [upstream, remedy] of [
    [`https://localhost:${portOf(secure)}`, /Tls\.CaFile of the route \/api \(frontend app\)/],
    [plain.replace('http:', 'https:'), /does not speak TLS at this port: write http:/],
    [`http://127.0.0.1:${portOf(silent)}`, /does not speak HTTP at this port/],
  ] as const) {
    const report = await checked(t, aFrontend(issuer, { Routes: [{ Path: '/api', Upstreams: [upstream] }] }))
    const failure = failures(report).find(({ subject }) => subject === `upstream ${upstream}/`)
    t.regex(failure?.remedy ?? '', remedy, `${upstream}: ${failure?.result}`)
  }
  const authority = `https://localhost:${portOf(secure)}`
  t.regex(failures(await checked(t, aFrontend(authority)))[0]?.remedy ?? '', /Bff\.AuthorityCaFile/)
})

test.serial('an API whose identifier alone is known may have another name in aud: a question', async (t) => {
  const issuer = await aServer(t)
  const api = await listening(t, (_request, response) =>
    response.writeHead(200).end(JSON.stringify({ resource: 'https://a.example', authorization_servers: [issuer] })),
  )
  const route = { Path: '/api', Upstreams: [api], Resource: 'https://b.example' }
  const [trial] = about(await checked(t, aFrontend(issuer, { Routes: [route] })), `upstream ${api}/: audience`)
  t.like(trial, {
    outcome: 'noted',
    result: "it calls itself https://a.example, and the route's Resource is https://b.example",
  })
})

test.serial('an API on a Unix socket is asked there, and one that is not there is told apart', async (t) => {
  const issuer = await aServer(t)
  const folder = await aFolder(t)
  const api = createServer((_request, response) => response.writeHead(401).end()).listen(join(folder, 'api.sock'))
  await once(api, 'listening')
  t.teardown(() => api.close())
  const Sockets = [`unix:${join(folder, 'api.sock')}`, `unix:${join(folder, 'none.sock')}`]
  const route = { Path: '/api', Upstreams: ['http://orders.internal'], Sockets }
  const report = await checked(t, aFrontend(issuer, { Routes: [route] }))
  const [here, missing] = Sockets.map((socket) => about(report, `upstream http://orders.internal/ by ${socket}`)[0])
  t.like(here, { outcome: 'passed', result: 'answers (401 without a token)' })
  t.is(missing?.outcome, 'failed')
  t.regex(missing?.remedy ?? '', /no such Unix socket/)
})

test.serial('an API that answers to an assertion that is none is told of', async (t) => {
  const issuer = await aServer(t)
  const api = await listening(t, (_request, response) => response.end())
  const route = { Path: '/api', Upstreams: [api], IdentityAssertion: { Audience: 'https://reports.internal' } }
  const { Bff } = aFrontend(issuer, { Routes: [route] })
  const report = await checked(t, { Bff: { ...Bff, AssertionKeys: [generateSigningJwk('ES256')] } })
  const [trial] = about(report, `upstream ${api}/: tokens`)
  t.like(trial, { outcome: 'noted' })
  t.regex(trial?.result ?? '', /without an assertion/)
  t.regex(trial?.remedy ?? '', /docs\/identity-assertion\.md/)
})
