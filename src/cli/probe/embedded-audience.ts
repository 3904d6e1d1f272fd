import { createResources } from '../../authorization-server/tokens/resources.js'
import type { AuthorizationServerConfiguration } from '../../config/options/authorization-server-options.js'
import { ProtocolError } from '../../errors.js'
import type { FrontendOptions } from '../../gateway/options.js'
import type { RouteOptions } from '../../gateway/route-options.js'
import { audiencesOf, grantOf } from '../../gateway/tokens/token-audience.js'

/**
 * `aud` of the tokens that the embedded authorization server will give a route: its own rules, asked beforehand.
 * Undefined: it will refuse, which the trial of the client tells.
 */
export function embeddedAudience(
  { options }: AuthorizationServerConfiguration,
  frontend: FrontendOptions,
  route: RouteOptions,
): readonly string[] | undefined {
  const client = options.clients.find(({ clientId }) => clientId === frontend.clientId)
  if (client === undefined) return undefined
  const resources = createResources(options.scopes ?? [], options.audience ?? options.issuer.href.replace(/\/$/, ''))
  try {
    if (route.tokenType === 'Client') {
      const target = resources.target(route.resource, route.scopes, client)
      return resources.audience({ parameter: undefined, target, scopes: route.scopes, client })
    }
    const granted = grantOf(frontend)
    const scopes = granted.scope.split(' ')
    const target = resources.target([...granted.resources].join(' '), scopes, client)
    const { ofUser } = audiencesOf(frontend)(route)
    const wanted = ofUser.scopes.length > 0 ? ofUser.scopes : scopes
    return resources.audience({ parameter: route.resource, target, scopes: wanted, client })
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
