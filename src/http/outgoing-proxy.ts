import { isLoopback } from './loopback.js'

/** An HTTP proxy that calls leave a network by (CONNECT, RFC 9110 §9.3.6). Environment variables are not read. */
export interface HttpProxyOptions {
  /** `http:` or `https:`, with a user and a password where it asks for them. */
  readonly url: string
  /**
   * Hosts that are called directly: a name with all that is below it, perhaps with a port. Default: none; this machine
   * always is.
   */
  readonly noProxy?: readonly string[]
}

/** Whether it is the origin of a proxy. What is wrong with it may hold a password: say it in no message. */
export function isProxyOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === ''
}

/** Whether it is a host that `noProxy` can name. Ranges are not known. */
export function isProxyException(text: string): boolean {
  return /^\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/i.test(text)
}

/** Whether a call goes around the proxy. */
export function goesDirectly({ hostname, protocol, port }: URL, { noProxy = [] }: HttpProxyOptions): boolean {
  // This machine is never asked by way of another one.
  if (isLoopback(hostname)) return true
  const calledPort = port || (protocol === 'https:' ? '443' : '80')
  return noProxy.some((exception) => {
    const [name = '', onlyPort = calledPort] = exception.toLowerCase().replace(/^\./, '').split(':')
    return onlyPort === calledPort && (hostname === name || hostname.endsWith(`.${name}`))
  })
}
