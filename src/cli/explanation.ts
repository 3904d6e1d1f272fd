import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { targetUri } from '../dpop/proof.js'
import { frontendDefaults, routeDefaults } from '../gateway/defaults.js'
import { endpointPaths } from '../gateway/endpoints/endpoint-paths.js'
import { endpointMethods } from '../gateway/endpoints/endpoints.js'
import { dialsOf } from '../gateway/forwarding/dial.js'
import { requestHeaders } from '../gateway/forwarding/request-headers.js'
import { addressing } from '../gateway/forwarding/upstream.js'
import { assertOwnPage, type ForgeryRule, forgeryRuleOf } from '../gateway/frontend/anti-forgery.js'
import { createFrontend, createFrontendSelection, type Frontend } from '../gateway/frontend/frontend.js'
import type { RateLimitOptions } from '../gateway/limits/limit-options.js'
import type { FrontendOptions } from '../gateway/options.js'
import { developmentServerRoute } from '../gateway/page/development-server.js'
import { createPage } from '../gateway/page/page.js'
import { Refusal, statusOf } from '../gateway/refusal.js'
import type { RouteOptions, TokenExchangeOptions } from '../gateway/route-options.js'
import { destinationOf } from '../gateway/routing/destination.js'
import { parseRequestTarget } from '../gateway/routing/request-target.js'
import { assertMethodAllowed, createRouteMatcher, type RouteMatch } from '../gateway/routing/route.js'
import { requirementsOfRoute } from '../gateway/step-up/requirements.js'
import { audiencesOf, mayBeOfUser } from '../gateway/tokens/token-audience.js'
import type { HttpProxyOptions } from '../http/outgoing-proxy.js'
import { unixSocketText } from '../http/unix-socket.js'
import { everyKindOfHeader } from './every-kind-of-header.js'
import { type Claims, type ExplainedAccess, explainedAccess } from './explained-access.js'
import { credentialsOf, type ExplainedAssertion, explainedAssertion } from './explained-assertion.js'
import { type ExplainedFrontend, explained } from './explained-frontend.js'
import { type ExplainedLogin, explainedLogins, typesOf } from './explained-login.js'
import { type Scheme, schemeOf } from './scheme.js'

/** What happens to a request, found out by the gateway's own functions. */
export interface Explanation {
  readonly request: string
  readonly frontend?: ExplainedFrontend
  readonly outcome: Outcome
  /** Absent where every user may in, or none is looked at. */
  readonly access?: ExplainedAccess
}

export type Outcome =
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly detail: string }
  | {
      readonly kind: 'endpoint'
      readonly path: string
      readonly csrf: CsrfRule | undefined
      /** Of the endpoint that begins a login: how each authorization server is asked. */
      readonly logins?: readonly ExplainedLogin[]
    }
  | { readonly kind: 'page'; readonly folder: string; readonly requireLogin: 'Calls' | 'Page' }
  | { readonly kind: 'forwarded'; readonly forwarding: Forwarding }

export interface Forwarding {
  readonly route: string
  readonly csrf: CsrfRule
  readonly token: RouteOptions['tokenType']
  readonly scheme: Scheme
  readonly resource?: string
  readonly exchanged?: TokenExchangeOptions
  readonly assertion?: ExplainedAssertion
  /** What the token is asked for with. Empty: the token of the login, or what the server gives by itself. */
  readonly scopes: readonly string[]
  /** Types of the `authorization_details` that the token is asked for with (RFC 9396). */
  readonly detailTypes: readonly string[]
  readonly countsAsUse: boolean
  /** Of the route and of the whole frontend. */
  readonly rateLimits: readonly RateLimitOptions[]
  /** How the user has to have signed in (RFC 9470). */
  readonly signIn?: { readonly acrValues?: readonly string[]; readonly maxAge?: number }
  readonly headersDropped: readonly string[]
  readonly headersAdded: readonly string[]
  /** Which of several upstreams a call goes to. */
  readonly balance: NonNullable<RouteOptions['balance']>
  /** One for each upstream: the URL that is called, the `htu` claim of its proof, and the Unix socket that leads there. */
  readonly calls: readonly { readonly url: string; readonly htu: string; readonly socket?: string }[]
}

/** What the anti-forgery check says to calls of different origin. */
export interface CsrfRule {
  /** Our page's script, with the header. */
  readonly own: string
  /** Our page, without it: a picture, a download, a frame. */
  readonly bare: string
  /** A person who typed the address. */
  readonly typed: string
  /** A program, or a browser that says nothing of who asks, without the header. */
  readonly silent: string
  /** A page of another site, with the header. */
  readonly foreign: string
}

/**
 * @param url As it is asked for: nothing in it is tidied up before the gateway's own functions see it.
 * @param claims of a user who is signed in, to be told what they get
 * @param httpProxy by which authorization servers are called
 */
export function explanationOf(
  method: string,
  url: string,
  frontends: readonly FrontendOptions[],
  claims?: Claims,
  httpProxy?: HttpProxyOptions,
): Explanation {
  const request = `${method} ${url}`
  const { host } = new URL(url)
  const [, path = ''] = /^https?:\/\/[^/?#]*([^#]*)/i.exec(url) ?? []
  let frontend: Frontend | undefined
  try {
    const target = parseRequestTarget(path.startsWith('/') ? path : `/${path}`, host)
    frontend = createFrontendSelection(frontends.map(createFrontend))(host, target)
    const { options } = frontend
    const found = { request, frontend: explained(frontend) }
    const destination = destinationOf(
      {
        ...frontend,
        matchRoute: createRouteMatcher(options.pathPrefix, options.routes),
        page: createPage(options, developmentServerRoute(options)),
      },
      target,
    )
    const accessTo = (route: RouteOptions | undefined): Pick<Explanation, 'access'> => {
      const access = explainedAccess(options, route, claims)
      return access === undefined ? {} : { access }
    }
    switch (destination.kind) {
      case 'endpoint': {
        const methods = endpointMethods(frontend, target.path)
        if (methods.length === 0) throw new Refusal('bff.endpoint.unknown', 'the gateway has no such endpoint')
        if (!methods.includes(method))
          throw new Refusal('bff.endpoint.method_not_allowed', `this endpoint takes ${methods.join(' and ')}`)
        const rule = forgeryRuleOf(frontend, method, target.path)
        const csrf = rule && csrfRule(frontend, method, 'route', rule)
        const logins =
          target.path === frontend.base + endpointPaths.login ? explainedLogins(options, httpProxy) : undefined
        return { ...found, outcome: { kind: 'endpoint', path: target.path, csrf, ...(logins && { logins }) } }
      }
      case 'page': {
        const { match } = destination
        if (match !== undefined) {
          assertMethodAllowed(match.route, method)
          const forwarding = forwardingOf(frontend, method, match, 'page')
          return { ...found, outcome: { kind: 'forwarded', forwarding }, ...accessTo(undefined) }
        }
        if (options.staticFilesPath === undefined)
          throw new Refusal('bff.route.unknown', 'no route of this frontend covers this path')
        const { staticFilesPath: folder, requireLogin = frontendDefaults.requireLogin } = options
        return { ...found, outcome: { kind: 'page', folder, requireLogin }, ...accessTo(undefined) }
      }
      case 'route': {
        assertMethodAllowed(destination.match.route, method)
        const forwarding = forwardingOf(frontend, method, destination.match, 'route')
        return { ...found, outcome: { kind: 'forwarded', forwarding }, ...accessTo(destination.match.route) }
      }
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, message: detail } = error
    const outcome: Outcome = { kind: 'refused', status: statusOf(code), code, detail }
    return { request, ...(frontend && { frontend: explained(frontend) }), outcome }
  }
}

function forwardingOf(
  frontend: Frontend,
  method: string,
  { route, upstreamTarget, removedPrefix }: RouteMatch,
  kind: 'route' | 'page',
): Forwarding {
  const { options } = frontend
  const sent = aRequest(method, {
    host: options.publicUrl.host,
    ...everyKindOfHeader,
    cookie: `theme=dark; ${frontend.sessionCookie}=secret`,
  })
  const client = { address: '203.0.113.7', host: options.publicUrl.host }
  const received = requestHeaders({ request: sent, client, frontend, removedPrefix, requestId: '(request id)' })
  const signIn = requirementsOfRoute(route)
  const scheme = schemeOf(route, options)
  const assertion = explainedAssertion(route, options)
  const kept = (name: string): boolean => received[name] === sent.headers[name]
  return {
    route: route.path,
    csrf: csrfRule(frontend, method, kind, route),
    token: route.tokenType,
    scheme,
    ...(route.resource !== undefined && { resource: route.resource }),
    ...(route.tokenExchange !== undefined && { exchanged: route.tokenExchange }),
    ...(assertion && { assertion }),
    scopes: assertion || !mayBeOfUser(route.tokenType) ? route.scopes : audiencesOf(options)(route).ofUser.scopes,
    detailTypes: typesOf(route.authorizationDetails),
    countsAsUse: mayBeOfUser(route.tokenType) && (route.countsAsUse ?? routeDefaults.countsAsUse),
    rateLimits: kind === 'page' ? [] : [...(route.rateLimits ?? []), ...(options.rateLimits ?? [])],
    ...(signIn !== undefined && { signIn }),
    headersDropped: Object.keys(sent.headers)
      .filter((name) => !kept(name))
      .map((name) => (name in received && name === 'cookie' ? `our cookies (${frontend.sessionCookie}, …)` : name)),
    headersAdded: [
      ...credentialsOf(scheme, assertion),
      'host',
      ...Object.keys(received).filter((name) => !kept(name) && name !== 'cookie'),
    ],
    balance: route.balance ?? routeDefaults.balance,
    calls: dialsOf(route).map(({ url, socket }) => {
      const called = addressing(url)(upstreamTarget)
      const by = socket === undefined ? {} : { socket: unixSocketText(socket) }
      return { url: called.origin + called.path, htu: targetUri(called), ...by }
    }),
  }
}

function csrfRule(frontend: Frontend, method: string, kind: 'route' | 'page', rule: ForgeryRule): CsrfRule {
  // A form of a page says its origin; what only reads does not.
  const origin = method === 'GET' || method === 'HEAD' ? undefined : frontend.origin
  const own = { 'sec-fetch-site': 'same-origin', ...(origin !== undefined && { origin }) }
  const navigation = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://another.example' }
  const verdict = (headers: Record<string, string>): string => {
    try {
      assertOwnPage({ request: aRequest(method, headers), frontend }, kind, rule)
      return 'passes'
    } catch (error) {
      if (error instanceof Refusal) return `${statusOf(error.code)} ${error.code}`
      throw error
    }
  }
  return {
    own: verdict({ ...own, 'x-csrf': '1' }),
    bare: verdict(own),
    typed: verdict(navigation),
    silent: verdict({}),
    foreign: verdict({ ...foreign, 'x-csrf': '1' }),
  }
}

function aRequest(method: string, headers: Record<string, string>): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { method, headers })
}
