import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isLoopback } from '../../http/loopback.js'
import { seconds } from '../duration.js'
import type { FrontendPlan } from '../plan.js'
import { problem, type Rule, repeated } from './rule.js'

const baseline = 'or set "Profile": "Baseline" in "Bff" and give up what FAPI 2.0 protects from.'

export const bffRules: readonly Rule[] = [
  function* theProfileHolds({ bff, frontends }) {
    if (bff === undefined || bff.Profile === 'Baseline') return
    if (!bff.RequireIssuerValidation)
      yield problem(
        '/Bff/RequireIssuerValidation',
        'is false, which FAPI 2.0 does not allow (RFC 9207: mix-up attacks)',
        `Leave it out, ${baseline}`,
      )
    for (const { pointer, settings } of frontends) {
      if (!settings.UsePushedAuthorizationRequests)
        yield problem(
          `${pointer}/UsePushedAuthorizationRequests`,
          'is false, which FAPI 2.0 does not allow (RFC 9126)',
          `Leave it out, ${baseline}`,
        )
      if (!settings.UseDPoP)
        yield problem(
          `${pointer}/UseDPoP`,
          'is false, which FAPI 2.0 does not allow (RFC 9449: tokens have to be bound to a key)',
          `Leave it out, ${baseline}`,
        )
      if (settings.ClientAuthenticationMethod === 'ClientSecretPost')
        yield problem(
          `${pointer}/ClientAuthenticationMethod`,
          'is "ClientSecretPost", which FAPI 2.0 does not allow',
          `Write "PrivateKeyJwt" and give a ClientSigningKeyJwk, ${baseline}`,
        )
    }
  },

  function* pushedRequestsDoNotFallBack({ frontends }) {
    for (const { pointer, settings } of frontends)
      if (!settings.RequirePushedAuthorizationRequests)
        yield problem(
          `${pointer}/RequirePushedAuthorizationRequests`,
          'is false, and there is no fall-back to plain requests',
          'Leave it out.',
        )
  },

  function* clientsCanAuthenticate({ frontends, authorizationServer }) {
    for (const { pointer, settings, clientId, isEmbedded, keys } of frontends) {
      const byKey = settings.ClientAuthenticationMethod === 'PrivateKeyJwt'
      if (byKey && (settings.ClientSigningKeyJwk ?? undefined) === undefined && keys.length === 0) {
        const registered = authorizationServer?.applications.find((application) => application.clientId === clientId)
        yield problem(
          `${pointer}/ClientSigningKeyJwk`,
          isEmbedded && registered !== undefined
            ? `is missing, although ${registered.pointer}/SigningKeyJwk gives the public half of one`
            : 'is missing, so that this frontend cannot prove who it is',
          isEmbedded && registered !== undefined
            ? 'Give the private key, or leave out both: then a key is made and kept.'
            : 'Make a key with `sallyport keygen` and write {"File": "…"} or {"Env": "…"}.',
        )
      }
      if (byKey && typeof settings.ClientSecret === 'string')
        yield problem(
          `${pointer}/ClientSecret`,
          'is not used with "PrivateKeyJwt"',
          'Leave it out: a secret that is not needed can only be stolen.',
        )
      if (!byKey && (settings.ClientSecret ?? '') === '')
        yield problem(
          `${pointer}/ClientSecret`,
          'is missing for "ClientSecretPost"',
          'Write {"File": "…"} or {"Env": "…"}, or use "PrivateKeyJwt".',
        )
      if (!byKey && isEmbedded)
        yield problem(
          `${pointer}/ClientAuthenticationMethod`,
          'is "ClientSecretPost", which the embedded authorization server does not take',
          'Leave it out.',
        )
    }
  },

  function* frontendsAreComplete({ frontends, listen }) {
    for (const { pointer, settings, authority, clientId, publicUrl, publicUrlPointer } of frontends) {
      if (authority === undefined)
        yield problem(
          '/Bff/Authority',
          'is missing, and there is no embedded authorization server in this file',
          "Write your authorization server's issuer identifier, as in its discovery document.",
        )
      if (clientId === undefined && settings.Name !== undefined)
        yield problem(
          `${pointer}/ClientId`,
          'is missing',
          'Write the client identifier that the authorization server gave this frontend.',
        )
      if (publicUrl === undefined)
        yield problem(
          publicUrlPointer,
          `is missing, and cannot be told from listening on ${listen.host}:${listen.port}`,
          'Write the origin that browsers see, as in "https://app.example.com".',
        )
    }
  },

  function* frontendsDoNotCollide({ frontends }) {
    const named = frontends.filter(({ name }) => name !== '')
    // Cookie names differ by case, but people and file systems do not.
    for (const [later, earlier] of repeated(named, ({ name }) => name.toLowerCase()))
      yield problem(
        `${later.pointer}/Name`,
        `is the name of ${earlier.pointer} too`,
        'Give each frontend a name of its own: sessions and cookies are kept under it.',
      )
    for (const [index, later] of frontends.entries())
      for (const earlier of frontends.slice(0, index))
        if (earlier.settings.PathPrefix === later.settings.PathPrefix && shareAHost(earlier, later))
          yield problem(
            `${later.pointer}/PathPrefix`,
            `answers to the same host and path as ${earlier.pointer}, so that one of the two is never reached`,
            'Give one of them another PathPrefix or other Hosts.',
          )
  },

  function* prefixesLeaveTheEndpointsAlone({ frontends }) {
    for (const { pointer, settings } of frontends)
      if (/(?:^|\/)bff(?:\/|$)/i.test(settings.PathPrefix))
        yield problem(
          `${pointer}/PathPrefix`,
          'contains the segment "bff", which the endpoints of frontends are named with',
          'Use another word.',
        )
  },

  function* publicUrlsAreOrigins({ frontends }) {
    for (const { url, pointer } of publicUrlsOf(frontends)) {
      if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
        yield problem(
          pointer,
          'is more than an origin',
          `Write "${url.origin}", and the path as the frontend's PathPrefix.`,
        )
      if (url.protocol === 'http:' && !isLoopback(url.hostname))
        yield problem(
          pointer,
          'is plain http: the session cookie has the prefix "__Host-" and needs https',
          `Write "https://${url.host}". http is for localhost only.`,
        )
    }
  },

  function* otherUrlsAreSafe({ bff, frontends }) {
    const urls = [
      { value: bff?.Authority, pointer: '/Bff/Authority', isOrigin: false },
      ...frontends.flatMap(({ pointer, settings }) => [
        { value: settings.Authority, pointer: `${pointer}/Authority`, isOrigin: false },
        { value: settings.ClientUrl ?? undefined, pointer: `${pointer}/ClientUrl`, isOrigin: true },
        { value: settings.DevelopmentServer ?? undefined, pointer: `${pointer}/DevelopmentServer`, isOrigin: true },
        ...(settings.Cors?.Origins ?? []).map((value, index) => ({
          value,
          pointer: `${pointer}/Cors/Origins/${index}`,
          isOrigin: true,
        })),
      ]),
    ]
    for (const { value, pointer, isOrigin } of urls) {
      const url = value === undefined ? undefined : new URL(value)
      if (url?.protocol === 'http:' && !isLoopback(url.hostname))
        yield problem(
          pointer,
          'is plain http',
          `Write "https://${url.host}${url.pathname}". http is for localhost only.`,
        )
      if (url !== undefined && (url.search !== '' || url.hash !== ''))
        yield problem(pointer, 'has a query or a fragment', `Write "${url.origin}${url.pathname}".`)
      if (url !== undefined && isOrigin && url.pathname !== '/')
        yield problem(pointer, 'is more than an origin', `Write "${url.origin}".`)
    }
  },

  function* hostsFitThePublicUrl({ frontends }) {
    for (const { pointer, settings, publicUrl } of frontends)
      if (settings.Hosts?.length && publicUrl !== undefined && !settings.Hosts.includes(publicUrl.host))
        yield problem(
          `${pointer}/Hosts`,
          `does not have ${publicUrl.host}, where the authorization server sends browsers back to`,
          `Add "${publicUrl.host}", or give the frontend a PublicUrl of its own.`,
        )
  },

  function* sessionsEndInOrder({ bff, frontends }) {
    if (bff === undefined) return
    if (seconds(bff.SessionDuration) > seconds(bff.SessionAbsoluteMaxDuration))
      yield problem(
        '/Bff/SessionDuration',
        'is longer than SessionAbsoluteMaxDuration, which ends the session before',
        `Write "${bff.SessionAbsoluteMaxDuration}" at most.`,
      )
    for (const member of ['SessionDuration', 'SessionAbsoluteMaxDuration'] as const)
      if (seconds(bff[member]) < 60)
        yield problem(`/Bff/${member}`, 'is less than a minute', 'Write it as in "08:00:00" (hours, minutes, seconds).')
    if (seconds(bff.RefreshGracePeriod) > 600)
      yield problem(
        '/Bff/RefreshGracePeriod',
        'is more than ten minutes, so that many a token would be refreshed on every call',
        'Write it as in "00:01:00".',
      )
    for (const { pointer, settings } of frontends) {
      if (settings.SessionDuration === undefined && settings.SessionAbsoluteMaxDuration === undefined) continue
      const idle = settings.SessionDuration ?? bff.SessionDuration
      const absolute = settings.SessionAbsoluteMaxDuration ?? bff.SessionAbsoluteMaxDuration
      if (seconds(idle) > seconds(absolute))
        yield problem(
          `${pointer}/${settings.SessionDuration === undefined ? 'SessionAbsoluteMaxDuration' : 'SessionDuration'}`,
          `makes the idle time ${idle} longer than the absolute limit ${absolute}`,
          'Make the idle time the shorter one.',
        )
    }
  },

  function* scopesAskForIdentity({ frontends }) {
    for (const { pointer, settings } of frontends) {
      if (!settings.Scopes.includes('openid'))
        yield problem(
          `${pointer}/Scopes`,
          'does not have "openid", so that nobody would be told who logged in',
          'Add "openid".',
        )
      for (const [index, scope] of settings.Scopes.entries())
        if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
          yield problem(
            `${pointer}/Scopes/${index}`,
            'is not the name of one scope',
            'Write each scope as an entry of its own, without spaces.',
          )
    }
  },

  function* foldersAreThere({ frontends, directory }) {
    for (const { pointer, settings } of frontends) {
      const folder = settings.StaticFilesPath ?? undefined
      const places = (['StaticFilesPath', 'DevelopmentServer', 'ClientUrl'] as const).filter((name) => settings[name])
      if (places.length > 1)
        yield problem(
          `${pointer}/${places[0]}`,
          `and ${places.slice(1).join(' and ')} both say where the application is`,
          'Keep StaticFilesPath for a built application, DevelopmentServer while it is written, ClientUrl for one on another host.',
        )
      if (folder === undefined) continue
      if (!isFolder(resolve(directory, folder)))
        yield problem(
          `${pointer}/StaticFilesPath`,
          `names ${folder}, which is not a folder`,
          `Build the application first. Relative paths start at ${directory}.`,
        )
    }
  },

  function* routesAreReachable({ frontends }) {
    for (const { pointer, settings } of frontends) {
      const routes = (settings.Routes ?? []).map((route, index) => ({ route, at: `${pointer}/Routes/${index}` }))
      const named = routes.filter(({ route }) => route.Path !== undefined)
      for (const [later, earlier] of repeated(named, ({ route }) => (route.Path ?? '').replace(/\/$/, '')))
        yield problem(
          `${later.at}/Path`,
          `is the path of ${earlier.at} too, so that one of the two is never used`,
          'Join the two, or give one a longer path.',
        )
      for (const { route, at } of routes) {
        if (/^\/bff(?:\/|$)/i.test(route.Path ?? ''))
          yield problem(`${at}/Path`, 'lies below /bff, where the endpoints of this frontend are', 'Use another path.')
        for (const [index, upstream] of route.Upstreams.entries()) {
          const url = new URL(upstream)
          if (url.search !== '' || url.hash !== '')
            yield problem(
              `${at}/Upstreams/${index}`,
              'has a query or a fragment',
              `Write "${url.origin}${url.pathname}".`,
            )
        }
        if (route.Resource !== undefined && !(URL.canParse(route.Resource) && new URL(route.Resource).hash === ''))
          yield problem(
            `${at}/Resource`,
            'is not an absolute URI without fragment (RFC 8707 §2)',
            'Write the identifier that the API expects in its tokens, as in "https://orders.example.com".',
          )
        if ((route.Tls?.CertFile === undefined) !== (route.Tls?.KeyFile === undefined))
          yield problem(
            `${at}/Tls`,
            'has a certificate without its key, or a key without its certificate',
            'Write both CertFile and KeyFile, or neither.',
          )
        if (route.TokenType === 'None' && (route.Resource !== undefined || route.Scopes.length > 0))
          yield problem(
            `${at}/TokenType`,
            'is "None", so that Resource and Scopes have no token to be in',
            'Leave out Resource and Scopes, or the TokenType.',
          )
      }
    }
  },
]

function shareAHost(left: FrontendPlan, right: FrontendPlan): boolean {
  if (left.publicUrl === undefined || right.publicUrl === undefined) return false
  // A frontend that answers to any host stands back behind one that names it.
  if (left.hosts.length === 0 || right.hosts.length === 0) return left.hosts.length === right.hosts.length
  return left.hosts.some((host) => right.hosts.includes(host))
}

/** Each once: several frontends may have it from one place. */
function publicUrlsOf(frontends: readonly FrontendPlan[]): Iterable<{ readonly url: URL; readonly pointer: string }> {
  const found = new Map<string, { readonly url: URL; readonly pointer: string }>()
  for (const { publicUrl, publicUrlPointer } of frontends)
    if (publicUrl !== undefined) found.set(publicUrlPointer, { url: publicUrl, pointer: publicUrlPointer })
  return found.values()
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
