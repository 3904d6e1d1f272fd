import { isProxyException, isProxyOrigin } from '../../http/outgoing-proxy.js'
import { problem, type Rule } from './rule.js'

export const httpProxyRules: readonly Rule[] = [
  function* theProxyIsAnOrigin({ httpProxyUrl }) {
    if (httpProxyUrl !== undefined && !isProxyOrigin(httpProxyUrl))
      yield problem(
        '/Bff/HttpProxy/Url',
        'is not the origin of an HTTP proxy',
        'Write it as in "http://proxy.example.com:3128".',
      )
  },

  function* exceptionsAreHosts({ bff }) {
    for (const [index, host] of (bff?.HttpProxy?.NoProxy ?? []).entries())
      if (!isProxyException(host))
        yield problem(
          `/Bff/HttpProxy/NoProxy/${index}`,
          'is not a host',
          'Write a name or an address as in "internal.example.com", without a scheme; ranges are not known.',
        )
  },
]
