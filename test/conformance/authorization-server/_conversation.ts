import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import { byKeys, type ClientSecurity } from '../_client-security.js'
import { type Answer, form, type Send } from '../_http.js'
import type { Claims } from '../_jose.js'
import type { MessageSigning } from '../_message-signing.js'
import type { User } from '../_sign-in.js'
import { checkRefusal, checkUnguessable, entropy, isJson, type Refusals } from './_answers.js'
import { type Attempt, createAttempt } from './_attempt.js'
import { createBrowsing } from './_browsing.js'
import { type CallKnobs, createCalls, type ResourceKnobs } from './_calls.js'
import type { Parameters, ServerUnderTest, SuiteClient } from './_server-under-test.js'

export interface Metadata {
  readonly authorization_endpoint: string
  readonly pushed_authorization_request_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
  readonly userinfo_endpoint?: string
  readonly registration_endpoint?: string
  readonly [member: string]: unknown
}

export interface Tokens {
  readonly access_token: string
  readonly token_type: string
  readonly refresh_token?: string
  readonly id_token?: string
}

export interface ConversationOptions {
  readonly t: ExecutionContext
  readonly server: ServerUnderTest
  readonly send: Send
  readonly openid: boolean
  readonly signing: MessageSigning
  /** Default: by keys. */
  readonly security?: ClientSecurity
  readonly metadata: Metadata
  readonly jwks: readonly JWK[]
  readonly user: User
}

/** What the suite does in every module, each step with the checks that every module makes there. */
export type Conversation = ReturnType<typeof createConversation>

export function createConversation(options: ConversationOptions) {
  const { t, server, send, openid, signing, security = byKeys, metadata, jwks, user } = options
  const calls = createCalls(t, server, send, { ...security, aliasOf: aliasesIn(metadata) })
  const browsing = createBrowsing({ t, server, send, user, signing, jwks })
  return {
    ...calls,
    ...browsing,
    t,
    server,
    metadata,
    jwks,
    openid,
    signing,
    security,
    send,

    begin(client: SuiteClient, overrides: Parameters = {}): Attempt {
      const mode = signing.responses === 'jarm' ? { response_mode: 'jwt' } : {}
      return createAttempt(client, openid, { ...mode, ...overrides })
    },

    /** The pushed authorization request as it is answered. No proof unless there are knobs for one. */
    pushRaw({ client, parameters }: Attempt, knobs: CallKnobs = {}): Promise<Answer> {
      const { object = {} } = knobs
      // Client authentication alone stays outside (FAPI 2.0 Message Signing §5.3.2-1).
      const pushed =
        signing.requests === 'unsigned' || object === 'none'
          ? parameters
          : { request: calls.requestObject(client, parameters, object) }
      return calls.post(client, metadata.pushed_authorization_request_endpoint, pushed, knobs)
    },

    async push(attempt: Attempt, knobs: CallKnobs = {}): Promise<string> {
      return this.pushed(await this.pushRaw(attempt, knobs))
    },

    /** RFC 9126 §2.2. */
    pushed(answer: Answer): string {
      t.is(answer.status, 201, `PAR: ${answer.body}`)
      t.true(isJson(answer))
      const { request_uri, expires_in } = answer.json()
      t.true(typeof request_uri === 'string' && entropy(request_uri) >= 96, 'entropy of the request_uri')
      t.true(typeof expires_in === 'number' && expires_in > 0 && expires_in < 600, 'FAPI 2.0 §5.3.2.2-12')
      return String(request_uri)
    },

    /** The URL the browser is sent to. The suite repeats parameters beside `request_uri`; an override adds or removes. */
    authorizationUrl(
      { client, parameters }: Attempt,
      request_uri: string | undefined,
      overrides: Parameters = {},
    ): URL {
      const { response_type, client_id, scope, redirect_uri } = parameters
      const repeated: Parameters =
        client.which === 1
          ? { client_id, request_uri, response_type, scope, redirect_uri }
          : { redirect_uri, scope, response_type, request_uri, client_id }
      const url = new URL(metadata.authorization_endpoint)
      url.search = form({ ...repeated, ...overrides })
      return url
    },

    /** PAR, sign-in, consent: up to the code. */
    async authorize(attempt: Attempt, knobs: CallKnobs = {}): Promise<string> {
      const url = this.authorizationUrl(attempt, await this.push(attempt, knobs))
      return browsing.code(attempt, await browsing.visit(url))
    },

    /** The token request as it is answered. */
    tokenRaw(client: SuiteClient, parameters: Parameters, knobs: CallKnobs = {}): Promise<Answer> {
      return calls.post(client, metadata.token_endpoint, parameters, { ...knobs, proof: knobs.proof ?? {} })
    },

    redeemRaw(attempt: Attempt, code: string, knobs: CallKnobs = {}, overrides: Parameters = {}): Promise<Answer> {
      const usual = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: attempt.parameters.redirect_uri,
        code_verifier: attempt.verifier,
      }
      return this.tokenRaw(attempt.client, { ...usual, ...overrides }, knobs)
    },

    async redeem(attempt: Attempt, code: string, knobs: CallKnobs = {}): Promise<Tokens> {
      return this.tokens(attempt, await this.redeemRaw(attempt, code, knobs))
    },

    /** PAR to tokens. */
    async obtain(attempt: Attempt, knobs: CallKnobs = {}): Promise<Tokens> {
      return this.redeem(attempt, await this.authorize(attempt, knobs))
    },

    /** RFC 9449 §5, RFC 8705 §3. */
    tokenType(token_type: unknown): void {
      t.is(String(token_type).toLowerCase(), security.constraint === 'mtls' ? 'bearer' : 'dpop')
    },

    /** RFC 6749 §5.1. */
    async tokens(attempt: Attempt, answer: Answer): Promise<Tokens> {
      t.is(answer.status, 200, `token: ${answer.body}`)
      t.true(isJson(answer))
      t.regex(answer.header('cache-control').join(), /no-store/)
      const { access_token, token_type, expires_in, refresh_token, id_token } = answer.json()
      checkUnguessable(t, String(access_token), 'access token')
      this.tokenType(token_type)
      t.true(typeof expires_in === 'number' && expires_in > 0, 'expires_in')
      if (refresh_token !== undefined) checkUnguessable(t, String(refresh_token), 'refresh token')
      if (openid) await this.idToken(attempt, String(id_token))
      else t.is(id_token, undefined, 'plain_oauth must not return an ID token')
      return {
        access_token: String(access_token),
        token_type: String(token_type),
        ...(refresh_token !== undefined && { refresh_token: String(refresh_token) }),
        ...(id_token !== undefined && { id_token: String(id_token) }),
      }
    },

    /** OpenID Connect Core §3.1.3.7 and FAPI 2.0 §5.4. */
    async idToken({ client, nonce }: Attempt, idToken: string): Promise<Claims> {
      const header = decodeProtectedHeader(idToken)
      t.true(typeof header.kid === 'string', 'kid')
      t.true(['PS256', 'ES256', 'EdDSA', 'Ed25519'].includes(String(header.alg)), String(header.alg))
      const { payload } = await jwtVerify(idToken, createLocalJWKSet({ keys: [...jwks] }), {
        issuer: server.issuer,
        audience: client.id,
        requiredClaims: ['sub', 'exp', 'iat'],
        currentDate: new Date(server.now() * 1000),
      })
      t.is(payload.nonce, nonce)
      t.true(typeof payload.sub === 'string' && payload.sub.length > 0 && payload.sub.length <= 255)
      t.true(Math.abs((payload.iat ?? 0) - server.now()) < 60)
      if (payload.azp !== undefined) t.is(payload.azp, client.id)
      return payload
    },

    /** A call of a protected resource that has to work. */
    async useResource(client: SuiteClient, accessToken: string, knobs: ResourceKnobs = {}): Promise<void> {
      const interactionId = randomUUID()
      const headers = ['accept', 'application/json', 'x-fapi-interaction-id', interactionId]
      const answer = await calls.callResource(client, accessToken, { headers, ...knobs })
      t.true([200, 201].includes(answer.status), `resource: ${answer.status} ${answer.body}`)
      const [date] = answer.header('date')
      t.true(Math.abs(Date.parse(date ?? '') - Date.now()) < 300_000, 'Date within five minutes')
      const [echoed] = answer.header('x-fapi-interaction-id')
      if (echoed !== undefined && knobs.headers === undefined) t.is(echoed, interactionId)
    },

    refused: (answer: Answer, expected: Refusals): void => checkRefusal(t, answer, expected),
  }
}

/** RFC 8705 §5: the endpoint itself, where it has no alias. */
function aliasesIn(metadata: Metadata): (url: string) => string {
  const aliases = (metadata.mtls_endpoint_aliases ?? {}) as Readonly<Record<string, string>>
  return (url) => aliases[Object.keys(aliases).find((name) => metadata[name] === url) ?? ''] ?? url
}
