import { unreachable } from '../../errors.js'
import type { Scheme } from '../request/credentials.js'
import type { Requirements } from '../request/requirements.js'
import type { AuthError, AuthErrorCode } from './auth-error.js'
import { authErrorStatus, refusals } from './auth-error.js'

/** A refusal as an HTTP response. Every octet of it is ours. */
export interface Answer {
  /** Of the response. */
  readonly status: 200 | 400 | 401 | 403 | 503
  /** By name; a list is one line for each value. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** JSON (RFC 9457), or this API's metadata. */
  readonly body: string
}

export interface AnswerOptions {
  /** Which schemes this API takes. */
  readonly takes: { readonly dpop: boolean; readonly bearer: boolean }
  /** `algs`, with spaces between. */
  readonly algorithms: string
  readonly realm: string | undefined
  readonly resourceMetadata: string | undefined
  readonly exposeHeaders: boolean
}

export interface AnswerContext {
  /** What the access token came with; undefined when there was none, or more than one. */
  readonly scheme: Scheme | undefined
  readonly nonce: string | undefined
  readonly requirements: Requirements
}

export type CreateAnswer = (error: AuthError, context: AnswerContext) => Answer

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1}, RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1 */
export function createAnswers({
  takes,
  algorithms,
  realm,
  resourceMetadata,
  exposeHeaders,
}: AnswerOptions): CreateAnswer {
  const common = [
    ...(realm === undefined ? [] : [`realm="${realm}"`]),
    ...(resourceMetadata === undefined ? [] : [`resource_metadata="${resourceMetadata}"`]),
  ]
  const dpop = (...parameters: string[]): string =>
    `DPoP ${[...parameters, `algs="${algorithms}"`, ...common].join(', ')}`
  const bearer = (...parameters: string[]): string => ['Bearer', [...parameters, ...common].join(', ')].join(' ').trim()

  function challenges(error: AuthError, { scheme, requirements }: AnswerContext): readonly string[] {
    const parameters = parametersOf(error, requirements)
    // Two credentials, or one that cannot be told apart: the same error in both challenges (RFC 9449 §7.2).
    if (error === refusals.several) return [bearer(...parameters), dpop(...parameters)]
    if (scheme === 'Bearer') return [bearer(...parameters), ...(takes.dpop ? [dpop()] : [])]
    if (scheme === 'DPoP') return [dpop(...parameters)]
    return [...(takes.bearer ? [bearer(...parameters)] : []), ...(takes.dpop ? [dpop(...parameters)] : [])]
  }

  const refusal = (error: AuthError, context: AnswerContext): Answer => {
    const status = authErrorStatus[error.code]
    return {
      status,
      headers: {
        ...(status === 503 ? { 'Retry-After': '5' } : { 'WWW-Authenticate': challenges(error, context) }),
        ...(context.nonce !== undefined && { 'DPoP-Nonce': context.nonce }),
        ...(exposeHeaders && { 'Access-Control-Expose-Headers': 'WWW-Authenticate, DPoP-Nonce' }),
        'Cache-Control': 'no-store',
        'Content-Type': 'application/problem+json',
      },
      body: bodyOf(error, status),
    }
  }

  // Most refusals are always answered alike, and are the ones that come in floods.
  const usual = new Map<AuthError, Map<Scheme | undefined, Answer>>()
  return (error, context) => {
    if (context.nonce !== undefined || parametersDependOnRoute(error.code)) return refusal(error, context)
    const byScheme = usual.get(error) ?? new Map<Scheme | undefined, Answer>()
    const answer = byScheme.get(context.scheme) ?? refusal(error, context)
    byScheme.set(context.scheme, answer)
    if (isOurs(error)) usual.set(error, byScheme)
    return answer
  }
}

/** One of the errors that are made once, as opposed to one with a cause of its own. */
function isOurs(error: AuthError): boolean {
  return error.cause === undefined
}

function parametersDependOnRoute(code: AuthErrorCode): boolean {
  return code === 'insufficient_scope' || code === 'insufficient_user_authentication'
}

function parametersOf({ code, message }: AuthError, { scopes, acr, maxAge }: Requirements): readonly string[] {
  switch (code) {
    case 'missing_credentials':
      return []
    case 'insufficient_scope':
      return [
        `error="${code}"`,
        ...(scopes === undefined || scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
      ]
    case 'insufficient_user_authentication':
      return [
        `error="${code}"`,
        `error_description="${message}"`,
        ...(acr === undefined ? [] : [`acr_values="${acr.join(' ')}"`]),
        ...(maxAge === undefined ? [] : [`max_age="${maxAge}"`]),
      ]
    case 'invalid_request':
    case 'invalid_token':
    case 'invalid_dpop_proof':
    case 'use_dpop_nonce':
    case 'temporarily_unavailable':
      return [`error="${code}"`, `error_description="${message}"`]
    default:
      return unreachable(code)
  }
}

const titles = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
} as const

/** @see {@link https://www.rfc-editor.org/rfc/rfc9457 RFC 9457} */
function bodyOf({ code, message }: AuthError, status: Answer['status']): string {
  return JSON.stringify({ type: 'about:blank', title: titles[status], status, detail: message, code })
}

/** The header fields of an answer, one line for each value. */
export function fieldLines({ headers }: Answer): readonly (readonly [name: string, value: string])[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => [name, one] as const),
  )
}
