import { problem, type Rule } from './rule.js'

export const httpProxyRules: readonly Rule[] = [
  function* theProxyIsAnOrigin({ httpProxyUrl }) {
    if (httpProxyUrl === undefined) return
    const url = URL.canParse(httpProxyUrl) ? new URL(httpProxyUrl) : undefined
    // It may hold a password: it is in no message.
    if (
      url === undefined ||
      !/^https?:$/.test(url.protocol) ||
      url.pathname !== '/' ||
      url.search !== '' ||
      url.hash !== ''
    )
      yield problem(
        '/Bff/HttpProxy/Url',
        'is not the origin of an HTTP proxy',
        'Write it as in "http://proxy.example.com:3128".',
      )
  },

  function* exceptionsAreHosts({ bff }) {
    for (const [index, host] of (bff?.HttpProxy?.NoProxy ?? []).entries())
      if (!/^\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/i.test(host))
        yield problem(
          `/Bff/HttpProxy/NoProxy/${index}`,
          'is not a host',
          'Write a name or an address as in "internal.example.com", without a scheme; ranges are not known.',
        )
  },
]
