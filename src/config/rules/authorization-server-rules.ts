import { parsePermissions } from '../../authorization-server/permissions.js'
import { isLoopback } from '../../http/loopback.js'
import { publicHalf, thumbprint } from '../../keys.js'
import { seconds } from '../duration.js'
import { problem, type Rule, repeated } from './rule.js'

export const authorizationServerRules: readonly Rule[] = [
  function* issuerIsAnIdentifier({ authorizationServer: server }) {
    const issuer = server?.issuer
    if (server === undefined || issuer === undefined) return
    const pointer = `${server.pointer}/Issuer`
    if (issuer.protocol === 'http:' && !isLoopback(issuer.hostname))
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

  function* applicationsAreUnique({ authorizationServer: server }) {
    const named = (server?.applications ?? []).filter(({ clientId }) => clientId !== '')
    for (const [later, earlier] of repeated(named, ({ clientId }) => clientId))
      yield problem(
        `${later.pointer}/ClientId`,
        `is that of ${earlier.pointer} too`,
        'Give each application a ClientId of its own.',
      )
  },

  function* applicationsAuthenticateByKey({ authorizationServer: server }) {
    for (const { pointer, settings, keys, isMade } of server?.applications ?? []) {
      if (isMade) continue
      if (settings.ClientSecret !== null && settings.ClientSecret !== undefined)
        yield problem(
          `${pointer}/ClientSecret`,
          'is given, and this server authenticates clients by private_key_jwt only',
          'Write null, or leave it out, and give a SigningKeyJwk.',
        )
      if ((settings.SigningKeyJwk ?? undefined) === undefined && keys.length === 0)
        yield problem(
          `${pointer}/SigningKeyJwk`,
          'is missing, and no frontend in this file has this ClientId and a key',
          "Write the client's public JWK. `sallyport keygen` makes a pair.",
        )
    }
  },

  function* keysFitTheFrontends({ authorizationServer: server }) {
    for (const { pointer, settings, keys, frontends } of server?.applications ?? []) {
      if ((settings.SigningKeyJwk ?? undefined) === undefined || keys.length === 0) continue
      const known = new Set(keys.map(thumbprint))
      for (const frontend of frontends) {
        const [current] = frontend.keys
        if (current !== undefined && !known.has(thumbprint(publicHalf(current))))
          yield problem(
            `${pointer}/SigningKeyJwk`,
            `is not the public half of ${frontend.pointer}/ClientSigningKeyJwk`,
            "Copy the private key's public members, or leave this out: then it is taken from the frontend.",
          )
      }
    }
  },

  function* permissionsAreKnown({ authorizationServer: server }) {
    for (const { pointer, settings } of server?.applications ?? [])
      for (const { index, problem: what, remedy } of parsePermissions(settings.Permissions ?? []).problems)
        yield problem(`${pointer}/Permissions/${index}`, what, remedy)
  },

  function* permissionsSuffice({ authorizationServer: server }) {
    for (const { pointer, settings, permissions, frontends } of server?.applications ?? []) {
      if (settings.Permissions === undefined || frontends.length === 0) continue
      const { endpoints, grants, scopes } = parsePermissions(permissions).permissions
      const missing = [
        ...(['authorization', 'pushed_authorization', 'token'] as const)
          .filter((endpoint) => !endpoints.includes(endpoint))
          .map((endpoint) => `ept:${endpoint}`),
        ...(grants.includes('authorization_code') ? [] : ['gt:authorization_code']),
        ...(frontends.some(({ settings: { Scopes } }) => Scopes.includes('offline_access')) &&
        !grants.includes('refresh_token')
          ? ['gt:refresh_token']
          : []),
        ...new Set(
          frontends
            .flatMap(({ settings: { Scopes } }) => Scopes)
            .filter((scope) => !scopes.includes(scope))
            .map((scope) => `scp:${scope}`),
        ),
      ]
      if (missing.length > 0)
        yield problem(
          `${pointer}/Permissions`,
          `does not allow what ${frontends[0]?.pointer} asks for`,
          `Add ${missing.map((permission) => `"${permission}"`).join(', ')}, or leave Permissions out.`,
        )
    }
  },

  function* redirectUrisAreSafe({ authorizationServer: server }) {
    for (const { pointer, settings } of server?.applications ?? [])
      for (const member of ['RedirectUris', 'PostLogoutRedirectUris'] as const)
        for (const [index, uri] of (settings[member] ?? []).entries()) {
          const url = new URL(uri)
          if (url.protocol === 'http:' && !isLoopback(url.hostname))
            yield problem(
              `${pointer}/${member}/${index}`,
              'is plain http',
              `Write "https://${url.host}${url.pathname}". http is for localhost only.`,
            )
          if (url.hash !== '')
            yield problem(
              `${pointer}/${member}/${index}`,
              'has a fragment (RFC 6749 §3.1.2)',
              `Write "${uri.replace(/#.*/, '')}".`,
            )
        }
  },

  function* redirectUrisAreRegistered({ authorizationServer: server }) {
    for (const { pointer, settings, redirectUris, frontends, isMade } of server?.applications ?? []) {
      if (isMade || settings.RedirectUris === undefined) continue
      for (const { redirectUri, pointer: frontend } of frontends)
        if (redirectUri !== undefined && !redirectUris.includes(redirectUri))
          yield problem(
            `${pointer}/RedirectUris`,
            `does not have ${redirectUri}, where ${frontend} is called back`,
            `Add "${redirectUri}", or leave RedirectUris out.`,
          )
    }
  },

  function* codesHaveSomewhereToGo({ authorizationServer: server }) {
    for (const { pointer, permissions, redirectUris, isMade } of server?.applications ?? [])
      if (!isMade && redirectUris.length === 0 && permissions.includes('gt:authorization_code'))
        yield problem(
          `${pointer}/RedirectUris`,
          'is missing, and no frontend in this file has this ClientId',
          'Write where the client takes its codes, as in ["https://app.example.com/bff/callback"].',
        )
  },

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
        yield problem(`${pointer}/Claims/sub`, 'is not a text', 'Write a text that identifies the user for ever.')
      if (
        user.PasswordHash !== undefined &&
        !/^\$scrypt\$ln=\d+,r=\d+,p=\d+\$[\w+/]+\$[\w+/]+$/.test(user.PasswordHash)
      )
        yield problem(
          `${pointer}/PasswordHash`,
          'is not a password hash',
          'Write what `sallyport keygen --password` prints. Never write the password itself.',
        )
    }
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

  function* listenersAreApart({ authorizationServer: server, listen, sampleApi, bff }) {
    const own = server?.listen
    if (server !== undefined && own !== undefined && own.port !== 0 && bff !== undefined)
      if (own.port === listen.port && own.host === listen.host)
        yield problem(
          `${server.pointer}/Listen`,
          'is where the frontends are served',
          'Leave it out to serve both there, told apart by host and path, or give it a port of its own.',
        )
    if (sampleApi === undefined || sampleApi.listen.port === 0) return
    for (const other of [bff && listen, own])
      if (other?.port === sampleApi.listen.port && other.host === sampleApi.listen.host)
        yield problem(
          '/Authentication/OpenIddict/Listen',
          'is taken by another listener of this file',
          'Give it a port of its own.',
        )
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
