import type { AuthenticatedUser, FindUser, UserClaims, UserOptions, VerifyUser } from '../options.js'
import { costOf, hashPassword, unmatchable, verifyPassword } from './password.js'

/** The users this server knows, wherever they are kept. */
export interface UserDirectory {
  /** Whether this server checks the password itself, and pays for it. */
  isOurs(username: string): boolean
  /** Of a user of the configuration by this name. Undefined: there is none, or a directory knows. */
  subjectOf(username: string): string | undefined
  verify: VerifyUser
  /** The claims of a user as they are now; undefined when the user is gone. */
  find(user: { readonly subject: string; readonly claims: UserClaims }): Promise<UserClaims | undefined>
}

export interface UserDirectoryOptions {
  readonly users: readonly UserOptions[]
  readonly verifyUser: VerifyUser | undefined
  readonly findUser: FindUser | undefined
}

export async function createUserDirectory({
  users,
  verifyUser,
  findUser,
}: UserDirectoryOptions): Promise<UserDirectory> {
  const byName = new Map(users.map((user) => [normalised(user.username), user]))
  const bySubject = new Map(users.map((user) => [subjectOf(user), user]))
  const hashes = users.length > 0 ? users.map(({ passwordHash }) => passwordHash) : [await hashPassword('')]
  const standIns = new Map(hashes.map((hash) => [costOf(hash), unmatchable(hash)]))

  /** Every try pays every cost that is configured, once: neither an unknown user nor a cheaper hash is told by the time. */
  const passwordFits = async (password: string, hash: string | undefined): Promise<boolean> => {
    let fits = false
    for (const [cost, standIn] of standIns) {
      const isOwn = hash !== undefined && costOf(hash) === cost
      const held = await verifyPassword(password, isOwn ? hash : standIn)
      fits ||= isOwn && held
    }
    return fits
  }

  return {
    isOurs: (username) => verifyUser === undefined || byName.has(normalised(username)),

    subjectOf(username) {
      const user = byName.get(normalised(username))
      return user && subjectOf(user)
    },

    async verify(username, password, context): Promise<AuthenticatedUser | undefined> {
      const user = byName.get(normalised(username))
      if (user === undefined && verifyUser !== undefined) return verifyUser(username, password, context)
      const holds = await passwordFits(password, user?.passwordHash)
      if (user === undefined || !holds) return undefined
      return { subject: subjectOf(user), claims: user.claims ?? {} }
    },

    async find({ subject, claims }) {
      const user = bySubject.get(subject)
      if (user !== undefined) return user.claims ?? {}
      if (findUser !== undefined) return findUser(subject)
      // Without a directory to ask, what sign-in said stays true; a user who left the configuration is gone.
      return verifyUser === undefined ? undefined : claims
    },
  }
}

export function subjectOf({ username, claims }: UserOptions): string {
  return typeof claims?.sub === 'string' ? claims.sub : username
}

export function normalised(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase()
}
