import type { IncomingMessage } from 'node:http'
import type { Client } from '../http/trusted-peers.js'
import type { LoginTransactions } from './endpoints/login-transaction.js'
import type { Cors } from './frontend/cors.js'
import type { Frontend } from './frontend/frontend.js'
import type { OAuthClient } from './oauth/oauth-client.js'
import type { Page } from './page/page.js'
import type { RequestTarget } from './routing/request-target.js'
import type { MatchRoute } from './routing/route.js'
import type { ClientInfo } from './session/session-record.js'
import type { SessionStore } from './session/session-store.js'
import type { AccessTokens } from './tokens/access-tokens.js'

/** A frontend and what works for it. */
export interface ProvisionedFrontend extends Frontend {
  readonly oauth: OAuthClient
  readonly sessions: SessionStore
  readonly transactions: LoginTransactions
  readonly tokens: AccessTokens
  readonly matchRoute: MatchRoute
  /** Undefined when the page is served elsewhere. */
  readonly page: Page
  readonly allowOrigin: Cors
  /** Ends the sessions that a back-channel logout token names. */
  readonly acceptLogoutToken: (token: string, network: string) => Promise<void>
}

/** One request, as far as it is known once its frontend is: what every step works with. */
export interface GatewayRequest {
  readonly requestId: string
  readonly request: IncomingMessage
  readonly target: RequestTarget
  readonly frontend: ProvisionedFrontend
  readonly client: Client
}

/** What a session's list shows of the caller. */
export function clientInfoOf({ client, request }: GatewayRequest): ClientInfo {
  return { address: masked(client.address), userAgent: (request.headers['user-agent'] ?? '').slice(0, 200) }
}

/** Enough to recognise one's own network by, too little to be found by: /24 and /48. */
function masked(address: string): string {
  const v4 = /(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(address)
  if (v4 !== null) return `${v4[1]}.x`
  return address.includes(':') ? `${address.split(':').slice(0, 3).join(':')}:x` : ''
}
