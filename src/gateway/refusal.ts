import { unreachable } from '../errors.js'

/** Every reason for which the gateway says no. Stable: users, logs and `docs/errors.md` share them. */
export type RefusalCode =
  | 'bff.frontend.unknown'
  | 'bff.request.ambiguous_target'
  | 'bff.request.malformed'
  | 'bff.request.too_many'
  | 'bff.request.timeout'
  | 'bff.streams.too_many'
  | 'bff.endpoint.unknown'
  | 'bff.endpoint.method_not_allowed'
  | 'bff.csrf.header_missing'
  | 'bff.csrf.cross_site'
  | 'bff.navigation.required'
  | 'bff.session.absent'
  | 'bff.session.ended'
  | 'bff.store.unavailable'
  | 'bff.login.transaction_absent'
  | 'bff.login.issuer_mismatch'
  | 'bff.login.denied'
  | 'bff.login.failed'
  | 'bff.login.loop'
  | 'bff.login.confirm'
  | 'bff.issuer.unavailable'
  | 'bff.token.refused'
  | 'bff.logout.confirm'
  | 'bff.logout.sid_mismatch'
  | 'bff.logout.token_refused'
  | 'bff.asset.unknown'
  | 'bff.route.unknown'
  | 'bff.route.method_denied'
  | 'bff.body.too_large'
  | 'bff.upstream.unreachable'
  | 'bff.upstream.timeout'
  | 'bff.upstream.broke_off'
  | 'bff.internal'
  | 'bff.upstream.unavailable'
  | 'bff.upstream.invalid_response'
  | 'bff.upstream.nonce_required'

/** A request we do not serve. What it becomes (a document, a page, a closed socket) is the edge's decision. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** For the operator's log alone, where that may say more. */
  readonly reason: string | undefined

  /** @param detail For the developer at the other end: what is wrong and what to do. Never an internal. */
  constructor(code: RefusalCode, detail: string, options?: ErrorOptions & { readonly reason?: string }) {
    super(detail, options)
    this.code = code
    this.reason = options?.reason
  }
}

export function statusOf(
  code: RefusalCode,
): 400 | 401 | 403 | 404 | 405 | 408 | 413 | 421 | 429 | 500 | 502 | 503 | 504 {
  switch (code) {
    case 'bff.request.ambiguous_target':
    case 'bff.request.malformed':
    case 'bff.login.transaction_absent':
    case 'bff.login.issuer_mismatch':
    case 'bff.login.denied':
    case 'bff.login.failed':
    case 'bff.login.loop':
    case 'bff.logout.sid_mismatch':
    case 'bff.logout.token_refused':
      return 400
    case 'bff.session.absent':
    case 'bff.session.ended':
      return 401
    case 'bff.login.confirm':
    case 'bff.logout.confirm':
    case 'bff.navigation.required':
    case 'bff.csrf.header_missing':
    case 'bff.csrf.cross_site':
      return 403
    case 'bff.asset.unknown':
    case 'bff.endpoint.unknown':
    case 'bff.route.unknown':
      return 404
    case 'bff.endpoint.method_not_allowed':
    case 'bff.route.method_denied':
      return 405
    case 'bff.request.timeout':
      return 408
    case 'bff.body.too_large':
      return 413
    case 'bff.frontend.unknown':
      return 421
    case 'bff.streams.too_many':
    case 'bff.request.too_many':
      return 429
    case 'bff.token.refused':
    case 'bff.upstream.unreachable':
    case 'bff.upstream.broke_off':
    case 'bff.upstream.invalid_response':
    case 'bff.upstream.nonce_required':
      return 502
    case 'bff.upstream.unavailable':
    case 'bff.issuer.unavailable':
    case 'bff.store.unavailable':
      return 503
    case 'bff.upstream.timeout':
      return 504
    case 'bff.internal':
      return 500
    default:
      return unreachable(code)
  }
}
