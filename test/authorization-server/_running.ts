import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import {
  type AuthorizationServer,
  createAuthorizationServer,
} from '../../src/authorization-server/authorization-server.js'
import { parsePermissions } from '../../src/authorization-server/client/permissions.js'
import type { AuthorizationServerOptions, ClientOptions } from '../../src/authorization-server/options.js'
import { hashPassword } from '../../src/authorization-server/sign-in/password.js'
import { generateSigningJwk, type Jwk, publicHalf, verificationKey } from '../../src/jose/jwk.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'

export const callbackUri = 'https://client.example/callback'
export const loggedOutUri = 'https://client.example/'

export interface TestClient {
  readonly options: ClientOptions
  readonly privateJwk: Jwk
}

export interface RunningServer extends AuthorizationServer {
  readonly url: string
  readonly options: AuthorizationServerOptions
  readonly client: TestClient
  readonly other: TestClient
  stop(): Promise<void>
}

const everything = [
  'ept:authorization',
  'ept:pushed_authorization',
  'ept:token',
  'ept:introspection',
  'ept:logout',
  'gt:authorization_code',
  'gt:refresh_token',
  'gt:client_credentials',
  'rst:code',
  'scp:openid',
  'scp:profile',
  'scp:email',
  'scp:roles',
  'scp:offline_access',
  'scp:orders',
]

/** Cheap, since it is not what is tested. */
const cost = { ln: 4, p: 1 }
const users = [
  {
    username: 'alice',
    passwordHash: await hashPassword('wonderland', cost),
    claims: { sub: 'user-alice', name: 'Alice Liddell', email: 'alice@example.com', roles: ['admin'] },
  },
  { username: 'bob', passwordHash: await hashPassword('builder', cost), claims: { sub: 'user-bob', name: 'Bob' } },
]

export function aClient(
  clientId: string,
  {
    permissions = everything,
    algorithm = 'ES256',
    ...options
  }: Partial<Omit<ClientOptions, 'permissions'>> & {
    readonly permissions?: readonly string[]
    readonly algorithm?: 'ES256' | 'PS256' | 'Ed25519'
  } = {},
): TestClient {
  const privateJwk = generateSigningJwk(algorithm)
  return {
    privateJwk,
    options: {
      clientId,
      displayName: `The ${clientId}`,
      keys: [verificationKey(publicHalf(privateJwk))],
      redirectUris: [callbackUri],
      postLogoutRedirectUris: [loggedOutUri],
      permissions: parsePermissions(permissions).permissions,
      ...options,
    },
  }
}

export type ServerSettings = Partial<AuthorizationServerOptions> & {
  readonly client?: TestClient
  readonly other?: TestClient
  /** Below the origin, such as `/auth`. */
  readonly path?: string
  /** Answers what is not below the issuer's path, on the same origin. */
  readonly beside?: RequestListener
  /** Listens for a server that others run as well. */
  readonly clients?: readonly ClientOptions[]
}

/** A real server on a port of its own. */
export async function startServer({
  client = aClient('client-1'),
  other = aClient('client-2'),
  path = '',
  clients = [],
  beside,
  ...settings
}: ServerSettings = {}): Promise<RunningServer> {
  let listener: RequestListener | undefined
  const http = createServer((request, response) => {
    if (beside !== undefined && !request.url?.startsWith(`${path}/`)) beside(request, response)
    else listener?.(request, response)
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  // Longer than any client keeps an idle connection: else one closes just when the other sends.
  http.keepAliveTimeout = 60_000
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `http://127.0.0.1:${address.port}`
  const options: AuthorizationServerOptions = {
    issuer: new URL(`${url}${path}`),
    store: createMemoryStore(settings.now ? { now: settings.now } : {}),
    seal: createSeal([randomBytes(32)]),
    clients: [client.options, other.options, ...clients],
    users,
    signingKeys: { algorithms: ['ES256'] },
    ...settings,
  }
  const server = await createAuthorizationServer(options).catch((error: unknown) => {
    http.close()
    throw error
  })
  listener = server.callback()
  return {
    ...server,
    url,
    options,
    client,
    other,
    async stop() {
      await server.close()
      http.close()
      http.closeAllConnections()
    },
  }
}
