import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createAuthorizationServer } from '../src/authorization-server/authorization-server.js'
import { parsePermissions } from '../src/authorization-server/client/permissions.js'
import { hashPassword } from '../src/authorization-server/sign-in/password.js'
import { type Jwk, verificationKey } from '../src/jose/jwk.js'
import { createMemoryStore } from '../src/store/memory-store.js'
import { createSeal } from '../src/store/seal.js'
import { redirectUri } from './_flow-client.js'
import { report } from './_report.js'

const publicJwk = JSON.parse(process.argv[2] ?? '') as Jwk
const http = createServer()
await report(http, async (issuer) => {
  const server = await createAuthorizationServer({
    issuer: new URL(issuer),
    store: createMemoryStore(),
    seal: createSeal([randomBytes(32)]),
    users: [{ username: 'alice', passwordHash: await hashPassword('wonderland') }],
    clients: [
      {
        clientId: 'client-1',
        keys: [verificationKey(publicJwk)],
        redirectUris: [redirectUri],
        permissions: parsePermissions([
          'ept:authorization',
          'ept:pushed_authorization',
          'ept:token',
          'gt:authorization_code',
          'gt:refresh_token',
          'scp:openid',
          'scp:offline_access',
          'scp:orders',
        ]).permissions,
      },
    ],
  })
  return server.callback()
})
