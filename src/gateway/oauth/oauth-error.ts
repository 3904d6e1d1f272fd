import * as openid from 'openid-client'
import { ProtocolError, type ProtocolErrorCode, UpstreamError } from '../../errors.js'

/**
 * Sorts what openid-client throws by whose fault it is. Its errors hold responses, tokens and claims in their `cause`:
 * none of that goes on, only names that are its own or RFC 6749's.
 */
export function refuse(error: unknown): never {
  if (error instanceof UpstreamError || error instanceof ProtocolError) throw error
  if (error instanceof openid.ResponseBodyError) {
    if (error.status === 429 || error.error === 'temporarily_unavailable')
      throw new UpstreamError('unreachable', 'the authorization server is busy')
    const code = protocolErrorCodes.find((known) => known === error.error)
    throw new ProtocolError(code ?? 'server_error', 'the authorization server refused the request')
  }
  if (error instanceof openid.WWWAuthenticateChallengeError)
    throw new ProtocolError('invalid_client', 'the authorization server did not accept our authentication')
  if (error instanceof openid.ClientError) {
    if (error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_ABORT')
      throw new UpstreamError('timeout', 'the authorization server did not answer in time')
    if (error.cause instanceof UpstreamError) throw error.cause
    if (error.cause instanceof Object && 'status' in error.cause && Number(error.cause.status) >= 500)
      throw new UpstreamError('unreachable', 'the authorization server has trouble of its own')
    if (error.code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED')
      throw new UpstreamError('invalid_response', 'the ID token is not valid now: compare the clocks of both servers')
    throw new UpstreamError(
      'invalid_response',
      `the authorization server's answer is not acceptable (${error.code ?? 'no code'})`,
    )
  }
  // What undici throws when there is no connection is a TypeError; `cause` holds no secret but may hold addresses.
  if (error instanceof Error) throw new UpstreamError('unreachable', 'the authorization server could not be reached')
  throw error
}

const protocolErrorCodes: readonly ProtocolErrorCode[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'access_denied',
  'invalid_request_object',
]
