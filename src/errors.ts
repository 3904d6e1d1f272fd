/** What an RFC lets one party tell another. The names are the wire's. */
export const protocolErrorCodes = [
  // RFC 6749 §4.1.2.1 and §5.2
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'invalid_scope',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  // RFC 6750 §3.1, RFC 9470 §3
  'invalid_token',
  'insufficient_scope',
  'insufficient_user_authentication',
  // RFC 7009 §2.2.1
  'unsupported_token_type',
  // RFC 8707 §2
  'invalid_target',
  // RFC 9396 §5
  'invalid_authorization_details',
  // RFC 9101 §4, RFC 9126 §2.1
  'invalid_request_uri',
  'invalid_request_object',
  'request_not_supported',
  'request_uri_not_supported',
  // RFC 9449 §5 and §8
  'invalid_dpop_proof',
  'use_dpop_nonce',
  // OpenID Connect Core §3.1.2.6
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
  'unmet_authentication_requirements',
] as const

/** `error` on the wire. */
export type ProtocolErrorCode = (typeof protocolErrorCodes)[number]

/** The peer broke the protocol. `message` is safe to send: it is a fixed text of ours, never the peer's. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  /** The wire's name of it. */
  readonly code: ProtocolErrorCode

  /** The cause goes into `options`. */
  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** One setting that cannot work. */
export interface ConfigurationProblem {
  /** RFC 6901 JSON Pointer of the setting. */
  readonly pointer: string
  /** What is wrong. */
  readonly problem: string
  /** What to write instead. */
  readonly remedy: string
  /** Where it is written: `frontends.json:12:7` or the name of an environment variable. */
  readonly where?: string
}

/** The operator's settings cannot work. Thrown before listening, with everything that is wrong at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  /** One or more. */
  readonly problems: readonly ConfigurationProblem[]

  /** `message` has a line for each problem. */
  constructor(problems: readonly ConfigurationProblem[], options?: ErrorOptions) {
    super(
      problems
        .map(
          ({ pointer, problem, remedy, where }) =>
            `${where ? `${where} ` : ''}${pointer || '/'}: ${problem}. ${remedy}`,
        )
        .join('\n'),
      options,
    )
    this.problems = problems
  }
}

/** What the server behind us did: nothing, nothing in time, nonsense; or it is the store that failed. */
export type UpstreamErrorCode = 'unreachable' | 'timeout' | 'invalid_response' | 'store_unavailable'

/** A server behind us (an authorization server, an API, the store) failed. Worth a retry later. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  /** Decides the status of our answer: 502, 503 or 504. */
  readonly code: UpstreamErrorCode

  /** The cause goes into `options`. */
  constructor(code: UpstreamErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Whether the store has failed: what was asked of it may be asked again later. */
export function isStoreUnavailable(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.code === 'store_unavailable'
}

/** The code at the bottom, such as `ECONNREFUSED`. */
export function connectionCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause
  const { code } = error as NodeJS.ErrnoException
  return connectionCode(inner) ?? (typeof code === 'string' && /^[A-Z_0-9]{3,60}$/.test(code) ? code : undefined)
}

/** Makes leaving out a case a compile error. */
export function unreachable(value: never): never {
  throw new TypeError(`unexpected ${JSON.stringify(value)}`)
}
