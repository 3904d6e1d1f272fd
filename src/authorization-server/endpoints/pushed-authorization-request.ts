import { randomBytes } from 'node:crypto'
import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { readFormBody } from '../../http/form-body.js'
import { listOf } from '../../http/space-separated.js'
import type { Seal } from '../../store/seal.js'
import { createSealedStore, type SealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import type { AuthenticateClient } from '../client/authentication.js'
import { mayHaveScope } from '../client/permissions.js'
import type { ProvePossession } from '../client/proof-of-possession.js'
import type { ReadRequestObject } from '../client/request-object.js'
import { assertNoKey } from '../client/sender-constraint.js'
import type { EndpointUrls } from '../endpoint-urls.js'
import type { ResponseMode } from '../interaction/response-location.js'
import type { AuthorizationDetail, ClientOptions } from '../options.js'
import type { AuthorizationDetails } from '../tokens/authorization-details.js'
import type { IdTokens } from '../tokens/id-token.js'
import type { Resources, Target } from '../tokens/resources.js'
import { knownClient } from './identified-request.js'

export type Prompt = 'none' | 'login' | 'consent' | 'select_account'

/** An authorization request that was checked when it was pushed. What happens to it in the browser is written beside it. */
export interface PushedAuthorizationRequest {
  readonly clientId: string
  /** The client's own, where it has named it. What happens in the browser goes by it. */
  readonly requestId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly codeChallenge: string
  readonly target: Target
  readonly responseMode: ResponseMode
  readonly prompts: readonly Prompt[]
  readonly acrValues: readonly string[]
  readonly uiLocales: readonly string[]
  /** What is asked for besides scopes. Absent: nothing. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  readonly state?: string
  readonly nonce?: string
  readonly jkt?: string
  readonly maxAge?: number
  readonly loginHint?: string
  /** Subject of the `id_token_hint`. */
  readonly subjectHint?: string
  /** After that only a browser that has opened it before may go on. */
  readonly openBy: number
  readonly interaction: Interaction
}

export interface Interaction {
  /** Hashes of the browsers that opened the request in time. */
  readonly browsers: readonly string[]
  /** Session in which the user signed in for this very request. */
  readonly signedInto?: string
  /** The user said "not you?". */
  readonly switchingUser?: boolean
}

export type PushedRequests = SealedStore<PushedAuthorizationRequest>

export function createPushedRequests(store: Store, seal: Seal): PushedRequests {
  return createSealedStore<PushedAuthorizationRequest>(store, seal, 'as pushed request')
}

export interface PushedAuthorizationRequestOptions {
  readonly urls: EndpointUrls
  readonly authenticateClient: AuthenticateClient
  readonly provePossession: ProvePossession
  readonly readRequestObject: ReadRequestObject
  readonly pushedRequests: PushedRequests
  readonly idTokens: IdTokens
  readonly resources: Resources
  readonly authorizationDetails: AuthorizationDetails
  /** Seconds. */
  readonly lifetimes: { readonly requestUri: number }
  readonly now: () => number
}

/** Everything that can be judged is judged here, where the answer goes to the client and not through a browser. @see RFC 9126 §2 */
export function pushedAuthorizationRequest({
  urls,
  authenticateClient,
  provePossession,
  readRequestObject,
  pushedRequests,
  idTokens,
  resources,
  authorizationDetails,
  lifetimes,
  now,
}: PushedAuthorizationRequestOptions): Koa.Middleware {
  return async function pushedAuthorizationRequest(ctx) {
    const form = await readFormBody(ctx.req, { repeatable: ['resource'] })
    const { client, consume } = await authenticateClient(ctx.req, form)
    knownClient(ctx, client.clientId)
    const proof = provePossession(ctx.req, urls.pushedAuthorizationRequest)
    await consume(ctx.state.requestId)
    await proof?.consume(ctx.state.requestId)

    const parameters = await requested(form, client, readRequestObject)
    const jkt = boundKey(parameters.get('dpop_jkt'), proof?.jkt)
    assertNoKey(client, jkt)
    const details = authorizationDetails.requested(parameters.get('authorization_details'), client)
    const checked = await checkRequest(parameters, client, idTokens, details)
    const request: PushedAuthorizationRequest = {
      ...checked,
      requestId: ctx.state.requestId,
      target: resources.target(parameters.get('resource'), checked.scopes, client),
      openBy: now() + lifetimes.requestUri,
      interaction: { browsers: [] },
      ...(jkt !== undefined && { jkt }),
    }
    const requestUri = `urn:ietf:params:oauth:request_uri:${randomBytes(32).toString('base64url')}`
    await pushedRequests.add(requestUri, request, request.openBy)
    publish({ type: 'as.request.pushed', requestId: request.requestId, client: client.clientId })
    ctx.status = 201
    ctx.body = { request_uri: requestUri, expires_in: lifetimes.requestUri }
  }
}

/** With a request object its parameters alone count: what is beside it is not even looked at (RFC 9101 §6.3, RFC 9126 §3). */
async function requested(
  form: ReadonlyMap<string, string>,
  client: ClientOptions,
  readRequestObject: ReadRequestObject,
): Promise<ReadonlyMap<string, string>> {
  if (form.has('request_uri')) refuse('request_uri is what this endpoint answers with')
  const object = form.get('request')
  if (object !== undefined) return readRequestObject(object, client)
  if (client.requireSignedRequests === true) refuse('the request has to be a signed request object')
  return form
}

/** RFC 9449 §10.1: by parameter, by proof, or by both if they agree. */
function boundKey(parameter: string | undefined, proven: string | undefined): string | undefined {
  if (parameter !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(parameter))
    refuse('dpop_jkt is not a SHA-256 JWK thumbprint')
  if (parameter !== undefined && proven !== undefined && parameter !== proven)
    throw new ProtocolError('invalid_dpop_proof', 'dpop_jkt is not the thumbprint of the key of the proof')
  return parameter ?? proven
}

async function checkRequest(
  form: ReadonlyMap<string, string>,
  client: ClientOptions,
  idTokens: IdTokens,
  details: readonly AuthorizationDetail[],
) {
  const { endpoints, grants } = client.permissions
  if (
    !endpoints.includes('authorization') ||
    !endpoints.includes('pushed_authorization') ||
    !grants.includes('authorization_code')
  )
    throw new ProtocolError('unauthorized_client', 'the client may not ask for authorization')

  const responseType = form.get('response_type')
  if (responseType === undefined) refuse('response_type is required')
  if (responseType !== 'code') throw new ProtocolError('unsupported_response_type', 'response_type is not code')
  const responseMode = responseModeOf(form.get('response_mode'))
  if (responseMode !== 'jwt' && client.requireSignedResponses === true) refuse('response_mode has to be jwt')

  const redirectUri = form.get('redirect_uri')
  if (redirectUri === undefined) refuse('redirect_uri is required')
  if (!client.redirectUris.includes(redirectUri)) refuse('redirect_uri is not registered for the client')

  const codeChallenge = form.get('code_challenge')
  if (codeChallenge === undefined) refuse('code_challenge is required')
  if (form.get('code_challenge_method') !== 'S256') refuse('code_challenge_method is not S256')
  if (!/^[A-Za-z0-9_-]{43}$/.test(codeChallenge)) refuse('code_challenge is not a SHA-256 hash in base64url')

  const [state, nonce] = [form.get('state'), form.get('nonce')]
  if (state !== undefined && state.length > 4096) refuse('state is longer than 4096 characters')
  if (nonce !== undefined && nonce.length > 1024) refuse('nonce is longer than 1024 characters')
  const loginHint = form.get('login_hint')
  if (loginHint !== undefined && loginHint.length > 256) refuse('login_hint is longer than 256 characters')
  const subjectHint = await subjectOf(form.get('id_token_hint'), client, idTokens)
  const maxAge = maxAgeOf(form.get('max_age'))

  return {
    clientId: client.clientId,
    redirectUri,
    codeChallenge,
    responseMode,
    // RFC 9396 §3: details may be all that is asked for.
    scopes: details.length > 0 && !form.has('scope') ? [] : requestedScopes(form.get('scope'), client),
    ...(details.length > 0 && { authorizationDetails: details }),
    prompts: promptsOf(form.get('prompt')),
    acrValues: listOf(form.get('acr_values')),
    uiLocales: listOf(form.get('ui_locales')),
    ...(state !== undefined && { state }),
    ...(nonce !== undefined && { nonce }),
    ...(loginHint !== undefined && { loginHint }),
    ...(subjectHint !== undefined && { subjectHint }),
    ...(maxAge !== undefined && { maxAge }),
  }
}

/** @throws ProtocolError `invalid_scope` for one that the client may not have. */
export function requestedScopes(scope: string | undefined, { permissions }: ClientOptions): readonly string[] {
  const scopes = [...new Set(listOf(scope))]
  if (scopes.length === 0) throw new ProtocolError('invalid_scope', 'scope is required')
  if (!scopes.every((name) => mayHaveScope(permissions, name)))
    throw new ProtocolError('invalid_scope', 'the client may not have one of the scopes')
  return scopes
}

/** For a code `jwt` means `query.jwt` (JARM §2.3.4). */
function responseModeOf(text: string | undefined): ResponseMode {
  if (text === undefined || text === 'query') return 'query'
  if (text === 'jwt' || text === 'query.jwt') return 'jwt'
  return refuse('response_mode is none of query, jwt and query.jwt')
}

function promptsOf(prompt: string | undefined): readonly Prompt[] {
  const prompts = listOf(prompt)
  const isPrompt = (text: string): text is Prompt => ['none', 'login', 'consent', 'select_account'].includes(text)
  if (!prompts.every(isPrompt)) refuse('prompt has an unknown value')
  if (prompts.includes('none') && prompts.length > 1) refuse('prompt none goes with nothing else')
  return prompts
}

function maxAgeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) refuse('max_age is not a number of seconds')
  return Number(text)
}

async function subjectOf(
  hint: string | undefined,
  client: ClientOptions,
  idTokens: IdTokens,
): Promise<string | undefined> {
  if (hint === undefined) return undefined
  const recognised = await idTokens.recognise(hint)
  if (recognised?.clientId !== client.clientId) refuse('id_token_hint is not an ID token of the client')
  return recognised.subject
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_request', message)
}
