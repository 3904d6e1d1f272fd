import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listenPlainly } from '../_https.js'
import { type Algorithm, type Claims, compactJws, type FapiAlgorithm, generateKey, type KeyPair } from '../_jose.js'
import { type CheckedProof, checkAssertion, checkProof, onceOnly } from './_checks.js'

/** How this server differs from one that does everything right. */
export interface Misbehaviour {
  readonly metadata?: (metadata: Claims) => Claims
  /** Changes the parameters of the authorization response. */
  readonly authorizationResponse?: (response: URLSearchParams) => void
  readonly idToken?: (claims: Claims) => Claims
  /** How the ID token is signed. */
  readonly idTokenAlgorithm?: Algorithm
  /** What to do to the finished ID token. */
  readonly spoil?: (idToken: string) => string
  readonly tokenResponse?: (response: Claims) => Claims
  /** How the resource spells the scheme of its challenges. */
  readonly challengeScheme?: string
  readonly nonces?: 'demanded' | 'none'
}

export interface RegisteredClient {
  readonly id: string
  readonly key: KeyPair
  readonly scope: string
  /** Known once the client is up. */
  redirectUri: string
}

export type Endpoint = 'discovery' | 'jwks' | 'par' | 'authorize' | 'token' | 'userinfo' | 'accounts'

export interface MisbehavingServer {
  readonly issuer: string
  readonly accountsUrl: string
  /** Every call, in order. */
  readonly calls: readonly Endpoint[]
  /** Those after tokens were handed out. */
  readonly callsAfterTokens: readonly Endpoint[]
  /** What the client did wrong. */
  readonly violations: readonly string[]
  /** Whether the accounts endpoint was called as it has to be. */
  readonly served: boolean
  readonly stateSent: boolean
  readonly nonceSent: boolean
  close(): Promise<void>
}

export interface ServerKeys {
  /** Signs. */
  readonly signing: KeyPair
  /** Under the same `kid`, for other algorithms. */
  readonly decoys: readonly KeyPair[]
}

export async function generateServerKeys(algorithm: FapiAlgorithm): Promise<ServerKeys> {
  const curve = (name: FapiAlgorithm): string => (name === 'EdDSA' ? 'Ed25519' : name)
  const others = (['PS256', 'ES256', 'Ed25519'] as const).filter((other) => other !== curve(algorithm))
  const decoys = []
  for (const other of others) decoys.push(await generateKey(other))
  return { signing: await generateKey(algorithm), decoys }
}

/** The server that the suite becomes in its client plan: authorization server and protected resource in one. */
export async function startMisbehavingServer(
  client: RegisteredClient,
  { signing, decoys }: ServerKeys,
  misbehaviour: Misbehaviour,
): Promise<MisbehavingServer> {
  const calls: Endpoint[] = []
  const violations: string[] = []
  const report = (violation: string): void => void violations.push(`${calls.at(-1)}: ${violation}`)
  const [assertions, proofs] = [onceOnly(report), onceOnly(report)]
  const nonces = { server: nonce(), resource: nonce() }
  const pushed = new Map<string, Pushed>()
  const codes = new Map<string, Pushed>()
  const accessTokens = new Map<string, string>()
  const refreshTokens = new Set<string>()
  let [served, stateSent, nonceSent] = [false, false, false]
  let issuedAt = Number.POSITIVE_INFINITY
  const openid = client.scope.split(' ').includes('openid')
  let issuer = ''

  function nonce(): string | undefined {
    return misbehaviour.nonces === 'none' ? undefined : randomBytes(12).toString('base64url')
  }

  const url = (path: string): string => `${issuer.slice(0, -1)}${path}`

  const { close } = await listenPlainly((base) => {
    // The suite's issuers end with a slash.
    issuer = `${base}/test/a/sallyport/`
    return (request, response) => {
      serve(request, response).catch((error) => {
        violations.push(String(error))
        response.writeHead(500).end()
      })
    }
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? '/', issuer)
    const path = target.pathname.slice(new URL(issuer).pathname.length - 1)
    const form = new URLSearchParams(await text(request))
    if (target.pathname.startsWith('/.well-known/') || path.startsWith('/.well-known/')) {
      calls.push('discovery')
      return json(response, 200, metadata())
    }
    switch (`${request.method} ${path}`) {
      case 'GET /jwks':
        calls.push('jwks')
        return json(response, 200, jwks())
      case 'POST /par':
        calls.push('par')
        return push(request, response, form)
      case 'GET /authorize':
        calls.push('authorize')
        return authorize(response, target.searchParams)
      case 'POST /token':
        calls.push('token')
        return token(request, response, form)
      case 'GET /userinfo':
      case 'POST /userinfo':
        calls.push('userinfo')
        return protectedResource(request, response, url('/userinfo'), { sub: 'user-1', name: 'Demo T. User' })
      case 'GET /open-banking/v1.1/accounts':
        calls.push('accounts')
        return protectedResource(request, response, accountsUrl(), { data: { account: [] } }, () => {
          served = true
        })
      default:
        violations.push(`an unexpected call: ${request.method} ${request.url}`)
        return json(response, 404, {})
    }
  }

  const accountsUrl = (): string => url('/open-banking/v1.1/accounts')

  function metadata(): Claims {
    const algorithms = ['PS256', 'ES256', client.key.algorithm === 'Ed25519' ? 'Ed25519' : 'EdDSA']
    const usual = {
      issuer,
      authorization_endpoint: url('/authorize'),
      token_endpoint: url('/token'),
      pushed_authorization_request_endpoint: url('/par'),
      registration_endpoint: url('/register'),
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: [signing.publicJwk.alg],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: algorithms,
      dpop_signing_alg_values_supported: algorithms,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      // For clients that use mTLS, which none here does: nobody listens there.
      mtls_endpoint_aliases: { token_endpoint: url('/mtls/token'), userinfo_endpoint: url('/mtls/userinfo') },
      ...(openid && {
        jwks_uri: url('/jwks'),
        userinfo_endpoint: url('/userinfo'),
        scopes_supported: ['openid'],
        subject_types_supported: ['public'],
      }),
    }
    return misbehaviour.metadata?.(usual) ?? usual
  }

  function jwks(): Claims {
    const { kid } = signing
    const keys = [...decoys, signing].map(({ publicJwk }) => ({ ...publicJwk, kid }))
    // The key of PS256 once more, as if it were there for RS256.
    const rsa = [signing, ...decoys].find(({ algorithm }) => algorithm === 'PS256')
    return { keys: rsa === undefined ? keys : [{ ...rsa.publicJwk, kid, alg: 'RS256' }, ...keys] }
  }

  /** Answers with a challenge when the proof does not carry the nonce that it has to. True: it did. */
  function challenged(response: ServerResponse, proof: CheckedProof): boolean {
    if (proof.kind !== 'challenge') return false
    json(response, 400, { error: 'use_dpop_nonce' }, nonces.server === undefined ? {} : { 'dpop-nonce': nonces.server })
    return true
  }

  async function push(request: IncomingMessage, response: ServerResponse, form: URLSearchParams): Promise<void> {
    for (const name of form.keys()) if (form.getAll(name).length > 1) report(`${name} is repeated`)
    if (!(await checkAssertion(form, expectedClient(), assertions, report)))
      return json(response, 401, { error: 'invalid_client' })
    const proof = await checkProof(request, { method: 'POST', url: url('/par'), nonce: nonces.server }, proofs, report)
    if (challenged(response, proof)) return
    if (form.has('request') || form.has('request_uri')) report('request or request_uri')
    if (form.get('response_type') !== 'code') report(`response_type ${form.get('response_type')}`)
    if (form.get('redirect_uri') !== client.redirectUri) report(`redirect_uri ${form.get('redirect_uri')}`)
    if (form.get('code_challenge_method') !== 'S256')
      report(`code_challenge_method ${form.get('code_challenge_method')}`)
    if (!/^[\w-]{43}$/.test(form.get('code_challenge') ?? '')) report('code_challenge')
    if (form.get('scope') !== client.scope) report(`scope ${form.get('scope')} is not ${client.scope}`)
    if ((form.get('nonce') ?? '').length > 43) report('nonce is longer than 43 characters')
    if ((form.get('state') ?? '').length > 128) report('state is longer than 128 characters')
    if (!openid && !form.has('state')) report('no state')
    if (!openid && form.has('claims')) report('claims without openid')
    stateSent = form.has('state')
    nonceSent = form.has('nonce')
    const jkt = form.get('dpop_jkt') ?? (proof.kind === 'good' ? proof.jkt : undefined)
    if (proof.kind === 'good' && jkt !== proof.jkt) report('dpop_jkt is not the thumbprint of the proof')
    const requestUri = `urn:ietf:params:oauth:request_uri:${randomUUID()}`
    pushed.set(requestUri, { form, jkt })
    json(response, 201, { request_uri: requestUri, expires_in: 60 })
  }

  function authorize(response: ServerResponse, query: URLSearchParams): void {
    const names = [...query.keys()].sort()
    if (names.join() !== 'client_id,request_uri') report(`parameters ${names.join()}`)
    if (query.get('client_id') !== client.id) report('client_id')
    const request = pushed.get(query.get('request_uri') ?? '')
    if (request === undefined) {
      report('an unknown request_uri')
      json(response, 400, {})
      return
    }
    pushed.delete(query.get('request_uri') ?? '')
    const code = randomBytes(32).toString('base64url')
    codes.set(code, request)
    const to = new URL(request.form.get('redirect_uri') ?? client.redirectUri)
    const answer = new URLSearchParams({ code, iss: issuer })
    const state = request.form.get('state')
    if (state !== null) answer.set('state', state)
    misbehaviour.authorizationResponse?.(answer)
    for (const [name, value] of answer) to.searchParams.append(name, value)
    if (misbehaviour.nonces !== 'none') nonces.server = nonce()
    response.writeHead(302, { location: to.href, 'cache-control': 'no-store' }).end()
  }

  async function token(request: IncomingMessage, response: ServerResponse, form: URLSearchParams): Promise<void> {
    if (!(await checkAssertion(form, expectedClient(), assertions, report)))
      return json(response, 401, { error: 'invalid_client' })
    const target = { method: 'POST', url: url('/token'), nonce: nonces.server }
    const proof = await checkProof(request, target, proofs, report)
    if (proof.kind === 'absent') {
      report('no proof')
      return json(response, 400, { error: 'invalid_dpop_proof' })
    }
    if (challenged(response, proof)) return
    nonces.server = nonce()
    if (form.get('grant_type') === 'refresh_token') {
      if (!refreshTokens.delete(form.get('refresh_token') ?? '')) report('an unknown refresh token')
      return json(response, 200, tokens(proof.jkt, undefined))
    }
    if (form.get('grant_type') !== 'authorization_code') report(`grant_type ${form.get('grant_type')}`)
    const request_ = codes.get(form.get('code') ?? '')
    if (request_ === undefined) {
      report('an unknown code')
      return json(response, 400, { error: 'invalid_grant' })
    }
    codes.delete(form.get('code') ?? '')
    if (form.get('redirect_uri') !== request_.form.get('redirect_uri')) report('another redirect_uri')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (challenge !== request_.form.get('code_challenge')) report('code_verifier')
    if (request_.jkt !== undefined && request_.jkt !== proof.jkt) report('another key than the code is bound to')
    json(response, 200, tokens(proof.jkt, request_.form))
  }

  function tokens(jkt: string, request: URLSearchParams | undefined): Claims {
    issuedAt = calls.length
    const [accessToken, refreshToken] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')]
    accessTokens.set(accessToken, jkt)
    refreshTokens.add(refreshToken)
    const usual = {
      access_token: accessToken,
      token_type: 'DPoP',
      expires_in: 300,
      refresh_token: refreshToken,
      ...(openid && request !== undefined && { id_token: idToken(accessToken, request) }),
    }
    return misbehaviour.tokenResponse?.(usual) ?? usual
  }

  function idToken(accessToken: string, request: URLSearchParams): string {
    const now = Math.floor(Date.now() / 1000)
    const nonce = request.get('nonce')
    const usual = {
      iss: issuer,
      sub: 'user-1',
      aud: client.id,
      iat: now,
      exp: now + 300,
      auth_time: now,
      ...(nonce !== null && { nonce }),
      ...(signing.algorithm.endsWith('S256') && { at_hash: halfHash(accessToken) }),
    }
    const claims = misbehaviour.idToken?.(usual) ?? usual
    const algorithm = misbehaviour.idTokenAlgorithm ?? signing.algorithm
    const rsa = [signing, ...decoys].find((key) => key.algorithm === 'PS256')
    const key = algorithm === 'RS256' && rsa !== undefined ? rsa.privateKey : signing.privateKey
    const made = compactJws({ alg: algorithm, kid: signing.kid, typ: 'JWT' }, claims, key, algorithm)
    return misbehaviour.spoil?.(made) ?? made
  }

  async function protectedResource(
    request: IncomingMessage,
    response: ServerResponse,
    resourceUrl: string,
    body: Claims,
    done: () => void = () => {},
  ): Promise<void> {
    const [, scheme = '', accessToken = ''] = /^(\S+) (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    if (scheme.toLowerCase() !== 'dpop') report(`scheme ${scheme}`)
    if (request.url?.includes('access_token')) report('a token in the query')
    const interactionId = request.headers['x-fapi-interaction-id']
    if (interactionId !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(String(interactionId)))
      report(`x-fapi-interaction-id ${interactionId}`)
    const target = { method: request.method ?? '', url: resourceUrl, accessToken, nonce: nonces.resource }
    const proof = await checkProof(request, target, proofs, report)
    const name = misbehaviour.challengeScheme ?? 'DPoP'
    if (proof.kind === 'absent') {
      report('no proof')
      return json(response, 401, {}, { 'www-authenticate': `${name} error="invalid_dpop_proof"` })
    }
    if (accessTokens.get(accessToken) !== proof.jkt) {
      report('an unknown access token, or another key')
      return json(response, 401, {}, { 'www-authenticate': `${name} error="invalid_token"` })
    }
    if (proof.kind === 'challenge') {
      const challenge = { 'www-authenticate': `${name} error="use_dpop_nonce", error_description="a nonce is needed"` }
      return json(response, 401, {}, { ...challenge, 'dpop-nonce': nonces.resource ?? '' })
    }
    nonces.resource = nonce()
    done()
    json(response, 200, body, { 'x-fapi-interaction-id': request.headers['x-fapi-interaction-id'] ?? randomUUID() })
  }

  function expectedClient() {
    return { clientId: client.id, publicJwk: client.key.publicJwk, issuer }
  }

  return {
    issuer,
    accountsUrl: accountsUrl(),
    calls,
    violations,
    get callsAfterTokens() {
      return calls.slice(issuedAt)
    },
    get served() {
      return served
    },
    get stateSent() {
      return stateSent
    },
    get nonceSent() {
      return nonceSent
    },
    close,
  }
}

interface Pushed {
  readonly form: URLSearchParams
  readonly jkt: string | undefined
}

function halfHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}

function json(
  response: ServerResponse,
  status: number,
  body: Claims,
  headers: Readonly<Record<string, string | string[]>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
  response.end(JSON.stringify(body))
}
