import { isBelowEndpoints } from '../../gateway/frontend-grammar.js'
import { isResourceIndicator } from '../../http/resource-indicator.js'
import { problem, type Rule, repeated } from './rule.js'

export const routeRules: readonly Rule[] = [
  function* routesAreReachable({ frontends }) {
    for (const { pointer, settings } of frontends) {
      const routes = (settings.Routes ?? []).map((route, index) => ({ route, at: `${pointer}/Routes/${index}` }))
      const named = routes.filter(({ route }) => route.Path !== undefined)
      for (const [later, earlier] of repeated(named, ({ route }) => (route.Path ?? '').replace(/\/$/, '')))
        yield problem(
          `${later.at}/Path`,
          `is the path of ${earlier.at} too, so that one of the two is never used`,
          'Join the two, or give one a longer path.',
        )
      for (const { route, at } of routes) {
        if (isBelowEndpoints(route.Path ?? ''))
          yield problem(`${at}/Path`, 'lies below /bff, where the endpoints of this frontend are', 'Use another path.')
        for (const [index, upstream] of route.Upstreams.entries()) {
          const url = new URL(upstream)
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
        if (route.TokenType === 'None' && (route.Resource !== undefined || route.Scopes.length > 0))
          yield problem(
            `${at}/TokenType`,
            'is "None", so that Resource and Scopes have no token to be in',
            'Leave out Resource and Scopes, or the TokenType.',
          )
      }
    }
  },
]
