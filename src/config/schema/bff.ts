import { z } from 'zod'
import { frontendDefaults, gatewayDefaults } from '../../gateway/defaults.js'
import { frontendName, hostName } from '../../gateway/frontend/frontend-grammar.js'
import { authorities, authorizationParameters } from './authorities.js'
import { authorizationDetails } from './authorization-details.js'
import { clientAuthentication } from './client-authentication.js'
import { embedding } from './embedding.js'
import { frontendsFolder } from './frontends-folder.js'
import { loginLimits, rateLimits, sessionsPerUser } from './limits.js'
import { messageSigning, messageSigningOfFrontend } from './message-signing.js'
import { mutualTls } from './mutual-tls.js'
import { route } from './route.js'
import { session } from './session.js'
import { accessRules, branding, httpUrl, jwk, lasting, localPath, pathPrefix, secret, text } from './values.js'

export const frontend = z
  .strictObject({
    Name: z
      .string()
      .regex(frontendName, 'is not a name of 1 to 32 letters, digits, "-" and "_"')
      .optional()
      .meta({ description: 'Unique. Part of the cookie name `__Host-Http-bff-{Name}`.', examples: ['admin'] }),
    Hosts: z
      .array(z.string().regex(hostName, 'is not a host name in small letters'))
      .optional()
      .meta({
        description:
          'Host names that this frontend answers to, with the port where it is not 443 or 80. Default: the host of `PublicUrl`. An empty list answers to any.',
        examples: [['admin.example.com']],
      }),
    PathPrefix: pathPrefix.default('').meta({
      description: 'The path below which this frontend lives. Its endpoints are at `{PathPrefix}/bff/*`.',
      examples: ['/admin'],
    }),
    PublicUrl: httpUrl.optional().meta({
      description: 'The origin that browsers see. Default: `Bff.PublicUrl`.',
      examples: ['https://admin.example.com'],
    }),
    Authority: httpUrl.optional().meta({
      description: "The authorization server's issuer identifier. Default: `Bff.Authority`.",
      examples: ['https://auth.example.com'],
    }),
    ClientId: text.optional().meta({
      description:
        'The client identifier that the authorization server knows this frontend by. Default, with the embedded authorization server: `{Name}-bff`, registered for it.',
      examples: ['my-bff'],
    }),
    ...clientAuthentication,
    Authorities: authorities,
    UsePushedAuthorizationRequests: z.boolean().default(true).meta({
      description: 'RFC 9126. false needs `Bff.Profile` "Baseline".',
    }),
    RequirePushedAuthorizationRequests: z.boolean().default(true).meta({
      description: 'A push that fails never falls back to a plain request. There is no other value.',
    }),
    ...messageSigningOfFrontend,
    UseDPoP: z.boolean().default(true).meta({ description: 'RFC 9449. false needs `Bff.Profile` "Baseline".' }),
    ...mutualTls,
    Scopes: z
      .array(text)
      .optional()
      .meta({
        description:
          'What is asked for at login. Without `openid` a session has no claims. Default: openid, profile, email, and at the embedded server `offline_access`, without which it gives no refresh token. Other servers may need it too (Auth0, Entra ID, Okta, OpenIddict); Keycloak and Spring do not, and with it Keycloak keeps a session that an administrator’s sign-out does not end.',
        examples: [['openid', 'profile', 'offline_access']],
      }),
    SessionDuration: session.duration.optional().meta({ description: 'Default: `Bff.SessionDuration`.' }),
    SessionAbsoluteMaxDuration: session.absolute.optional().meta({
      description: 'Default: `Bff.SessionAbsoluteMaxDuration`.',
    }),
    UseSessionSlidingExpiration: session.sliding.optional().meta({
      description: 'Default: `Bff.UseSessionSlidingExpiration`.',
    }),
    SessionsPerUser: sessionsPerUser.optional(),
    RateLimits: rateLimits.meta({
      description:
        'How many calls all routes of this frontend take together, counted by all processes in one store. Default: no limit.',
    }),
    UserClaims: z
      .array(text)
      .optional()
      .meta({
        description:
          'Claims that the page may see at `{PathPrefix}/bff/user`. Default: every claim about the user, none about the token.',
        examples: [['sub', 'name', 'roles']],
      }),
    LoginParameters: z
      .array(text)
      .optional()
      .meta({
        description: `Parameters of the authorization request that a login link may set, such as \`acr_values\` or \`max_age\`. All others are ignored. Never those of the protocol. Default: ${frontendDefaults.loginParameters.map((name) => `\`${name}\``).join(', ')}.`,
        examples: [['login_hint', 'acr_values']],
      }),
    AuthorizationParameters: authorizationParameters,
    ...authorizationDetails,
    UseIdTokenHint: z.boolean().default(frontendDefaults.idTokenHint).meta({
      description:
        "Whether logout may put the ID token into the browser's URL for a server that wants an `id_token_hint`. The embedded one never does.",
    }),
    UseFrontchannelLogout: z.boolean().default(frontendDefaults.frontchannelLogout).meta({
      description:
        'Whether the authorization server may end sessions by a frame of its sign-out page, at `{PathPrefix}/bff/frontchannel-logout`. For a server that cannot call `bff/backchannel-logout`, which needs no browser and is always there.',
    }),
    Access: accessRules.optional().meta({
      description:
        'Which users may in: all rules have to hold, on every route but those of `TokenType` `None`, and on pages where a session is there. Default: every user.',
      examples: [[{ Claim: 'roles', AnyOf: ['staff'] }]],
    }),
    RequireLogin: z.enum(['Calls', 'Page']).default(frontendDefaults.requireLogin).meta({
      description:
        'What is for users with a session only: `Calls` of routes, or the `Page` with all its files as well. A person without one is sent to the login and comes back to the address that was asked for; a script, a style or a picture is 401.',
    }),
    StaticFilesPath: text.nullish().meta({
      description: 'Folder of the built single-page application, relative to this file.',
      examples: ['./spa'],
    }),
    DevelopmentServer: httpUrl.nullish().meta({
      description:
        'Origin of a development server, instead of a folder: the page and its socket for hot reloading pass through here, so that cookies work as in production.',
      examples: ['http://localhost:5173'],
    }),
    ClientUrl: httpUrl.nullish().meta({
      description:
        'Origin of an application that is served elsewhere. It may call with the cookie (CORS), and logins return to it.',
      examples: ['https://www.example.com'],
    }),
    Cors: z
      .strictObject({
        Origins: z
          .array(httpUrl)
          .default([])
          .meta({ description: 'As browsers send them. No patterns.', examples: [['https://www.example.com']] }),
      })
      .optional()
      .meta({
        description: 'For pages on other hosts. Default: only `ClientUrl`, if there is one.',
        required: ['Origins'],
      }),
    Embedding: embedding.optional(),
    SecurityHeaders: z.enum(['Spa', 'Strict', 'None']).default(frontendDefaults.securityHeaders).meta({
      description: "Headers of the page's files: `Spa` allows inline styles, `Strict` does not, `None` sets none.",
    }),
    ContentSecurityPolicy: text.nullish().meta({
      description: "Instead of the preset's policy.",
      examples: ["default-src 'self'; img-src 'self' https://images.example.com"],
    }),
    PostLoginRedirectPath: localPath.nullish().meta({
      description: 'Where the browser lands after login when it did not say where to. Default: `{PathPrefix}/`.',
      examples: ['/'],
    }),
    PostLogoutRedirectPath: localPath.nullish().meta({
      description: 'Where the browser lands after logout. Default: `{PathPrefix}/`.',
      examples: ['/'],
    }),
    ErrorRedirectPath: localPath.nullish().meta({
      description: 'Where a failed login lands, with `?error=`. Absent: a page of our own.',
      examples: ['/login'],
    }),
    Routes: z.array(route).optional().meta({
      description:
        'What is forwarded. Default: `/api` to the sample API when `Authentication` is in this file, else none.',
    }),
  })
  .meta({ required: ['Name'] })

export const bff = z
  .strictObject({
    Authority: httpUrl.optional().meta({
      description:
        "The authorization server's issuer identifier, exactly. Default: the issuer of the embedded authorization server.",
      examples: ['https://auth.example.com'],
    }),
    PublicUrl: httpUrl.optional().meta({
      description:
        'The origin that browsers see. Default: the origin of the registered redirect URI when the authorization server is embedded, otherwise `http://localhost` with the port of `Server.Listen` when that is a loopback address.',
      examples: ['https://app.example.com'],
    }),
    Profile: z.enum(['Fapi2', 'Baseline']).default(frontendDefaults.profile).meta({
      description:
        'Fapi2 refuses every setting that contradicts the FAPI 2.0 Security Profile. Baseline allows them, for an authorization server that cannot do better.',
    }),
    RequireIssuerValidation: z.boolean().default(true).meta({
      description: 'Whether a callback without `iss` is refused (RFC 9207). false needs `Profile` "Baseline".',
    }),
    ...messageSigning,
    SessionDuration: session.duration.default('08:00:00'),
    SessionAbsoluteMaxDuration: session.absolute.default('08:00:00'),
    UseSessionSlidingExpiration: session.sliding.default(true),
    RefreshGracePeriod: session.grace.default('00:01:00'),
    RevokeEndedSessions: session.revoke.default(frontendDefaults.revokeEndedSessions),
    AuthorityTimeout: lasting(gatewayDefaults.issuerTimeout, 'How long one call to an authorization server may take.'),
    AuthorityCaFile: text.optional().meta({
      description: "PEM certificates to trust for authorization servers, besides the system's.",
      examples: ['./tls/ca.pem'],
    }),
    HttpProxy: z
      .strictObject({
        Url: secret.optional().meta({
          description: 'Where it listens, with a user and a password where it asks for them.',
          examples: ['http://proxy.example.com:3128'],
        }),
        NoProxy: z
          .array(text)
          .default([])
          .meta({
            description:
              'Hosts that are called directly: a name with all that is below it, perhaps with a port. This machine always is.',
            examples: [['internal.example.com']],
          }),
      })
      .optional()
      .meta({
        description:
          'The HTTP proxy by which authorization servers are called, where there is no direct way: by the gateway, and for the keys with which `Server.ForwardAuth` and the sample API check tokens. Absent: directly; `HTTPS_PROXY` and the like are not read.',
        required: ['Url'],
      }),
    Branding: branding.optional().meta({
      description:
        'What the pages of the gateway look like: errors, and questions at login and logout. Default: `Branding` of the embedded authorization server.',
    }),
    LoginLimits: loginLimits.prefault({}),
    SealingKeys: z
      .array(secret)
      .default([])
      .meta({
        description:
          '32 bytes each, base64url. The first one seals sessions, the others open what they sealed before. Default: one is made and kept in `Server.StateDirectory`. `npx --no-install sallyport keygen --sealing` makes one.',
        examples: [[{ Env: 'SEALING_KEY' }]],
      }),
    AssertionKeys: z
      .array(jwk)
      .default([])
      .meta({
        description:
          'Private JWKs that sign `Routes[].IdentityAssertion`. The first one signs; all are published at `{PathPrefix}/bff/assertion-jwks`. Not the keys of the client. `npx --no-install sallyport keygen` makes one.',
        examples: [[{ File: './keys/assertion.jwk' }]],
      }),
    Frontends: z.array(frontend).default([]).meta({ description: 'One entry per browser application.' }),
    FrontendsFolder: frontendsFolder,
  })
  .meta({ description: 'The gateway.' })

export type BffSettings = z.output<typeof bff>
export type FrontendSettings = z.output<typeof frontend>
