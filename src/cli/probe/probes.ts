import type { Configuration } from '../../config/load.js'
import { clientsOf, issuersOf } from '../../gateway/authorities/authorities.js'
import { gatewayDefaults } from '../../gateway/defaults.js'
import { createIssuerFetch } from '../../gateway/oauth/issuer-fetch.js'
import type { FrontendOptions } from '../../gateway/options.js'
import type { RouteOptions } from '../../gateway/route-options.js'
import { mayBeOfClient } from '../../gateway/tokens/token-audience.js'
import { tryAudit } from './audit.js'
import { type TokenContent, tryClient } from './client.js'
import { tryDevelopmentServers } from './development-servers.js'
import { embeddedAudience } from './embedded-audience.js'
import { startEmbedded } from './embedded-server.js'
import { type IssuerTrial, tryIssuer } from './issuer.js'
import type { Trial } from './probe.js'
import { tryStore } from './store.js'
import type { ExpectedToken } from './target.js'
import { tryUpstreams } from './upstreams.js'

/** Asks every server that the configuration names, as the gateway would. Never rejects for what they answer. */
export async function tryOut(configuration: Configuration): Promise<readonly Trial[]> {
  const frontends = configuration.gateway?.frontends ?? []
  const timeout = configuration.gateway?.issuerTimeout ?? gatewayDefaults.issuerTimeout
  const { issuerCa: ca, httpProxy } = configuration.gateway ?? {}
  const fetch = createIssuerFetch(timeout, { ca, httpProxy })
  const certified = new Map(
    frontends.flatMap((frontend) => {
      const { clientCertificate: certificate } = frontend
      return certificate === undefined
        ? []
        : [[frontend, createIssuerFetch(timeout, { ca, httpProxy, certificate })] as const]
    }),
  )
  const embedded = await startEmbedded(configuration)
  try {
    const issuers = new Map<string, IssuerTrial>()
    for (const frontend of frontends)
      for (const authority of issuersOf(frontend))
        if (!issuers.has(authority) && authority !== embedded.displaced)
          issuers.set(authority, await tryIssuer(authority, certified.get(frontend) ?? fetch))
    const trials: Trial[] = [...embedded.trials, ...[...issuers.values()].flatMap((issuer) => issuer.trials)]
    const tokens = new Map<RouteOptions, TokenContent>()
    for (const frontend of frontends)
      for (const [index, { options, authority }] of clientsOf(frontend).entries()) {
        const metadata = issuers.get(options.authority)?.metadata
        if (metadata === undefined) continue
        // Its subjects say which of several it was. The first one alone gives tokens without a user.
        const named = authority === undefined ? options : { ...options, name: `${options.name} at ${authority.name}` }
        const ownTokens = index === 0 ? options.routes.filter(({ tokenType }) => mayBeOfClient(tokenType)) : []
        const client = await tryClient(named, metadata, { fetch: certified.get(frontend) ?? fetch, timeout, ownTokens })
        trials.push(...client.trials)
        for (const [route, token] of client.tokens) tokens.set(route, token)
      }
    const tokenFor = (frontend: FrontendOptions, route: RouteOptions): ExpectedToken =>
      expectedToken(configuration, frontend, route, tokens.get(route))
    trials.push(...(await tryUpstreams(frontends, { samplePort: configuration.sampleApi?.listen.port, tokenFor })))
    trials.push(...(await tryDevelopmentServers(frontends)))
    trials.push(...(await tryStore(configuration)), ...(await tryAudit(configuration)))
    return trials
  } finally {
    await Promise.all([fetch, ...certified.values()].map((one) => one.close()))
    await embedded.stop()
  }
}

/** From a token that was really issued, from the embedded server's rules, or from what the route asks for (RFC 8707). */
function expectedToken(
  { authorizationServer, plan }: Configuration,
  frontend: FrontendOptions,
  route: RouteOptions,
  issued: TokenContent | undefined,
): ExpectedToken {
  if (issued !== undefined) return { audience: issued.audience, from: 'certain' }
  if (authorizationServer !== undefined && frontend.authority === plan.authorizationServer?.settings.Issuer) {
    const audience = embeddedAudience(authorizationServer, frontend, route)
    return { audience, from: audience === undefined ? 'named' : 'certain' }
  }
  return { audience: route.resource === undefined ? undefined : [route.resource], from: 'named' }
}
