import type { Lock } from '../../store/lock.js'
import { sessionsPerUserDefaults } from '../defaults.js'
import type { SessionsPerUserOptions } from '../limits/limit-options.js'
import { Refusal } from '../refusal.js'
import type { ServerClient } from './session-record.js'
import type { SessionStore } from './session-store.js'

/** A user of one authorization server. */
export interface SessionUser {
  readonly subject?: string
  readonly server?: ServerClient
}

/** How many sessions of one frontend a user has at once. */
export interface SessionsPerUser {
  /**
   * Begins a session when there is room for it, or makes room. The logins of one user come one after the other, in all
   * processes: of any number at once none is counted before the one before it has begun or failed.
   * @param replaced keys of sessions that end with this login, and take no room
   * @throws Refusal `bff.login.too_many_sessions`
   */
  admit<Result>(
    user: SessionUser,
    replaced: readonly (string | undefined)[],
    begin: () => Promise<Result>,
  ): Promise<Result>
}

export interface SessionsPerUserServices {
  /** Of the frontend. */
  readonly name: string
  readonly sessions: Pick<SessionStore, 'ownKeysOf' | 'activityOf' | 'end' | 'handleOf'>
  readonly lock: Lock
}

/** Undefined where there is no limit. */
export function createSessionsPerUser(
  options: SessionsPerUserOptions | undefined,
  { name, sessions, lock }: SessionsPerUserServices,
): SessionsPerUser | undefined {
  if (options === undefined) return undefined
  const { max, whenFull = sessionsPerUserDefaults.whenFull } = options

  const makeRoom = async (
    subject: string,
    of: ServerClient | undefined,
    replaced: readonly (string | undefined)[],
  ): Promise<void> => {
    const keys = (await sessions.ownKeysOf({ subject, of })).filter((key) => !replaced.includes(key))
    if (keys.length < max) return
    if (whenFull === 'RefuseNew')
      throw new Refusal(
        'bff.login.too_many_sessions',
        `You are signed in ${max === 1 ? 'elsewhere' : `${keys.length} times elsewhere`}, and more is not allowed.`,
      )
    const begun = await Promise.all(
      keys.map(async (key) => ({ key, at: (await sessions.activityOf(key, subject))?.createdAt ?? 0 })),
    )
    const oldest = begun.sort((one, other) => one.at - other.at).slice(0, keys.length - max + 1)
    for (const { key } of oldest) await sessions.end({ key }, 'displaced')
  }

  return {
    async admit({ subject, server }, replaced, begin) {
      // The ID token says it; the configuration without "openid" is refused.
      if (subject === undefined) throw new Refusal('bff.login.failed', 'It is not known whose session this is.')
      // Nothing that leads back to the user, as no key of the store does.
      const user = sessions.handleOf(`user ${name} ${subject}`)
      return lock.with(
        `login:${user}`,
        async () => undefined,
        async () => {
          await makeRoom(subject, server, replaced)
          return begin()
        },
      )
    },
  }
}
