import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet from 'helmet'
import type { FrontendOptions } from './options.js'

/** Sets what a browser has to be told with every file of a page. */
export type SetSecurityHeaders = (request: IncomingMessage, response: ServerResponse) => void

/**
 * By `helmet`, with a Content-Security-Policy that lets a page load and call its own origin only. Inline scripts are out in
 * every preset but `None`; inline styles are in `Spa`, for most component libraries make them at run time.
 */
export function createSecurityHeaders({
  securityHeaders = 'Spa',
  contentSecurityPolicy,
  publicUrl,
  authority,
}: Pick<FrontendOptions, 'securityHeaders' | 'contentSecurityPolicy' | 'publicUrl' | 'authority'>): SetSecurityHeaders {
  if (securityHeaders === 'None') return () => {}
  const setHeaders = helmet({
    contentSecurityPolicy: contentSecurityPolicy === undefined && {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: securityHeaders === 'Strict' ? ["'self'"] : ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'self'"],
        frameAncestors: ["'none'"],
        // A form that logs out is redirected to the authorization server.
        formAction: ["'self'", new URL(authority).origin],
      },
    },
    // Only this host: others below the same name are not ours to bind.
    strictTransportSecurity: publicUrl.protocol === 'https:' && { maxAge: 31_536_000, includeSubDomains: false },
    // 'no-referrer' would make a form's Origin header "null", and the anti-forgery check refuse it.
    referrerPolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
  })
  return (request, response) => {
    setHeaders(request, response, () => {})
    if (contentSecurityPolicy !== undefined) response.setHeader('Content-Security-Policy', contentSecurityPolicy)
  }
}
