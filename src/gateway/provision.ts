import { gatewayDefaults } from './defaults.js'
import { createLogoutTokenAcceptance, createLogoutTokenVerifier } from './endpoints/backchannel-logout.js'
import { createLoginTransactions } from './endpoints/login-transaction.js'
import { createCors } from './frontend/cors.js'
import { createFrontend } from './frontend/frontend.js'
import type { IssuerFetch } from './oauth/issuer-fetch.js'
import { createOAuthClient } from './oauth/oauth-client.js'
import type { FrontendOptions, GatewayOptions } from './options.js'
import { createPage } from './page/page.js'
import type { ProvisionedFrontend } from './request.js'
import { createRouteMatcher } from './routing/route.js'
import type { OpenedSessions } from './session/opened-sessions.js'
import { createSessionStore } from './session/session-store.js'
import { createAccessTokens } from './tokens/access-tokens.js'

/** What all frontends have in common. */
export interface FrontendSurroundings extends GatewayOptions {
  readonly fetch: IssuerFetch
  readonly now: () => number
  readonly opened: OpenedSessions
  readonly onEnd: (key: string) => void
}

/** A configured frontend, with everything that works for it. */
export function provisionFrontend(
  options: FrontendOptions,
  {
    store,
    seal,
    branding,
    issuerTimeout = gatewayDefaults.issuerTimeout,
    fetch,
    now,
    opened,
    onEnd,
  }: FrontendSurroundings,
): ProvisionedFrontend {
  const frontend = { ...createFrontend(options), branding }
  const oauth = createOAuthClient({ frontend, fetch, timeout: issuerTimeout, now })
  const sessions = createSessionStore({ store, seal, frontend, opened, now, onEnd })
  const verifyLogoutToken = createLogoutTokenVerifier({ options, oauth, sessions }, now)
  return {
    ...frontend,
    oauth,
    sessions,
    transactions: createLoginTransactions(store, seal, frontend, now),
    tokens: createAccessTokens({ frontend, oauth, sessions, store, now }),
    matchRoute: createRouteMatcher(options),
    page: createPage(options),
    allowOrigin: createCors(options, frontend.answerHeaders),
    acceptLogoutToken: createLogoutTokenAcceptance({ name: frontend.name, sessions }, verifyLogoutToken, store),
  }
}
