import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createUserAgent } from '../test/flows/_user-agent.js'
import { type Running, start, startNode } from './_processes.js'

/** Something that is measured: it listens on a port and forwards to the upstream. */
export interface Contender {
  readonly name: string
  /** Undefined when what it takes is not on this machine. */
  start(place: Place): Promise<Started | undefined>
}

export interface Place {
  readonly port: number
  /** More ports of its own, should it need them. */
  readonly more: readonly number[]
  readonly upstream: string
  /** A foreign authorization server that knows `http://localhost:{port}` with every callback path. */
  readonly issuer: string
}

export interface Started extends Running {
  readonly port: number
  /** Header lines of a logged-in request. */
  readonly headers: readonly string[]
}

const scripts = resolve('build/bench')
const bare = join(scripts, '_bare.js')

export const direct: Contender = {
  name: 'direct (no proxy)',
  start: async ({ port, upstream: _ }) => ({
    ...(await startNode(join(scripts, '_upstream.js'), port)),
    port,
    headers: [],
  }),
}

export const bareHttpProxy: Contender = {
  name: 'http-proxy, keep-alive agent',
  start: async ({ port, upstream }) => ({
    ...(await startNode(bare, port, { KIND: 'http-proxy', UPSTREAM: upstream })),
    port,
    headers: [],
  }),
}

export const floor: Contender = {
  name: 'node:http + one ES256 proof',
  start: async ({ port, upstream }) => ({
    ...(await startNode(bare, port, { KIND: 'floor', UPSTREAM: upstream })),
    port,
    headers: [],
  }),
}

export const nginx: Contender = {
  name: 'nginx, 1 worker',
  async start({ port, upstream }) {
    if (!installed('/usr/sbin/nginx')) return undefined
    const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
    const file = join(folder, 'nginx.conf')
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 10000000;
  upstream api { server ${new URL(upstream).host}; keepalive 256; keepalive_requests 10000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}`,
    )
    return { ...(await start('/usr/sbin/nginx', ['-c', file, '-p', folder], port)), port, headers: [] }
  },
}

export const apache: Contender = {
  name: 'Apache mod_auth_openidc',
  async start({ port, upstream, issuer }) {
    if (!installed('/usr/lib/apache2/modules/mod_auth_openidc.so')) return undefined
    const folder = mkdtempSync(join(tmpdir(), 'bench-apache-'))
    const modules = [
      'mpm_event',
      'authn_core',
      'authz_core',
      'authz_user',
      'proxy',
      'proxy_http',
      'headers',
      'env',
      'auth_openidc',
    ]
    const file = join(folder, 'httpd.conf')
    writeFileSync(
      file,
      `${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User www-data
Group www-data
ServerName localhost
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
Listen 127.0.0.1:${port}
StartServers 1
ServerLimit 1
ThreadLimit 256
ThreadsPerChild 256
MaxRequestWorkers 256
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID peer
OIDCClientSecret peer-secret-peer-secret-peer-secret
OIDCProviderTokenEndpointAuth client_secret_post
OIDCIDTokenSignedResponseAlg ES256
OIDCScope "openid profile"
OIDCRedirectURI http://localhost:${port}/callback
OIDCCryptoPassphrase a-passphrase-for-this-run-only
OIDCSessionInactivityTimeout 7200
OIDCStripCookies mod_auth_openidc_session
<Location />
  AuthType openid-connect
  Require valid-user
  OIDCUnAuthAction auth "true"
  RequestHeader set Authorization "Bearer %{OIDC_access_token}e"
</Location>
ProxyPass /callback !
ProxyPass / ${upstream}/ keepalive=On
`,
    )
    const running = await start('/usr/sbin/apache2', ['-f', file, '-DFOREGROUND'], port)
    return { ...running, port, headers: await loggedIn(`http://localhost:${port}/api/200b`, port, running) }
  },
}

/** @param agent `default` makes a new connection for every request: what who follows the README has. */
export function expressOpenidConnect(agent: 'default' | 'keep-alive'): Contender {
  return {
    name: `express-openid-connect + http-proxy-middleware, ${agent} agent`,
    async start({ port, upstream, issuer }) {
      const running = await startNode(resolve('bench/peers/express-openid-connect.mjs'), port, {
        UPSTREAM: upstream,
        ISSUER: issuer,
        AGENT: agent,
        NODE_ENV: 'production',
      })
      return { ...running, port, headers: await loggedIn(`http://localhost:${port}/login`, port, running) }
    },
  }
}

/** No collector is there: spans are made, packed and dropped. */
const traced = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: '0.01',
}

/** What a call can leave behind. Traces: of one call of a hundred. */
const telemetries = {
  none: [],
  metrics: ['metrics'],
  log: ['log'],
  audit: ['audit'],
  traces: ['traces'],
  usual: ['metrics', 'log'],
  all: ['metrics', 'log', 'audit', 'traces'],
} as const satisfies Readonly<Record<string, readonly ('metrics' | 'log' | 'audit' | 'traces')[]>>

export interface Shape {
  readonly workers?: number
  readonly frontends?: number
  /** Default: what a deployment has, metrics and a line per call. */
  readonly telemetry?: keyof typeof telemetries
  /** Default: Redis for workers, otherwise memory. */
  readonly store?: 'memory' | 'file' | 'Redis'
}

export function sallyport(
  kind: 'DPoP' | 'Bearer',
  { workers = 1, frontends = 1, telemetry = 'usual', store }: Shape = {},
): Contender {
  const leaves = new Set<string>(telemetries[telemetry])
  const rests = store ?? (workers > 1 ? 'Redis' : 'memory')
  return {
    name: `Sallyport, ${kind}${workers > 1 ? `, ${workers} workers` : ''}${frontends > 1 ? `, ${frontends} frontends` : ''}${telemetry === 'usual' ? '' : `, telemetry: ${telemetry}`}${store === undefined ? '' : `, ${store} store`}`,
    async start({ port, more: [issuerPort = 0, adminPort = 0, redisPort = 0], upstream, issuer }) {
      if (rests === 'Redis' && !installed('/usr/bin/redis-server')) return undefined
      const folder = mkdtempSync(join(tmpdir(), 'bench-sallyport-'))
      const file = join(folder, 'frontends.json')
      const scrypt = execFileSync(process.execPath, [resolve('dist/main.js'), 'keygen', '--password'], {
        input: 'wonderland',
      })
      const routes = [{ Path: '/api', Upstreams: [upstream] }]
      const others = Array.from({ length: frontends - 1 }, (_, index) => ({
        Name: `other${index}`,
        PathPrefix: `/other${index}`,
        Routes: routes,
      }))
      const own = { Name: 'app', StaticFilesPath: resolve('samples/spa'), Routes: routes }
      const configuration = {
        Server: {
          Listen: `127.0.0.1:${port}`,
          ...(leaves.has('metrics') && { AdminListen: `127.0.0.1:${adminPort}` }),
          ...(leaves.has('audit') && { Audit: { File: join(folder, 'audit.log') } }),
          Workers: workers,
          AccessLog: leaves.has('log'),
        },
        Store:
          rests === 'Redis'
            ? { Redis: { Url: `redis://127.0.0.1:${redisPort}` } }
            : { [rests === 'file' ? 'File' : 'Memory']: {} },
        Bff: {
          PublicUrl: `http://localhost:${port}`,
          SealingKeys: [randomBytes(32).toString('base64url')],
          ...(kind === 'DPoP'
            ? { Frontends: [own, ...others] }
            : {
                Profile: 'Baseline',
                Authority: issuer,
                Frontends: [
                  {
                    ...own,
                    ClientId: 'peer',
                    ClientAuthenticationMethod: 'ClientSecretPost',
                    ClientSecret: 'peer-secret-peer-secret-peer-secret',
                    UsePushedAuthorizationRequests: false,
                    UseDPoP: false,
                    Scopes: ['openid', 'profile'],
                  },
                ],
              }),
        },
        ...(kind === 'DPoP' && {
          OpenIddict: {
            Issuer: `http://localhost:${issuerPort}`,
            Listen: `127.0.0.1:${issuerPort}`,
            EnableFapi2Profile: true,
            Seeding: {
              Users: [
                {
                  Username: 'alice',
                  PasswordHash: /\$scrypt\S+/.exec(String(scrypt))?.[0],
                  Claims: { sub: 'alice', name: 'Alice Liddell' },
                },
              ],
            },
          },
        }),
      }
      writeFileSync(file, JSON.stringify(configuration))
      const profile =
        process.env.BENCH_PROFILE === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', process.env.BENCH_PROFILE]
      const redis =
        rests === 'Redis'
          ? await start('/usr/bin/redis-server', ['--port', `${redisPort}`, '--save', ''], redisPort)
          : undefined
      const gateway = await start(
        process.execPath,
        [...profile, resolve(process.env.BENCH_PROGRAM ?? 'dist/main.js'), 'start', '--config', file],
        port,
        leaves.has('traces') ? traced : {},
      ).catch(async (error: unknown) => {
        await redis?.stop()
        throw error
      })
      const running: Running = {
        child: gateway.child,
        async stop() {
          await gateway.stop()
          await redis?.stop()
        },
      }
      const session = await loggedIn(`http://localhost:${port}/bff/login?returnUrl=/`, port, running)
      return { ...running, port, headers: [...session, 'X-CSRF: 1', 'Sec-Fetch-Site: same-origin'] }
    },
  }
}

/** Logs in as a person does, through every form on the way, and returns the cookie that this has earned. */
export async function loggedIn(url: string, port: number, running: Running): Promise<readonly string[]> {
  const browser = createUserAgent()
  try {
    let page = await browser.navigate(url)
    for (let form = 0; form < 4 && /<form/.test(page.body) && Number(page.url.port) !== port; form++)
      page = await browser.submit(
        page,
        /type="password"/.test(page.body) ? { login: 'alice', username: 'alice', password: 'wonderland' } : {},
        /value="allow"/.test(page.body) ? { button: 'allow' } : {},
      )
    // What an answer takes away, a browser does not send again.
    await browser.call(`http://localhost:${port}/api`)
    const cookies = [...browser.cookies(`http://localhost:${port}/api`)]
    if (page.status !== 200)
      throw new Error(`the login ended at ${page.url} with ${page.status}: ${page.body.slice(0, 500)}`)
    return [
      `Cookie: ${cookies
        .filter(([name]) => !name.startsWith('_') || name.startsWith('__Host'))
        .map(([name, value]) => `${name}=${value}`)
        .join('; ')}`,
    ]
  } catch (error) {
    await running.stop()
    throw error
  }
}

function installed(file: string): boolean {
  try {
    execFileSync('test', ['-e', file])
    return true
  } catch {
    return false
  }
}
