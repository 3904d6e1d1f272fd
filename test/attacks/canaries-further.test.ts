import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { WebSocket } from 'ws'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { eventually } from '../_eventually.js'
import { freePorts, startStack } from '../flows/_stack.js'
import { createTap, requestsOn } from '../flows/_tap.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { call } from '../gateway/_client.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aCollector } from '../telemetry/_collector.js'

/*
 * As canaries.test.ts, with the program itself and the flows beside login and call: signed requests and responses, rich requests,
 * refresh, token exchange, WebSockets, forward-auth, logout by both channels, several authorization servers, an administrator's
 * sign-out and a reload; each as it should be, and with secrets where none belongs.
 */

const secret = (): string => `c4nary${randomBytes(24).toString('base64url')}`
const jwtWith = (text: string): string =>
  `eyJhbGciOiJFUzI1NiJ9.${Buffer.from(JSON.stringify({ sub: text })).toString('base64url')}.${text}`

const clientKey = generateSigningJwk('ES256')

const parameters = [
  ...['client_assertion', 'code', 'code_verifier', 'refresh_token', 'subject_token', 'token', 'request', 'request_uri'],
  ...['state', 'nonce', 'response', 'logout_token', 'form_token', 'password'],
]

test('no secret of a flow beside login and call can be read anywhere', async (t) => {
  t.timeout(180_000)
  const [browserWire, serverWire, apiWire] = [await createTap(), await createTap(), await createTap()]
  const collector = await aCollector(t)
  const sockets = await webSocketUpstream()
  t.teardown(() => Promise.all([sockets, browserWire, serverWire, apiWire].map((each) => each.close())))
  const [asked = 0] = await freePorts(1)
  const environment = { ADMIN_TOKEN: secret(), SEALING_KEY: randomBytes(32).toString('base64url') }
  const stack = await startStack({
    publicPorts: { gateway: browserWire.port, authorizationServer: serverWire.port, api: apiWire.port },
    environment: { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '200' },
    configure(configuration) {
      const { Server, Bff, OpenIddict, Authentication } = configuration
      Object.assign(Server, { AdminToken: { Env: 'ADMIN_TOKEN' }, LogLevel: 'debug', Audit: { Log: true } })
      Server.ForwardAuth = { Listen: `127.0.0.1:${asked}` }
      Authentication.OpenIddict.PublicUrl = `http://127.0.0.1:${apiWire.port}`
      Bff.SealingKeys = [{ Env: 'SEALING_KEY' }]
      Bff.RefreshGracePeriod = '00:10:00'
      const [app, admin] = Bff.Frontends
      Object.assign(app, {
        UseSignedRequests: true,
        ResponseMode: 'jwt',
        AuthorizationDetails: [{ type: 'payment', amount: '1.00' }],
      })
      app.Routes.push({ ...app.Routes[0], Path: '/exchanged', StripPath: true, TokenExchange: {}, Scopes: ['orders'] })
      app.Routes.push(
        { Path: '/sockets', Upstreams: [sockets.url.href] },
        { Path: '/gone', Upstreams: ['http://127.0.0.1:9'] },
      )
      Object.assign(admin, { UseFrontchannelLogout: true })
      OpenIddict.Seeding.AuthorizationDetailTypes = [
        {
          Type: 'payment',
          Schema: { type: 'object', properties: { type: {}, amount: {} } },
          Consent: 'Pay {amount} euros',
        },
      ]
      const choice = { ...admin, Name: 'choice', PathPrefix: '/choice', UseFrontchannelLogout: false }
      const gone = { Authority: 'https://127.0.0.1:9', ClientId: 'x', ClientSigningKeyJwk: clientKey }
      Bff.Frontends.push({
        ...choice,
        Authorities: [
          { Name: 'own', DisplayName: 'Ours', Authority: OpenIddict.Issuer, ClientId: 'choice-bff' },
          { Name: 'gone', DisplayName: 'Theirs', ...gone },
        ],
      })
    },
  })
  browserWire.leadTo(stack.ports.gateway)
  serverWire.leadTo(stack.ports.authorizationServer)
  apiWire.leadTo(stack.ports.api)
  t.teardown(() => stack.stop())
  const at = (path: string): URL => new URL(path, stack.gateway)
  const read: { readonly where: string; readonly text: string }[] = []
  const answer = async (where: string, response: Response): Promise<void> => {
    const headers = [...response.headers].filter(([name]) => name !== 'set-cookie' && name !== 'location')
    read.push({ where, text: `${await response.text()} ${JSON.stringify(headers)}` })
  }

  // Each flow as it should be.
  const browser = createUserAgent()
  const signIn = await browser.navigate(at('/bff/login'))
  const consent = await browser.submit(signIn, { username: 'alice', password: 'wonderland' }, { button: 'sign-in' })
  t.is((await browser.submit(consent, {}, { button: 'allow' })).url.href, stack.gateway.href, stack.output())
  for (const path of ['/admin/bff/login', '/choice/bff/login?authority=own']) {
    const asking = await browser.navigate(at(path))
    t.regex((await browser.submit(asking, {}, { button: 'allow' })).url.pathname, /^\/(?:admin|choice)\/$/)
  }
  for (const path of ['/api/orders', '/exchanged/api/orders', '/api/orders'])
    t.is((await browser.call(at(path))).status, 200, stack.output())
  const cookies = [...browser.cookies(stack.gateway.href)].map(([name, value]) => `${name}=${value}`).join('; ')
  const socket = new WebSocket(at('/sockets/x').href.replace('http', 'ws'), {
    headers: { Cookie: cookies, Origin: stack.gateway.origin },
  })
  await once(socket, 'open')
  const proxy = new URL(`http://127.0.0.1:${asked}`)
  const about = (target: string, headers: Record<string, string> = {}) =>
    call(proxy, '/nginx', {
      headers: {
        'X-Original-URL': at(target).href,
        'X-Original-Method': 'GET',
        'X-Forwarded-For': '192.0.2.7',
        'Sec-Fetch-Site': 'same-origin',
        Cookie: cookies,
        ...headers,
      },
    })
  t.is((await about('/api/orders')).status, 200)

  // Secrets where none belongs.
  const planted = Object.fromEntries(
    [
      ...['logout token', 'sid', 'query', 'authorization', 'cookie', 'protocol', 'signed response', 'authority'],
      ...['grant', 'file', 'key'],
    ].map((name) => [name, secret()]),
  ) as Record<string, string>
  const form = (path: string, body: Record<string, string>, to: URL = stack.gateway) =>
    fetch(new URL(path, to), { method: 'POST', body: new URLSearchParams(body) })
  const jwt = (name: string) => jwtWith(planted[name] ?? '')
  await answer('back-channel logout', await form('/bff/backchannel-logout', { logout_token: jwt('logout token') }))
  await answer('front-channel logout', await fetch(at(`/admin/bff/frontchannel-logout?iss=x&sid=${planted.sid}`)))
  await answer('signed response', await browser.fetch(at(`/bff/callback?response=${jwt('signed response')}`).href))
  await answer('unknown authority', await browser.fetch(at(`/choice/bff/login?authority=${planted.authority}`).href))
  await answer('authority that is gone', await browser.fetch(at('/choice/bff/login?authority=gone').href))
  for (const grant of ['refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'])
    await answer(
      grant,
      await form(
        '/connect/token',
        { grant_type: grant, refresh_token: planted.grant ?? '', subject_token: jwt('grant') },
        stack.authorizationServer,
      ),
    )
  await answer(
    'pushed request',
    await form('/connect/par', { client_id: 'app-bff', request: jwt('grant') }, stack.authorizationServer),
  )
  const refused = [
    await about(`/api/orders?token=${planted.query}`, { Cookie: `${cookies.split('=')[0]}=${planted.cookie}` }),
    await about('/gone', { Cookie: '', Authorization: `DPoP ${planted.authorization}`, DPoP: jwt('authorization') }),
    await call(stack.gateway, `/sockets/x?access_token=${planted.query}`, {
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Protocol': planted.protocol ?? '' },
    }),
    await call(stack.gateway, '/gone/x', {
      headers: { Cookie: cookies, 'X-CSRF': '1', Authorization: `Bearer ${planted.authorization}` },
    }),
    await call(stack.api, '/api/orders', {
      headers: { Authorization: `DPoP ${jwt('authorization')}`, DPoP: jwt('key') },
    }),
  ]
  for (const [index, { status, text }] of refused.entries()) {
    t.true(status >= 400, `${index}: ${status}`)
    read.push({ where: `refusal ${index}`, text })
  }

  // A reload that is refused, with secrets in the lines that are wrong.
  const file = join(stack.folder, 'frontends.json')
  const good = await readFile(file, 'utf8')
  const refusals = () => stack.output().split('"server.configuration.refused"').length - 1
  for (const [nth, bad] of [
    good.replace('"UseSignedRequests"', `"ClientSecret": "${planted.file}", "UseSignedRequests"`),
    good.replace('"UseSignedRequests"', `"ClientSecrets": ["${planted.file}"], "UseSignedRequests"`),
    good.replace(
      '"UseSignedRequests"',
      `"ClientSigningKeyJwk": {"kty":"EC","d":"${planted.key}"}, "UseSignedRequests"`,
    ),
    good.replace('"UseSignedRequests"', `"ClientSecret": "${planted.file} "UseSignedRequests"`),
  ].entries()) {
    await writeFile(file, bad)
    process.kill(stack.pid, 'SIGHUP')
    await eventually(() => refusals() > nth)
  }
  await writeFile(file, good)

  // What an administrator sees and does.
  const administered = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, stack.admin), {
      ...init,
      redirect: 'manual',
      headers: { Authorization: `Bearer ${environment.ADMIN_TOKEN}`, ...init.headers },
    })
  const consoleSignIn = await administered('/console/sign-in', {
    method: 'POST',
    body: new URLSearchParams({ token: environment.ADMIN_TOKEN }),
  })
  const Cookie = (consoleSignIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  for (const path of ['sessions', 'frontends', 'upstreams', 'keys', 'configuration', 'refusals', 'openapi.json'])
    await answer(`/admin/${path}`, await administered(`/admin/${path}`))
  for (const path of ['sessions', 'refusals', 'upstreams', 'keys', 'configuration'])
    await answer(`/console/${path}`, await administered(`/console/${path}`, { headers: { Cookie } }))
  await answer('ended', await administered('/admin/sessions?frontend=choice', { method: 'DELETE' }))

  // The user leaves: the other session ends by both channels.
  const { logoutUrl } = (await (await browser.call(at('/bff/user'))).json()) as { readonly logoutUrl: string }
  await browser.navigate(at(logoutUrl))
  await eventually(() => stack.output().includes('"backchannel-logout"'))
  socket.terminate()
  for (const path of ['/metrics', '/readyz']) await answer(path, await administered(path))
  await eventually(() =>
    ['GET /bff/login', 'POST /bff/backchannel-logout', 'issuer'].every((name) =>
      collector.text().includes(`"${name}"`),
    ),
  )
  read.push({ where: 'log', text: stack.output() }, { where: 'spans', text: collector.text() })

  const secrets = new Map<string, string>([
    ...Object.entries(planted),
    ...Object.entries(environment),
    ['client key', String(clientKey.d)],
    ['console', Cookie.split('=')[1] ?? ''],
  ])
  const take = (name: string, value: string): void => {
    if (value.length >= 8) secrets.set(`${name} ${secrets.size}`, value)
  }
  for (const { target, headers, body } of [browserWire, serverWire, apiWire].flatMap((wire) =>
    wire.requests().flatMap(requestsOn),
  )) {
    const { searchParams } = new URL(target, 'http://x')
    for (const given of [new URLSearchParams(body), searchParams])
      for (const name of parameters) for (const value of given.getAll(name)) take(name, value)
    for (const name of ['dpop', 'authorization'])
      for (const value of headers.get(name) ?? []) take(name, value.split(' ').at(-1) ?? '')
    for (const pair of (headers.get('cookie') ?? []).join('; ').split('; '))
      take('cookie', pair.slice(pair.indexOf('=') + 1))
  }
  for (const text of serverWire.responses())
    for (const [, name = '', value = ''] of text.matchAll(
      /"(access_token|refresh_token|id_token|request_uri)":"([^"]+)"/g,
    ))
      take(name, value)
  for (const name of [
    ...['request', 'response', 'subject_token', 'refresh_token', 'logout_token', 'code', 'access_token'],
    ...['dpop', 'cookie'],
  ])
    t.true(
      [...secrets.keys()].some((key) => key.startsWith(`${name} `)),
      name,
    )
  for (const [name, value] of secrets)
    for (const { where, text } of read) {
      const found = text.indexOf(value)
      t.is(found, -1, `${name} in ${where}: ${text.slice(Math.max(0, found - 300), found + 20)}`)
    }
})
