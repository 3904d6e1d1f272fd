import { z } from 'zod'
import {
  authorizationServerDefaults,
  lifetimeDefaults,
  signInLimitDefaults,
} from '../../authorization-server/defaults.js'
import { authorizationDetailType } from './authorization-details.js'
import { tlsOrList } from './server.js'
import { certificateOfApplication, mutualTlsOfServer } from './server-mutual-tls.js'
import { branding, counted, httpUrl, jwk, lasting, listenAddress, secret, text } from './values.js'

/** What a client may do, in the original's notation: endpoint, grant type, response type, scope. */
const permission = text.meta({ examples: ['scp:profile'] })

const application = z
  .strictObject({
    ClientId: text.optional().meta({ description: 'Unique.', examples: ['my-bff'] }),
    ClientSecret: secret.nullish().meta({
      description: 'Has to be null: this server authenticates clients by `private_key_jwt` or a certificate.',
      examples: [null],
    }),
    DisplayName: text
      .optional()
      .meta({ description: 'What the consent page calls it. Default: `ClientId`.', examples: ['My app'] }),
    SigningKeyJwk: jwk.nullish().meta({
      description:
        'Public key for `private_key_jwt` and for signed requests: EC P-256 (ES256), Ed25519 or RSA (PS256). Default: the key of the frontend in this file that has this `ClientId`.',
      examples: [{ File: './client-public-key.json' }],
    }),
    RetiredSigningKeyJwks: z
      .array(jwk)
      .default([])
      .meta({ description: 'Former public keys that are still accepted, for rotation with an overlap.' }),
    Permissions: z
      .array(permission)
      .optional()
      .meta({
        description:
          '`ept:` authorization, pushed_authorization, token, logout, revocation, introspection · `gt:` authorization_code, refresh_token, client_credentials, token_exchange · `rst:` code · `scp:` and the name of a scope (`openid` needs none, nor does `offline_access` with `gt:refresh_token`) · `rsrc:` and an absolute URI that it may name as `resource` (RFC 8707) although none of its scopes is declared for it. Default: all that the frontends with this `ClientId` and their routes need.',
        examples: [
          [
            'ept:authorization',
            'ept:pushed_authorization',
            'ept:token',
            'gt:authorization_code',
            'rst:code',
            'scp:openid',
          ],
        ],
      }),
    RedirectUris: z
      .array(httpUrl)
      .optional()
      .meta({
        description:
          'Compared exactly. Default: `{PublicUrl}{PathPrefix}/bff/callback` of the frontends with this `ClientId`.',
        examples: [['https://app.example.com/bff/callback']],
      }),
    BackchannelLogoutUri: httpUrl.optional().meta({
      description:
        'Where the client is told that a session has ended (OpenID Connect Back-Channel Logout). Default: `{PublicUrl}{PathPrefix}/bff/backchannel-logout` when one frontend alone has this `ClientId`.',
      examples: ['https://app.example.com/bff/backchannel-logout'],
    }),
    FrontchannelLogoutUri: httpUrl.optional().meta({
      description:
        'What the sign-out page has a frame of, with `iss` and `sid` (OpenID Connect Front-Channel Logout). Default: `{PublicUrl}{PathPrefix}/bff/frontchannel-logout` when one frontend alone has this `ClientId`, and `UseFrontchannelLogout`.',
      examples: ['https://app.example.com/bff/frontchannel-logout'],
    }),
    AuthorizationDetailTypes: z
      .array(text)
      .optional()
      .meta({
        description:
          'Types of `authorization_details` (RFC 9396) that it may ask for. Default: those that the frontends with this `ClientId` ask for.',
        examples: [['payment']],
      }),
    ...certificateOfApplication,
    RequireSignedRequests: z.boolean().optional().meta({
      description: 'Whether its requests have to be signed. Default: `RequireSignedRequests` of the server.',
    }),
    RequireSignedResponses: z.boolean().optional().meta({
      description: 'Whether it has to ask for signed answers. Default: `RequireSignedResponses` of the server.',
    }),
    Audiences: z
      .array(text)
      .default([])
      .meta({
        description: 'Audiences whose access tokens this client may introspect, besides its own. It is an API then.',
        examples: [['https://orders.example.com']],
      }),
    PostLogoutRedirectUris: z
      .array(httpUrl)
      .optional()
      .meta({
        description:
          'Compared exactly. Default: where the frontends with this `ClientId` send the browser after logout.',
        examples: [['https://app.example.com/']],
      }),
  })
  .meta({ required: ['ClientId'] })

const user = z
  .strictObject({
    Username: text.optional().meta({ description: 'Unique. What is typed in at sign-in.', examples: ['alice'] }),
    PasswordHash: text.optional().meta({
      description: 'What `npx --no-install sallyport keygen --password` prints. Never the password.',
      examples: ['$scrypt$ln=15,r=8,p=3$…$…'],
    }),
    Claims: z
      .record(z.string(), z.json())
      .default({})
      .meta({
        description: 'Claims of the ID token and of userinfo. `sub` defaults to the user name.',
        examples: [{ sub: 'alice', name: 'Alice' }],
      }),
  })
  .meta({ required: ['Username', 'PasswordHash'] })

const scope = z
  .strictObject({
    Name: text.optional().meta({ description: 'Unique.', examples: ['orders'] }),
    DisplayName: text
      .optional()
      .meta({ description: 'What the consent page calls it. Default: `Name`.', examples: ['see your orders'] }),
    Resources: z
      .array(text)
      .default([])
      .meta({
        description:
          'The APIs it is for, by any name: they are in `aud` of a token when the scope is granted. An absolute URI may also be named as `resource` (RFC 8707), together with the scope.',
        examples: [['my-api']],
      }),
  })
  .meta({ required: ['Name'] })

export const authorizationServer = z
  .strictObject({
    Issuer: httpUrl.optional().meta({
      description: 'The issuer identifier. Everything the server offers lies below it.',
      examples: ['https://auth.example.com'],
    }),
    Listen: listenAddress.optional().meta({
      description:
        'Host and port of its own listener. Default: the port of a loopback `Issuer` when that is another than that of `Server.Listen`; otherwise the server answers on `Server.Listen` to requests for the host and path of `Issuer`.',
      examples: ['127.0.0.1:3001'],
    }),
    Tls: tlsOrList.optional(),
    MutualTls: mutualTlsOfServer.optional().meta({
      description:
        'How certificates of clients get here (RFC 8705). Absent: they do not, and clients use `private_key_jwt` and DPoP.',
    }),
    Audience: text.optional().meta({
      description:
        '`aud` of access tokens for which neither a scope nor a `resource` says so. Default: the `Audience` of the sample API in this file, otherwise the issuer.',
      examples: ['my-api'],
    }),
    EnableFapi2Profile: z.boolean().default(true).meta({
      description: 'There is no other value: nothing in this server can be weaker than FAPI 2.0.',
    }),
    RequirePar: z.boolean().default(true).meta({ description: 'There is no other value (RFC 9126).' }),
    RequireSignedRequests: z.boolean().default(authorizationServerDefaults.requireSignedRequests).meta({
      description:
        'Whether clients have to push signed request objects (RFC 9101). false: each may, and has to where its application says so.',
    }),
    RequireSignedResponses: z.boolean().default(authorizationServerDefaults.requireSignedResponses).meta({
      description:
        'Whether clients have to ask for signed answers (`response_mode=jwt`, JARM). false: each may, and has to where its application says so.',
    }),
    AccessTokenLifetime: lasting(lifetimeDefaults.accessToken, 'How long an access token is good for.'),
    RefreshTokenLifetime: lasting(lifetimeDefaults.refreshToken, 'How long a refresh token is good for.'),
    SessionLifetime: lasting(lifetimeDefaults.session, 'Single sign-on: how long a user stays signed in here.'),
    ConsentLifetime: lasting(lifetimeDefaults.consent, "How long a user's consent to a client is remembered."),
    Branding: branding.optional().meta({ description: 'What the sign-in pages look like.' }),
    SignInLimits: z
      .strictObject({
        PerUserAndAddress: counted(signInLimitDefaults.perUserAndAddress, 'Failures of one user from one address.'),
        PerUser: counted(signInLimitDefaults.perUser, 'Failures of one user from all addresses.'),
        PerAddress: counted(signInLimitDefaults.perAddress, 'Failures of all users from one address.'),
        Window: lasting(signInLimitDefaults.window, 'Within this time.'),
      })
      .prefault({})
      .meta({ description: 'How many failed sign-ins are too many. Successes do not count.' }),
    RequireNonce: z
      .boolean()
      .default(authorizationServerDefaults.dpopNonces === 'required')
      .meta({
        description: 'Whether proofs at the token endpoint have to carry a nonce of this server (RFC 9449 §8).',
      }),
    Seeding: z
      .strictObject({
        Applications: z.array(application).default([]).meta({ description: 'The clients.' }),
        Users: z.array(user).default([]).meta({ description: 'Who can sign in.' }),
        Scopes: z.array(scope).default([]).meta({ description: 'Scopes besides those of OpenID Connect.' }),
        AuthorizationDetailTypes: z
          .array(authorizationDetailType)
          .default([])
          .meta({ description: 'What users can allow in more words than a scope has (RFC 9396).' }),
      })
      .prefault({})
      .meta({ description: 'What the server knows from the start.' }),
  })
  .meta({
    description: 'The embedded authorization server. Absent: there is none. May also be called `AuthorizationServer`.',
    required: ['Issuer'],
  })

export type AuthorizationServerSettings = z.output<typeof authorizationServer>
export type ApplicationSettings = z.output<typeof application>
