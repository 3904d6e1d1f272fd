import { randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { createGateway } from '../../../src/gateway/gateway.js'
import type { GatewayOptions } from '../../../src/gateway/options.js'
import { generateSigningJwk, signingKey } from '../../../src/jose/jwk.js'
import { admin } from '../../../src/server/admin.js'
import { createAdminToken } from '../../../src/server/administration/admin-token.js'
import { createAdminApi } from '../../../src/server/administration/api.js'
import { createConsole } from '../../../src/server/administration/console/console.js'
import { processSource } from '../../../src/server/administration/process-source.js'
import { createRecentRefusals } from '../../../src/server/administration/recent-refusals.js'
import type { AdministrationSource } from '../../../src/server/administration/source.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { createLogLevel } from '../../../src/telemetry/log-level.js'
import { aFrontend, aRoute } from '../../gateway/_gateway.js'
import { planting } from '../../gateway/_planted.js'

export const token = 'a token of at least thirty-two characters'.replaceAll(' ', '-')

export const assertionKey = signingKey(generateSigningJwk('ES256'))

/** A gateway without a listener, and the listener for its administrator. */
export async function anAdministeredGateway(t: ExecutionContext, options: Partial<GatewayOptions> = {}) {
  const given: GatewayOptions = {
    frontends: [
      aFrontend({
        name: 'app',
        publicUrl: new URL('http://127.0.0.1:3000'),
        authority: 'http://127.0.0.1:9',
        assertionKeys: [assertionKey],
        routes: [aRoute({ upstreams: [new URL('http://127.0.0.1:4000/v1')] })],
      }),
    ],
    store: createMemoryStore(),
    seal: createSeal([randomBytes(32)]),
    administered: true,
    ...options,
  }
  const gateway = await createGateway(given)
  const refusals = createRecentRefusals()
  const logger = { level: 'info' }
  const source = processSource({
    gateway: () => gateway,
    authorizationServer: () => ({
      signingKeys: () => [{ kid: 'key-1', algorithm: 'ES256', status: 'signing', signsFrom: 1_800_000_000 }],
    }),
    sealingKeys: () => 1,
    store: given.store,
    configuration: () => ({
      generation: 2,
      takenOverAt: 1_800_000_000,
      changes: { added: ['shop'], changed: [], removed: [] },
      needsRestart: [],
      refused: { at: 1_800_000_100, problems: ['frontends.json:3:5 /Bff is wrong. Mend it.'] },
    }),
    refusals,
    logLevel: createLogLevel(logger),
  })
  t.teardown(async () => {
    refusals.close()
    await gateway.close()
  })
  return { gateway, logger, source, ...planting(given), ...(await serveAdmin(t, source)) }
}

export async function serveAdmin(t: ExecutionContext, source: AdministrationSource) {
  const adminToken = createAdminToken(token)
  const onRequest: RequestListener = admin({
    listensOn: '127.0.0.1',
    isReady: () => true,
    metrics: { contentType: 'text/plain', render: async () => '' },
    api: createAdminApi({ token: adminToken, source, version: '1.2.3' }),
    console: createConsole({ token: adminToken, source }),
  })
  const server = createServer(onRequest)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    ask: (method: string, path: string, { body, bearer = token }: { body?: object; bearer?: string } = {}) =>
      fetch(`${url}${path}`, {
        method,
        headers: { Authorization: `Bearer ${bearer}` },
        ...(body && { body: JSON.stringify(body) }),
      }),
  }
}
