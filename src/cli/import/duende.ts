import { duendeAdvice } from './duende-advice.js'
import {
  createNotes,
  type Imported,
  type Notes,
  placeholderUrl,
  plainName,
  present,
  type SecretToKeep,
} from './imported.js'
import { secretReference } from './kept-secret.js'
import { noteUnread } from './left-over.js'
import { type Section, sectionOf } from './section.js'
import { durationFrom } from './time.js'
import { type YarpRoute, yarpRoutes } from './yarp-routes.js'

/**
 * What of a Duende BFF stands in JSON: `Frontends`, `DefaultOidcSettings`, `DefaultCookieSettings` (at the root of the file or in
 * a section `Bff`), the settings of its OpenID Connect handler, and `ReverseProxy`. The rest is in code, which is not read.
 */
export function importDuende(value: unknown): Imported {
  const root = sectionOf(value)
  const notes = createNotes()
  const secrets: SecretToKeep[] = []
  const bff = root.has('Bff') ? root.section('Bff') : root
  const general = oidcOf(bff.has('DefaultOidcSettings') ? bff.section('DefaultOidcSettings') : handlerOf(root), notes)
  noteCookies(bff.section('DefaultCookieSettings'), notes)
  const listed = bff.sections('Frontends')
  const drafts = (listed.length === 0 ? [['app', sectionOf({})] as const] : listed).map(([name, frontend]) =>
    frontendOf(plainName(name), frontend, { general, notes, secrets }),
  )
  for (const route of yarpRoutes(root.section('ReverseProxy'), notes)) placeRoute(route, drafts, notes)
  const authority = general.authority ?? drafts.find((draft) => draft.authority !== undefined)?.authority
  if (authority === undefined)
    notes.missing('/Bff/Authority', 'write the issuer identifier of your authorization server: it is probably in code.')
  noteCode(notes)
  noteUnread(root, duendeAdvice, notes, ['logging', 'allowedhosts', 'connectionstrings', 'urls', 'kestrel', 'serilog'])
  return {
    settings: {
      Bff: {
        Authority: authority ?? 'https://auth.example.com',
        PublicUrl: publicUrlOf(drafts, notes),
        Profile: 'Baseline',
        // The handler of ASP.NET Core does not look at it either.
        RequireIssuerValidation: false,
        Frontends: drafts.map(({ settings, routes, authority: own, origin }) => ({
          ...settings,
          ...present({
            Authority: own === authority ? undefined : own,
            PublicUrl: origin,
            Routes: routes.length === 0 ? undefined : routes,
          }),
        })),
      },
    },
    secrets,
    notes: notes.all,
  }
}

interface Oidc {
  readonly authority: string | undefined
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly scopes: readonly string[] | undefined
}

interface FrontendDraft {
  readonly prefix: string
  readonly authority: string | undefined
  readonly origin: string | undefined
  readonly settings: Readonly<Record<string, unknown>>
  readonly routes: Readonly<Record<string, unknown>>[]
}

interface Drafting {
  readonly general: Oidc
  readonly notes: Notes
  readonly secrets: SecretToKeep[]
}

/** Where projects with one frontend keep what `AddOpenIdConnect` is given. */
function handlerOf(root: Section): Section {
  for (const name of ['Oidc', 'OpenIdConnect', 'OpenIDConnectSettings']) if (root.has(name)) return root.section(name)
  if (!root.has('Authentication')) return sectionOf({})
  const authentication = root.section('Authentication')
  if (authentication.has('Schemes')) return authentication.section('Schemes').section('OpenIdConnect')
  return authentication.has('Oidc') ? authentication.section('Oidc') : authentication
}

function oidcOf(section: Section, notes: Notes): Oidc {
  for (const name of [
    'ResponseType',
    'ResponseMode',
    'MapInboundClaims',
    'SaveTokens',
    'GetClaimsFromUserInfoEndpoint',
  ])
    section.value(name)
  const callback = section.text('CallbackPath')
  if (callback !== undefined)
    notes.changed(
      `${section.place}:CallbackPath`,
      `the redirect URI ends in {PathPrefix}/bff/callback instead of ${callback}: register it.`,
    )
  return {
    authority: section.text('Authority')?.replace(/\/$/, ''),
    clientId: section.text('ClientId'),
    clientSecret: section.text('ClientSecret'),
    scopes: section.texts('Scope') ?? section.texts('Scopes'),
  }
}

function frontendOf(name: string, frontend: Section, { general, notes, secrets }: Drafting): FrontendDraft {
  const own = oidcOf(frontend.section('Oidc'), notes)
  noteCookies(frontend.section('Cookies'), notes)
  const prefix = (frontend.text('MatchingPath') ?? '').replace(/\/+$/, '')
  const matching = frontend.text('MatchingOrigin')
  const origin = matching !== undefined && URL.canParse(matching) ? new URL(matching).origin : undefined
  const clientId = own.clientId ?? general.clientId
  if (clientId === undefined)
    notes.missing(`/Bff/Frontends (${name})/ClientId`, 'write the client identifier: it is probably in code.')
  const index = frontend.text('CdnIndexHtmlUrl') ?? frontend.text('StaticAssetsUrl')
  for (const page of ['CdnIndexHtmlUrl', 'StaticAssetsUrl']) frontend.value(page)
  if (index !== undefined)
    notes.dropped(
      `${frontend.place}:${frontend.has('CdnIndexHtmlUrl') ? 'CdnIndexHtmlUrl' : 'StaticAssetsUrl'}`,
      'put the built application beside the gateway and name its folder in StaticFilesPath, or its own origin in ClientUrl.',
    )
  const scopes = [...new Set(['openid', 'profile', ...(own.scopes ?? general.scopes ?? ['offline_access'])])]
  return {
    prefix,
    origin,
    authority: own.authority ?? general.authority,
    routes: frontend.sections('RemoteApis').flatMap(([, api]) => remoteApi(api, notes)),
    settings: present({
      Name: name,
      PathPrefix: prefix === '' ? undefined : prefix,
      ClientId: clientId ?? 'my-bff',
      ClientAuthenticationMethod: 'ClientSecretPost',
      ClientSecret: secretReference(
        own.clientSecret ?? general.clientSecret,
        { name, kind: 'client secret', setting: `Frontends:${name}:Oidc:ClientSecret` },
        secrets,
        notes,
      ),
      UsePushedAuthorizationRequests: false,
      UseDPoP: false,
      Scopes: scopes,
    }),
  }
}

const tokenTypes: Readonly<Record<string, string | undefined>> = {
  none: 'None',
  user: undefined,
  client: 'Client',
  userorclient: 'UserOrClient',
  userornone: 'UserOrNone',
}

/** `LocalPath` is taken off, and the rest is appended to `TargetUri`. */
function remoteApi(api: Section, notes: Notes): readonly Readonly<Record<string, unknown>>[] {
  const path = api.text('LocalPath') ?? api.text('PathMatch')
  const target = api.text('TargetUri')
  if (path === undefined || target === undefined) {
    notes.dropped(api.place, 'it has no LocalPath, or no TargetUri.')
    return []
  }
  const token = api.text('RequiredTokenType') ?? 'User'
  if (!Object.hasOwn(tokenTypes, token.toLowerCase()))
    notes.changed(`${api.place}:RequiredTokenType`, `${token} is not known; the route needs a user.`)
  const parameters = api.section('UserAccessTokenParameters')
  const activity = api.text('ActivityTimeout')
  return [
    {
      Path: `/${path.replace(/^\/+|\/+$/g, '')}`,
      Upstreams: [target.replace(/\/+$/, '')],
      StripPath: true,
      ...present({
        TokenType: tokenTypes[token.toLowerCase()],
        Resource: parameters.text('Resource'),
        Timeouts: activity === undefined ? undefined : { Idle: durationFrom(activity) },
      }),
    },
  ]
}

function placeRoute(route: YarpRoute, drafts: readonly FrontendDraft[], notes: Notes): void {
  const token = route.metadata.text('Duende.Bff.Yarp.TokenType')?.toLowerCase()
  const isOptional = route.metadata.flag('Duende.Bff.Yarp.OptionalUserToken') === true
  route.metadata.value('Duende.Bff.Yarp.AntiforgeryCheck')
  const draft = [...drafts]
    .sort((left, right) => right.prefix.length - left.prefix.length)
    .find(({ prefix }) => `${route.path}/`.startsWith(`${prefix}/`))
  if (draft === undefined) {
    notes.dropped(
      route.place,
      'it is below the path of no frontend: write it into Routes of the one whose pages call it.',
    )
    return
  }
  const TokenType = isOptional ? 'UserOrNone' : token === undefined ? 'None' : tokenTypes[token]
  draft.routes.push({ ...route.settings(draft.prefix), ...present({ TokenType }) })
}

function publicUrlOf(drafts: readonly FrontendDraft[], notes: Notes): string {
  const origin = drafts.find((draft) => draft.origin !== undefined)?.origin
  if (drafts.some((draft) => draft.origin === undefined))
    notes.missing(
      '/Bff/PublicUrl',
      `write the origin that browsers see${origin === undefined ? `, instead of ${placeholderUrl}` : ''}: Duende takes it from each request.`,
    )
  return origin ?? placeholderUrl
}

function noteCookies(section: Section, notes: Notes): void {
  for (const place of section.unread())
    notes.dropped(
      place,
      'session cookies are HttpOnly, Secure, SameSite=Strict and __Host-, always; SessionDuration says how long a session lives.',
    )
  for (const name of ['HttpOnly', 'SameSite', 'SecurePolicy', 'Name', 'MaxAge', 'Path', 'Domain']) section.value(name)
}

/** What no JSON says. */
function noteCode(notes: Notes): void {
  notes.changed(
    'Profile',
    'is "Baseline", with a client secret and without PAR and DPoP: so it works with the registration that is there. `npx --no-install sallyport init --authority URL` tells what your server can do better.',
  )
  notes.changed(
    'code',
    'is not read: look for MapRemoteBffApiEndpoint, AddRemoteApi and ProxyAppTo (write Routes), AddUserAccessTokenHttpClient (a service of your own behind a route), and the store of server-side sessions (write Store.Redis).',
  )
  notes.changed(
    '/bff/user',
    'is one object, not a list of { type, value }; X-CSRF: 1 stays as it is. The redirect URI is {PathPrefix}/bff/callback.',
  )
}
