import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { eventually } from '../_eventually.js'
import type { Certificate } from '../http/_self-signed.js'
import { installed } from './_manifests.js'

export const kinds = ['nginx', 'haproxy', 'caddy'] as const
export type Kind = (typeof kinds)[number]

export interface InFrontOptions {
  readonly port: number
  /** Hosts of the gateways, which all have the same ports. */
  readonly hosts: readonly string[]
  readonly gatewayPort: number
  readonly adminPort: number
  readonly certificate: Certificate
}

export interface InFront {
  readonly origin: string
  output(): string
  stop(): Promise<void>
}

/**
 * The proxy with the file that is in `deploy/`, on https://localhost: only addresses, names, the certificate and places that
 * need root are other ones. Undefined where the program is not installed.
 */
export async function startInFront(kind: Kind, options: InFrontOptions): Promise<InFront | undefined> {
  const started = await startProxy(kind, options.port, async (folder) => {
    const { key, cert } = options.certificate
    await writeFile(join(folder, 'fullchain.pem'), cert)
    await writeFile(join(folder, 'privkey.pem'), key)
    await writeFile(join(folder, 'app.pem'), `${cert}${key}`)
    return adapted[kind](await readFile(resolve('deploy', fileNames[kind]), 'utf8'), folder, options)
  })
  return started && { ...started, origin: `https://localhost:${options.port}` }
}

/** Of some there is no file in `deploy/`. */
export type Program = Kind | 'traefik' | 'envoy'

const fileNames: Record<Program, string> = {
  nginx: 'nginx.conf',
  haproxy: 'haproxy.cfg',
  caddy: 'Caddyfile',
  // Not `traefik.yaml`, which it would take for its static configuration.
  traefik: 'app.yaml',
  envoy: 'envoy.yaml',
}

/**
 * A proxy of this kind in a folder of its own, once it listens on `port`.
 * @param configured what its file says
 */
export async function startProxy(
  kind: Program,
  port: number,
  configured: (folder: string) => string | Promise<string>,
): Promise<Omit<InFront, 'origin'> | undefined> {
  const program = await installed(kind)
  if (program === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), `sallyport-${kind}-`))
  // nginx's workers are another user when it is started by root.
  await chmod(folder, 0o711)
  const file = join(folder, fileNames[kind])
  await writeFile(file, await configured(folder))
  const parameters = {
    nginx: ['-p', folder, '-c', file, '-g', 'daemon off;'],
    haproxy: ['-db', '-f', file],
    caddy: ['run', '--config', file, '--adapter', 'caddyfile'],
    traefik: [`--entryPoints.web.address=127.0.0.1:${port}`, `--providers.file.filename=${file}`, '--log.level=WARN'],
    envoy: ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'warning'],
  }[kind]
  const child = spawn(program, parameters, { env: { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  try {
    await listens(child, port)
    // It listens before it has read its file, and knows no path until then.
    if (kind === 'traefik') await eventually(async () => (await fetch(`http://localhost:${port}/api/`)).status !== 404)
  } catch (cause) {
    throw new Error(`${kind} did not start:\n${output}`, { cause })
  }
  return {
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

type Adapt = (text: string, folder: string, options: InFrontOptions) => string

const adapted: Record<Kind, Adapt> = {
  nginx: (text, folder, { port, hosts, gatewayPort }) =>
    edited(text, [
      [/^worker_processes auto/m, 'worker_processes 1'],
      [/^worker_rlimit_nofile.*$/m, ''],
      [/\/run\/nginx\.pid/, `${folder}/nginx.pid`],
      [
        /access_log off;/,
        ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].reduce(
          (all, name) => `${all} ${name}_temp_path ${folder}/${name};`,
          'access_log off;',
        ),
      ],
      [
        /(?: *server gateway-\d:3000( .*)\n)+/,
        hosts.map((host) => `server ${host}:${gatewayPort} max_fails=1 fail_timeout=2s;\n`).join(''),
      ],
      [/\/etc\/nginx\/tls/g, folder],
      [/listen 443/g, `listen 127.0.0.1:${port}`],
      [/server_name .*;/, 'server_name localhost;'],
    ]),
  haproxy: (text, folder, { port, hosts, gatewayPort, adminPort }) =>
    edited(text, [
      [/bind :443/, `bind 127.0.0.1:${port}`],
      [/\/etc\/haproxy\/tls/, folder],
      [/port 9464/, `port ${adminPort}`],
      [
        /(?: *server gateway-\d .*\n)+/,
        hosts.map((host, index) => `    server gateway-${index + 1} ${host}:${gatewayPort}\n`).join(''),
      ],
    ]),
  caddy: (text, folder, { port, hosts, gatewayPort, adminPort }) =>
    `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${edited(text, [
      [
        /^app\.example\.com, auth\.example\.com \{/m,
        `localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${folder}/fullchain.pem ${folder}/privkey.pem`,
      ],
      [/gateway-1:3000 gateway-2:3000/, hosts.map((host) => `${host}:${gatewayPort}`).join(' ')],
      [/health_port 9464/, `health_port ${adminPort}`],
    ])}`,
}

/** @throws Error when one of them is not there: the file has changed, and this has to. */
export function edited(text: string, edits: readonly (readonly [pattern: RegExp, by: string])[]): string {
  return edits.reduce((before, [pattern, by]) => {
    const after = before.replace(pattern, () => by)
    if (after === before) throw new Error(`${pattern} is not in this file`)
    return after
  }, text)
}

async function listens(child: ChildProcess, port: number): Promise<void> {
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error('it has exited')
    const socket = connect({ port, host: '127.0.0.1' })
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    return isOpen
  })
}
