import { parse, TomlError } from 'smol-toml'
import { createNotes, type Imported, type Notes, placeholderUrl, present, type SecretToKeep } from './imported.js'
import { secretReference } from './kept-secret.js'
import { noteUnread } from './left-over.js'
import { oauth2ProxyAdvice } from './oauth2-proxy-advice.js'
import { redisOf } from './oauth2-proxy-redis.js'
import { routesOf } from './oauth2-proxy-routes.js'
import { type Section, sectionOf } from './section.js'
import { durationFrom } from './time.js'

/** oauth2-proxy's configuration file. Its alpha configuration is YAML, and another language. */
export function importOAuth2Proxy(text: string): Imported {
  const options = sectionOf(parsed(text))
  const notes = createNotes()
  const secrets: SecretToKeep[] = []
  const redis = redisOf(options, secrets, notes)
  const settings = {
    Server: serverOf(options, notes),
    ...(redis !== undefined && { Store: { Redis: redis } }),
    Bff: {
      ...present({ Authority: authorityOf(options, notes), AuthorityCaFile: options.texts('provider_ca_files')?.[0] }),
      PublicUrl: publicUrlOf(options, notes),
      Profile: 'Baseline',
      RequireIssuerValidation: false,
      ...sessions(options),
      Frontends: [frontendOf(options, secrets, notes)],
    },
  }
  notes.changed(
    'Profile',
    'is "Baseline", with a client secret and without PAR and DPoP: so it works with the registration that is there. `npx --no-install sallyport init --authority URL` tells what your server can do better.',
  )
  notes.changed(
    'cookies',
    'are of another kind: users sign in once more. Scripts send X-CSRF: 1 with calls that change something; a form that posts to an upstream has to become such a call.',
  )
  notes.changed(
    'upstream headers',
    'are Authorization (the access token) instead of X-Forwarded-User, X-Forwarded-Email and the like. An upstream that takes no tokens gets a signed statement: IdentityAssertion of its route.',
  )
  noteUnread(options, oauth2ProxyAdvice, notes)
  return { settings, secrets, notes: notes.all }
}

function parsed(text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const yaml = /^(?:[A-Za-z]\w*):(?:\s|$)/m.test(text)
    throw new Error(
      yaml
        ? 'this is YAML, oauth2-proxy’s alpha configuration: give the .cfg file, or write the options of it as one (oauth2-proxy --help names them)'
        : `this is not TOML, as oauth2-proxy’s .cfg is: line ${error.line}, column ${error.column}`,
    )
  }
}

/** Providers that are no OpenID Connect servers, whatever they are asked. */
const withoutOpenId = ['github', 'bitbucket', 'facebook', 'linkedin', 'digitalocean', 'nextcloud']

function authorityOf(options: Section, notes: Notes): string {
  const provider = options.text('provider') ?? 'google'
  const issuer = options.text('oidc_issuer_url')
  if (withoutOpenId.includes(provider))
    notes.missing(
      '/Bff/Authority',
      `${provider} is no OpenID Connect server: put one in front of it (Keycloak, Dex), and write its issuer identifier.`,
    )
  else if (issuer === undefined && provider !== 'google')
    notes.missing('/Bff/Authority', `write the issuer identifier of your ${provider} server.`)
  return issuer ?? (provider === 'google' ? 'https://accounts.google.com' : 'https://auth.example.com')
}

function publicUrlOf(options: Section, notes: Notes): string {
  const redirect = options.text('redirect_url')
  if (redirect !== undefined && URL.canParse(redirect)) {
    const { origin, pathname } = new URL(redirect)
    notes.changed('redirect_url', `the redirect URI is ${origin}/bff/callback instead of ${pathname}: register it.`)
    return origin
  }
  notes.missing(
    '/Bff/PublicUrl',
    `write the origin that browsers see, instead of ${placeholderUrl}; and register its /bff/callback as redirect URI.`,
  )
  return placeholderUrl
}

function serverOf(options: Section, notes: Notes): Readonly<Record<string, unknown>> {
  const [certFile, keyFile] = [options.text('tls_cert_file'), options.text('tls_key_file')]
  const hasTls = certFile !== undefined && keyFile !== undefined
  const [plain, secure] = [options.text('http_address') ?? '127.0.0.1:4180', options.text('https_address') ?? ':443']
  const address = (hasTls ? secure : plain).replace(/^https?:\/\//, '')
  const socket = /^unix:(?:\/\/)?(\/.*)$/.exec(address)?.[1]
  const named = options.texts('trusted_proxy_ips')
  // Who connects by the socket counts as this address.
  const proxies = socket === undefined ? named : [...(named ?? []), '127.0.0.1/32']
  if (options.flag('reverse_proxy') === true && proxies === undefined)
    notes.missing(
      '/Server/TrustedProxies',
      'write the addresses of your proxies, as in ["10.0.0.0/8"]: what other machines say of the client is not believed.',
    )
  options.value('metrics_address')
  return present({
    Listen: socket === undefined ? address.replace(/^:/, '0.0.0.0:') : `unix:${socket}`,
    TrustedProxies: proxies,
    Tls: hasTls ? { CertFile: certFile, KeyFile: keyFile } : undefined,
    AdminListen: options.has('metrics_address')
      ? options.text('metrics_address')?.replace(/^:/, '0.0.0.0:')
      : undefined,
    AccessLog: options.flag('request_logging') === false ? false : undefined,
  })
}

/** Its cookie lives a week from the login on, whether it is used or not. */
function sessions(options: Section): Readonly<Record<string, string>> {
  const expires = durationFrom(options.text('cookie_expire') ?? '168h') ?? '7.00:00:00'
  return expires === '00:00:00' ? {} : { SessionDuration: expires, SessionAbsoluteMaxDuration: expires }
}

function frontendOf(options: Section, secrets: SecretToKeep[], notes: Notes): Readonly<Record<string, unknown>> {
  const { routes, folder } = routesOf(options, notes)
  const secretFile = options.text('client_secret_file')
  const secret = options.text('client_secret')
  const parameters = present({ prompt: options.text('prompt'), acr_values: options.text('acr_values') })
  const access = accessOf(options, notes)
  const clientId = options.text('client_id')
  if (clientId === undefined) notes.missing('/Bff/Frontends/0/ClientId', 'write the client identifier.')
  return present({
    Name: 'app',
    ClientId: clientId ?? 'my-bff',
    ClientAuthenticationMethod: 'ClientSecretPost',
    ClientSecret:
      secretFile === undefined
        ? secretReference(secret, { name: 'app', kind: 'client secret', setting: 'client_secret' }, secrets, notes)
        : { File: secretFile },
    UsePushedAuthorizationRequests: false,
    UseDPoP: false,
    Scopes: [...new Set(['openid', ...(options.text('scope') ?? 'openid email profile').split(/\s+/)])],
    AuthorizationParameters: Object.keys(parameters).length === 0 ? undefined : parameters,
    Access: access.length === 0 ? undefined : access,
    StaticFilesPath: folder,
    RequireLogin: folder === undefined ? undefined : 'Page',
    Routes: routes,
  })
}

function accessOf(options: Section, notes: Notes): readonly Readonly<Record<string, unknown>>[] {
  const groups = options.texts('allowed_groups') ?? []
  const roles = options.texts('allowed_roles') ?? []
  const claim = options.text('oidc_groups_claim') ?? 'groups'
  if (groups.length > 0 && roles.length > 0)
    notes.changed(
      'allowed_roles',
      'one of the groups or one of the roles was enough; here both rules of Access have to hold.',
    )
  if (roles.length > 0)
    notes.changed(
      'allowed_roles',
      'are looked for in realm_access.roles of the ID token or userinfo: have Keycloak put them there (a mapper).',
    )
  const mails = options.texts('email_domains')
  if (mails?.some((domain) => domain !== '*'))
    notes.dropped(
      'email_domains',
      'rules of Access compare whole values: let the authorization server keep others out, or have it put the domain into a claim of its own.',
    )
  return [
    ...(groups.length > 0 ? [{ Claim: claim, AnyOf: groups }] : []),
    ...(roles.length > 0 ? [{ Claim: 'realm_access.roles', AnyOf: roles }] : []),
  ]
}
