import { jsonSchema } from '../../config/schema/schema.js'
import { schemaBelow } from '../../config/schema/schema-walk.js'
import { isLoopback } from '../../http/loopback.js'
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
import { type Advice, noteUnread } from './left-over.js'
import { type Section, sectionOf } from './section.js'
import { durationFrom } from './time.js'
import { type YarpRoute, yarpRoutes } from './yarp-routes.js'

/** Granit's appsettings.json: `Bff`, `ReverseProxy`, `OpenIddict`, `Authentication`. The names are ours, too; the defaults are not. */
export function importGranit(value: unknown): Imported {
  const root = sectionOf(value)
  const notes = createNotes()
  const secrets: SecretToKeep[] = []
  const bff = root.section('Bff')
  const routes = yarpRoutes(root.section('ReverseProxy'), notes)
  const frontends = bff.sections('Frontends').map(([, frontend]) => frontendOf(frontend, notes, secrets))
  for (const route of routes) placeRoute(route, frontends, notes)
  const isBaseline = bff.flag('RequireIssuerValidation') === false || frontends.some(({ isBaseline }) => isBaseline)
  if (isBaseline)
    notes.changed(
      'Bff:Profile',
      'is "Baseline", because the original has PAR, DPoP and private_key_jwt off where nothing is said. With a server that has them (Granit’s has), leave out Profile and the settings that are false: that is FAPI 2.0.',
    )
  const authority = bff.text('Authority')
  const server = known(root, 'OpenIddict', notes)
  if (server === undefined && authority !== undefined) {
    notes.missing(
      '/Bff/PublicUrl',
      `write the origin that browsers see, instead of ${placeholderUrl}: the original took it from each request.`,
    )
  }
  const settings = {
    Bff: present({
      Authority: authority,
      ...(server === undefined && { PublicUrl: placeholderUrl }),
      ...(isBaseline && { Profile: 'Baseline' }),
      RequireIssuerValidation: bff.flag('RequireIssuerValidation') === false ? false : undefined,
      ...durations(bff, ['SessionDuration', 'SessionAbsoluteMaxDuration', 'RefreshGracePeriod']),
      UseSessionSlidingExpiration: bff.flag('UseSessionSlidingExpiration'),
      Frontends: frontends.map((frontend) => ({
        ...frontend.settings,
        ...(frontend.routes.length > 0 && { Routes: frontend.routes }),
      })),
    }),
    ...(server !== undefined && { OpenIddict: server }),
    ...present({ Authentication: known(root, 'Authentication', notes) }),
  }
  noteUnread(root, advice, notes, ['logging', 'allowedhosts', 'connectionstrings', 'urls', 'kestrel'])
  return { settings, secrets, notes: notes.all }
}

interface FrontendDraft {
  readonly name: string
  readonly prefix: string
  readonly isBaseline: boolean
  readonly settings: Readonly<Record<string, unknown>>
  readonly routes: Readonly<Record<string, unknown>>[]
}

const defaultScopes = ['openid', 'profile', 'email', 'roles', 'offline_access']

function frontendOf(frontend: Section, notes: Notes, secrets: SecretToKeep[]): FrontendDraft {
  const name = plainName(frontend.text('Name') ?? 'app')
  const prefix = (frontend.text('PathPrefix') ?? '').replace(/\/+$/, '')
  const byKey = frontend.text('ClientAuthenticationMethod') === 'PrivateKeyJwt'
  const usesPar = frontend.flag('UsePushedAuthorizationRequests') === true
  const usesDPoP = frontend.flag('UseDPoP') === true
  if (frontend.flag('RequirePushedAuthorizationRequests') !== true && usesPar)
    notes.changed(
      `${frontend.place}:RequirePushedAuthorizationRequests`,
      'a push that fails never falls back to a plain request.',
    )
  const clientUrl = frontend.text('ClientUrl')
  const folder = frontend.text('StaticFilesPath')
  if (clientUrl !== undefined && folder !== undefined)
    notes.dropped(`${frontend.place}:StaticFilesPath`, 'ClientUrl says where the application is; keep one of the two.')
  if (frontend.text('ErrorRedirectPath') === undefined)
    notes.changed(
      `${frontend.place}:ErrorRedirectPath`,
      `was ${prefix}/login where nothing is said; here it is a page of the gateway. Write it if your application shows ?error=.`,
    )
  const key = frontend.value('ClientSigningKeyJwk')
  const secret = frontend.text('ClientSecret')
  return {
    name,
    prefix,
    isBaseline: !byKey || !usesPar || !usesDPoP,
    routes: [],
    settings: present({
      Name: name,
      PathPrefix: prefix === '' ? undefined : prefix,
      ClientId: frontend.text('ClientId'),
      ...(byKey
        ? {
            ClientSigningKeyJwk: secretReference(
              typeof key === 'string' ? key || undefined : key === undefined ? undefined : JSON.stringify(key),
              { name, kind: 'client key', setting: `${frontend.place}:ClientSigningKeyJwk` },
              secrets,
              notes,
            ),
          }
        : {
            ClientAuthenticationMethod: 'ClientSecretPost',
            ClientSecret: secretReference(
              secret,
              { name, kind: 'client secret', setting: `${frontend.place}:ClientSecret` },
              secrets,
              notes,
            ),
          }),
      UsePushedAuthorizationRequests: usesPar ? undefined : false,
      UseDPoP: usesDPoP ? undefined : false,
      // .NET appends what is configured to the default list.
      Scopes: [...new Set([...defaultScopes, ...(frontend.texts('Scopes') ?? [])])],
      ...(clientUrl !== undefined && homeOf(clientUrl, frontend.place, notes)),
      StaticFilesPath: clientUrl === undefined ? folder : undefined,
      PostLoginRedirectPath: frontend.text('PostLoginRedirectPath'),
      PostLogoutRedirectPath: frontend.text('PostLogoutRedirectPath'),
      ErrorRedirectPath: frontend.text('ErrorRedirectPath'),
    }),
  }
}

/** A development server passes through the gateway, so that its cookies are of one site; another host calls from outside. */
function homeOf(clientUrl: string, place: string, notes: Notes): Readonly<Record<string, string>> {
  if (!URL.canParse(clientUrl) || !isLoopback(new URL(clientUrl).hostname)) return { ClientUrl: clientUrl }
  notes.changed(`${place}:ClientUrl`, `becomes DevelopmentServer: open the gateway in the browser, not ${clientUrl}.`)
  return { DevelopmentServer: new URL(clientUrl).origin }
}

function durations(section: Section, names: readonly string[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    names.map((name) => {
      const text = section.text(name)
      return [name, text === undefined ? undefined : (durationFrom(text) ?? text)]
    }),
  )
}

function placeRoute(route: YarpRoute, frontends: readonly FrontendDraft[], notes: Notes): void {
  const requiresUser = route.metadata.flag('Granit.Bff.RequireAuth') === true
  const named = route.metadata.text('Granit.Bff.Frontend')
  const [only] = frontends.length === 1 ? frontends : []
  const frontend =
    named === undefined
      ? (only ?? frontends.find(({ prefix }) => prefix !== '' && route.path.startsWith(`${prefix}/`)))
      : frontends.find(({ name }) => name === plainName(named))
  if (frontend === undefined || !`${route.path}/`.startsWith(`${frontend.prefix}/`)) {
    notes.dropped(
      route.place,
      'it belongs to no frontend: write it into Routes of the one whose pages call it, below its PathPrefix.',
    )
    return
  }
  frontend.routes.push({ ...route.settings(frontend.prefix), ...(!requiresUser && { TokenType: 'None' }) })
}

/** The part of a section that our file has under the same name. Durations and lists are as they were. */
function known(root: Section, name: string, notes: Notes): Readonly<Record<string, unknown>> | undefined {
  if (!root.has(name)) return undefined
  const taken = knownPart(root.value(name), schemaBelow(jsonSchema, name), name, notes)
  return taken as Readonly<Record<string, unknown>>
}

function knownPart(value: unknown, schema: ReturnType<typeof schemaBelow>, place: string, notes: Notes): unknown {
  if (Array.isArray(value))
    return value.map((entry, index) => knownPart(entry, schemaBelow(schema, index), `${place}:${index}`, notes))
  if (typeof value !== 'object' || value === null || schema === undefined) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([member, content]) => {
      const below = schemaBelow(schema, member)
      const at = `${place}:${member}`
      const isWeaker = content === false && ['EnableFapi2Profile', 'RequirePar'].includes(member)
      const isSecret = member === 'ClientSecret' && content !== null
      if (below !== undefined && !isWeaker && !isSecret && content !== null)
        return [[member, knownPart(content, below, at, notes)]]
      if (content !== null)
        notes.dropped(
          at,
          isSecret
            ? 'the embedded server knows clients by their key only: give SigningKeyJwk, or leave both out for a frontend of this file.'
            : (advice[member.toLowerCase()] ?? 'it has no counterpart here.'),
        )
      return []
    }),
  )
}

const advice: Advice = {
  csrfhmackey:
    'no token is needed: pages send X-CSRF: 1 with calls that change something. Take out what fetches bff/csrf-token.',
  lastactivityupdateinterval: 'it is throttled by itself.',
  exposerawipaddress: 'session lists show masked addresses, always.',
  loginpath: 'the authorization server has its own sign-in page; pages send the browser to bff/login.',
  clientside: 'it is not enforced here, nor was it by the original’s gateway.',
  requirejar: 'requests are pushed by authenticated clients; signed request objects are not there yet.',
  usereferencetokens: 'access tokens are JWTs that live ten minutes.',
  enabletokenexchange: 'Resource and Scopes of a route ask for a token of its own.',
  allowephemeralkeys: 'signing keys are kept in Server.StateDirectory, and rotate by themselves.',
  senderconstraining: 'tokens are bound by DPoP, always.',
  keyrotation: 'keys rotate by themselves.',
  enablefapi2profile: 'there is no other value than true.',
  requirepar: 'there is no other value than true.',
  consenttype: 'users are asked once, and their consent is remembered (ConsentLifetime).',
  applicationtype: 'every client is a web application.',
  description: 'write DisplayName.',
  allowedalgorithms: 'proofs are signed with ES256, PS256 or Ed25519.',
  requiretokenbinding: 'RequireDPoP says it.',
  enablereplayprotection: 'it is always on.',
  minimumrsakeysize: 'it is 2048.',
  excludedpathprefixes: 'the sample API serves nothing else.',
}
