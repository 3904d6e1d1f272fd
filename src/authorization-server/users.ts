import type { AuthenticatedUser, FindUser, UserClaims, UserOptions, VerifyUser } from './options.js'
import { hashPassword, unmatchable, verifyPassword } from './password.js'

/** The users this server knows, wherever they are kept. */
export interface UserDirectory {
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
  const [first] = users
  // An unknown user costs what a known one costs, or the time would tell which names exist.
  const nobody = first === undefined ? await hashPassword('') : unmatchable(first.passwordHash)

  return {
    async verify(username, password, context): Promise<AuthenticatedUser | undefined> {
      const user = byName.get(normalised(username))
      if (user === undefined && verifyUser !== undefined) return verifyUser(username, password, context)
      const holds = await verifyPassword(password, user?.passwordHash ?? nobody)
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

function normalised(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase()
}
