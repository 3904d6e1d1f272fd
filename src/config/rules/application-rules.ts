import { mayHaveScope, parsePermissions } from '../../authorization-server/client/permissions.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { publicHalf, thumbprint } from '../../jose/jwk.js'
import type { FrontendPlan } from '../resolve/frontend-plan.js'
import type { AuthorizationServerSettings } from '../schema/authorization-server.js'
import { problem, type Rule, repeated } from './rule.js'

export const applicationRules: readonly Rule[] = [
  function* applicationsAreUnique({ authorizationServer: server }) {
    const named = (server?.applications ?? []).filter(({ clientId }) => clientId !== '')
    for (const [later, earlier] of repeated(named, ({ clientId }) => clientId))
      yield problem(
        `${later.pointer}/ClientId`,
        `is that of ${earlier.pointer} too`,
        'Give each application a ClientId of its own.',
      )
  },

  function* applicationsAuthenticateByKey({ authorizationServer: server }) {
    for (const { pointer, settings, keys, isMade, certificate } of server?.applications ?? []) {
      if (isMade) continue
      if (settings.ClientSecret !== null && settings.ClientSecret !== undefined)
        yield problem(
          `${pointer}/ClientSecret`,
          'is given, and this server authenticates clients by private_key_jwt or a certificate',
          'Write null, or leave it out, and give a SigningKeyJwk.',
        )
      if (certificate.method === undefined && (settings.SigningKeyJwk ?? undefined) === undefined && keys.length === 0)
        yield problem(
          `${pointer}/SigningKeyJwk`,
          'is missing, and no frontend in this file has this ClientId and a key',
          "Write the client's public JWK. `npx --no-install sallyport keygen` makes a pair.",
        )
    }
  },

  function* keysFitTheFrontends({ authorizationServer: server }) {
    for (const { pointer, settings, keys, frontends } of server?.applications ?? []) {
      if ((settings.SigningKeyJwk ?? undefined) === undefined || keys.length === 0) continue
      const known = new Set(keys.map(thumbprint))
      for (const frontend of frontends) {
        const [current] = frontend.keys
        if (current !== undefined && !known.has(thumbprint(publicHalf(current))))
          yield problem(
            `${pointer}/SigningKeyJwk`,
            `is not the public half of ${frontend.pointer}/ClientSigningKeyJwk`,
            "Copy the private key's public members, or leave this out: then it is taken from the frontend.",
          )
      }
    }
  },

  function* keysHaveNamesOfTheirOwn({ authorizationServer: server }) {
    for (const { pointer, settings, keys } of server?.applications ?? [])
      for (const [later, earlier] of repeated(
        keys.map((jwk, index) => ({ jwk, index })).filter(({ jwk }) => jwk.kid !== undefined),
        ({ jwk }) => String(jwk.kid),
      )) {
        const member = later.index - ((settings.SigningKeyJwk ?? undefined) === undefined ? 0 : 1)
        if (thumbprint(later.jwk) !== thumbprint(earlier.jwk))
          yield problem(
            `${pointer}/RetiredSigningKeyJwks/${Math.max(member, 0)}`,
            'is another key by the "kid" of one beside it, so that one of the two is never found',
            'Give each key a "kid" of its own, or leave "kid" out.',
          )
      }
  },

  function* permissionsAreKnown({ authorizationServer: server }) {
    for (const { pointer, settings } of server?.applications ?? [])
      for (const { index, problem: what, remedy } of parsePermissions(settings.Permissions ?? []).problems)
        yield problem(`${pointer}/Permissions/${index}`, what, remedy)
  },

  function* permissionsSuffice({ authorizationServer: server }) {
    for (const { pointer, settings, permissions, frontends } of server?.applications ?? []) {
      if (settings.Permissions === undefined || frontends.length === 0) continue
      const parsed = parsePermissions(permissions).permissions
      const { endpoints, grants, resources } = parsed
      const needsRefresh =
        frontends.some(({ scopes }) => scopes.includes('offline_access')) && !grants.includes('refresh_token')
      const missing = [
        ...(['authorization', 'pushed_authorization', 'token'] as const)
          .filter((endpoint) => !endpoints.includes(endpoint))
          .map((endpoint) => `ept:${endpoint}`),
        ...(grants.includes('authorization_code') ? [] : ['gt:authorization_code']),
        ...(needsRefresh ? ['gt:refresh_token'] : []),
        ...(exchanges(frontends) && !grants.includes('token_exchange') ? ['gt:token_exchange'] : []),
        ...new Set(
          frontends
            .flatMap(({ scopes }) => scopes)
            .filter((scope) => !mayHaveScope(parsed, scope) && !(scope === 'offline_access' && needsRefresh))
            .map((scope) => `scp:${scope}`),
        ),
        ...new Set(
          frontends
            .flatMap((frontend) => unreachable(frontend, server?.settings.Seeding.Scopes ?? []))
            .filter((resource) => !resources.includes(resource))
            .map((resource) => `rsrc:${resource}`),
        ),
      ]
      if (missing.length > 0)
        yield problem(
          `${pointer}/Permissions`,
          `does not allow what ${frontends[0]?.pointer} asks for`,
          `Add ${missing.map((permission) => `"${permission}"`).join(', ')}, or leave Permissions out.`,
        )
    }
  },

  function* exchangedScopesAreAgreedTo({ authorizationServer: server }) {
    for (const { pointer, routes, scopes } of (server?.applications ?? []).flatMap(({ frontends }) => frontends))
      for (const [index, { TokenExchange, Scopes }] of routes.entries())
        for (const [at, scope] of Scopes.entries())
          if (TokenExchange !== undefined && !scopes.includes(scope))
            yield problem(
              `${pointer}/Routes/${index}/Scopes/${at}`,
              "is not among the frontend's own Scopes, and the embedded server exchanges no token for more than the user has agreed to",
              `Add "${scope}" to the Scopes of the frontend.`,
            )
  },

  function* redirectUrisAreSafe({ authorizationServer: server }) {
    for (const { pointer, settings } of server?.applications ?? []) {
      const { RedirectUris = [], PostLogoutRedirectUris = [], BackchannelLogoutUri, FrontchannelLogoutUri } = settings
      const uris = [
        ...RedirectUris.map((uri, index) => ({ uri, at: `${pointer}/RedirectUris/${index}` })),
        ...PostLogoutRedirectUris.map((uri, index) => ({ uri, at: `${pointer}/PostLogoutRedirectUris/${index}` })),
        ...(BackchannelLogoutUri === undefined
          ? []
          : [{ uri: BackchannelLogoutUri, at: `${pointer}/BackchannelLogoutUri` }]),
        ...(FrontchannelLogoutUri === undefined
          ? []
          : [{ uri: FrontchannelLogoutUri, at: `${pointer}/FrontchannelLogoutUri` }]),
      ]
      for (const { uri, at } of uris) {
        const url = new URL(uri)
        if (!isSecureUrl(url))
          yield problem(at, 'is plain http', `Write "https://${url.host}${url.pathname}". http is for localhost only.`)
        if (url.hash !== '') yield problem(at, 'has a fragment (RFC 6749 §3.1.2)', `Write "${uri.replace(/#.*/, '')}".`)
      }
    }
  },

  function* redirectUrisAreRegistered({ authorizationServer: server }) {
    for (const { pointer, settings, redirectUris, frontends, isMade } of server?.applications ?? []) {
      if (isMade || settings.RedirectUris === undefined) continue
      for (const { redirectUri, pointer: frontend } of frontends)
        if (redirectUri !== undefined && !redirectUris.includes(redirectUri))
          yield problem(
            `${pointer}/RedirectUris`,
            `does not have ${redirectUri}, where ${frontend} is called back`,
            `Add "${redirectUri}", or leave RedirectUris out.`,
          )
    }
  },

  function* codesHaveSomewhereToGo({ authorizationServer: server }) {
    for (const { pointer, permissions, redirectUris, isMade } of server?.applications ?? [])
      if (!isMade && redirectUris.length === 0 && permissions.includes('gt:authorization_code'))
        yield problem(
          `${pointer}/RedirectUris`,
          'is missing, and no frontend in this file has this ClientId',
          'Write where the client takes its codes, as in ["https://app.example.com/bff/callback"].',
        )
  },
]

function exchanges(frontends: readonly FrontendPlan[]): boolean {
  return frontends.some(({ routes }) => routes.some(({ TokenExchange }) => TokenExchange !== undefined))
}

/** The resources of a frontend's routes that none of the scopes is declared for which the token of the route has. */
function unreachable(
  { routes, scopes: asked }: FrontendPlan,
  declared: AuthorizationServerSettings['Seeding']['Scopes'],
): readonly string[] {
  return routes.flatMap(({ Resource, Scopes, TokenType }) => {
    if (Resource === undefined) return []
    const scopes = Scopes.length > 0 || TokenType === 'Client' ? Scopes : asked
    const isDeclared = declared.some(
      ({ Name = '', Resources }) => scopes.includes(Name) && Resources.includes(Resource),
    )
    return isDeclared ? [] : [Resource]
  })
}
