/** Header names in lower case, each with what goes on the wire. */
export type Headers = Record<string, string | string[]>

/** Of one connection only (RFC 9110 §7.6.1), or of its framing, which we settle ourselves. */
export const hopByHop = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** These describe the message itself, and do not go away because `Connection` names them. */
const staysDespiteConnection = /^(?:content-|sec-|cookie$|origin$|host$|accept)/

/** What `Connection` takes away (RFC 9110 §7.6.1). Undefined for what nearly every request has: nothing, `keep-alive` or `close`. */
export function namedByConnection(header: string | undefined): ReadonlySet<string> | undefined {
  if (header === undefined || header === 'keep-alive' || header === 'close') return undefined
  const names = header.split(',').map((option) => option.trim().toLowerCase())
  return new Set(names.filter((name) => !staysDespiteConnection.test(name)))
}
