import { isPasswordHash } from '../../authorization-server/sign-in/password.js'
import { problem, type Rule, repeated } from './rule.js'

export const userRules: readonly Rule[] = [
  function* usersAreUnique({ authorizationServer: server }) {
    const users = (server?.settings.Seeding.Users ?? []).map((user, index) => ({
      user,
      pointer: `${server?.pointer}/Seeding/Users/${index}`,
    }))
    const named = users.filter(({ user }) => user.Username !== undefined)
    for (const [later, earlier] of repeated(named, ({ user }) => user.Username?.trim().toLowerCase() ?? ''))
      yield problem(`${later.pointer}/Username`, `is that of ${earlier.pointer} too`, 'Give each user one name.')
    const subjectOf = ({ user }: (typeof named)[number]): string => String(user.Claims.sub ?? user.Username)
    for (const [later, earlier] of repeated(named, subjectOf))
      if (later.user.Username !== earlier.user.Username)
        yield problem(
          `${later.pointer}/Claims/sub`,
          `is the subject of ${earlier.pointer} too, so that the two would be one person`,
          'Give each user a "sub" of its own.',
        )
    for (const { user, pointer } of users) {
      const isClient = server?.applications.some(
        ({ clientId }) => clientId === String(user.Claims.sub ?? user.Username),
      )
      if (isClient)
        yield problem(
          user.Claims.sub === undefined ? `${pointer}/Username` : `${pointer}/Claims/sub`,
          'is the ClientId of an application: an API could take one for the other',
          'Give the user another "sub".',
        )
      if (user.Claims.sub !== undefined && (typeof user.Claims.sub !== 'string' || user.Claims.sub === ''))
        yield problem(`${pointer}/Claims/sub`, 'is not a text', 'Write a text that identifies the user permanently.')
      if (user.PasswordHash !== undefined && !isPasswordHash(user.PasswordHash))
        yield problem(
          `${pointer}/PasswordHash`,
          'is not a password hash',
          'Write what `npx --no-install sallyport keygen --password` prints. Never write the password itself.',
        )
    }
  },
]
