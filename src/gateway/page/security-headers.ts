import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet from 'helmet'
import { policySource } from '../../http/policy-source.js'
import { mayPinHttps } from '../../http/secure-url.js'
import { issuersOf } from '../authorities/authorities.js'
import { frontendDefaults } from '../defaults.js'
import { frameAncestors, framePolicy } from '../frontend/embedding.js'
import type { FrontendOptions } from '../options.js'

type HeaderSettings = Pick<
  FrontendOptions,
  'securityHeaders' | 'contentSecurityPolicy' | 'publicUrl' | 'authority' | 'authorities' | 'embedding'
>

/** Only this host: others below the same name are not ours to bind. */
const oneYearOfHttps = { maxAge: 31_536_000, includeSubDomains: false }

/**
 * What goes with every answer for a frontend, from any source: an endpoint, an error, a preflight request, an API that says
 * nothing of its own. The `None` preset leaves HTTPS to the server in front.
 */
export function answerHeaders({
  securityHeaders = frontendDefaults.securityHeaders,
  publicUrl,
}: Pick<HeaderSettings, 'securityHeaders' | 'publicUrl'>): Readonly<Record<string, string>> {
  const pinned = strictTransportSecurity({ securityHeaders, publicUrl })
  return {
    'X-Content-Type-Options': 'nosniff',
    ...(pinned !== undefined && { 'Strict-Transport-Security': pinned }),
  }
}

/** Undefined: not ours to say. What an API says of it is about its own host, and does not pass. */
export function strictTransportSecurity({
  securityHeaders = frontendDefaults.securityHeaders,
  publicUrl,
}: Pick<HeaderSettings, 'securityHeaders' | 'publicUrl'>): string | undefined {
  return mayPinHttps(publicUrl) && securityHeaders !== 'None' ? `max-age=${oneYearOfHttps.maxAge}` : undefined
}

/** Sets what a browser has to be told with every file of a page. */
export type SetSecurityHeaders = (request: IncomingMessage, response: ServerResponse) => void

/**
 * By `helmet`, with a Content-Security-Policy that lets a page load and call its own origin only. Inline scripts are out in
 * every preset but `None`; inline styles are in `Spa`, for most component libraries make them at run time.
 */
export function createSecurityHeaders({
  securityHeaders = frontendDefaults.securityHeaders,
  contentSecurityPolicy,
  publicUrl,
  authority,
  authorities,
  embedding,
}: HeaderSettings): SetSecurityHeaders {
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
        frameAncestors: [...frameAncestors({ embedding })],
        // A form that logs out is redirected to the authorization server.
        formAction: ["'self'", ...issuersOf({ authority, authorities }).map((issuer) => policySource(new URL(issuer)))],
      },
    },
    strictTransportSecurity: mayPinHttps(publicUrl) && oneYearOfHttps,
    // 'no-referrer' would make a form's Origin header "null", and the anti-forgery check refuse it.
    referrerPolicy: { policy: 'same-origin' },
    // It knows one origin at most, and gives way to frame-ancestors in every browser that knows cookies for frames.
    frameguard: embedding === undefined && { action: 'deny' },
  })
  const ownPolicy = [contentSecurityPolicy, framePolicy({ embedding })]
    .filter((policy) => policy !== undefined)
    .join('; ')
  return (request, response) => {
    setHeaders(request, response, () => {})
    if (contentSecurityPolicy !== undefined) response.setHeader('Content-Security-Policy', ownPolicy)
  }
}
