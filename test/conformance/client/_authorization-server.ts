import { createHash, randomBytes, randomUUID, X509Certificate } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { tlsPreset } from '../../../src/http/tls.js'
import { byKeys, type ClientSecurity, usesMutualTls } from '../_client-security.js'
import { listenPlainly, listenSecurely } from '../_https.js'
import type { Claims } from '../_jose.js'
import type { MessageSigning } from '../_message-signing.js'
import { type CheckedProof, checkAssertion, checkProof, onceOnly } from './_checks.js'
import { serverMetadata } from './_metadata.js'
import type { Misbehaviour, RegisteredClient } from './_misbehaviour.js'
import { checkRequestObject } from './_request-object.js'
import { type IdTokenSubject, issueIdToken, issueResponse, publishedKeys, type ServerKeys } from './_server-keys.js'

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

export interface MisbehavingServerOptions {
  readonly client: RegisteredClient
  readonly keys: ServerKeys
  readonly misbehaviour: Misbehaviour
  readonly signing: MessageSigning
  /** Default: by keys. */
  readonly security?: ClientSecurity
}

/** The server that the suite becomes in its client plan: authorization server and protected resource in one. */
export async function startMisbehavingServer({
  client,
  keys,
  misbehaviour,
  signing,
  security = byKeys,
}: MisbehavingServerOptions): Promise<MisbehavingServer> {
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

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error) => {
      violations.push(String(error))
      response.writeHead(500).end()
    })
  }
  const { close } = await listenPlainly((base) => {
    // The suite's issuers end with a slash.
    issuer = `${base}/test/a/sallyport/`
    return answer
  })
  const isBound = security.constraint === 'mtls'
  /** Where clients are asked for a certificate. */
  const asking = usesMutualTls(security)
    ? await listenSecurely({ ...tlsPreset, requestCert: true, rejectUnauthorized: false }, () => answer)
    : undefined
  const base = asking && `${asking.origin}/test/a/sallyport`
  const isOverTls = (request: IncomingMessage): boolean => (request.socket as Partial<TLSSocket>).encrypted === true
  /** As it was called. */
  const urlOf = (request: IncomingMessage, path: string): string => (isOverTls(request) ? `${base}${path}` : url(path))

  /** The client's own certificate, at a place where it was asked for one. */
  function checkCertificate(request: IncomingMessage): string | undefined {
    const shown = isOverTls(request) ? (request.socket as TLSSocket).getPeerX509Certificate() : undefined
    if (shown === undefined) report('no certificate, or not where one is asked for')
    else if (!shown.raw.equals(new X509Certificate(client.certificate ?? '').raw)) report('another certificate')
    else return createHash('sha256').update(shown.raw).digest('base64url')
    return undefined
  }

  async function isAuthenticated(request: IncomingMessage, form: URLSearchParams): Promise<boolean> {
    if (security.authentication === 'private_key_jwt') return checkAssertion(form, expectedClient(), assertions, report)
    if (form.get('client_id') !== client.id) report(`client_id ${form.get('client_id')}`)
    if (form.has('client_assertion') || form.has('client_secret'))
      report('an assertion or a secret beside the certificate')
    return checkCertificate(request) !== undefined
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? '/', issuer)
    const path = target.pathname.slice(new URL(issuer).pathname.length - 1)
    const form = new URLSearchParams(await text(request))
    // RFC 8414 §3.1 puts the well-known part before an issuer's path, OpenID Connect Discovery §4 behind it.
    const inserted = `/.well-known/oauth-authorization-server${new URL(issuer).pathname}`.replace(/\/$/, '')
    if (path === '/.well-known/openid-configuration' || target.pathname.replace(/\/$/, '') === inserted) {
      calls.push('discovery')
      const usual = serverMetadata(issuer, client, keys.signing.publicJwk.alg, signing, { ...security, asking: base })
      return json(response, 200, misbehaviour.metadata?.(usual) ?? usual)
    }
    switch (`${request.method} ${path}`) {
      case 'GET /jwks':
        calls.push('jwks')
        return json(response, 200, { ...publishedKeys(keys) })
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
        return protectedResource(request, response, urlOf(request, '/userinfo'), {
          sub: 'user-1',
          name: 'Demo T. User',
        })
      case 'GET /open-banking/v1.1/accounts':
        calls.push('accounts')
        if (isOverTls(request) !== isBound) report('the accounts at the other place')
        return protectedResource(request, response, accountsUrl(), { data: { account: [] } }, () => {
          served = true
        })
      default:
        violations.push(`an unexpected call: ${request.method} ${request.url}`)
        return json(response, 404, {})
    }
  }

  const accountsPath = '/open-banking/v1.1/accounts'
  const accountsUrl = (): string => (isBound ? `${base}${accountsPath}` : url(accountsPath))

  /** Answers with a challenge when the proof does not carry the nonce that it has to. True: it did. */
  function challenged(response: ServerResponse, proof: CheckedProof): boolean {
    if (proof.kind !== 'challenge') return false
    json(response, 400, { error: 'use_dpop_nonce' }, nonces.server === undefined ? {} : { 'dpop-nonce': nonces.server })
    return true
  }

  async function push(request: IncomingMessage, response: ServerResponse, sent: URLSearchParams): Promise<void> {
    for (const name of sent.keys()) if (sent.getAll(name).length > 1) report(`${name} is repeated`)
    if (!(await isAuthenticated(request, sent))) return json(response, 401, { error: 'invalid_client' })
    const place = { method: 'POST', url: urlOf(request, '/par'), nonce: nonces.server }
    const proof = await checkProof(request, place, proofs, report)
    if (isBound && proof.kind !== 'absent') report('a proof')
    if (challenged(response, proof)) return
    if (sent.has('request_uri') || (signing.requests === 'unsigned' && sent.has('request')))
      report('request or request_uri')
    const form = signing.requests === 'unsigned' ? sent : await checkRequestObject(sent, expectedClient(), report)
    const mode = signing.responses === 'jarm' ? 'jwt' : null
    if (form.get('response_mode') !== mode) report(`response_mode ${form.get('response_mode')}`)
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
    const isSigned = (signing.responses === 'jarm') !== (misbehaviour.otherResponseMode ?? false)
    if (isSigned) {
      const usual = { ...Object.fromEntries(answer), aud: client.id, exp: Math.floor(Date.now() / 1000) + 600 }
      to.searchParams.append('response', issueResponse(keys, usual, misbehaviour))
    } else for (const [name, value] of answer) to.searchParams.append(name, value)
    if (misbehaviour.nonces !== 'none') nonces.server = nonce()
    response.writeHead(302, { location: to.href, 'cache-control': 'no-store' }).end()
  }

  async function token(request: IncomingMessage, response: ServerResponse, form: URLSearchParams): Promise<void> {
    if (!(await isAuthenticated(request, form))) return json(response, 401, { error: 'invalid_client' })
    const target = { method: 'POST', url: urlOf(request, '/token'), nonce: nonces.server }
    const proof = await checkProof(request, target, proofs, report)
    if (isBound && proof.kind !== 'absent') report('a proof')
    if (!isBound && proof.kind === 'absent') report('no proof')
    const bond = isBound ? checkCertificate(request) : proof.kind === 'absent' ? undefined : proof.jkt
    if (bond === undefined) return json(response, 400, { error: isBound ? 'invalid_request' : 'invalid_dpop_proof' })
    if (challenged(response, proof)) return
    nonces.server = nonce()
    if (form.get('grant_type') === 'refresh_token') {
      if (!refreshTokens.delete(form.get('refresh_token') ?? '')) report('an unknown refresh token')
      return json(response, 200, tokens(bond, undefined))
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
    if (request_.jkt !== undefined && request_.jkt !== bond) report('another key than the code is bound to')
    json(response, 200, tokens(bond, request_.form))
  }

  function tokens(bond: string, request: URLSearchParams | undefined): Claims {
    issuedAt = calls.length
    const [accessToken, refreshToken] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')]
    accessTokens.set(accessToken, bond)
    refreshTokens.add(refreshToken)
    const usual = {
      access_token: accessToken,
      token_type: isBound ? 'Bearer' : 'DPoP',
      expires_in: 300,
      refresh_token: refreshToken,
      ...(openid &&
        request !== undefined && { id_token: issueIdToken(keys, subject(accessToken, request), misbehaviour) }),
    }
    return misbehaviour.tokenResponse?.(usual) ?? usual
  }

  function subject(accessToken: string, request: URLSearchParams): IdTokenSubject {
    return { issuer, clientId: client.id, nonce: request.get('nonce'), accessToken }
  }

  async function protectedResource(
    request: IncomingMessage,
    response: ServerResponse,
    resourceUrl: string,
    body: Claims,
    done: () => void = () => {},
  ): Promise<void> {
    const [, scheme = '', accessToken = ''] = /^(\S+) (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    if (scheme.toLowerCase() !== (isBound ? 'bearer' : 'dpop')) report(`scheme ${scheme}`)
    if (request.url?.includes('access_token')) report('a token in the query')
    const interactionId = request.headers['x-fapi-interaction-id']
    if (interactionId !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(String(interactionId)))
      report(`x-fapi-interaction-id ${interactionId}`)
    const target = { method: request.method ?? '', url: resourceUrl, accessToken, nonce: nonces.resource }
    const proof = await checkProof(request, target, proofs, report)
    if (isBound) {
      if (proof.kind !== 'absent') report('a proof')
      const isOfClient = accessTokens.get(accessToken) === checkCertificate(request)
      if (!isOfClient) report('an unknown access token, or another certificate')
      if (isOfClient) done()
      return json(response, isOfClient ? 200 : 401, body)
    }
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
    async close() {
      await Promise.all([close(), asking?.close()])
    },
  }
}

interface Pushed {
  readonly form: URLSearchParams
  readonly jkt: string | undefined
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
