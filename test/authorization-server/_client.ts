import { createHash, randomBytes, randomUUID, sign } from 'node:crypto'
import { type Dispatcher, fetch as fetchBy } from 'undici'
import {
  generateSigningJwk,
  type Jwk,
  publicHalf,
  type SigningKey,
  signingKey,
  thumbprint,
} from '../../src/jose/jwk.js'
import { aBrowser, type Browser } from './_browser.js'
import { callbackUri, type RunningServer, type TestClient } from './_running.js'

type Members = Readonly<Record<string, unknown>>
type Parameters = Readonly<Record<string, string | undefined>>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export interface Tokens {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
  readonly id_token?: string
}

export interface SendOptions {
  /** False: none. A text: exactly that. Otherwise a good one, changed by the members. */
  readonly proof?: false | string | ProofChange
  /** False: none. A text: exactly that. Otherwise a good one, changed by the members. */
  readonly assertion?: false | string | JwtChange
  /** Whether to answer a nonce challenge. Default: yes. */
  readonly retry?: boolean
  /** Address of another replica of the same issuer, or of its endpoints for mutual TLS. */
  readonly at?: string
  /** By which the request goes: with a certificate, say. */
  readonly dispatcher?: Dispatcher
  readonly headers?: Readonly<Record<string, string>>
}

export interface JwtChange {
  readonly header?: Members
  readonly claims?: Members
}

export interface ProofChange extends JwtChange {
  readonly key?: SigningKey
}

/** A client of our own: as correct as possible by default, and as wrong as asked. */
export interface ProtocolClient {
  readonly clientId: string
  readonly proofKey: SigningKey
  readonly jkt: string
  assertion(change?: JwtChange): string
  proof(method: string, url: string, change?: ProofChange): string
  post(endpoint: string, form: Parameters, options?: SendOptions): Promise<Answer>
  push(parameters?: Parameters, options?: SendOptions): Promise<Answer>
  /** Where the browser is sent with a pushed request. */
  authorizationUrl(pushed: Answer): string
  /** Pushes, signs alice in where asked, allows where asked; where the browser ends. */
  authorize(parameters?: Parameters, options?: AuthorizeOptions): Promise<URL>
  redeem(code: string, parameters?: Parameters, options?: SendOptions): Promise<Answer>
  refresh(token: string, parameters?: Parameters, options?: SendOptions): Promise<Answer>
  userinfo(accessToken: string, change?: ProofChange | false): Promise<Answer>
  /** All of it. */
  tokens(parameters?: Parameters, options?: AuthorizeOptions): Promise<Tokens>
}

export interface AuthorizeOptions {
  readonly browser?: Browser
  readonly username?: string
  readonly password?: string
}

export const codeVerifier = randomBytes(32).toString('base64url')
export const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')

export interface KnownServer {
  readonly options: Pick<RunningServer['options'], 'issuer' | 'now'>
  readonly client: KnownClient
}

export interface KnownClient {
  readonly options: Pick<TestClient['options'], 'clientId'>
  readonly privateJwk: Jwk
}

export function aProtocolClient(
  server: KnownServer,
  { options: { clientId }, privateJwk }: KnownClient = server.client,
  /** Of every request that does not say otherwise. */
  defaults: SendOptions = {},
): ProtocolClient {
  const now = server.options.now ?? (() => Date.now() / 1000)
  const issuer = server.options.issuer.pathname === '/' ? server.options.issuer.origin : server.options.issuer.href
  const clientKey = signingKey(privateJwk)
  const proofKey = signingKey(generateSigningJwk('ES256'))
  let nonce: string | undefined

  const self: ProtocolClient = {
    clientId,
    proofKey,
    jkt: thumbprint(proofKey.publicJwk),

    assertion({ header, claims } = {}) {
      const time = Math.floor(now())
      return jwt(
        clientKey,
        { kid: clientKey.kid, ...header },
        {
          iss: clientId,
          sub: clientId,
          aud: issuer,
          jti: randomUUID(),
          iat: time,
          nbf: time,
          exp: time + 60,
          ...claims,
        },
      )
    },

    proof(method, url, { header, claims, key = proofKey } = {}) {
      return jwt(
        key,
        { typ: 'dpop+jwt', jwk: publicMembers(key.publicJwk), ...header },
        { jti: randomUUID(), htm: method, htu: url, iat: Math.floor(now()), nonce, ...claims },
      )
    },

    async post(endpoint, form, options = {}) {
      const { proof = {}, assertion = {}, retry = true, at, dispatcher, headers } = { ...defaults, ...options }
      const url = `${issuer}/connect/${endpoint}`
      const body = new URLSearchParams({ client_id: clientId })
      if (assertion !== false) {
        body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
        body.set('client_assertion', typeof assertion === 'string' ? assertion : self.assertion(assertion))
      }
      for (const [name, value] of Object.entries(form)) if (value !== undefined) body.set(name, value)
      const send = async (): Promise<Answer> => {
        const DPoP = typeof proof === 'string' || proof === false ? proof : self.proof('POST', url, proof)
        const target = at === undefined ? url : url.replace(new URL(url).origin, at)
        const init = { method: 'POST', body, headers: { ...headers, ...(DPoP !== false && { DPoP }) } }
        const response =
          dispatcher === undefined
            ? await fetch(target, init)
            : ((await fetchBy(target, { ...init, dispatcher })) as unknown as Response)
        nonce = response.headers.get('dpop-nonce') ?? nonce
        return answer(response)
      }
      const first = await send()
      // The same assertion again: a challenge does not use it up.
      return retry && first.body.error === 'use_dpop_nonce' ? send() : first
    },

    push: (parameters = {}, options) =>
      self.post(
        'par',
        {
          response_type: 'code',
          redirect_uri: callbackUri,
          scope: 'openid profile email offline_access',
          code_challenge: codeChallenge,
          code_challenge_method: 'S256',
          state: 'the state',
          ...parameters,
        },
        options,
      ),

    authorizationUrl: ({ body }) =>
      `${issuer}/connect/authorize?${new URLSearchParams({ client_id: clientId, request_uri: String(body.request_uri) })}`,

    async authorize(parameters, { browser = aBrowser(), username = 'alice', password = 'wonderland' } = {}) {
      const pushed = await self.push(parameters)
      if (pushed.status !== 201) throw new Error(`not pushed: ${JSON.stringify(pushed.body)}`)
      let page = await browser.follow(await browser.get(self.authorizationUrl(pushed)))
      if (page.text.includes('id="sign-in"'))
        page = await browser.follow(await browser.submit(page, 'sign-in', { username, password }))
      if (page.text.includes('id="allow"')) page = await browser.submit(page, 'allow')
      if (page.location === undefined) throw new Error(`no redirect: ${page.status} ${page.text}`)
      return new URL(page.location)
    },

    redeem: (code, parameters = {}, options) =>
      self.post(
        'token',
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: callbackUri,
          code_verifier: codeVerifier,
          ...parameters,
        },
        options,
      ),

    refresh: (token, parameters = {}, options) =>
      self.post('token', { grant_type: 'refresh_token', refresh_token: token, ...parameters }, options),

    async userinfo(accessToken, change = {}) {
      const url = `${issuer}/connect/userinfo`
      const ath = createHash('sha256').update(accessToken).digest('base64url')
      const headers: Record<string, string> = { authorization: `DPoP ${accessToken}` }
      if (change !== false) headers.dpop = self.proof('GET', url, { ...change, claims: { ath, ...change.claims } })
      const response = await fetch(url, { headers })
      const challenged = response.headers.get('dpop-nonce') ?? nonce
      if (nonce === undefined && change !== false) {
        nonce = challenged
        return self.userinfo(accessToken, change)
      }
      return answer(response)
    },

    async tokens(parameters, options) {
      const callback = await self.authorize(parameters, options)
      const code = callback.searchParams.get('code')
      if (code === null) throw new Error(`no code: ${callback}`)
      const { status, body } = await self.redeem(code)
      if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`)
      return tokensOf(body)
    },
  }
  return self
}

async function answer(response: Response): Promise<Answer> {
  const text = await response.text()
  const { status, headers } = response
  return { status, headers, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) }
}

/** Members with the value undefined are left out. */
export function jwt(key: SigningKey, header: Members, claims: Members): string {
  const alg = key.algorithm === 'Ed25519' ? 'EdDSA' : key.algorithm
  const signed = [{ alg, ...header }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${signatureOf(key, Buffer.from(signed)).toString('base64url')}`
}

function signatureOf({ algorithm, privateKey }: SigningKey, data: Buffer): Buffer {
  switch (algorithm) {
    case 'ES256':
      return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    case 'PS256':
      return sign('sha256', data, { key: privateKey, padding: 6, saltLength: 32 })
    case 'Ed25519':
      return sign(null, data, privateKey)
  }
}

export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Readonly<Record<string, unknown>>
}

export function publicMembers(jwk: Jwk): Jwk {
  const { kid, alg, use, ...members } = publicHalf(jwk)
  return members
}

function tokensOf(body: Answer['body']): Tokens {
  const text = (name: string): string => {
    const value = body[name]
    if (typeof value !== 'string') throw new Error(`no ${name}`)
    return value
  }
  return {
    access_token: text('access_token'),
    token_type: text('token_type'),
    expires_in: Number(body.expires_in),
    scope: text('scope'),
    ...(body.refresh_token !== undefined && { refresh_token: text('refresh_token') }),
    ...(body.id_token !== undefined && { id_token: text('id_token') }),
  }
}
