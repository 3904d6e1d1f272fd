import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FrontendOptions } from '../options.js'

/**
 * Lets the listed origins, exactly, call a frontend of another host with its cookie. Set before anything can be refused, so
 * that a page can read why. `answered`: it was a preflight request, and there is nothing more to do.
 */
export type Cors = (request: IncomingMessage, response: ServerResponse) => 'answered' | 'continue'

/** What a page of another origin may read of ours. */
const readable = 'X-Request-Id, X-Bff-Session-Refreshed, Retry-After, RateLimit, RateLimit-Policy'

/** Seconds a browser keeps the answer to a preflight request. */
const maxAge = 600

/** @see {@link https://fetch.spec.whatwg.org/#http-cors-protocol Fetch §3.3} */
export function createCors(
  frontend: Pick<FrontendOptions, 'cors' | 'clientUrl'>,
  answerHeaders: Readonly<Record<string, string>> = {},
): Cors {
  const origins = new Set(foreignPageOrigins(frontend))
  if (origins.size === 0) return () => 'continue'

  return (request, response) => {
    const { origin, 'access-control-request-method': method } = request.headers
    response.appendHeader('Vary', 'Origin')
    if (origin === undefined || !origins.has(origin)) return 'continue'
    response.setHeader('Access-Control-Allow-Origin', origin)
    response.setHeader('Access-Control-Allow-Credentials', 'true')
    if (request.method !== 'OPTIONS' || method === undefined) {
      response.setHeader('Access-Control-Expose-Headers', readable)
      return 'continue'
    }
    response.setHeader('Access-Control-Allow-Methods', method)
    response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '')
    response.setHeader('Access-Control-Max-Age', maxAge)
    response.writeHead(204, answerHeaders).end()
    return 'answered'
  }
}

/** The origins of pages that are ours but served elsewhere. */
export function foreignPageOrigins({
  cors,
  clientUrl,
}: Pick<FrontendOptions, 'cors' | 'clientUrl'>): readonly string[] {
  return [...(clientUrl === undefined ? [] : [clientUrl.origin]), ...(cors?.origins ?? [])]
}
