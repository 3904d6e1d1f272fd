import { randomBytes } from 'node:crypto'
import { type EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration } from 'oidc-provider'
import { generateSigningJwk, type Jwk } from '../../src/jose/jwk.js'
import type { UserAgent } from '../flows/_user-agent.js'

export interface RunningProvider {
  readonly issuer: string
  instance(): Provider
  /** Every request that came, as `METHOD path`. */
  readonly requests: string[]
  /** Bodies of what was posted, in order, with the path in front. */
  readonly posted: {
    readonly path: string
    readonly body: URLSearchParams
    readonly headers: IncomingMessage['headers']
  }[]
  /** Milliseconds by which every token response is held back. */
  tokenDelay: number
  /** What the token endpoint does instead of answering. */
  tokenOutage: 'none' | 'reset' | 'unavailable' | { readonly status: number; readonly body: string }
  /** Seconds that access tokens live. */
  accessTokenLifetime: number
  /** The user that an access token belongs to. */
  subjectOf(accessToken: string): Promise<string | undefined>
  close(): Promise<void>
}

export const serverKeys = [generateSigningJwk('PS256'), generateSigningJwk('ES256')]

export interface ProviderClient {
  readonly clientId: string
  readonly publicJwk: Jwk
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string
  readonly backchannelLogoutUri?: string
}

export interface ProviderOptions {
  readonly rotate?: boolean
  readonly dpopNonces?: boolean
  readonly configuration?: Configuration
  /** Of every client, besides the usual. */
  readonly clientMetadata?: Record<string, unknown>
}

/** node-oidc-provider with its FAPI 2.0 profile: PAR, DPoP with nonces, `private_key_jwt` and rotation required. */
export async function startProvider({
  rotate = true,
  dpopNonces = true,
  configuration = {},
  clientMetadata = {},
}: ProviderOptions = {}) {
  const { features, ...otherConfiguration } = configuration
  let provider: Provider | undefined
  const running = {
    tokenDelay: 0,
    tokenOutage: 'none' as RunningProvider['tokenOutage'],
    accessTokenLifetime: 300,
    idTokenLifetime: 3600,
  }
  const requests: string[] = []
  const errors: string[] = []
  const posted: RunningProvider['posted'] = []

  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    requests.push(`${request.method} ${path}`)
    if (request.method === 'POST') {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString()
      posted.push({ path, body: new URLSearchParams(text), headers: request.headers })
      // oidc-provider takes a body that was read already.
      Object.assign(request, { body: text })
    }
    if (path === '/token' && running.tokenOutage !== 'none') {
      if (running.tokenOutage === 'reset') request.socket.destroy()
      else if (running.tokenOutage === 'unavailable') response.writeHead(503).end()
      else {
        response.writeHead(running.tokenOutage.status, { 'Content-Type': 'application/json' })
        response.end(running.tokenOutage.body)
      }
      return
    }
    if (path === '/token' && running.tokenDelay > 0) {
      await new Promise((resolve) => setTimeout(resolve, running.tokenDelay))
    }
    provider?.callback()(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const register = (clients: readonly ProviderClient[]): void => {
    provider = new Provider(issuer, {
      clients: clients.map(({ clientId, publicJwk, redirectUri, postLogoutRedirectUri, backchannelLogoutUri }) => ({
        client_id: clientId,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [postLogoutRedirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        id_token_signed_response_alg: 'PS256',
        dpop_bound_access_tokens: true,
        jwks: { keys: [{ ...publicJwk }] },
        ...clientMetadata,
        ...(backchannelLogoutUri && {
          backchannel_logout_uri: backchannelLogoutUri,
          backchannel_logout_session_required: true,
        }),
      })),
      jwks: { keys: serverKeys.map((key) => ({ ...key })) },
      clientAuthMethods: ['private_key_jwt'],
      enabledJWA: {
        idTokenSigningAlgValues: ['PS256', 'ES256'],
        clientAuthSigningAlgValues: ['ES256', 'PS256'],
        authorizationSigningAlgValues: ['PS256', 'ES256'],
        requestObjectSigningAlgValues: ['PS256', 'ES256'],
      },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      features: {
        fapi: { enabled: true, profile: '2.0' },
        pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
        dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => dpopNonces },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { enabled: true },
        revocation: { enabled: true },
        userinfo: { enabled: true },
        devInteractions: { enabled: true },
        ...features,
      },
      ttl: {
        AccessToken: () => running.accessTokenLifetime,
        AuthorizationCode: 60,
        Grant: 86_400,
        IdToken: 3600,
        RefreshToken: 86_400,
        Session: 86_400,
        Interaction: 600,
      },
      rotateRefreshToken: rotate,
      // Consent is given beforehand: a test that wants to see it asks for it.
      async loadExistingGrant(ctx) {
        const { client, session } = ctx.oidc
        if (client === undefined || session?.accountId === undefined) return undefined
        const known = session.grantIdFor(client.clientId)
        const held = known === undefined ? undefined : await ctx.oidc.provider.Grant.find(known)
        if (held !== undefined) return held
        const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
        grant.addOIDCScope('openid profile email offline_access')
        await grant.save()
        return grant
      },
      async issueRefreshToken() {
        return true
      },
      findAccount: (_ctx, sub) => ({
        accountId: sub,
        claims: () => ({ sub, name: `Name of ${sub}`, email: `${sub}@example.com` }),
      }),
      // Its own refuses to call loopback addresses, as it should anywhere else.
      fetch(url, init) {
        const { dispatcher: _, ...options } = { dispatcher: undefined, ...init }
        return globalThis.fetch(url, options)
      },
      ...otherConfiguration,
    })
    const failed = (event: string) => (_ctx: unknown, error: Error & { error_detail?: string }) =>
      errors.push(`${event}: ${error.message} ${error.error_detail ?? ''}`)
    const emitter: EventEmitter = provider
    emitter.on('pushed_authorization_request.error', failed('par'))
    emitter.on('grant.error', failed('token'))
    emitter.on('backchannel.error', (_ctx: unknown, error: Error) =>
      errors.push(`backchannel: ${error.message} ${String(error.cause)}`),
    )
    emitter.on('end_session.error', failed('logout'))
    emitter.on('server_error', failed('server'))
  }

  return Object.assign(running, {
    issuer,
    requests,
    errors,
    posted,
    register,
    instance(): Provider {
      if (provider === undefined) throw new Error('register the clients first')
      return provider
    },
    async subjectOf(accessToken: string) {
      return (await provider?.AccessToken.find(accessToken))?.accountId
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

/** Logs in at the provider's own pages and comes back. */
export async function logIn(agent: UserAgent, loginUrl: string, username = 'alice') {
  const page = await agent.navigate(loginUrl)
  return page.body.includes('name="password"') || page.body.includes('name="login"')
    ? agent.submit(page, { login: username, password: 'any' })
    : page
}
