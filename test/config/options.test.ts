import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { listenerLimitDefaults } from '../../src/http/listener-limits.js'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { selfSigned } from '../http/_self-signed.js'
import { aFile } from './_workspace.js'

const { cert } = await selfSigned()

/* A setting that is accepted and then ignored is worse than one that is refused: each arrives at its product. */

const key = generateSigningJwk('ES256')
const retired = generateSigningJwk('Ed25519')

test('the way out of a network is that of all in this process that call authorization servers', async (t) => {
  const file = await aFile(t, {
    Server: {
      TrustedProxies: ['10.0.0.0/8'],
      ForwardAuth: {
        Listen: '127.0.0.1:4180',
        Validate: {
          Issuer: 'https://auth.example.com',
          Audience: 'orders',
          PublicUrls: ['https://orders.example.com'],
        },
      },
    },
    Bff: {
      Authority: 'https://auth.example.com',
      PublicUrl: 'http://localhost:3000',
      HttpProxy: { Url: 'http://user:pass@proxy.example.com:3128', NoProxy: ['internal.example.com'] },
      Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: key, Routes: [] }],
    },
    Authentication: { OpenIddict: { Issuer: 'https://auth.example.com', Audience: 'my-api' } },
  })
  const { gateway, server, sampleApi } = readConfiguration({ file, environment: {} })
  const httpProxy = { url: 'http://user:pass@proxy.example.com:3128', noProxy: ['internal.example.com'] }
  for (const options of [gateway, server.forwardAuth?.validate?.verifier, sampleApi?.verifier])
    t.deepEqual(options?.httpProxy, httpProxy)
})

test('every setting of a frontend and its routes arrives at the gateway', async (t) => {
  const file = await aFile(t, {
    Server: {
      TrustedProxies: ['10.0.0.0/8'],
      TrustForwardedHost: true,
      AdminListen: '127.0.0.1:9464',
      AdminToken: '0123456789abcdefghijklmnopqrstuv',
      Limits: { KeepAliveTimeout: '00:05:00', HeaderBytes: 65_536, StreamsPerSession: 7, StreamsPerAddress: 70 },
    },
    Bff: {
      Authority: 'https://auth.example.com',
      PublicUrl: 'https://app.example.com',
      SessionDuration: '00:30:00',
      SessionAbsoluteMaxDuration: '1.00:00:00',
      UseSessionSlidingExpiration: false,
      RefreshGracePeriod: '00:00:30',
      RevokeEndedSessions: true,
      AuthorityTimeout: '00:00:03',
      Branding: { Name: 'Example Bank', ThemeFile: 'theme.css' },
      LoginLimits: { PerAddress: 4, Window: '00:00:30' },
      AuthorityCaFile: 'tls/ca.pem',
      Frontends: [
        {
          Name: 'app',
          Hosts: ['app.example.com', 'www.example.com:8443'],
          PathPrefix: '/shop',
          ClientId: 'my-bff',
          ClientSigningKeyJwk: key,
          RetiredClientSigningKeyJwks: [retired],
          Scopes: ['openid', 'orders'],
          SessionDuration: '00:10:00',
          SessionsPerUser: { Max: 3, WhenFull: 'RefuseNew' },
          RateLimits: [{ Requests: 100, Per: '00:01:00', By: 'Address' }],
          UserClaims: ['sub'],
          LoginParameters: ['prompt'],
          UseIdTokenHint: false,
          ClientUrl: 'https://www.example.com',
          Cors: { Origins: ['https://a.example.com/'] },
          SecurityHeaders: 'Strict',
          ContentSecurityPolicy: "default-src 'none'",
          PostLoginRedirectPath: '/in',
          PostLogoutRedirectPath: '/out',
          ErrorRedirectPath: '/oops',
          Routes: [
            {
              Path: '/api',
              Upstreams: ['https://orders.internal/v1'],
              StripPath: true,
              Methods: ['GET'],
              TokenType: 'UserOrNone',
              Resource: 'https://orders.example.com',
              Scopes: ['orders'],
              RequireCsrfHeader: true,
              CountsAsUse: false,
              RateLimits: [{ Requests: 10, Per: '00:00:01' }],
              Balance: 'Sticky',
              ReuseConnections: false,
              Timeouts: { Connect: '00:00:01', ResponseHeaders: '00:00:02', Idle: '00:00:03', Total: '00:00:04' },
              BodyLimit: 5,
              ReplayLimit: 6,
              Retries: 2,
              HealthCheck: { Path: '/up', Interval: '00:00:07', Timeout: '00:00:08' },
              CircuitBreaker: { Failures: 9, OpenFor: '00:00:10' },
              WebSocket: { PingInterval: '00:00:11' },
              Tls: { CaFile: 'tls/ca.pem', CertFile: 'tls/cert.pem', KeyFile: 'tls/key.pem', ServerName: 'orders' },
            },
          ],
        },
      ],
    },
  })
  await mkdir(join(dirname(file), 'tls'))
  await writeFile(join(dirname(file), 'tls/ca.pem'), cert)
  for (const name of ['cert', 'key']) await writeFile(join(dirname(file), `tls/${name}.pem`), `PEM ${name}`)
  await writeFile(join(dirname(file), 'theme.css'), ':root{}')
  const { gateway } = readConfiguration({ file, environment: {} })
  const { frontends, ...general } = gateway ?? {}
  t.deepEqual(general, {
    trustedProxies: ['10.0.0.0/8'],
    trustForwardedHost: true,
    administered: true,
    streamLimits: { perSession: 7, perAddress: 70 },
    issuerTimeout: 3,
    branding: { name: 'Example Bank', theme: ':root{}' },
    loginLimits: { perAddress: 4, window: 30 },
    issuerCa: cert,
  })
  const { clientAuthentication, publicUrl, clientUrl, routes = [], ...frontend } = frontends?.[0] ?? {}
  t.is(clientAuthentication?.method === 'private_key_jwt' && clientAuthentication.keys.length, 2)
  t.deepEqual([publicUrl?.href, clientUrl?.href], ['https://app.example.com/', 'https://www.example.com/'])
  t.deepEqual(frontend, {
    name: 'app',
    hosts: ['app.example.com', 'www.example.com:8443'],
    pathPrefix: '/shop',
    authority: 'https://auth.example.com',
    clientId: 'my-bff',
    pushedAuthorizationRequests: true,
    dpop: true,
    signedRequests: false,
    responseMode: 'query',
    requireIssuer: true,
    profile: 'Fapi2',
    scopes: ['openid', 'orders'],
    userClaims: ['sub'],
    loginParameters: ['prompt'],
    idTokenHint: false,
    revokeEndedSessions: true,
    session: { idle: 600, absolute: 86_400, sliding: false, refreshGracePeriod: 30 },
    sessionsPerUser: { max: 3, whenFull: 'RefuseNew' },
    rateLimits: [{ requests: 100, per: 60, by: 'Address' }],
    cors: { origins: ['https://a.example.com'] },
    requireLogin: 'Calls',
    securityHeaders: 'Strict',
    contentSecurityPolicy: "default-src 'none'",
    postLoginRedirectPath: '/in',
    postLogoutRedirectPath: '/out',
    errorRedirectPath: '/oops',
  })
  const { upstreams, ...route } = routes[0] ?? {}
  t.deepEqual(upstreams?.map(String), ['https://orders.internal/v1'])
  t.deepEqual(route, {
    path: '/api',
    stripPath: true,
    methods: ['GET'],
    tokenType: 'UserOrNone',
    resource: 'https://orders.example.com',
    scopes: ['orders'],
    requireCsrfHeader: true,
    countsAsUse: false,
    rateLimits: [{ requests: 10, per: 1, by: 'Session' }],
    balance: 'Sticky',
    reuseConnections: false,
    timeouts: { connect: 1, responseHeaders: 2, idle: 3, total: 4 },
    bodyLimit: 5,
    replayLimit: 6,
    retries: 2,
    healthCheck: { path: '/up', interval: 7, timeout: 8 },
    circuitBreaker: { failures: 9, openFor: 10 },
    webSocket: { pingInterval: 11 },
    tls: { ca: cert, cert: 'PEM cert', key: 'PEM key', serverName: 'orders' },
  })
})

test('every setting of the authorization server and the sample API arrives there', async (t) => {
  const file = await aFile(t, {
    Server: { TrustedProxies: ['10.0.0.0/8'] },
    OpenIddict: {
      Issuer: 'https://auth.example.com',
      Listen: '0.0.0.0:3001',
      AccessTokenLifetime: '00:05:00',
      RefreshTokenLifetime: '1.00:00:00',
      SessionLifetime: '00:20:00',
      ConsentLifetime: '2.00:00:00',
      RequireNonce: false,
      Branding: { Name: 'Example Bank', ThemeFile: 'theme.css' },
      SignInLimits: { PerUserAndAddress: 1, PerUser: 2, PerAddress: 3, Window: '00:01:00' },
      Seeding: {
        Applications: [
          {
            ClientId: 'other',
            DisplayName: 'Other',
            SigningKeyJwk: publicHalf(key),
            RetiredSigningKeyJwks: [publicHalf(retired)],
            Permissions: ['ept:token', 'gt:client_credentials', 'scp:orders', 'rsrc:https://stock.example.com'],
            RedirectUris: ['https://other.example.com/callback'],
            PostLogoutRedirectUris: ['https://other.example.com/'],
            BackchannelLogoutUri: 'https://other.example.com/ended',
            Audiences: ['https://orders.example.com'],
          },
        ],
        Users: [
          {
            Username: 'alice',
            PasswordHash: '$scrypt$ln=1,r=8,p=3$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr',
            Claims: { sub: 'a' },
          },
        ],
        Scopes: [{ Name: 'orders', DisplayName: 'Orders', Resources: ['https://orders.example.com', 'orders-api'] }],
      },
    },
    Authentication: {
      OpenIddict: { Listen: '127.0.0.1:4002', AuthorityCaFile: 'ca.pem', Audience: 'my-api', RequireDPoP: false },
      DPoP: { RequireNonce: true, MaxProofLifetime: '00:00:30', ClockSkew: '00:00:20' },
    },
  })
  await writeFile(join(dirname(file), 'theme.css'), ':root{}')
  await writeFile(join(dirname(file), 'ca.pem'), cert)
  const { authorizationServer, sampleApi } = readConfiguration({ file, environment: {} })
  t.deepEqual(authorizationServer?.listen, { host: '0.0.0.0', port: 3001 })
  const { issuer, clients = [], ...options } = authorizationServer?.options ?? {}
  t.is(issuer?.href, 'https://auth.example.com/')
  t.deepEqual(options, {
    users: [
      {
        username: 'alice',
        passwordHash: '$scrypt$ln=1,r=8,p=3$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr',
        claims: { sub: 'a' },
      },
    ],
    lifetimes: { accessToken: 300, refreshToken: 86_400, session: 1200, consent: 172_800 },
    branding: { name: 'Example Bank', theme: ':root{}' },
    signInLimits: { perUserAndAddress: 1, perUser: 2, perAddress: 3, window: 60 },
    audience: 'my-api',
    scopes: [{ name: 'orders', displayName: 'Orders', resources: ['https://orders.example.com', 'orders-api'] }],
    dpopNonces: 'off',
    requireSignedRequests: false,
    requireSignedResponses: false,
    trustedProxies: ['10.0.0.0/8'],
  })
  const { keys, ...client } = clients[0] ?? {}
  t.is(keys?.length, 2)
  t.deepEqual(client, {
    clientId: 'other',
    displayName: 'Other',
    redirectUris: ['https://other.example.com/callback'],
    postLogoutRedirectUris: ['https://other.example.com/'],
    backchannelLogoutUri: 'https://other.example.com/ended',
    audiences: ['other', 'https://orders.example.com'],
    permissions: {
      endpoints: ['token'],
      grants: ['client_credentials'],
      scopes: ['orders'],
      resources: ['https://stock.example.com'],
    },
  })
  t.deepEqual(sampleApi, {
    listen: { host: '127.0.0.1', port: 4002 },
    verifier: {
      issuer: { issuer: 'https://auth.example.com' },
      ca: cert,
      audience: 'my-api',
      publicUrl: ['http://127.0.0.1:4002', 'http://localhost:4002', 'http://[::1]:4002'],
      mode: 'mixed',
      proof: { maxAge: 30, futureSkew: 20 },
      nonce: true,
    },
  })
})

test('limits of the listeners are complete, whatever the file says of them', async (t) => {
  const file = await aFile(t, {
    Server: { Limits: { KeepAliveTimeout: '00:05:00', Connections: 9 } },
    OpenIddict: { Issuer: 'http://localhost:3001' },
  })
  const { server } = readConfiguration({ file, environment: {} })
  t.deepEqual(server.limits, { ...listenerLimitDefaults, keepAliveTimeout: 300, connections: 9 })
})
