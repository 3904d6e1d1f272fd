import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import Router from '@koa/router'
import Koa from 'koa'
import { nameRequest } from '../telemetry/request-traces.js'
import { limitStrangers } from './client/client-limit.js'
import { mutualTlsEndpoints } from './endpoint-urls.js'
import { authorizationRequest } from './endpoints/authorization-request.js'
import { endSession } from './endpoints/end-session.js'
import { identifiedRequest } from './endpoints/identified-request.js'
import { introspection } from './endpoints/introspection.js'
import { metadata } from './endpoints/metadata.js'
import { navigationsOnly } from './endpoints/navigations-only.js'
import { oauthErrors } from './endpoints/oauth-error.js'
import { publicDocument } from './endpoints/public-document.js'
import { pushedAuthorizationRequest } from './endpoints/pushed-authorization-request.js'
import { refuseMethod } from './endpoints/refuse-method.js'
import { offerNonce, strictTransportSecurity } from './endpoints/response-headers.js'
import { revocation } from './endpoints/revocation.js'
import { tokenRequest } from './endpoints/token-request.js'
import { challenges, userinfo } from './endpoints/userinfo.js'
import type { AuthorizationServerOptions } from './options.js'
import { errorPages } from './pages/page-response.js'
import { assemble } from './services.js'
import type { SigningKeyState } from './tokens/signing-keys.js'

// What it takes to make one, for those who import this product alone.
export { type Html, html } from '../http/page.js'
export { verificationKey } from '../jose/jwk.js'
export { createMemoryStore } from '../store/memory-store.js'
export { createRedisStore } from '../store/redis-store.js'
export { createSeal } from '../store/seal.js'
export type * from './client/certificate-options.js'
export { parsePermissions } from './client/permissions.js'
export type * from './options.js'
export type * from './pages/pages.js'
export { hashPassword, verifyPassword } from './sign-in/password.js'
export { createFileKeySource, createStoreKeySource, type SigningKeySource } from './tokens/key-source.js'
export type { SigningKeyState } from './tokens/signing-keys.js'

/** A FAPI 2.0 authorization server and OpenID Provider. */
export interface AuthorizationServer {
  /** The issuer identifier that it was made with. */
  readonly issuer: URL
  /** For `http.createServer` or `https.createServer`. */
  callback(): RequestListener
  /**
   * For the `https.createServer` of `mutualTls.origin`, which asks clients for a certificate: it answers what clients call
   * themselves, and has no page for a browser.
   */
  mutualTlsCallback(): RequestListener
  /** For a Koa app of your own: answers what is below the issuer's path, and leaves everything else alone. */
  middleware(): KoaMiddleware
  /**
   * For an API in the same process, which has verified the token: whether it was revoked, or its grant has ended, as when
   * its code was used twice. An API elsewhere asks the introspection endpoint.
   * @throws UpstreamError `store_unavailable`
   */
  isRevoked(token: { readonly claims: { readonly jti?: unknown } }): Promise<boolean>
  /** The keys that it publishes, and which of them signs. Nothing in it is a secret. */
  signingKeys(): readonly SigningKeyState[]
  /** Stops key rotation and finishes sending back-channel logouts. The store stays open. */
  close(): Promise<void>
}

/** A middleware for `app.use` of Koa 3, spelled so that a program needs no types of Koa to compile. */
export type KoaMiddleware = (
  ctx: { readonly req: IncomingMessage; readonly res: ServerResponse },
  next: () => Promise<unknown>,
) => Promise<unknown>

interface Endpoint {
  readonly url: URL
  readonly methods: readonly ('GET' | 'POST')[]
  readonly steps: readonly Koa.Middleware[]
}

/**
 * Makes an authorization server of the FAPI 2.0 Security Profile and OpenID Provider: PAR, PKCE, `private_key_jwt` and DPoP,
 * or a certificate in place of either (RFC 8705), with no switch to turn them off. It listens on nothing by itself; it reads or makes its signing keys at once.
 * @throws TypeError for options that no FAPI 2.0 server can be made of
 * @throws UpstreamError `store_unavailable` when the signing keys cannot be read
 * @see {@link https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2 FAPI 2.0 §5.3.2}
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { createServer } from 'node:http'
 * import { createAuthorizationServer, createMemoryStore, createSeal, hashPassword } from 'sallyport/authorization-server'
 *
 * const server = await createAuthorizationServer({
 *   issuer: new URL('http://localhost:3001'),
 *   store: createMemoryStore(),
 *   seal: createSeal([randomBytes(32)]),
 *   users: [{ username: 'alice', passwordHash: await hashPassword('wonderland') }],
 *   clients: [],
 * })
 * createServer(server.callback()).listen(3001)
 * process.once('SIGTERM', () => server.close())
 * ```
 */
export async function createAuthorizationServer(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
  const parts = await assemble(options)
  const { urls, keys, nonces, response, clientLimit, isTrustedPeer } = parts
  const document = publicDocument(() => metadata(parts))
  const keySet = publicDocument(() => ({ keys: keys.published() }))
  const nonce = offerNonce(nonces)
  const strangers = limitStrangers(clientLimit, isTrustedPeer)

  // Each row: where, how, and the steps from the outermost inwards. The first one turns errors into answers.
  const endpoints: readonly Endpoint[] = [
    { url: urls.openidConfiguration, methods: ['GET'], steps: [oauthErrors('metadata'), document] },
    { url: urls.authorizationServerMetadata, methods: ['GET'], steps: [oauthErrors('metadata'), document] },
    { url: urls.insertedAuthorizationServerMetadata, methods: ['GET'], steps: [oauthErrors('metadata'), document] },
    { url: urls.jwks, methods: ['GET'], steps: [oauthErrors('jwks'), keySet] },
    {
      url: urls.pushedAuthorizationRequest,
      methods: ['POST'],
      steps: [oauthErrors('par'), strangers, nonce, pushedAuthorizationRequest(parts)],
    },
    {
      url: urls.authorization,
      methods: ['GET', 'POST'],
      steps: [errorPages('authorize', response), navigationsOnly, authorizationRequest(parts)],
    },
    { url: urls.token, methods: ['POST'], steps: [oauthErrors('token'), strangers, nonce, tokenRequest(parts)] },
    {
      url: urls.userinfo,
      methods: ['GET', 'POST'],
      steps: [
        challenges('userinfo', parts.mutualTls ? ['DPoP', 'Bearer'] : ['DPoP']),
        strangers,
        nonce,
        userinfo(parts),
      ],
    },
    { url: urls.introspection, methods: ['POST'], steps: [oauthErrors('introspect'), strangers, introspection(parts)] },
    { url: urls.revocation, methods: ['POST'], steps: [oauthErrors('revoke'), strangers, revocation(parts)] },
    {
      url: urls.endSession,
      methods: ['GET', 'POST'],
      steps: [errorPages('endsession', response), navigationsOnly, endSession(parts)],
    },
  ]

  const secure = strictTransportSecurity(options.issuer)
  const identified = identifiedRequest(isTrustedPeer)
  const routerOf = (served: readonly Endpoint[]): Router => {
    const router = new Router({ sensitive: true, strict: true })
    for (const { url, methods, steps } of served) {
      const named = nameOfTrace(url.pathname)
      router.register(url.pathname, [...methods], [named, secure, identified, ...steps])
      router.all(url.pathname, named, secure, identified, refuseMethod(methods))
    }
    return router
  }

  const router = routerOf(endpoints)
  const routes = router.routes()
  return {
    issuer: options.issuer,
    callback: () => listenerOf(router),
    mutualTlsCallback() {
      const called: readonly URL[] = mutualTlsEndpoints.map(([, name]) => urls[name])
      return listenerOf(routerOf(endpoints.filter(({ url }) => called.includes(url))))
    },
    middleware: () => (ctx, next) => routes(Object.assign(ctx as Koa.Context, { router, params: {} }), next),
    isRevoked: ({ claims }) => parts.accessTokens.isRevoked(String(claims.jti)),
    signingKeys: () => keys.state(),
    close: parts.close,
  }
}

function nameOfTrace(path: string): Koa.Middleware {
  return function nameOfTrace(ctx, next) {
    nameRequest(ctx.req, path)
    return next()
  }
}

function listenerOf(router: Router): RequestListener {
  const app = new Koa().use(router.routes())
  // Every step reports what fails in it; what is left to Koa is a connection that broke off.
  app.silent = true
  return app.callback()
}
