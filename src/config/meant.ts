import { durationRemedy, notADuration } from './duration.js'

/**
 * What was probably meant by a text that does not fit, from what the schema says of it: how it is to be written, where that
 * can be told. Only for settings that are no secrets.
 */
export function meantBy(said: string, given: unknown): string | undefined {
  if (said === notADuration) return durationRemedy(given)
  if (typeof given !== 'string' || given.length > 200) return undefined
  switch (said) {
    case 'is not an absolute http or https URL':
      return urlRemedy(given)
    case 'is not a plain path':
    case 'is not a path prefix':
      return pathRemedy(given)
    case 'is not a host name in small letters':
      return hostRemedy(given)
    case 'is not a host and a port':
    case 'is not a host and a port, nor a Unix socket':
      return listenRemedy(given)
    case 'is not a Unix socket':
      return `Write "unix:${given.startsWith('/') ? given : '/run/orders.sock'}".`
    case 'is not an HTTP method in capitals':
      return given === '*' || /^all$/i.test(given)
        ? 'Leave Methods out: then every method passes.'
        : `Write "${given.toUpperCase()}".`
    default:
      return undefined
  }
}

/** A text where a list of such goes: `"openid profile"`. */
export function listMeantBy(pointer: string, given: unknown): string | undefined {
  if (
    typeof given !== 'string' ||
    !/\/(?:Scopes|Upstreams|Sockets|Methods|Hosts|Origins|UserClaims|NoProxy|Nodes|TrustedProxies)$/.test(pointer)
  )
    return undefined
  return `Write ${JSON.stringify(given.split(/[\s,]+/).filter(Boolean))}.`
}

/** A number, a switch or a list where a text goes: `300`, `["de", "fr"]`. */
export function textMeantBy(given: unknown): string | undefined {
  if (typeof given === 'number' || typeof given === 'boolean') return `Write "${given}".`
  return Array.isArray(given) && given.length > 0 && given.every((item) => typeof item === 'string')
    ? `Write ${JSON.stringify(given.join(' '))}.`
    : undefined
}

function urlRemedy(given: string): string | undefined {
  if (/^https?:\/\/[^/]*@/i.test(given)) return 'Leave out the user and password: a URL is no place for a secret.'
  if (/^wss?:\/\//i.test(given)) return `Write "${given.replace(/^ws/i, 'http')}": sockets go the same way.`
  if (/^unix:|^\//.test(given))
    return 'Write the URL by which it knows itself, as in "http://orders"; the Unix socket of a route goes into its Sockets.'
  const port = /^https?:\/\/[^/]*:(\d+)(?:\/|$)/i.exec(given)?.[1]
  if (port !== undefined && Number(port) > 65_535) return `Write another port: ${port} is more than 65535.`
  if (given === '*') return 'Write each origin, as in "https://www.example.com": there are no patterns.'
  if (/^[a-z0-9.-]+(?::\d+)?(?:\/\S*)?$/i.test(given)) {
    const isInside = /^[^./]+(?::|\/|$)|:\d+/.test(given)
    return `Write "${isInside ? 'http' : 'https'}://${given}".`
  }
  return undefined
}

function pathRemedy(given: string): string | undefined {
  if (/^https?:\/\//i.test(given)) return 'Write the path only, as in "/api".'
  const plain = `/${given.replace(/\{[^}]*\}|[*^$]+/g, '').replace(/^\/+|\/+$/g, '')}`
  return plain !== given && /^(?:\/[\w.~-]+)+$/.test(plain)
    ? `Write "${plain}": it covers all that is below.`
    : undefined
}

function hostRemedy(given: string): string | undefined {
  const host = given
    .replace(/^[a-z]+:\/\//i, '')
    .replace(/\/.*$/, '')
    .toLowerCase()
  if (host.includes('*')) return 'Write each host name: there are no patterns. An empty list answers to any.'
  return /^[a-z0-9.-]+(?::\d+)?$/.test(host) ? `Write "${host}".` : undefined
}

function listenRemedy(given: string): string | undefined {
  const text = given.replace(/^[a-z]+:\/\//i, '').replace(/\/$/, '')
  const port = /^(?:\*|)?:?(\d{1,5})$/.exec(text)?.[1]
  if (port !== undefined && Number(port) < 65_536)
    return `Write "127.0.0.1:${port}" for this machine only, or "0.0.0.0:${port}" for every network.`
  if (/^[a-z0-9.-]+$/i.test(text)) return `Write the port too, as in "${text}:3000".`
  const high = /:(\d{5,})$/.exec(text)?.[1]
  if (high !== undefined && Number(high) > 65_535) return `Write another port: ${high} is more than 65535.`
  const v6 = /^([0-9a-f:]+:):?(\d{1,5})$/i.exec(text)
  if (v6 !== null && text.split(':').length > 2) return 'Write an IPv6 address in brackets, as in "[::1]:3000".'
  return /^[a-z0-9.-]+:\d{1,5}$/i.test(text) && Number(text.split(':')[1]) < 65_536 ? `Write "${text}".` : undefined
}
