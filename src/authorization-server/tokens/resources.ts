import { ProtocolError } from '../../errors.js'
import { isResourceIndicator } from '../../http/resource-indicator.js'
import { listOf } from '../../http/space-separated.js'
import type { ClientOptions, ScopeOptions } from '../options.js'

/** The APIs that an authorization reaches. They are on the consent page, and no token of it is ever for another one. */
export interface Target {
  readonly resources: readonly string[]
  /** `named`: by the request, which wants tokens for these alone. `implied`: by its scopes, and by what the client may name. */
  readonly by: 'named' | 'implied'
}

/**
 * Which APIs a token is for. There are two ways to one: a granted scope that declares it, and the client's own list.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export interface Resources {
  /** @throws ProtocolError `invalid_target` for a `resource` that neither way leads to. */
  target(parameter: string | undefined, scopes: readonly string[], client: ClientOptions): Target
  /** `aud` of a token with these scopes. @throws ProtocolError `invalid_target` for a `resource` beyond the target. */
  audience(request: AudienceRequest): readonly string[]
}

export interface AudienceRequest {
  /** `resource` of the token request. */
  readonly parameter: string | undefined
  /** `audience` of a token exchange: names of APIs (RFC 8693 §2.1). */
  readonly names?: string | undefined
  readonly target: Target
  readonly scopes: readonly string[]
  readonly client: ClientOptions
}

/** @param defaultAudience Of tokens for which nothing else says so. */
export function createResources(scopeOptions: readonly ScopeOptions[], defaultAudience: string): Resources {
  const declared = new Map(scopeOptions.map(({ name, resources = [] }) => [name, resources]))
  const declaredBy = (scopes: readonly string[]): readonly string[] => [
    ...new Set(scopes.flatMap((scope) => declared.get(scope) ?? [])),
  ]
  const within = (parameter: string | undefined, reach: readonly string[], names?: string): readonly string[] => {
    const uris = listOf(parameter)
    if (!uris.every(isResourceIndicator)) refuse('a resource is not an absolute URI without fragment')
    const named = [...new Set([...uris, ...listOf(names)])]
    if (!named.every((name) => reach.includes(name)))
      refuse('a resource belongs to none of the scopes, and not to the client')
    return named
  }

  return {
    target(parameter, scopes, { permissions }) {
      const reach = [...new Set([...declaredBy(scopes), ...permissions.resources])]
      const named = within(parameter, reach)
      return named.length > 0 ? { resources: named, by: 'named' } : { resources: reach, by: 'implied' }
    },

    audience({ parameter, names, target, scopes, client }) {
      const ofScopes = declaredBy(scopes)
      const reach = target.resources.filter(
        (name) => ofScopes.includes(name) || client.permissions.resources.includes(name),
      )
      const named = within(parameter, reach, names)
      const meant = target.by === 'named' ? reach : reach.filter((name) => ofScopes.includes(name))
      const audience = named.length > 0 ? named : meant
      if (audience.length > 0) return audience
      if (target.by === 'named') refuse('no resource of the authorization belongs to these scopes')
      return [defaultAudience]
    },
  }
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_target', message)
}
