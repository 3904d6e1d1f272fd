import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { decodeJwt } from 'jose'
import { everyKindOfHeader } from '../../src/cli/every-kind-of-header.js'
import { explain } from '../../src/cli/explain.js'
import { readConfiguration } from '../../src/config/load.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import { served } from '../attacks/_gate.js'
import { answered } from '../attacks/_ways.js'
import { aFile } from '../config/_workspace.js'
import { rawCall } from '../gateway/_client.js'
import { planting } from '../gateway/_planted.js'
import { recordingUpstream } from '../gateway/_upstream.js'
import { sallyport } from './_sallyport.js'

/*
 * `explain` is run on a file, and what it prints is compared, word by word, with what reaches the upstream when the same
 * request goes through a gateway that runs from the same file.
 */

/** What was printed, by the first column. */
type Printed = ReadonlyMap<string, string>

interface Sent {
  readonly method: string
  readonly path: string
  readonly session: 'with' | 'without'
}

async function aProgram(t: ExecutionContext) {
  const upstream = await recordingUpstream((_request, response) => response.end('seen'))
  const at = (path: string): string => upstream.url.origin + path
  const file = await aFile(t, {
    Bff: {
      Authority: 'http://127.0.0.1:9',
      PublicUrl: 'http://localhost:3000',
      AssertionKeys: [generateSigningJwk('ES256')],
      Frontends: [
        {
          Name: 'app',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Routes: [
            { Path: '/api', Upstreams: [at('')] },
            { Path: '/api/stripped', Upstreams: [at('/v1/')], StripPath: true },
            { Path: '/api/based', Upstreams: [at('/v2/base')], Methods: ['GET', 'POST'] },
            { Path: '/gold', Upstreams: [at('')], AcrValues: ['gold', 'platinum'], MaxAuthenticationAge: '00:05:00' },
            {
              Path: '/reports',
              Upstreams: [at('')],
              IdentityAssertion: { Audience: 'https://reports.internal', Claims: ['email'] },
            },
            { Path: '/open', Upstreams: [at('')], TokenType: 'None' },
            { Path: '/maybe', Upstreams: [at('')], TokenType: 'UserOrNone', StripPath: true },
          ],
        },
        {
          Name: 'reader',
          PathPrefix: '/reader',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Routes: [
            { Path: '/api', Upstreams: [at('')] },
            {
              Path: '/news',
              Upstreams: [at('')],
              TokenType: 'UserOrClient',
              Scopes: ['news'],
              CountsAsUse: false,
              RateLimits: [{ Requests: 5, Per: '00:00:10' }],
            },
          ],
        },
        {
          Name: 'admin',
          PathPrefix: '/admin',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Routes: [{ Path: '/api', Upstreams: [at('/v1')], StripPath: true }],
        },
      ],
    },
  })
  const { gateway: configured } = readConfiguration({ file, environment: {}, state: 'look' })
  if (configured === undefined) throw new Error('no gateway')
  const options = { ...configured, store: createMemoryStore(), seal: createSeal([randomBytes(32)]) }
  t.teardown(() => upstream.close())
  const url = await served(t, options)
  const { plant } = planting(options)

  return {
    file,

    /** The words of `sallyport explain`. */
    async explained(method: string, path: string): Promise<{ readonly text: string; readonly printed: Printed }> {
      const written: string[] = []
      const output = { write: (words: string) => written.push(words) }
      await explain({ method, url: `http://localhost:3000${path}`, file, format: 'text', environment: {}, output })
      const text = written.join('')
      const rows = text.trimEnd().split('\n')
      return { text, printed: new Map(rows.map((row) => row.split(/ {2,}(.*)/s).slice(0, 2) as [string, string])) }
    },

    /** Every header that `explain` speaks of, in one request of our own page, byte by byte. */
    async observed({ method, path, session }: Sent) {
      const name = path.startsWith('/admin') ? 'admin' : 'app'
      const { cookie, accessToken } = await plant(name)
      const body = method === 'POST' ? '{"a":1}' : ''
      const sent: Record<string, string> = {
        host: 'localhost:3000',
        ...everyKindOfHeader,
        cookie: session === 'with' ? `theme=dark; ${cookie}` : 'theme=dark',
        ...(body !== '' && { 'content-length': String(body.length) }),
      }
      const lines = Object.entries(sent).map(([header, value]) => `${header}: ${value}`)
      const before = upstream.seen.length
      const bytes = `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
      const answer = await rawCall(url, bytes, answered)
      const final = answer.replace(/^HTTP\/1\.1 100[\s\S]*?\r\n\r\n/, '')
      return {
        sent,
        accessToken,
        status: /^HTTP\/1\.1 (\d+)/.exec(final)?.[1],
        code: /"code":"([^"]+)"/.exec(final)?.[1],
        seen: upstream.seen.slice(before),
        calledUrl: upstream.seen[before] && upstream.url.origin + upstream.seen[before].url,
      }
    },
  }
}

const list = (row: string | undefined): string[] =>
  (row ?? '')
    .replace(/ \(of what a browser may send\)$/, '')
    .replace(/our cookies \([^)]*\)/, 'cookie')
    .split(', ')
    .sort()

/** Both sides write one of their own on every connection (RFC 9110 §7.6.1). */
const ofTheConnection = new Set(['connection', 'keep-alive'])

for (const [method, path, session] of [
  ['GET', '/api/x', 'with'],
  ['GET', '/api/x?y=1&z=/../a', 'with'],
  ['POST', '/api/x', 'with'],
  ['GET', '/api/stripped', 'with'],
  ['GET', '/api/stripped/orders/1?page=2', 'with'],
  ['POST', '/api/stripped/a%2fb', 'with'],
  ['GET', '/api/based/%6frders?q', 'with'],
  ['POST', '/api/based', 'with'],
  ['DELETE', '/api/x/1', 'with'],
  ['GET', '/reports/1', 'with'],
  ['GET', '/open', 'with'],
  ['POST', '/open/x?y', 'without'],
  ['GET', '/maybe/x', 'with'],
  ['GET', '/admin/api/users', 'with'],
  ['POST', '/admin/api?x', 'with'],
] as const)
  test(`prints what the upstream then sees: ${method} ${path}`, async (t) => {
    const { explained, observed } = await aProgram(t)
    const { printed } = await explained(method, path)
    const { sent, accessToken, status, seen, calledUrl } = await observed({ method, path, session })
    const [arrived] = seen
    t.is(status, '200')
    t.is(seen.length, 1)
    if (arrived === undefined) return

    t.is(printed.get('calls'), calledUrl, 'the final URL')
    t.is(arrived.method, method)
    const token = printed.get('token') ?? ''
    if (token.endsWith(', as DPoP')) {
      t.regex(token, /^the user's access token/)
      t.is(arrived.headers.authorization, `DPoP ${accessToken}`)
      t.is(decodeJwt(String(arrived.headers.dpop)).htu, printed.get('htu'), 'the proof is for what is printed')
      t.is(decodeJwt(String(arrived.headers.dpop)).htm, method)
      t.truthy(arrived.proof)
    } else {
      t.regex(
        token,
        /^none(?:: x-identity-assertion says who the user is; without a session 401 bff\.session\.absent)?$/,
      )
      const says = printed.get('says')
      if (says !== undefined) {
        const { iss, aud, idp } = decodeJwt(String(arrived.headers['x-identity-assertion']))
        t.true(says.startsWith(`iss ${iss}, aud ${aud}, sub, idp ${idp}, email;`), says)
      }
      t.is(arrived.headers.authorization, undefined)
      t.is(arrived.headers.dpop, undefined)
      t.is(printed.get('htu'), undefined)
    }

    const isKept = (name: string): boolean => arrived.headers[name] === sent[name]
    const compared = (name: string): boolean => !ofTheConnection.has(name)
    const cookieLeft = arrived.headers.cookie === 'theme=dark'
    t.true(cookieLeft, 'the cookies of others pass')
    const dropped = Object.keys(sent).filter((name) => name === 'cookie' || !isKept(name))
    t.deepEqual(list(printed.get('dropped')).filter(compared), dropped.filter(compared).sort(), 'what is dropped')
    const added = Object.keys(arrived.headers).filter((name) => name !== 'cookie' && !isKept(name))
    t.deepEqual(list(printed.get('added')).filter(compared), added.filter(compared).sort(), 'what is added')
  })

test('how a login asks each server is printed, and what of it a route does: signing, binding, details, outgoing proxy, balance', async (t) => {
  const file = await aFile(t, {
    Bff: {
      PublicUrl: 'http://localhost:3000',
      UseSignedRequests: true,
      ResponseMode: 'jwt',
      HttpProxy: { Url: 'http://user:pass-of-the-proxy@proxy.example:3128', NoProxy: ['city.example'] },
      Frontends: [
        {
          Name: 'app',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          AuthorizationDetails: [{ type: 'accounts' }],
          Authorities: [
            { Name: 'bank', Authority: 'https://bank.example', ClientId: 'a', Scopes: ['openid', 'profile'] },
            { Name: 'city', Authority: 'https://city.example', ClientId: 'c', Scopes: ['openid'] },
          ],
          Routes: [
            {
              Path: '/api',
              Upstreams: ['http://127.0.0.1:9', 'http://127.0.0.1:10'],
              Balance: 'Sticky',
              AuthorizationDetails: [{ type: 'accounts' }],
            },
            { Path: '/ledger', Upstreams: ['http://127.0.0.1:9'], TokenExchange: { Audience: 'ledger' } },
          ],
        },
      ],
    },
  })
  const words = async (path: string): Promise<string> => {
    const written: string[] = []
    const output = { write: (text: string) => written.push(text) }
    await explain({ method: 'GET', url: `http://localhost:3000${path}`, file, format: 'text', environment: {}, output })
    return written.join('')
  }
  const how = 'by private_key_jwt; the request is pushed and signed, its answer signed; tokens are bound by DPoP'
  const login = await words('/bff/login')
  t.true(
    login.includes(
      `at https://bank.example as a, ${how}; asks for openid profile, details of type accounts; called by the HTTP proxy proxy.example:3128\n`,
    ),
    login,
  )
  t.false(login.includes('pass-of-the-proxy'))
  t.true(login.includes(`at https://city.example as c, ${how}; asks for openid, details of type accounts\n`), login)
  t.notRegex(await words('/bff/user'), /^login/m)
  const call = await words('/api/x')
  t.regex(call, /^token +the user's access token.* with details of type accounts; without a session .*, as DPoP$/m)
  t.regex(call, /^balance +the same one for all calls of a session/m)
  t.regex(
    await words('/ledger/x'),
    /^token +the user's access token for ledger in exchange for that of the login \(RFC 8693\); without a session 401/m,
  )
})

test('of several authorization servers it is printed which of them an assertion may name', async (t) => {
  const file = await aFile(t, {
    Bff: {
      PublicUrl: 'http://localhost:3000',
      AssertionKeys: [generateSigningJwk('ES256')],
      Frontends: [
        {
          Name: 'app',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Authorities: [
            { Name: 'bank', Authority: 'https://bank.example', ClientId: 'a' },
            { Name: 'same', Authority: 'https://bank.example', ClientId: 'b' },
            { Name: 'city', Authority: 'https://city.example', ClientId: 'c' },
          ],
          Routes: [
            {
              Path: '/reports',
              Upstreams: ['http://127.0.0.1:9'],
              IdentityAssertion: { Audience: 'https://r.internal' },
            },
          ],
        },
      ],
    },
  })
  let text = ''
  const output = { write: (chunk: string) => (text += chunk) }
  await explain({ method: 'GET', url: 'http://localhost:3000/reports', file, format: 'text', environment: {}, output })
  t.regex(text, /says .* sub, idp https:\/\/bank\.example or https:\/\/city\.example; signed/)
})

test('what a route asks of the sign-in is printed, and is what then comes', async (t) => {
  const { explained, observed } = await aProgram(t)
  const words = (await explained('GET', '/gold/x')).printed.get('sign-in') ?? ''
  t.regex(words, /^acr is one of gold, platinum, auth_time is at most 00:05:00 ago; /)
  const [, status, code] = /otherwise (\d+) (\S+),/.exec(words) ?? []
  const refused = await observed({ method: 'GET', path: '/gold/x', session: 'with' })
  t.deepEqual([refused.status, refused.code, refused.seen.length], [status, code, 0])
})

test('says what is limited, what does not extend the session, and which scopes a token has', async (t) => {
  const { explained } = await aProgram(t)
  const { printed } = await explained('GET', '/reader/news/x')
  t.is(printed.get('limit'), '5 requests within 10 s by session; beyond 429 bff.rate.exceeded')
  t.is(printed.get('session'), 'not extended by this call')
  t.regex(printed.get('token') ?? '', /without a session the gateway's own with news, as DPoP$/)
  const plain = (await explained('GET', '/reader/api/x')).printed
  t.deepEqual([plain.get('limit'), plain.get('session')], [undefined, undefined])
  t.regex(plain.get('token') ?? '', /access token with openid profile email; without a session 401 \S+, as DPoP$/)
})

test('without a session the printed words hold too', async (t) => {
  const { explained, observed } = await aProgram(t)
  const { printed } = await explained('GET', '/api/x')
  const [, status, code] = /without a session (\d+) (\S+),/.exec(printed.get('token') ?? '') ?? []
  const refused = await observed({ method: 'GET', path: '/api/x', session: 'without' })
  t.deepEqual([refused.status, refused.code, refused.seen.length], [status, code, 0])

  const maybe = (await explained('GET', '/maybe/x')).printed
  t.regex(maybe.get('token') ?? '', /without a session none/)
  const open = await observed({ method: 'GET', path: '/maybe/x', session: 'without' })
  t.is(open.status, '200')
  t.is(open.seen[0]?.headers.authorization, undefined)
  t.is(open.calledUrl, maybe.get('calls'))
})

for (const [method, path] of [
  ['PUT', '/api/based/x'],
  ['TRACE', '/api/x'],
  ['GET', '/api/../x'],
  ['GET', '/api/%2e%2e/x'],
  ['GET', '/api//stripped'],
  ['GET', '/api/Based'],
  ['GET', '/nothing'],
] as const)
  test(`prints the refusal that then comes: ${method} ${path}`, async (t) => {
    const { explained, observed } = await aProgram(t)
    const [, status, code] = /^(\d+) (\S+): /.exec((await explained(method, path)).printed.get('answer') ?? '') ?? []
    const refused = await observed({ method, path, session: 'with' })
    t.truthy(code)
    t.deepEqual([refused.status, refused.code, refused.seen.length], [status, code, 0])
  })

test('the program prints the same words', async (t) => {
  const { file, explained } = await aProgram(t)
  const words = ['explain', 'GET', 'http://localhost:3000/api/x', '--config', file]
  const { stdout } = await sallyport(words, { environment: { NO_COLOR: '1' } })
  t.is(stdout, (await explained('GET', '/api/x')).text)
})

test('with a proxy that asks it says what the proxy is told', async (t) => {
  const file = await aFile(t, {
    Server: { ForwardAuth: {} },
    Bff: {
      Authority: 'http://127.0.0.1:9',
      PublicUrl: 'http://localhost:3000',
      Frontends: [
        {
          Name: 'app',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: generateSigningJwk('ES256'),
          Routes: [{ Path: '/api', Upstreams: ['http://orders:8080', 'http://orders-2:8080'] }],
        },
      ],
    },
  })
  const asked = async (url: string): Promise<string | undefined> => {
    let printed = ''
    const output = { write: (text: string) => (printed += text) }
    await explain({ method: 'GET', url, file, format: 'text', environment: {}, output })
    return /^asked +(.*)$/m.exec(printed)?.[1]
  }
  t.is(await asked('http://localhost:3000/api/orders?x'), 'may pass, with a proof for http://orders:8080/api/orders')
  t.regex((await asked('http://localhost:3000/bff/user')) ?? '', /^404 bff\.endpoint\.unknown/)
  t.is(await asked('http://localhost:3000/other'), 'the same')
})

test('says how a proxy reaches a listener that is a Unix socket or takes the PROXY protocol, and nothing of a plain port', async (t) => {
  const arrives = async (server: object) => {
    const file = await aFile(t, {
      Server: server,
      Bff: {
        Authority: 'http://127.0.0.1:9',
        PublicUrl: 'http://localhost:3000',
        Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: generateSigningJwk('ES256') }],
      },
    })
    const printed = async (format: 'text' | 'json'): Promise<string> => {
      let text = ''
      const output = { write: (more: string) => (text += more) }
      await explain({ method: 'GET', url: 'http://localhost:3000/', file, format, environment: {}, output })
      return text
    }
    return { row: /^arrives +(.*)$/m.exec(await printed('text'))?.[1], json: JSON.parse(await printed('json')).arrives }
  }
  const header = 'a header of the PROXY protocol, version 2, which says who the client is'

  t.deepEqual(await arrives({ Listen: '127.0.0.1:3000', TrustedProxies: ['10.0.0.0/24'] }), {
    row: undefined,
    json: undefined,
  })
  t.deepEqual(await arrives({ Listen: '127.0.0.1:3000', ProxyProtocol: 'V2', TrustedProxies: ['10.0.0.0/24'] }), {
    row: `from 10.0.0.0/24 behind ${header}; from elsewhere without one`,
    json: { proxyProtocol: 'V2', trustedProxies: ['10.0.0.0/24'] },
  })
  const bySocket = { Listen: 'unix:/tmp/gateway.sock', TrustedProxies: ['127.0.0.1/32'] }
  t.deepEqual(await arrives(bySocket), {
    row: 'by unix:/tmp/gateway.sock, as from 127.0.0.1; X-Forwarded-For says who the client is',
    json: { socket: 'unix:/tmp/gateway.sock', trustedProxies: ['127.0.0.1/32'] },
  })
  t.is(
    (await arrives({ ...bySocket, ProxyProtocol: 'V2' })).row,
    `by unix:/tmp/gateway.sock, as from 127.0.0.1, behind ${header}`,
  )
})
