import { randomBytes } from 'node:crypto'
import type Koa from 'koa'
import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'
import { authenticatedUserDefaults } from '../defaults.js'
import type { AuthenticatedUser } from '../options.js'
import type { GrantUser } from '../tokens/grant.js'
import type { SecretCookie } from './cookies.js'

/** The server's own session: who signed in with this browser, and which clients know of it. */
export interface SignInSession extends GrantUser {
  /** What the user typed: shown on the consent page. */
  readonly username: string
  /** Clients that got a code in this session; they hear of its end. */
  readonly clients: readonly string[]
  readonly expiresAt: number
}

export interface SignInSessions {
  find(ctx: Koa.Context): Promise<SignInSession | undefined>
  /** A new cookie, always. The same user signing in again keeps the `sid` by which the clients know the session. */
  start(
    ctx: Koa.Context,
    username: string,
    user: AuthenticatedUser,
    before: SignInSession | undefined,
  ): Promise<SignInSession>
  /** Notes that a client takes part. False when the session has ended meanwhile. */
  join(ctx: Koa.Context, clientId: string): Promise<boolean>
  /** The session as it was at its end; at most one caller gets it. */
  end(ctx: Koa.Context): Promise<SignInSession | undefined>
}

export interface SignInSessionsOptions {
  readonly store: Store
  readonly seal: Seal
  readonly cookie: SecretCookie
  /** Seconds, whatever happens. */
  readonly lifetime: number
  readonly now: () => number
}

export function createSignInSessions({ store, seal, cookie, lifetime, now }: SignInSessionsOptions): SignInSessions {
  const records = createSealedStore<SignInSession>(store, seal, 'as session')
  const alive = (session: SignInSession | undefined): SignInSession | undefined =>
    session !== undefined && session.expiresAt > now() ? session : undefined

  return {
    async find(ctx) {
      const secret = cookie.read(ctx)
      return secret === undefined ? undefined : alive((await records.get(secret))?.value)
    },

    async start(ctx, username, { subject, claims, amr = authenticatedUserDefaults.amr, acr }, before) {
      const old = cookie.read(ctx)
      // A client may have joined since `before` was read.
      const last = old === undefined ? undefined : await records.take(old)
      const time = now()
      const session: SignInSession = {
        username,
        subject,
        claims,
        amr,
        ...(acr !== undefined && { acr }),
        sid: before?.sid ?? randomBytes(16).toString('base64url'),
        clients: before === undefined ? [] : (last ?? before).clients,
        authTime: Math.floor(time),
        expiresAt: time + lifetime,
      }
      await records.add(cookie.issue(ctx), session, session.expiresAt)
      return session
    },

    async join(ctx, clientId) {
      const secret = cookie.read(ctx)
      if (secret === undefined) return false
      for (;;) {
        const record = await records.get(secret)
        if (record === undefined) return false
        const { value, revision } = record
        if (value.clients.includes(clientId)) return true
        const joined = { ...value, clients: [...value.clients, clientId] }
        // Compare and set: a session that ended in between is not written back.
        if (await records.replace(secret, revision, joined, value.expiresAt)) return true
      }
    },

    async end(ctx) {
      const secret = cookie.read(ctx)
      if (secret === undefined) return undefined
      cookie.clear(ctx)
      return alive(await records.take(secret))
    },
  }
}
