import type { ExecutionContext } from 'ava'
import type { Gateway } from '../../src/gateway/gateway.js'
import type { FrontendOptions, GatewayOptions } from '../../src/gateway/options.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import type { Store } from '../../src/store/store.js'
import { createUserAgent, type UserAgent } from '../flows/_user-agent.js'
import {
  aFrontend,
  aRoute,
  clientPublicJwk,
  gatewayOptions,
  type Listening,
  listen,
  serveGateway,
  startApi,
} from './_gateway.js'
import { logIn, type ProviderOptions, startProvider } from './_provider.js'

export interface WorldOptions {
  readonly provider?: ProviderOptions
  /** `localhost` is another site than the provider's 127.0.0.1. Default: the same host, as on a company's own domain. */
  readonly host?: 'localhost'
  readonly gateway?: Partial<GatewayOptions>
  readonly frontend?: Partial<FrontendOptions>
  readonly route?: Partial<RouteOptions>
  /** More routes beside `/api`, to the same API. */
  readonly routes?: readonly (Partial<RouteOptions> & { readonly path: string })[]
}

/** A provider, an API, a gateway between them, and everything they have learnt. */
export interface World {
  readonly url: string
  readonly on: Listening
  readonly gateway: Gateway
  readonly options: GatewayOptions
  readonly store: Store
  readonly frontend: FrontendOptions
  readonly provider: Awaited<ReturnType<typeof startProvider>>
  readonly api: Awaited<ReturnType<typeof startApi>>
  aBrowser(): UserAgent
  /** A browser that is logged in. */
  loggedIn(username?: string): Promise<UserAgent>
}

export async function aWorld(t: ExecutionContext, options: WorldOptions = {}): Promise<World> {
  const [provider, api, on] = await Promise.all([startProvider(options.provider), startApi(), listen()])
  const url = options.host === undefined ? on.url : `http://${options.host}:${on.port}`
  provider.register([
    {
      clientId: 'my-bff',
      publicJwk: clientPublicJwk,
      redirectUri: `${url}/bff/callback`,
      postLogoutRedirectUri: `${url}/`,
      backchannelLogoutUri: `${on.url}/bff/backchannel-logout`,
    },
  ])
  const upstreams = [new URL(api.url)]
  const frontend = aFrontend({
    publicUrl: new URL(url),
    authority: provider.issuer,
    routes: [
      aRoute({ upstreams, ...options.route }),
      ...(options.routes ?? []).map((route) => aRoute({ upstreams, ...route })),
    ],
    ...options.frontend,
  })
  const store = options.gateway?.store ?? createMemoryStore()
  const given = gatewayOptions([frontend], { ...options.gateway, store })
  const gateway = await serveGateway(on, given)
  t.teardown(async () => {
    await on.close()
    await Promise.all([gateway.close(), api.close(), provider.close()])
  })
  return {
    url,
    on,
    gateway,
    options: given,
    store,
    frontend,
    provider,
    api,
    aBrowser: createUserAgent,
    async loggedIn(username = 'alice') {
      const browser = createUserAgent()
      const landing = await logIn(browser, `${url}/bff/login`, username)
      if (landing.url.pathname !== '/') throw new Error(`no login: ${landing.url} ${landing.body} ${provider.errors}`)
      return browser
    },
  }
}

export interface UserAnswer {
  readonly authenticated: boolean
  readonly sub?: string
  readonly name?: string
  readonly sessionExpiresAt?: string
  readonly logoutUrl?: string
}

export async function whoAmI(browser: UserAgent, url: string): Promise<UserAnswer> {
  return (await (await browser.call(`${url}/bff/user`)).json()) as UserAnswer
}

export interface Problem {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly requestId: string
  readonly loginUrl?: string
}

export async function problemOf(response: Response): Promise<Problem> {
  return (await response.json()) as Problem
}
