import type { AskedRequest } from '../../http/forward-auth/asked-request.js'
import { fieldsOfProxy } from '../../http/forward-auth/asked-request.js'
import { coveredBy, decidedOnce, type FieldRule } from '../forwarding/field-rules.js'

/**
 * Fields by which another request is made than the one decided on. Where the gateway forwards it drops them; a proxy that
 * forwards by itself would pass them on.
 */
export const refusedBehindProxy: readonly FieldRule[] = [
  {
    fields: `original-* rewrite-* *-override *-override-* method verb tunnel-method forwarded-method forwarded-uri forwarded-url
      forwarded-path`,
    because: 'another method or address than the one decided on',
  },
  {
    fields: 'http2-settings',
    because: 'an API that changes to HTTP/2 then (h2c) takes more requests on this connection, about which no one asks',
  },
]

const namesAnother = coveredBy(refusedBehindProxy)

/**
 * What no client may send, since an API might believe it. Each kind of proxy writes some of these itself: they tell of the
 * request then.
 * @param identityFields names of the fields that say who the user is
 * @returns the first such field of a request, cut to what may be told
 */
export function createForgedFields(identityFields: readonly string[]): (asked: AskedRequest) => string | undefined {
  const identity = new Set(identityFields.map((name) => name.toLowerCase()))
  const isForged = decidedOnce((name: string): boolean => {
    // Servers that read fields as variables take `X_Auth_Subject` for `X-Auth-Subject`.
    const plain = name.replace(/[^a-z0-9]/g, '-')
    return identity.has(plain) || namesAnother(plain.replace(/^(?:x-|http-)+/, ''))
  })
  return ({ kind, request: { headers } }) => {
    for (const name in headers) if (isForged(name) && !fieldsOfProxy[kind].includes(name)) return name.slice(0, 64)
    return undefined
  }
}
