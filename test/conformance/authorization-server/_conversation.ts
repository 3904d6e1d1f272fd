import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import { type Answer, form, formContentType, type Outgoing, type Send } from '../_http.js'
import { type Algorithm, bareJwk, type Claims, compactJws, type KeyPair, replaced } from '../_jose.js'
import { type Decision, signIn, submitSignIn, type User } from '../_sign-in.js'
import { type Arrival, createUserAgent, type UserAgent } from '../_user-agent.js'
import type { ServerUnderTest, SuiteClient } from './_server-under-test.js'

export type Parameters = Readonly<Record<string, string | undefined>>

/** Every knob of a DPoP proof. */
export interface ProofKnobs {
  readonly key?: KeyPair
  readonly algorithm?: Algorithm
  readonly header?: Claims
  readonly claims?: Claims
  /** What to do to the finished proof. */
  readonly spoil?: (proof: string) => string
}

/** Every knob of a client assertion. */
export interface AssertionKnobs {
  readonly key?: KeyPair
  readonly algorithm?: Algorithm
  readonly claims?: Claims
}

export interface CallKnobs {
  /** `none`: no proof at all. */
  readonly proof?: ProofKnobs | 'none'
  /** `none`: the client is not authenticated. */
  readonly assertion?: AssertionKnobs | 'none'
  readonly headers?: readonly string[]
  readonly method?: string
}

export interface ResourceKnobs {
  readonly proof?: ProofKnobs | 'none'
  readonly scheme?: string
  readonly headers?: readonly string[]
  readonly url?: string
  readonly method?: string
  /** How the header is made of a proof. Default: one `dpop` header. */
  readonly proofHeaders?: (proof: string) => readonly string[]
}

export interface Metadata {
  readonly authorization_endpoint: string
  readonly pushed_authorization_request_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
  readonly userinfo_endpoint?: string
  readonly registration_endpoint?: string
  readonly [member: string]: unknown
}

export interface Attempt {
  readonly client: SuiteClient
  readonly state: string | undefined
  readonly nonce: string | undefined
  readonly verifier: string
  /** What was pushed, client authentication left out. */
  readonly parameters: Parameters
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
  readonly metadata: Metadata
  readonly jwks: readonly JWK[]
  readonly user: User
}

/** What the suite does in every module, each step with the checks that every module makes there. */
export type Conversation = ReturnType<typeof createConversation>

export function createConversation({ t, server, send, openid, metadata, jwks, user }: ConversationOptions) {
  const nonces = new Map<'server' | 'resource', string>()
  let repeatsAllowed = 2
  const par = metadata.pushed_authorization_request_endpoint

  function assertion(
    client: SuiteClient,
    { key = client.key, algorithm = key.algorithm, claims = {} }: AssertionKnobs,
  ) {
    const now = server.now()
    const usual = {
      iss: client.id,
      sub: client.id,
      aud: server.issuer,
      jti: randomBytes(10).toString('hex'),
      iat: now,
      nbf: now,
      exp: now + 60,
    }
    return compactJws(
      { alg: algorithm, kid: client.key.kid, typ: 'JWT' },
      replaced(usual, claims),
      key.privateKey,
      algorithm,
    )
  }

  function prove(
    client: SuiteClient,
    target: { method: string; url: string; nonce: string | undefined; accessToken?: string },
    {
      key = client.proofKey,
      algorithm = key.algorithm,
      header = {},
      claims = {},
      spoil = (proof) => proof,
    }: ProofKnobs,
  ): string {
    const usual = {
      jti: randomUUID(),
      htm: target.method,
      htu: target.url.replace(/[?#].*$/, ''),
      iat: server.now(),
      nonce: target.nonce,
      ath: target.accessToken && createHash('sha256').update(target.accessToken).digest('base64url'),
    }
    const usualHeader = { typ: 'dpop+jwt', alg: algorithm, jwk: bareJwk(key) }
    return spoil(
      compactJws(replaced(usualHeader, header), replaced(replaced(usual, {}), claims), key.privateKey, algorithm),
    )
  }

  /** Any answer: what a `DPoP-Nonce` and an error have to look like. True when it is a nonce challenge. */
  function inspect(kind: 'server' | 'resource', answer: Answer): boolean {
    const given = answer.header('dpop-nonce')
    t.true(given.length <= 1, 'more than one DPoP-Nonce header')
    const [nonce] = given
    // RFC 9449 §8.1: 1*NQCHAR.
    if (nonce !== undefined)
      t.regex(nonce, /^[\x21\x23-\x5b\x5d-\x7e]+$/, 'DPoP-Nonce is empty or has illegal characters')
    t.true(answer.status < 500, `${answer.status}: ${answer.body}`)
    const challenged =
      kind === 'server'
        ? answer.status >= 400 && isJson(answer) && answer.json().error === 'use_dpop_nonce'
        : answer.header('www-authenticate').some((challenge) => /error="use_dpop_nonce"/.test(challenge))
    if (challenged) {
      t.is(answer.status, kind === 'server' ? 400 : 401, 'status of a nonce challenge')
      t.not(nonce, undefined, 'a nonce challenge without a nonce')
      if (kind === 'resource') t.regex(answer.header('www-authenticate').join(), /\bDPoP /)
    }
    if (nonce !== undefined) nonces.set(kind, nonce)
    return challenged
  }

  /** Repeats a call that is answered with a nonce challenge, at most twice, as the suite does. */
  async function withNonce(
    kind: 'server' | 'resource',
    call: (nonce: string | undefined) => Promise<Answer>,
  ): Promise<Answer> {
    for (let repeats = 0; ; repeats++) {
      const answer = await call(nonces.get(kind))
      if (!inspect(kind, answer) || repeatsAllowed === 0) return answer
      t.true(repeats < repeatsAllowed, 'a third nonce challenge in a row')
    }
  }

  function authenticated(client: SuiteClient, parameters: Parameters, knobs: CallKnobs): Parameters {
    if (knobs.assertion === 'none') return parameters
    return {
      ...parameters,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(client, knobs.assertion ?? {}),
    }
  }

  /** A form post. Like the suite, it sends the same assertion again when it is challenged for a nonce. */
  function post(client: SuiteClient, url: string, parameters: Parameters, knobs: CallKnobs): Promise<Answer> {
    const { proof = 'none', method = 'POST', headers = [] } = knobs
    const body = form(authenticated(client, parameters, knobs))
    return withNonce('server', (nonce) => {
      const proofs = proof === 'none' ? [] : ['dpop', prove(client, { method: 'POST', url, nonce }, proof)]
      return send(url, {
        method,
        headers: [...formContentType, 'accept', 'application/json', ...proofs, ...headers],
        body,
      })
    })
  }

  return {
    t,
    server,
    metadata,
    jwks,
    openid,
    send,
    prove,
    assertion,
    withNonce,
    inspect,
    nonceOf: (kind: 'server' | 'resource') => nonces.get(kind),
    forgetNonces: () => nonces.clear(),

    /** A call that takes a nonce challenge for its answer. */
    async once(call: () => Promise<Answer>): Promise<Answer> {
      repeatsAllowed = 0
      try {
        return await call()
      } finally {
        repeatsAllowed = 2
      }
    },

    /** A new authorization request, as the suite makes it for this client. `undefined` leaves a parameter out. */
    begin(client: SuiteClient, overrides: Parameters = {}): Attempt {
      const verifier = randomBytes(32).toString('base64url')
      const usual = {
        response_type: 'code',
        client_id: client.id,
        redirect_uri: client.redirectUri,
        scope: client.scope,
        state: randomBytes(client.which === 2 ? 64 : 5).toString('hex'),
        nonce: openid
          ? randomBytes(32)
              .toString('base64url')
              .slice(0, client.which === 2 ? 43 : 10)
          : undefined,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      }
      const parameters: Parameters = { ...usual, ...overrides }
      return { client, state: parameters.state, nonce: parameters.nonce, verifier, parameters }
    },

    /** The pushed authorization request as it is answered. No proof unless there are knobs for one. */
    pushRaw(attempt: Attempt, knobs: CallKnobs = {}): Promise<Answer> {
      return post(attempt.client, par, attempt.parameters, knobs)
    },

    async push(attempt: Attempt, knobs: CallKnobs = {}): Promise<string> {
      const answer = await this.pushRaw(attempt, knobs)
      return this.pushed(answer)
    },

    /** RFC 9126 §2.2. */
    pushed(answer: Answer): string {
      t.is(answer.status, 201, `PAR: ${answer.body}`)
      t.true(isJson(answer))
      const { request_uri, expires_in } = answer.json()
      t.true(typeof request_uri === 'string')
      t.true(entropy(String(request_uri)) >= 96, 'entropy of the request_uri')
      t.true(typeof expires_in === 'number' && expires_in > 0 && expires_in < 600, 'FAPI 2.0 §5.3.2.2-12')
      return String(request_uri)
    },

    /** The URL the browser is sent to. The suite repeats parameters beside `request_uri`; an override adds or removes. */
    authorizationUrl(attempt: Attempt, requestUri: string | undefined, overrides: Parameters = {}): URL {
      const { response_type, client_id, scope, redirect_uri } = attempt.parameters
      const repeated: Parameters =
        attempt.client.which === 1
          ? { client_id, request_uri: requestUri, response_type, scope, redirect_uri }
          : { redirect_uri, scope, response_type, request_uri: requestUri, client_id }
      const url = new URL(metadata.authorization_endpoint)
      url.search = form({ ...repeated, ...overrides })
      return url
    },

    /** A user agent of its own: no cookie is shared with another. */
    userAgent: newUserAgent,

    user,

    /** Fills in a sign-in page and sends it, whichever browser it was shown to. */
    submitSignIn: (userAgent: UserAgent, page: Arrival): Promise<Arrival> => submitSignIn(userAgent, page, user),

    /** Signs in and decides, and looks at how the browser was led there. */
    async decide(userAgent: UserAgent, arrival: Arrival, decision: Decision): Promise<Arrival> {
      const here = await signIn(userAgent, arrival, decision, user)
      // FAPI 2.0 §5.3.2.2-10 and -11: never 307, and 303 after what may have carried credentials.
      for (const { method, status, url } of userAgent.trail) {
        t.not(status, 307, url)
        t.not(status, 308, url)
        if (method === 'POST' && status >= 300 && status < 400) t.is(status, 303, url)
      }
      return here
    },

    /** From the authorization URL to wherever the browser ends. */
    async visit(url: URL, decision: Decision = 'allow', userAgent: UserAgent = newUserAgent()): Promise<Arrival> {
      return this.decide(userAgent, await userAgent.open(url), decision)
    },

    /** The response at the redirect URI, with what has to hold for every one of them. */
    response(attempt: Attempt, arrival: Arrival): URLSearchParams {
      if (arrival.kind === 'page') throw t.fail(`stayed at ${arrival.url.pathname}: ${pageText(arrival)}`)
      const { url } = arrival
      const expected = new URL(attempt.parameters.redirect_uri ?? attempt.client.redirectUri)
      t.is(url.origin + url.pathname, expected.origin + expected.pathname)
      for (const [name, value] of expected.searchParams) t.deepEqual(url.searchParams.getAll(name), [value])
      t.is(url.hash, '', 'nothing may be in the fragment')
      const known = url.searchParams.has('error')
        ? ['error', 'error_description', 'error_uri', 'state', 'session_state', 'iss']
        : ['code', 'state', 'session_state', 'iss']
      const unexpected = [...url.searchParams.keys()].filter(
        (name) => !known.includes(name) && !expected.searchParams.has(name),
      )
      t.deepEqual(unexpected, [], 'unexpected parameters')
      t.deepEqual(url.searchParams.getAll('iss'), [server.issuer], 'iss')
      t.deepEqual(url.searchParams.getAll('state'), attempt.state === undefined ? [] : [attempt.state], 'state')
      return url.searchParams
    },

    code(attempt: Attempt, arrival: Arrival): string {
      const response = this.response(attempt, arrival)
      t.is(response.get('error'), null, `${response.get('error')}: ${response.get('error_description')}`)
      t.is(response.get('response'), null)
      const code = response.get('code') ?? ''
      t.true(code.length * 6 >= 128 && entropy(code) >= 96, 'length and entropy of the code')
      return code
    },

    /** PAR, sign-in, consent: up to the code. */
    async authorize(attempt: Attempt, knobs: CallKnobs = {}): Promise<string> {
      const requestUri = await this.push(attempt, knobs)
      return this.code(attempt, await this.visit(this.authorizationUrl(attempt, requestUri)))
    },

    /** The token request as it is answered. */
    tokenRaw(client: SuiteClient, parameters: Parameters, knobs: CallKnobs = {}): Promise<Answer> {
      return post(client, metadata.token_endpoint, parameters, { ...knobs, proof: knobs.proof ?? {} })
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

    async tokens(attempt: Attempt, answer: Answer): Promise<Tokens> {
      t.is(answer.status, 200, `token: ${answer.body}`)
      t.true(isJson(answer))
      t.regex(answer.header('cache-control').join(), /no-store/, 'RFC 6749 §5.1')
      const { access_token, token_type, expires_in, refresh_token, id_token } = answer.json()
      t.true(typeof access_token === 'string' && typeof token_type === 'string')
      t.regex(String(access_token), /^[\x20-\x7e]+$/)
      t.true(entropy(String(access_token)) >= 96 && String(access_token).length * 6 >= 128)
      t.is(String(token_type).toLowerCase(), 'dpop')
      t.true(typeof expires_in === 'number' && expires_in > 0, 'expires_in')
      if (refresh_token !== undefined) {
        t.regex(String(refresh_token), /^[\x20-\x7e]+$/)
        t.true(entropy(String(refresh_token)) >= 96 && String(refresh_token).length * 6 >= 128)
      }
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
    async idToken(attempt: Attempt, idToken: string): Promise<Claims> {
      const header = decodeProtectedHeader(idToken)
      t.true(typeof header.kid === 'string', 'kid')
      t.true(['PS256', 'ES256', 'EdDSA', 'Ed25519'].includes(String(header.alg)), String(header.alg))
      const { payload } = await jwtVerify(idToken, createLocalJWKSet({ keys: [...jwks] }), {
        issuer: server.issuer,
        audience: attempt.client.id,
        requiredClaims: ['sub', 'exp', 'iat'],
        currentDate: new Date(server.now() * 1000),
      })
      t.is(payload.nonce, attempt.nonce)
      t.true(typeof payload.sub === 'string' && payload.sub.length > 0 && payload.sub.length <= 255)
      t.true(Math.abs((payload.iat ?? 0) - server.now()) < 60)
      if (payload.azp !== undefined) t.is(payload.azp, attempt.client.id)
      return payload
    },

    /** PAR to tokens. */
    async obtain(attempt: Attempt, knobs: CallKnobs = {}): Promise<Tokens> {
      return this.redeem(attempt, await this.authorize(attempt, knobs))
    },

    /** A call of the protected resource as it is answered. */
    callResource(client: SuiteClient, accessToken: string, knobs: ResourceKnobs = {}): Promise<Answer> {
      const { proof = {}, scheme = 'DPoP', headers = [], url = server.resourceUrl, method = 'GET' } = knobs
      return withNonce('resource', (nonce) => {
        const proofs =
          proof === 'none'
            ? []
            : (knobs.proofHeaders ?? ((made) => ['dpop', made]))(
                prove(client, { method, url, nonce, accessToken }, proof),
              )
        const outgoing: Outgoing = {
          method,
          headers: ['authorization', `${scheme} ${accessToken}`, ...proofs, ...headers],
        }
        return send(url, outgoing)
      })
    },

    /** A call that has to work. */
    async useResource(client: SuiteClient, accessToken: string, knobs: ResourceKnobs = {}): Promise<void> {
      const interactionId = randomUUID()
      const headers = ['accept', 'application/json', 'x-fapi-interaction-id', interactionId]
      const answer = await this.callResource(client, accessToken, { headers, ...knobs })
      t.true([200, 201].includes(answer.status), `resource: ${answer.status} ${answer.body}`)
      const [date] = answer.header('date')
      t.true(Math.abs(Date.parse(date ?? '') - Date.now()) < 300_000, 'Date within five minutes')
      const [echoed] = answer.header('x-fapi-interaction-id')
      if (echoed !== undefined && knobs.headers === undefined) t.is(echoed, interactionId)
    },

    /** RFC 6749 §5.2: the shape of every refusal of PAR and of the token endpoint. */
    refused(answer: Answer, expected: Readonly<Record<string, readonly number[]>>): void {
      t.true(isJson(answer), `${answer.status} ${answer.header('content-type').join()} ${answer.body}`)
      const { error, error_description, error_uri } = answer.json()
      const statuses = expected[String(error)]
      t.not(statuses, undefined, `${answer.status} ${answer.body}`)
      t.true(statuses?.includes(answer.status), `${answer.status} ${answer.body}`)
      if (error_description !== undefined) t.regex(String(error_description), /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
      if (error_uri !== undefined) t.regex(String(error_uri), /^[\x21\x23-\x5b\x5d-\x7e]+$/)
    },

    /** An error that the authorization endpoint shows: a redirect with one of these codes, or an error page. */
    refusedAtAuthorization(attempt: Attempt, arrival: Arrival, codes: readonly string[]): void {
      if (arrival.kind === 'page') {
        t.true(arrival.status >= 400 && arrival.status < 500, pageText(arrival))
        return
      }
      const { searchParams } = arrival.url
      t.is(searchParams.get('code'), null, 'a code came out')
      t.true(codes.includes(searchParams.get('error') ?? ''), arrival.url.href)
      t.is(searchParams.get('iss'), server.issuer)
      // Who does not know the request any more does not know its state.
      const unknown = searchParams.get('error') === 'invalid_request_uri' && !searchParams.has('state')
      t.is(unknown ? attempt.state : (searchParams.get('state') ?? undefined), attempt.state)
    },
  }

  function newUserAgent(): UserAgent {
    const home = new URL(server.issuer).origin
    return createUserAgent({ send, leaves: (url) => url.origin !== home })
  }
}

/** What a page says, for the message of a failure. */
function pageText({ status, markup }: { readonly status: number; readonly markup: string }): string {
  const text = markup.replace(/<(style|head|details)[\s\S]*?<\/\1>/gi, '').replace(/<[^>]*>/g, ' ')
  return `${status} ${text.replace(/\s+/g, ' ').trim().slice(0, 300)}`
}

export function isJson(answer: Answer): boolean {
  return /^application\/json\b/i.test(answer.header('content-type').join())
}

/** The suite's measure: Shannon entropy of the characters, times the length. */
export function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits * text.length
}
