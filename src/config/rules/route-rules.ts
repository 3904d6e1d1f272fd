import {
  isBelowEndpoints,
  isListenedOnOnly,
  repeatsPrefix,
  routePathKey,
} from '../../gateway/frontend/frontend-grammar.js'
import { needsUser } from '../../gateway/routing/check-routes.js'
import { isLoopback } from '../../http/loopback.js'
import { isResourceIndicator } from '../../http/resource-indicator.js'
import { seconds } from '../duration.js'
import { portOf } from '../resolve/authorization-server.js'
import { problem, type Rule, repeated } from './rule.js'

export const routeRules: readonly Rule[] = [
  function* routesAreReachable({ frontends }) {
    for (const { pointer, settings } of frontends) {
      const routes = (settings.Routes ?? []).map((route, index) => ({ route, at: `${pointer}/Routes/${index}` }))
      const named = routes.filter(({ route }) => route.Path !== undefined)
      for (const [later, earlier] of repeated(named, ({ route }) => routePathKey(route.Path ?? '')))
        yield problem(
          `${later.at}/Path`,
          `is the path of ${earlier.at} too, so that one of the two is never used`,
          'Join the two, or give one a longer path.',
        )
      for (const { route, at } of routes) {
        if (isBelowEndpoints(route.Path ?? ''))
          yield problem(`${at}/Path`, 'lies below /bff, where the endpoints of this frontend are', 'Use another path.')
        if (repeatsPrefix(route.Path ?? '', settings.PathPrefix))
          yield problem(
            `${at}/Path`,
            `begins with the PathPrefix, and is counted from there: it covers ${settings.PathPrefix}${route.Path}`,
            `Write "${route.Path?.slice(settings.PathPrefix.length) || '/api'}".`,
          )
        const upstreams = route.Upstreams.map((value, index) => ({ index, href: new URL(value).href }))
        for (const [{ index }] of repeated(upstreams, ({ href }) => href))
          yield problem(`${at}/Upstreams/${index}`, 'is there twice', 'Keep one of the two.')
        if (route.Tls !== undefined && route.Upstreams.every((value) => new URL(value).protocol === 'http:'))
          yield problem(
            `${at}/Tls`,
            'is for https, and no upstream here is https',
            'Write https:// in Upstreams, or leave Tls out.',
          )
        if (route.TokenType === 'Client' || route.TokenType === 'UserOrClient')
          for (const [index, scope] of route.Scopes.entries())
            if (needsUser(scope))
              yield problem(
                `${at}/Scopes/${index}`,
                `is "${scope}", which needs a user, and the token ${route.TokenType === 'Client' ? 'is' : 'may be'} the gateway's own`,
                'Leave it out, or the TokenType.',
              )
        const periods = [
          ['Timeouts/Connect', route.Timeouts.Connect],
          ['Timeouts/ResponseHeaders', route.Timeouts.ResponseHeaders],
          ['Timeouts/Idle', route.Timeouts.Idle],
          ['Timeouts/Total', route.Timeouts.Total],
          ['HealthCheck/Interval', route.HealthCheck?.Interval],
          ['HealthCheck/Timeout', route.HealthCheck?.Timeout],
        ] as const
        for (const [member, value] of periods)
          if (value !== undefined && seconds(value) === 0)
            yield problem(`${at}/${member}`, 'is no time at all', 'Write it as in "00:00:05", or leave it out.')
        for (const [index, upstream] of route.Upstreams.entries()) {
          const url = new URL(upstream)
          if (isListenedOnOnly(url))
            yield problem(
              `${at}/Upstreams/${index}`,
              `is ${url.hostname}: servers listen there, and no client calls it`,
              `Write "${url.protocol}//127.0.0.1${url.port && `:${url.port}`}${url.pathname === '/' ? '' : url.pathname}" for this machine, or the name of the other.`,
            )
          if (url.search !== '' || url.hash !== '')
            yield problem(
              `${at}/Upstreams/${index}`,
              'has a query or a fragment',
              `Write "${url.origin}${url.pathname}".`,
            )
        }
        if (route.Resource !== undefined && !isResourceIndicator(route.Resource))
          yield problem(
            `${at}/Resource`,
            'is not an absolute URI without fragment (RFC 8707 §2)',
            'Write the identifier that the API expects in its tokens, as in "https://orders.example.com".',
          )
        if ((route.Tls?.CertFile === undefined) !== (route.Tls?.KeyFile === undefined))
          yield problem(
            `${at}/Tls`,
            'has a certificate without its key, or a key without its certificate',
            'Write both CertFile and KeyFile, or neither.',
          )
        if (route.TokenExchange !== undefined && (route.TokenType === 'None' || route.TokenType === 'Client'))
          yield problem(
            `${at}/TokenExchange`,
            `is about the user's token, and TokenType is "${route.TokenType}"`,
            'Leave one of the two out.',
          )
        if (
          route.TokenExchange !== undefined &&
          route.TokenExchange.Audience === undefined &&
          route.Resource === undefined &&
          route.Scopes.length === 0
        )
          yield problem(
            `${at}/TokenExchange`,
            'does not say what the token is for',
            'Write its Audience, or Resource or Scopes of the route.',
          )
        if (route.TokenType === 'None' && (route.Resource !== undefined || route.Scopes.length > 0))
          yield problem(
            `${at}/TokenType`,
            'is "None", so that Resource and Scopes have no token to be in',
            'Leave out Resource and Scopes, or the TokenType.',
          )
      }
    }
  },

  function* upstreamsAreOthers({ frontends, listen }) {
    const own = new Set(frontends.flatMap(({ publicUrl }) => publicUrl?.origin ?? []))
    const isOwn = (url: URL): boolean =>
      own.has(url.origin) || (listen.port !== 0 && portOf(url) === listen.port && isHere(url.hostname, listen.host))
    for (const { pointer, settings } of frontends) {
      const named = [
        // With Sockets nothing is looked up: the URL is only what the API is called by.
        ...(settings.Routes ?? []).flatMap(({ Upstreams, Sockets }, route) =>
          (Sockets === undefined ? Upstreams : []).map((value, index) => ({
            value,
            at: `${pointer}/Routes/${route}/Upstreams/${index}`,
          })),
        ),
        { value: settings.DevelopmentServer ?? undefined, at: `${pointer}/DevelopmentServer` },
      ]
      for (const { value, at } of named)
        if (value !== undefined && isOwn(new URL(value)))
          yield problem(
            at,
            'is this gateway itself: each call would come back here until something breaks',
            'Write where the API or the development server listens.',
          )
    }
  },
]

function isHere(hostname: string, listensOn: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return (
    host === listensOn || (isLoopback(hostname) && (isLoopback(listensOn) || /^(?:0\.0\.0\.0|::)$/.test(listensOn)))
  )
}
