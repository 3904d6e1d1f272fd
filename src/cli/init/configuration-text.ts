import type { FirstUser } from './choices.js'
import type { ServerFit } from './server-fit.js'

/** Where the parts of the beginning listen, and what the file names. */
export interface ConfigurationParts {
  readonly ports: Ports
  /** Relative to the file. */
  readonly application:
    | { readonly kind: 'folder'; readonly path: string }
    | { readonly kind: 'development server'; readonly origin: string }
  readonly api: URL | undefined
}

export interface Ports {
  readonly gateway: number
  readonly issuer: number
  readonly admin: number
}

export function withAuthority(parts: ConfigurationParts, fit: ServerFit): string {
  const callback = `http://localhost:${parts.ports.gateway}/bff/callback`
  const secret = fit.clientAuthentication !== 'PrivateKeyJwt'
  return [
    ...head(parts),
    '    // The issuer identifier of your authorization server, character by character.',
    `    "Authority": ${JSON.stringify(fit.authority)},`,
    ...(fit.profile === 'Baseline'
      ? [
          '    // Less than FAPI 2.0, since this server does not offer all of it:',
          ...fit.lacks.map((lack) => `    //   ${lack}`),
          '    "Profile": "Baseline",',
        ]
      : []),
    ...(fit.issuerInCallbacks ? [] : ['    "RequireIssuerValidation": false,']),
    ...publicUrl(parts),
    '    "Frontends": [',
    '      {',
    '        "Name": "app",',
    `        // Register this client there with ${secret ? 'a secret' : 'the public key in keys/client.public.jwk'} and the redirect URI`,
    `        // ${callback}`,
    '        "ClientId": "my-bff",',
    ...(secret
      ? [
          `        "ClientAuthenticationMethod": "${fit.clientAuthentication}",`,
          '        "ClientSecret": { "File": "./keys/client.secret" },',
        ]
      : ['        "ClientSigningKeyJwk": { "File": "./keys/client.jwk" },']),
    ...(fit.pushedRequests ? [] : ['        "UsePushedAuthorizationRequests": false,']),
    ...(fit.signedRequests ? ['        "UseSignedRequests": true,'] : []),
    ...(fit.dpop ? [] : ['        "UseDPoP": false,']),
    ...(fit.scopes.includes('offline_access')
      ? []
      : [
          '        // Add "offline_access" where the server gives no refresh token without it (Auth0, Entra ID, Okta, OpenIddict).',
        ]),
    `        "Scopes": [${fit.scopes.map((scope) => JSON.stringify(scope)).join(', ')}],`,
    ...application(parts, false),
    '      }',
    '    ]',
    '  }',
    '}',
    '',
  ].join('\n')
}

export function withEmbeddedServer(parts: ConfigurationParts, user: FirstUser, passwordHash: string): string {
  return [
    ...head(parts),
    ...publicUrl(parts),
    '    "Frontends": [',
    '      {',
    '        // Its key and its registration at the server below are made at first start.',
    '        "Name": "app",',
    ...application(parts, true),
    '      }',
    '    ]',
    '  },',
    '  // The embedded authorization server.',
    '  "OpenIddict": {',
    `    "Issuer": "http://localhost:${parts.ports.issuer}",`,
    '    "Seeding": {',
    '      "Users": [',
    '        {',
    `          "Username": ${JSON.stringify(user.name)},`,
    '          // Made by: npx --no-install sallyport keygen --password',
    `          "PasswordHash": ${JSON.stringify(passwordHash)},`,
    `          "Claims": { "name": ${JSON.stringify(user.name)} }`,
    '        }',
    '      ]',
    '    }',
    '  }',
    '}',
    '',
  ].join('\n')
}

function head({ ports }: ConfigurationParts): string[] {
  return [
    '{',
    '  // Every setting: docs/configuration.md. Try it: npx --no-install sallyport check',
    '  "$schema": "./node_modules/sallyport/frontends.schema.json",',
    '  "Server": {',
    `    "Listen": "127.0.0.1:${ports.gateway}",`,
    '    // /healthz, /readyz, /metrics',
    `    "AdminListen": "127.0.0.1:${ports.admin}"`,
    '  },',
    '  "Bff": {',
  ]
}

function publicUrl({ ports }: ConfigurationParts): string[] {
  return [
    '    // The origin that browsers see, and no other host is answered. In production: "https://app.example.com"',
    `    "PublicUrl": "http://localhost:${ports.gateway}",`,
    '    "SealingKeys": [{ "File": "./keys/sealing.key" }],',
  ]
}

function application({ application: page, api }: ConfigurationParts, isEmbedded: boolean): string[] {
  return [
    page.kind === 'folder'
      ? `        "StaticFilesPath": ${JSON.stringify(page.path)},`
      : `        "DevelopmentServer": ${JSON.stringify(page.origin)},`,
    ...(api === undefined
      ? [
          '        // Your API. "Resource" is what its tokens have to be for: the audience that it expects. A route looks so:',
          '        // { "Path": "/api", "Upstreams": ["http://127.0.0.1:8080"], "Resource": "https://api.example.com" }',
          '        "Routes": []',
        ]
      : [
          `        // "Resource" is what its tokens have to be for: the audience that the API expects${isEmbedded ? '' : ', where the server knows RFC 8707'}.`,
          '        "Routes": [',
          isEmbedded
            ? `          { "Path": "/api", "Upstreams": [${JSON.stringify(api.href)}], "Resource": ${JSON.stringify(api.origin)} }`
            : `          { "Path": "/api", "Upstreams": [${JSON.stringify(api.href)}] }`,
          '        ]',
        ]),
  ]
}
