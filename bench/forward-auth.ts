import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { hashPassword } from '../src/authorization-server/sign-in/password.js'
import { freePorts } from '../test/flows/_stack.js'
import { loggedIn } from './_contenders.js'
import type { LoadResult } from './_load.js'
import { forkLoad, type Running, start, startNode, usage } from './_processes.js'

/**
 * What a call costs behind nginx: plainly proxied, forwarded by the gateway, and forwarded by nginx, which asks the gateway
 * first. CPU of nginx and the gateway together; rounds are interleaved.
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '32' },
  },
})
const rounds = Number(options.rounds)
const milliseconds = Number(options.seconds) * 1000
const connections = Number(options.connections)

const ways = ['nginx → API', 'nginx → Sallyport → API', 'nginx asks Sallyport → API'] as const
const [upstreamPort = 0, gatewayPort = 0, issuerPort = 0, askPort = 0, ...ports] = await freePorts(4 + ways.length)
const folder = mkdtempSync(join(tmpdir(), 'bench-forward-auth-'))
const [, proxiedPort = 0] = ports
const passwordHash = await hashPassword('wonderland')

function gatewayFile(): string {
  const file = join(folder, 'frontends.json')
  const configuration = {
    Server: {
      Listen: `127.0.0.1:${gatewayPort}`,
      TrustedProxies: ['127.0.0.0/8'],
      ForwardAuth: { Listen: `127.0.0.1:${askPort}` },
      AccessLog: false,
    },
    Store: { Memory: {} },
    Bff: {
      PublicUrl: `http://localhost:${proxiedPort}`,
      Frontends: [
        {
          Name: 'app',
          StaticFilesPath: resolve('samples/spa'),
          Routes: [{ Path: '/api', Upstreams: [`http://127.0.0.1:${upstreamPort}`] }],
        },
      ],
    },
    OpenIddict: {
      Issuer: `http://localhost:${issuerPort}`,
      Listen: `127.0.0.1:${issuerPort}`,
      Seeding: {
        Users: [
          {
            Username: 'alice',
            PasswordHash: passwordHash,
            Claims: { name: 'Alice Liddell' },
          },
        ],
      },
    },
  }
  writeFileSync(file, JSON.stringify(configuration))
  return file
}

function nginxFile(): string {
  const [plain, proxied, asking] = ports
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const kept = (name: string, port: number): string =>
    `upstream ${name} { server 127.0.0.1:${port}; keepalive 256; keepalive_requests 10000000; }`
  const told = `proxy_set_header X-Original-URL http://localhost:${proxied}$request_uri; proxy_set_header X-Original-Method $request_method; proxy_set_header X-Forwarded-For $remote_addr;`
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 10000000; ${temporary.join(' ')}
  proxy_http_version 1.1;
  ${kept('api', upstreamPort)} ${kept('gateway', gatewayPort)} ${kept('asked', askPort)}
  server { listen 127.0.0.1:${plain}; location / { proxy_pass http://api; proxy_set_header Connection ""; } }
  server { listen 127.0.0.1:${proxied}; location / { proxy_pass http://gateway; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; } }
  server {
    listen 127.0.0.1:${asking};
    location / {
      auth_request /_asked;
      auth_request_set $asked_authorization $upstream_http_authorization;
      auth_request_set $asked_dpop $upstream_http_dpop;
      auth_request_set $asked_cookie $upstream_http_cookie;
      proxy_pass http://api;
      proxy_set_header Connection "";
      proxy_set_header Authorization $asked_authorization;
      proxy_set_header DPoP $asked_dpop;
      proxy_set_header Cookie $asked_cookie;
    }
    location = /_asked { internal; proxy_pass http://asked/nginx; proxy_set_header Connection ""; proxy_pass_request_body off; proxy_set_header Content-Length ""; ${told} }
  }
}
`,
  )
  return file
}

const running: Running[] = []
const loader = forkLoad(resolve('build/bench/_load.js'))
const samples = ways.map((): { cpu: number; rate: number; p50: number; p99: number; errors: number }[] => [])
try {
  running.push(await startNode(resolve('build/bench/_upstream.js'), upstreamPort))
  const gateway = await start(
    process.execPath,
    [resolve('dist/main.js'), 'start', '--config', gatewayFile()],
    gatewayPort,
  )
  running.push(gateway)
  const nginx = await start('/usr/sbin/nginx', ['-c', nginxFile(), '-p', folder], proxiedPort)
  running.push(nginx)
  const session = await loggedIn(`http://localhost:${proxiedPort}/bff/login?returnUrl=/`, proxiedPort, nginx)
  const used = (): number => [gateway, nginx].reduce((sum, { child }) => sum + usage(child.pid ?? 0).cpuSeconds, 0)
  const measure = async (way: number, length: number) => {
    const port = ports[way] ?? 0
    const lines = [
      'GET /api/200b HTTP/1.1',
      `Host: localhost:${port}`,
      'User-Agent: bench',
      ...session,
      'X-CSRF: 1',
      'Sec-Fetch-Site: same-origin',
    ]
    const before = used()
    loader.send({ port, bytes: `${lines.join('\r\n')}\r\n\r\n`, connections, milliseconds: length })
    const [{ requests, seconds, p50, p99, errors }] = (await once(loader, 'message')) as [LoadResult]
    return { cpu: ((used() - before) * 1e6) / Math.max(1, requests), rate: requests / seconds, p50, p99, errors }
  }
  for (const way of ways.keys()) await measure(way, 4000)
  for (let round = 0; round < rounds; round++)
    for (const way of round % 2 === 0 ? [0, 1, 2] : [2, 1, 0]) {
      await measure(way, 500)
      samples[way]?.push(await measure(way, milliseconds))
    }
} finally {
  for (const program of running.reverse()) await program.stop()
  loader.disconnect()
  rmSync(folder, { recursive: true, force: true })
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN

console.log('| way | CPU µs/req | req/s | p50 ms | p99 ms | errors |\n| --- | --- | --- | --- | --- | --- |')
for (const [index, way] of ways.entries()) {
  const of = samples[index] ?? []
  const column = (name: 'cpu' | 'rate' | 'p50' | 'p99', digits: number) =>
    median(of.map((sample) => sample[name])).toFixed(digits)
  const errors = of.reduce((sum, sample) => sum + sample.errors, 0)
  console.log(
    `| ${way} | ${column('cpu', 1)} | ${column('rate', 0)} | ${column('p50', 2)} | ${column('p99', 2)} | ${errors} |`,
  )
}
const ratio = (one: number, other: number): string =>
  median((samples[one] ?? []).map(({ cpu }, round) => cpu / (samples[other]?.[round]?.cpu ?? Number.NaN))).toFixed(2)
console.log(`\nCPU, asked ÷ forwarded: ${ratio(2, 1)}; asked ÷ plain: ${ratio(2, 0)}`)
console.log(JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, rounds, connections }))
