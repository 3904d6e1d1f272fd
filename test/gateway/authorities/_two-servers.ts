import type { ExecutionContext } from 'ava'
import type { AuthorityOptions } from '../../../src/gateway/authorities/authority-options.js'
import type { Gateway, GatewayOptions } from '../../../src/gateway/gateway.js'
import type { FrontendOptions } from '../../../src/gateway/options.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createUserAgent, type UserAgent } from '../../flows/_user-agent.js'
import { aFrontend, aRoute, clientPublicJwk, gatewayOptions, listen, serveGateway, startApi } from '../_gateway.js'
import { logIn, type ProviderOptions, type RunningProvider, startProvider } from '../_provider.js'

/** A frontend whose users choose between a bank and a city, and the API behind it. */
export interface TwoServers {
  readonly url: string
  readonly gateway: Gateway
  readonly options: GatewayOptions
  readonly frontend: FrontendOptions
  readonly bank: RunningProvider
  readonly city: RunningProvider
  readonly api: Awaited<ReturnType<typeof startApi>>
  /** A browser that has signed in there. */
  signedInAt(name: string, username?: string): Promise<UserAgent>
  /** Who the API was called as last. */
  lastToken(): string
}

export async function twoServers(
  t: ExecutionContext,
  overrides: Partial<FrontendOptions> = {},
  more: Partial<GatewayOptions> = {},
  provider: ProviderOptions = {},
): Promise<TwoServers> {
  // Without nonces: those are the business of other tests.
  const [bank, city, api, on] = await Promise.all([
    startProvider({ dpopNonces: false, ...provider }),
    startProvider({ dpopNonces: false, ...provider }),
    startApi(),
    listen(),
  ])
  const registration = {
    publicJwk: clientPublicJwk,
    redirectUri: `${on.url}/bff/callback`,
    postLogoutRedirectUri: `${on.url}/`,
    backchannelLogoutUri: `${on.url}/bff/backchannel-logout`,
  }
  bank.register([{ clientId: 'shop', ...registration }])
  city.register([{ clientId: 'shop-of-the-city', ...registration }])
  const authorities: readonly AuthorityOptions[] = [
    { name: 'bank', displayName: 'The <Bank>' },
    { name: 'city', displayName: 'City of Vienna', authority: city.issuer, clientId: 'shop-of-the-city' },
  ]
  const frontend = aFrontend({
    publicUrl: new URL(on.url),
    authority: bank.issuer,
    clientId: 'shop',
    authorities,
    routes: [aRoute({ upstreams: [new URL(api.url)] })],
    ...overrides,
  })
  const options = gatewayOptions([frontend], { store: createMemoryStore(), ...more })
  const gateway = await serveGateway(on, options)
  t.teardown(async () => {
    await on.close()
    await Promise.all([gateway.close(), api.close(), bank.close(), city.close()])
  })
  return {
    url: on.url,
    gateway,
    options,
    frontend,
    bank,
    city,
    api,
    async signedInAt(name, username) {
      const browser = createUserAgent()
      const landing = await logIn(browser, `${on.url}/bff/login?authority=${name}`, username)
      if (landing.url.pathname !== '/') throw new Error(`no login: ${landing.url} ${landing.body}`)
      return browser
    },
    lastToken: () => (api.calls.at(-1)?.headers.authorization ?? '').replace('DPoP ', ''),
  }
}
