import { isSecureUrl } from '../../http/secure-url.js'
import { seconds } from '../duration.js'
import { problem, type Rule, repeated } from './rule.js'

export const authorizationServerRules: readonly Rule[] = [
  function* issuerIsAnIdentifier({ authorizationServer: server }) {
    const issuer = server?.issuer
    if (server === undefined || issuer === undefined) return
    const pointer = `${server.pointer}/Issuer`
    if (!isSecureUrl(issuer))
      yield problem(pointer, 'is plain http', `Write "https://${issuer.host}". http is for localhost only.`)
    if (issuer.search !== '' || issuer.hash !== '')
      yield problem(
        pointer,
        'has a query or a fragment (RFC 8414 §2)',
        `Write "${issuer.origin}${issuer.pathname.replace(/^\/$/, '')}".`,
      )
    if (server.settings.Issuer?.endsWith('/'))
      yield problem(
        pointer,
        'ends with a slash: issuers are compared character by character, and one is easily lost',
        `Write "${server.settings.Issuer.replace(/\/+$/, '')}".`,
      )
  },

  function* nothingIsWeaker({ authorizationServer: server }) {
    for (const member of ['EnableFapi2Profile', 'RequirePar'] as const)
      if (server?.settings[member] === false)
        yield problem(
          `${server.pointer}/${member}`,
          'is false, and this server has nothing weaker than FAPI 2.0',
          'Leave it out.',
        )
  },

  function* lifetimesAreReasonable({ authorizationServer: server }) {
    if (server === undefined) return
    const { AccessTokenLifetime, RefreshTokenLifetime } = server.settings
    if (seconds(AccessTokenLifetime) < 30 || seconds(AccessTokenLifetime) > 3600)
      yield problem(
        `${server.pointer}/AccessTokenLifetime`,
        'is not between 30 seconds and an hour',
        'Write it as in "00:10:00".',
      )
    if (seconds(RefreshTokenLifetime) < seconds(AccessTokenLifetime))
      yield problem(
        `${server.pointer}/RefreshTokenLifetime`,
        'is shorter than AccessTokenLifetime',
        'Write it as in "14.00:00:00" (days, hours, minutes, seconds).',
      )
  },

  function* scopesAreUnique({ authorizationServer: server }) {
    const scopes = (server?.settings.Seeding.Scopes ?? []).map((scope, index) => ({
      scope,
      pointer: `${server?.pointer}/Seeding/Scopes/${index}`,
    }))
    const named = scopes.filter(({ scope }) => scope.Name !== undefined)
    for (const [later, earlier] of repeated(named, ({ scope }) => scope.Name ?? ''))
      yield problem(`${later.pointer}/Name`, `is that of ${earlier.pointer} too`, 'Keep one of the two.')
  },

  function* sharedListenerCanTellThemApart({ authorizationServer: server, frontends, bff }) {
    const issuer = server?.issuer
    if (server === undefined || issuer === undefined || server.listen !== undefined || bff === undefined) return
    if (issuer.pathname === '/')
      for (const { pointer, hosts } of frontends)
        if (hosts.includes(issuer.host))
          yield problem(
            `${server.pointer}/Issuer`,
            `has the host of ${pointer} and no path, so that one of the two is never reached`,
            `Give the issuer a path, as in "${issuer.origin}/auth", a host, or a Listen of its own.`,
          )
  },
]
