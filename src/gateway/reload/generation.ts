import { setTimeout as delay } from 'node:timers/promises'
import { createTrustedPeers, type IsTrustedPeer } from '../../http/trusted-peers.js'
import type { Sliced } from '../../slices.js'
import { createLock } from '../../store/lock.js'
import { createResilientCounts } from '../../store/resilient-counts.js'
import type { Store } from '../../store/store.js'
import { checkOptions } from '../check-options.js'
import { gatewayDefaults } from '../defaults.js'
import { createEndpoints, type Endpoints } from '../endpoints/endpoints.js'
import { createLimits } from '../endpoints/limits.js'
import { createConnections } from '../forwarding/upstream.js'
import { createFrontendSelection, type SelectFrontend } from '../frontend/frontend.js'
import { createIssuerFetch, type IssuerFetch } from '../oauth/issuer-fetch.js'
import type { GatewayOptions } from '../options.js'
import { provisionFrontend, type SharedServices } from '../provision.js'
import type { ProvisionedFrontend } from '../request.js'
import { createOpenedSessions } from '../session/opened-sessions.js'
import { createSessionWatch } from '../session/session-watch.js'
import { isSameOptions } from './same-options.js'

/** What is served by one set of options. Everything else of a gateway outlives it. */
export interface Generation {
  readonly options: GatewayOptions
  readonly frontends: readonly ProvisionedFrontend[]
  readonly select: SelectFrontend<ProvisionedFrontend>
  readonly endpoints: Endpoints
  readonly isTrustedPeer: IsTrustedPeer
  /** Whose `X-Forwarded-Host` counts. */
  readonly saysHost: IsTrustedPeer
  readonly fetch: IssuerFetch
}

/** What outlives every generation: sessions that are held open, counts, connections. */
export type LastingServices = Pick<SharedServices, 'now' | 'opened' | 'watch' | 'connections' | 'count' | 'lock'>

export function createLastingServices(store: Store, now: () => number): LastingServices {
  return {
    now,
    watch: createSessionWatch(store, now),
    connections: createConnections(),
    count: createResilientCounts(store, now),
    lock: createLock(store),
    opened: createOpenedSessions(),
  }
}

/** What a server has put in place of a refresh token has to be written down before all ends. @param seconds How long, at most. */
export async function settled({ frontends }: Generation, seconds: number): Promise<void> {
  const limit = delay(Math.max(0, seconds) * 1000, undefined, { ref: false })
  await Promise.race([Promise.all(frontends.map((frontend) => frontend.settled())), limit])
}

/**
 * Provisions what is new. What the generation before serves by the same options is taken over as it is, with all it knows: the
 * state of its upstreams, its tokens, what its authorization server has said.
 * @throws ConfigurationError, with everything that is wrong at once
 */
export function* provisioning(
  options: GatewayOptions,
  lasting: LastingServices,
  before?: Generation,
): Sliced<Generation> {
  yield* checkOptions(options)
  const { trustedProxies = [], trustForwardedHost = gatewayDefaults.trustForwardedHost, store, loginLimits } = options
  const fetch =
    before !== undefined && isSameOptions(callsOf(before.options), callsOf(options)) ? before.fetch : undefined
  const shared = {
    ...options,
    ...lasting,
    fetch:
      fetch ??
      createIssuerFetch(options.issuerTimeout ?? gatewayDefaults.issuerTimeout, {
        ca: options.issuerCa,
        httpProxy: options.httpProxy,
      }),
  }
  const served = new Map(
    before !== undefined && hasSameServices(before.options, options)
      ? before.frontends.map((frontend) => [frontend.name, frontend])
      : [],
  )
  const frontends: ProvisionedFrontend[] = []
  for (const frontend of options.frontends) {
    const same = served.get(frontend.name)
    const isSame = same !== undefined && isSameOptions(same.options, frontend)
    frontends.push(isSame ? same : provisionFrontend(frontend, shared))
    yield
  }
  return {
    options,
    frontends,
    select: createFrontendSelection(frontends),
    endpoints:
      before !== undefined && isSameOptions(before.options.loginLimits, loginLimits)
        ? before.endpoints
        : createEndpoints(createLimits(loginLimits, store, lasting.count), lasting.now),
    isTrustedPeer: createTrustedPeers(trustedProxies),
    saysHost: createTrustedPeers(trustForwardedHost ? trustedProxies : []),
    fetch: shared.fetch,
  }
}

/** What calls of authorization servers depend on. */
function callsOf({ issuerTimeout, issuerCa, httpProxy }: GatewayOptions) {
  return { issuerTimeout, issuerCa, httpProxy }
}

/** Whether frontends of the one can be served by the other: besides its own options, all that one is provisioned with. */
function hasSameServices(one: GatewayOptions, other: GatewayOptions): boolean {
  const described = (options: GatewayOptions) => {
    const { branding, onLogin, onLogout, administered = gatewayDefaults.administered } = options
    return { ...callsOf(options), branding, onLogin, onLogout, administered }
  }
  return one.store === other.store && one.seal === other.seal && isSameOptions(described(one), described(other))
}
