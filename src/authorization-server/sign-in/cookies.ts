import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { type CookieAttributes, cookieField, ownCookieName } from '../../http/cookie.js'

/** A cookie that holds 32 random bytes and nothing else. */
export interface SecretCookie {
  /** What the browser sent, if it can be one of ours. */
  read(ctx: Koa.Context): string | undefined
  /** Gives the browser a new one. */
  issue(ctx: Koa.Context): string
  clear(ctx: Koa.Context): void
}

/**
 * Only this host can have set it, and no script. The issuer is part of the name since cookies do not tell ports apart: two
 * servers on one machine must not sign each other's users out.
 */
export function createSecretCookie(purpose: 'session' | 'browser', issuer: string): SecretCookie {
  const tag = createHash('sha256').update(issuer).digest('hex').slice(0, 8)
  const name = ownCookieName('as', `${purpose}-${tag}`, new URL(issuer))
  // Lax: the browser comes from the client's site, by navigation. It goes with the browser; the record behind it ends earlier.
  const attributes: CookieAttributes = { sameSite: 'lax' }
  return {
    read(ctx) {
      const value = ctx.cookies.get(name)
      return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined
    },
    issue(ctx) {
      const value = randomBytes(32).toString('base64url')
      ctx.append('Set-Cookie', cookieField(name, value, attributes))
      return value
    },
    clear(ctx) {
      ctx.append('Set-Cookie', cookieField(name, '', { ...attributes, maxAge: 0 }))
    },
  }
}

/**
 * A form of our own page came without the cookie that the page was sent with: the browser does not keep it, so trying again
 * ends here again.
 */
export class CookieNotKept extends ProtocolError {
  constructor() {
    super('invalid_request', 'the browser did not send back the cookie that came with the form')
  }
}

/**
 * Binds a form to the browser it was rendered for and to what it is about: no other site can know it, and a form that
 * was rendered for another user or request does not fit.
 */
export function formToken(browser: string, ...about: readonly string[]): string {
  return createHmac('sha256', browser).update(JSON.stringify(about)).digest('base64url')
}

export function formTokenFits(token: string | undefined, browser: string, ...about: readonly string[]): boolean {
  const [given, expected] = [Buffer.from(token ?? ''), Buffer.from(formToken(browser, ...about))]
  return given.length === expected.length && timingSafeEqual(given, expected)
}
