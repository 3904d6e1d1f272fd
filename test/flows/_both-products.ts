import type { ExecutionContext } from 'ava'
import type { AuthorizationServerOptions } from '../../src/authorization-server/options.js'
import type { FrontendOptions, GatewayOptions } from '../../src/gateway/options.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { verificationKey } from '../../src/jose/jwk.js'
import { aClient, startServer } from '../authorization-server/_running.js'
import {
  aFrontend,
  aRoute,
  clientJwk,
  clientPublicJwk,
  gatewayOptions,
  listen,
  serveGateway,
  startApi,
} from '../gateway/_gateway.js'
import { createUserAgent, type Landing, type UserAgent } from './_user-agent.js'

export interface BothProductsOptions {
  readonly server?: Partial<AuthorizationServerOptions>
  readonly gateway?: Partial<GatewayOptions>
  readonly frontend?: Partial<FrontendOptions>
  readonly routes?: readonly (Partial<RouteOptions> & { readonly path: string })[]
}

/** The gateway, the embedded authorization server and an API, in this process. */
export async function bothProducts(t: ExecutionContext, options: BothProductsOptions = {}) {
  const [on, api] = await Promise.all([listen(), startApi()])
  const { url } = on
  const client = aClient('my-bff', {
    redirectUris: [`${url}/bff/callback`],
    postLogoutRedirectUris: [`${url}/`],
    backchannelLogoutUri: `${url}/bff/backchannel-logout`,
  })
  const server = await startServer({
    client: { privateJwk: clientJwk, options: { ...client.options, keys: [verificationKey(clientPublicJwk)] } },
    ...options.server,
  })
  const upstreams = [new URL(api.url)]
  const frontend = aFrontend({
    publicUrl: new URL(url),
    authority: server.url,
    routes: [{ path: '/api' }, ...(options.routes ?? [])].map((route) => aRoute({ upstreams, ...route })),
    ...options.frontend,
  })
  const gateway = await serveGateway(on, gatewayOptions([frontend], options.gateway))
  t.teardown(async () => {
    await on.close()
    await Promise.all([gateway.close(), server.stop(), api.close()])
  })

  /** From the sign-in page on; the consent page is answered as well. */
  const signIn = async (browser: UserAgent, page: Landing, username = 'alice', password = 'wonderland') => {
    const next = await browser.submit(page, { username, password }, { button: 'sign-in' })
    return next.body.includes('value="allow"') ? browser.submit(next, {}, { button: 'allow' }) : next
  }
  return {
    url,
    server,
    gateway,
    api,
    signIn,
    async loggedIn(username = 'alice', password = 'wonderland') {
      const browser = createUserAgent()
      await signIn(browser, await browser.navigate(`${url}/bff/login`), username, password)
      return browser
    },
  }
}
