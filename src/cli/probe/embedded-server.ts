import { Agent, request } from 'undici'
import { createAuthorizationServer } from '../../authorization-server/authorization-server.js'
import { issuerIdentifier } from '../../authorization-server/endpoint-urls.js'
import type { ListenAddress } from '../../config/listen-address.js'
import type { Configuration } from '../../config/load.js'
import { ConfigurationError } from '../../errors.js'
import { type Listener, listen } from '../../server/listener.js'
import { mutualTlsPlace } from '../../server/mutual-tls.js'
import { createMemoryStore } from '../../store/memory-store.js'
import { createSeal } from '../../store/seal.js'
import { failed, type Trial } from './probe.js'

export interface EmbeddedServer {
  readonly trials: readonly Trial[]
  /** The issuer, where another program answers in its place: nothing that this says is worth a trial. */
  readonly displaced: string | undefined
  stop(): Promise<void>
}

/**
 * The embedded authorization server answers only while it runs. When nothing listens at its address it is started for the
 * moment, with a store of its own; otherwise it is running already and is what is asked, if it is what answers there.
 */
export async function startEmbedded(configuration: Configuration): Promise<EmbeddedServer> {
  const { authorizationServer, plan, server: front, sealingKeys } = configuration
  if (authorizationServer === undefined) return { trials: [], displaced: undefined, stop: async () => undefined }
  const { options, listen: own, tls } = authorizationServer
  const server = await createAuthorizationServer({
    ...options,
    store: createMemoryStore(),
    seal: createSeal(sealingKeys),
  })
  const place =
    own === undefined
      ? { pointer: '/Server/Listen', address: front.listen, tls: front.tls }
      : { pointer: `${plan.authorizationServer?.pointer}/Listen`, address: own, tls }
  const listeners: Listener[] = []
  const trials: Trial[] = []
  let displaced: string | undefined
  try {
    listeners.push(await listen({ ...place, onRequest: server.callback() }))
    const asking = mutualTlsPlace(configuration)
    if (asking !== undefined) listeners.push(await listen({ ...asking, onRequest: server.mutualTlsCallback() }))
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const isTaken = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
    const isOurs = isTaken && (await isIssuerAt(place.address, place.tls !== undefined, options.issuer))
    if (isTaken && !isOurs) displaced = plan.authorizationServer?.settings.Issuer
    for (const { pointer, problem, remedy } of isOurs ? [] : error.problems)
      trials.push(failed('embedded authorization server', `${pointer} ${problem}`, remedy))
  }
  return {
    trials,
    displaced,
    async stop() {
      for (const listener of listeners) await listener.drain(0)
      await server.close()
    },
  }
}

/** Whether what listens there says that it is this issuer. Asked at its address, whatever stands in front of it. */
async function isIssuerAt({ host, port }: ListenAddress, isTls: boolean, issuer: URL): Promise<boolean> {
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const base = issuer.pathname.replace(/\/$/, '')
  // Only its metadata is read, and nothing is sent: its certificate is for the issuer's name.
  const dispatcher = new Agent({ maxResponseSize: 100_000, connect: { rejectUnauthorized: false, timeout: 2000 } })
  try {
    const { statusCode, body } = await request(
      `${isTls ? 'https' : 'http'}://${name}:${port}${base}/.well-known/openid-configuration`,
      { headers: { host: issuer.host }, dispatcher, headersTimeout: 3000, bodyTimeout: 3000 },
    )
    const text = await body.text()
    return statusCode === 200 && (JSON.parse(text) as { readonly issuer?: unknown }).issuer === issuerIdentifier(issuer)
  } catch {
    return false
  } finally {
    await dispatcher.destroy()
  }
}
