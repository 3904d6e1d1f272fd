import type { Configuration } from '../../../config/load.js'
import { endpointBase, endpointPaths } from '../../../gateway/endpoints/endpoint-paths.js'
import type { ExchangeKind, Party } from './exchange.js'

export interface Listener {
  readonly party: Party
  /** Undefined: nothing of a flow, such as a file of the page. */
  kindOf(method: string, path: string, form: URLSearchParams): ExchangeKind | undefined
}

/** The listeners of a demo by their port: gateway, authorization server, sample API. */
export function listenersOf({ server, gateway, authorizationServer, sampleApi }: Configuration) {
  const listeners = new Map<number, Listener>()
  const frontends = gateway?.frontends ?? []
  if (sampleApi !== undefined)
    listeners.set(sampleApi.listen.port, {
      party: 'api',
      kindOf: (_method, path) => (path.startsWith('/.well-known/') ? undefined : 'api'),
    })
  if (authorizationServer?.listen !== undefined)
    listeners.set(authorizationServer.listen.port, {
      party: 'authorization-server',
      kindOf: (method, path, form) => serverKind(method, path.split('/').at(-1) ?? '', form),
    })
  listeners.set(server.listen.port, {
    party: 'gateway',
    kindOf(_method, path) {
      for (const { pathPrefix, routes } of frontends) {
        const base = endpointBase(pathPrefix)
        if (path.startsWith(`${base}/`)) return endpointKinds[path.slice(base.length)]
        if (routes.some((route) => `${path}/`.startsWith(`${pathPrefix}${route.path}/`))) return 'call'
      }
      return undefined
    },
  })
  return listeners as ReadonlyMap<number, Listener>
}

const endpointKinds: Readonly<Record<string, ExchangeKind>> = {
  [endpointPaths.login]: 'login',
  [endpointPaths.callback]: 'callback',
  [endpointPaths.user]: 'user',
  [endpointPaths.sessions]: 'sessions',
  [endpointPaths.logout]: 'logout',
  [endpointPaths.backchannelLogout]: 'logout',
  [endpointPaths.frontchannelLogout]: 'logout',
}

function serverKind(method: string, endpoint: string, form: URLSearchParams): ExchangeKind | undefined {
  switch (endpoint) {
    case 'openid-configuration':
    case 'oauth-authorization-server':
      return 'metadata'
    case 'jwks':
      return 'keys'
    case 'authorize':
      if (method !== 'POST') return 'authorize'
      return form.get('action') === 'allow' ? 'consent' : 'sign-in'
    case 'token':
      return tokenKinds[form.get('grant_type') ?? ''] ?? 'redeem'
    case 'par':
    case 'userinfo':
    case 'introspect':
    case 'revoke':
      return endpoint
    case 'endsession':
      return 'end-session'
    default:
      return undefined
  }
}

const tokenKinds: Readonly<Record<string, ExchangeKind>> = {
  authorization_code: 'redeem',
  refresh_token: 'refresh',
  client_credentials: 'client-credentials',
}
