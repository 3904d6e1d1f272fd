import type { HttpProxyOptions } from '../../http/outgoing-proxy.js'
import type { Plan } from '../resolve/resolved.js'

/** The way to authorization servers, of the gateway and of all that checks tokens in this process. */
export function httpProxyOptions({ httpProxyUrl, bff }: Pick<Plan, 'httpProxyUrl' | 'bff'>): {
  readonly httpProxy?: HttpProxyOptions
} {
  return httpProxyUrl === undefined ? {} : { httpProxy: { url: httpProxyUrl, noProxy: bff?.HttpProxy?.NoProxy ?? [] } }
}
