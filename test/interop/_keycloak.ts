import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const keycloakVersion = '26.7.3'
export const realm = 'sallyport'

export interface Keycloak {
  /** The realm's issuer identifier. */
  readonly issuer: string
  /** A call of the Admin REST API, below the realm. */
  admin(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>
  stop(): Promise<void>
}

export interface KeycloakOptions {
  /** For its installation, its log and its own folder. */
  readonly folder: string
  readonly port: number
  /** PEM files: its certificate, and what it trusts. */
  readonly certFile: string
  readonly keyFile: string
  /** What a `POST /admin/realms` takes. */
  readonly representation: object
}

/** A real Keycloak in its development mode, on loopback, with a database in memory. Needs Java and Maven. */
export async function startKeycloak(options: KeycloakOptions): Promise<Keycloak> {
  const { folder, port, certFile, keyFile, representation } = options
  const origin = `https://localhost:${port}`
  const child = spawn(
    join(await installed(folder), 'bin', 'kc.sh'),
    [
      'start-dev',
      '--db=dev-mem',
      '--http-enabled=false',
      '--http-host=127.0.0.1',
      `--http-port=${port + 1}`,
      `--https-port=${port}`,
      `--https-certificate-file=${certFile}`,
      `--https-certificate-key-file=${keyFile}`,
      `--truststore-paths=${certFile}`,
      `--hostname=${origin}`,
    ],
    {
      env: { ...process.env, KC_BOOTSTRAP_ADMIN_USERNAME: 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD: 'admin' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // kc.sh starts Java as a child of its own.
      detached: true,
    },
  )
  const log = createWriteStream(join(folder, 'keycloak.log'))
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.pid === undefined) return
    process.kill(-child.pid, 'SIGTERM')
    await once(child, 'exit')
  }

  const adminToken = async (): Promise<string> => {
    const answer = await fetch(`${origin}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: 'admin-cli',
        username: 'admin',
        password: 'admin',
      }),
    })
    return ((await answer.json()) as { readonly access_token: string }).access_token
  }
  const send = async (method: string, url: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url, {
      method,
      headers: { Authorization: `Bearer ${await adminToken()}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  try {
    const deadline = Date.now() + 240_000
    while (!(await fetch(`${origin}/realms/master`).catch(() => undefined))?.ok) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`Keycloak did not start: ${folder}/keycloak.log`)
      await new Promise((resume) => setTimeout(resume, 500))
    }
    await send('POST', `${origin}/admin/realms`, representation)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    issuer: `${origin}/realms/${realm}`,
    admin: (method, path, body) => send(method, `${origin}/admin/realms/${realm}${path}`, body),
    stop,
  }
}

/** From Maven Central, by Maven, into its own repository; unpacked once. */
async function installed(folder: string): Promise<string> {
  const home = join(folder, `keycloak-${keycloakVersion}`)
  if (existsSync(home)) return home
  const artifact = `org.keycloak:keycloak-quarkus-dist:${keycloakVersion}:zip`
  await mkdir(folder, { recursive: true })
  await run('mvn', ['-q', 'dependency:get', `-Dartifact=${artifact}`, '-Dtransitive=false'], { cwd: folder })
  const file = `keycloak-quarkus-dist-${keycloakVersion}.zip`
  const repository = join(homedir(), '.m2/repository/org/keycloak/keycloak-quarkus-dist', keycloakVersion)
  await run('unzip', ['-q', join(repository, file), '-d', folder])
  return home
}
