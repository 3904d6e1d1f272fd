import { clientsOf } from '../authorities/authorities.js'
import type { UpstreamState } from '../forwarding/upstream.js'
import { keysOf } from '../oauth/client-authentication.js'
import type { FrontendOptions } from '../options.js'
import type { ProvisionedFrontend } from '../request.js'
import type { TokenType } from '../route-options.js'
import type { Route } from '../routing/route.js'
import { scopesOfToken } from '../tokens/token-audience.js'

/** What a gateway serves and how it fares, in this process and at this moment. Nothing in it is a secret. */
export interface GatewayState {
  /** Requests, sockets and streams of all frontends that are not finished. */
  readonly inFlight: number
  /** As they are served now. */
  readonly frontends: readonly FrontendState[]
}

/** One frontend, as it is served now. */
export interface FrontendState {
  /** Its name. */
  readonly name: string
  /** Where browsers find it. */
  readonly url: string
  /** The issuer identifier of its authorization server. */
  readonly authority: string
  /** As the authorization server knows it. */
  readonly clientId: string
  /** `kid` of its client keys; the first one signs. Empty for a client with a secret. */
  readonly clientKeys: readonly string[]
  /** `kid` of the keys that sign assertions of identity; the first one signs. Empty: it has none. */
  readonly assertionKeys: readonly string[]
  /** Each of its authorization servers, where it has several. Empty: there is the one above. */
  readonly authorities: readonly AuthorityState[]
  /** Requests, sockets and streams that are not finished. */
  readonly inFlight: number
  /** In the order of the options. */
  readonly routes: readonly RouteState[]
}

/** One of several authorization servers. */
export interface AuthorityState extends Pick<FrontendState, 'authority' | 'clientId' | 'clientKeys'> {
  /** As in login links, and in the log. */
  readonly name: string
  /** What users choose by. */
  readonly displayName: string
}

/** What a route lets through, and where to. */
export interface RouteState {
  /** Below the frontend's `url`: as in the options, the log and the metrics. */
  readonly path: string
  /** Empty: all but TRACE and CONNECT. */
  readonly methods: readonly string[]
  /** Whose token a call carries. */
  readonly tokenType: TokenType
  /** Whether a call needs a session, uses one that is there, or looks at none. */
  readonly session: 'required' | 'optional' | 'none'
  /** Of its token. Empty: what the server gives by itself, or no token. */
  readonly scopes: readonly string[]
  /** The servers that a call can reach. */
  readonly upstreams: readonly UpstreamState[]
}

/** @param frontends Those that are served. */
export function stateOf(frontends: readonly ProvisionedFrontend[]): GatewayState {
  const states = frontends.map(stateOfFrontend)
  return { inFlight: states.reduce((sum, { inFlight }) => sum + inFlight, 0), frontends: states }
}

function stateOfFrontend({ options, name, underway, routes }: ProvisionedFrontend): FrontendState {
  const { publicUrl, pathPrefix, assertionKeys = [] } = options
  const clients = clientsOf(options)
  const stateOfRoute = (route: Route): RouteState => ({
    path: route.path,
    methods: route.methods,
    tokenType: route.tokenType,
    session: route.session,
    scopes: scopesOfToken(options, route, route.audiences),
    upstreams: route.pool.state(),
  })
  return {
    name,
    url: `${publicUrl.origin}${pathPrefix}/`,
    ...stateOfClient(clients[0]?.options ?? options),
    assertionKeys: assertionKeys.map(({ kid }) => kid),
    authorities: clients.flatMap((client) =>
      client.authority === undefined ? [] : [{ ...client.authority, ...stateOfClient(client.options) }],
    ),
    inFlight: underway.size(),
    routes: routes.map(stateOfRoute),
  }
}

function stateOfClient({ authority, clientId, clientAuthentication }: FrontendOptions) {
  return {
    authority,
    clientId,
    clientKeys: keysOf(clientAuthentication).map(({ kid }) => kid),
  }
}
