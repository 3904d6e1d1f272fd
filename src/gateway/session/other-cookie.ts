import type { ServerResponse } from 'node:http'
import { type CookieAttributes, cookieField, isSecureCookie } from '../../http/cookie.js'
import { cookieReach } from '../frontend/embedding.js'
import type { GatewayRequest } from '../request.js'

/**
 * A cookie from before `Embedding` came or went is another one to the browser, of the same name, and older: it comes first
 * and would hide the session that a login begins.
 */
export function forgetOtherCookie({ request, frontend }: GatewayRequest, response: ServerResponse): void {
  const { sessionCookie, options } = frontend
  const times = (request.headers.cookie ?? '').split(`${sessionCookie}=`).length - 1
  const isEmbedded = options.embedding !== undefined
  if (!isSecureCookie(sessionCookie) || times < (isEmbedded ? 1 : 2)) return
  const other: CookieAttributes = cookieReach(isEmbedded ? {} : { embedding: { origins: [] } }).session
  response.appendHeader('Set-Cookie', cookieField(sessionCookie, '', { ...other, maxAge: 0 }))
}
