import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { cache } from './_cache.js'
import { answers, brought, start } from './_processes.js'
import type { Stage } from './_stage.js'

export const keycloakVersion = '26.7.3'
export const realm = 'sallyport'

export interface Keycloak {
  /** The realm's issuer identifier. */
  readonly issuer: string
  /** A call of the Admin REST API, below the realm. */
  admin(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>
  output(): string
  stop(): Promise<void>
}

/** Said twice: when it is built, and when it starts. */
const environment = {
  KC_DB: 'dev-mem',
  KC_CACHE: 'local',
  KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
  KC_BOOTSTRAP_ADMIN_PASSWORD: 'admin',
  JAVA_OPTS_KC_HEAP: '-Xms128m -Xmx512m',
}

/**
 * A real Keycloak on loopback, over TLS with the certificate of the stage, its database in memory.
 * @param representation What a `POST /admin/realms` takes.
 */
export async function startKeycloak(stage: Stage, port: number, representation: object): Promise<Keycloak> {
  const origin = `https://localhost:${port}`
  const command = join(await installed(), 'bin', 'kc.sh')
  const parameters = [
    'start',
    '--optimized',
    '--http-host=127.0.0.1',
    `--https-port=${port}`,
    `--https-certificate-file=${stage.certFile}`,
    `--https-certificate-key-file=${stage.keyFile}`,
    `--truststore-paths=${stage.certFile}`,
    `--hostname=${origin}`,
  ]
  const program = start(command, parameters, { environment })

  const adminToken = async (): Promise<string> => {
    const answer = await stage.fetch(`${origin}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=password&client_id=admin-cli&username=admin&password=admin',
    })
    return ((await answer.json()) as { readonly access_token: string }).access_token
  }
  const send = async (method: string, url: string, body?: unknown): Promise<unknown> => {
    const answer = await stage.fetch(url, {
      method,
      headers: { Authorization: `Bearer ${await adminToken()}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  await answers(program, `${origin}/realms/master`, stage.fetch)
  try {
    await send('POST', `${origin}/admin/realms`, representation)
  } catch (error) {
    await program.stop()
    throw error
  }
  return {
    issuer: `${origin}/realms/${realm}`,
    admin: (method, path, body) => send(method, `${origin}/admin/realms/${realm}${path}`, body),
    output: program.output,
    stop: program.stop,
  }
}

/** From Maven Central, by Maven, into its own repository; unpacked and built once. */
async function installed(): Promise<string> {
  const folder = await cache('keycloak')
  const home = join(folder, `keycloak-${keycloakVersion}`)
  const built = join(folder, `keycloak-${keycloakVersion}.built`)
  if (existsSync(built)) return home
  const artifact = `org.keycloak:keycloak-quarkus-dist:${keycloakVersion}:zip`
  await brought(
    'Keycloak',
    'mvn',
    ['-q', '-B', 'dependency:get', `-Dartifact=${artifact}`, '-Dtransitive=false'],
    folder,
  )
  const file = `keycloak-quarkus-dist-${keycloakVersion}.zip`
  const repository = join(homedir(), '.m2/repository/org/keycloak/keycloak-quarkus-dist', keycloakVersion)
  await brought('Keycloak', 'unzip', ['-qo', join(repository, file), '-d', folder], folder)
  await brought('Keycloak', 'env', [...settings(environment), join(home, 'bin', 'kc.sh'), 'build'], folder)
  await brought('Keycloak', 'touch', [built], folder)
  return home
}

function settings(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`)
}
