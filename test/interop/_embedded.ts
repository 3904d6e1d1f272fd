import { generateSigningJwk } from '../../src/jose/jwk.js'
import { eventually } from '../_eventually.js'
import { type RunningServer, startServer, type TestClient } from '../authorization-server/_running.js'

export interface EmbeddedServer extends RunningServer {
  /** As another replica does it: a new key in the ring that signs from now on. */
  rotateKeys(): Promise<void>
}

/** Our authorization server, whose scope `orders` is for the API. */
export async function anEmbeddedServer(client: TestClient, api: string): Promise<EmbeddedServer> {
  let ring: { readonly text: string; readonly revision: string } | undefined
  const keep = (text: string): boolean => {
    ring = { text, revision: String(Number(ring?.revision ?? 0) + 1) }
    return true
  }
  const server = await startServer({
    client,
    scopes: [{ name: 'orders', resources: [api] }],
    authorizationDetailTypes: [{ type: 'accounts', schema: {} }],
    lifetimes: { accessToken: 70 },
    signingKeys: {
      algorithms: ['ES256'],
      refreshInterval: 1,
      source: {
        read: async () => ring,
        create: async (text) => ring === undefined && keep(text),
        replace: async (revision, text) => ring?.revision === revision && keep(text),
      },
    },
  })
  const published = async (): Promise<string> => (await fetch(`${server.url}/connect/jwks`)).text()
  return {
    ...server,
    async rotateKeys() {
      const { keys, ...rest } = JSON.parse(ring?.text ?? '')
      const jwk = generateSigningJwk('ES256')
      keep(JSON.stringify({ ...rest, keys: [...keys, { jwk, signsFrom: Date.now() / 1000 }] }))
      await eventually(async () => (await published()).includes(String(jwk.kid)), { within: 30 })
    },
  }
}
